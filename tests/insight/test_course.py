"""Findings of a study whose truth is known: what is claimed, what it rests on, what chance says."""

from __future__ import annotations

import numpy as np
import pytest

from modelshelf.core.records import Direction, Status
from modelshelf.insight.course.finding import Verdict, best_cut, trend
from modelshelf.insight.explanation import explained
from modelshelf.insight.studied import Studied
from modelshelf.space.space import Space

SPACE = Space(
    learning_rate=(1e-4, 1.0), optimizer=["adam", "sgd", "rmsprop"], parametrisation="standard",
    epochs=30, schedule="constant", when={},
)  # fmt: skip


def planted(count: int = 240, seed: int = 0, space: Space = SPACE) -> Studied:
    """Networks that behave as the course says, with some noise."""
    rng = np.random.default_rng(seed)
    drawn = [space.configuration(rng.random(space.dimensions).tolist()) for _ in range(count)]
    rate = np.array([c.number("learning_rate") for c in drawn])
    batch = np.array([c.number("batch_size") for c in drawn])
    dropout = np.array([float(str(c.get("dropout", 0.0))) for c in drawn])
    size = np.array([sum(c.hidden_layers) * 100 for c in drawn])
    diverged = (rate > 0.2) & (rng.random(count) < 0.8)
    loss = (0.3 + 0.05 * np.log10(rate / 0.01) ** 2 + 0.02 * np.log2(batch / 32)
            + 0.2 * dropout + 0.01 * rng.normal(size=count))  # fmt: skip
    curves = {i: _curve(loss[i], rate[i], batch[i], dropout[i], rng) for i in range(count)}
    statuses = [Status.DIVERGED if bad else Status.FINISHED for bad in diverged]
    return Studied(
        space, "log_loss", Direction.MINIMIZE, np.arange(count), tuple(map(str, range(count))),
        tuple(drawn), tuple(statuses),
        np.where(diverged, np.inf, loss), loss, np.full(count, 30), np.full(count, 20),
        size * (1 + 2 / batch) * 1e-5, size, curves,
    )  # fmt: skip


def _curve(loss, rate, batch, dropout, rng) -> np.ndarray:
    epochs = np.arange(1, 31)
    fall = np.exp(-epochs * min(rate * 20, 1.0))
    jumps = rng.normal(size=30) * 0.02 / np.sqrt(batch / 32)
    validation = loss + fall + jumps + np.maximum(epochs - 20, 0) * 0.005
    gap = 0.2 * (1 - dropout) + 0.005 * rng.normal()
    train = validation - jumps - gap - np.maximum(epochs - 20, 0) * 0.01
    return np.column_stack([train, validation, validation])


@pytest.fixture(scope="module")
def found():
    return explained("planted", planted())


def row(found, name):
    return next(each for each in found.rows if each.name == name)


def test_rates_that_diverge_are_named_with_their_counts(found):
    says = [each.says for each in row(found, "learning rate").findings]
    high = next(each for each in says if "diverged" in each)
    assert high.startswith("From 0.")
    assert any(each.startswith("Below") for each in says)
    assert any(each.startswith("Best between") for each in says)
    assert row(found, "learning rate").verdict is Verdict.SEEN


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("batch size", "Small batches make noisier curves"),
        ("batch size", "An epoch takes"),
        ("dropout", "The larger the dropout, the smaller the gap"),
        ("epochs", "had overfitted by then"),
        ("early stopping", "A patience of 4 would have stopped"),
        ("structure", "Ten times the weights take"),
    ],
)
def test_what_was_planted_is_said(found, name, words):
    assert any(words in each.says for each in row(found, name).findings)


def test_what_was_not_planted_is_not_said(found):
    for name in ("initialisation", "activation", "loss"):
        assert row(found, name).findings == ()
        assert row(found, name).verdict is Verdict.THIN


def test_every_sentence_is_traced_to_networks_that_are_named(found):
    for each in (finding for row in found.rows for finding in row.findings):
        assert each.trials
        assert set(each.trials) <= set(found.barcodes)
        assert len(set(each.trials)) == len(each.trials)


def test_counts_in_a_sentence_are_those_of_its_networks():
    studied = planted()
    finding = row(explained("planted", studied), "learning rate").findings[0]
    rates = studied.number("learning_rate")[list(finding.trials)]
    diverged = studied.diverged[list(finding.trials)]
    assert f"{diverged.sum()} of {len(rates)} networks diverged" in finding.says
    others = np.setdiff1d(np.arange(240), finding.trials)
    kind = [i for i in others if studied.configurations[i].word("optimizer") != "sgd"]
    assert rates.min() > studied.number("learning_rate")[kind].max()


def test_shuffled_fates_yield_no_claims(found):
    assert sum(each.is_claim for row in found.rows for each in row.findings) >= 8
    rng = np.random.default_rng(0)
    studied = planted()
    claims = [
        each.says
        for _ in range(5)
        for row in explained("chance", studied.permuted(rng)).rows
        for each in row.findings
        if each.is_claim
    ]
    assert claims == []


def test_cuts_pay_for_being_many():
    x = np.linspace(0.0, 1.0, 50)
    assert best_cut(x, lambda above: 0.01)[1] == pytest.approx(
        0.07
    )  # of nine cuts, seven leave enough on either side
    assert best_cut(np.full(50, 0.5), lambda above: 0.0)[1] == 1.0
    assert best_cut(np.full(50, np.nan), lambda above: 0.0)[1] == 1.0


def test_a_trend_needs_networks_and_differences():
    x = np.arange(30.0)
    assert trend(x, x)[0] == pytest.approx(1.0)
    assert trend(x[:10], x[:10])[1] == 1.0
    assert trend(x, np.ones(30))[1] == 1.0
    assert trend(np.where(x < 20, np.nan, x), x)[1] == 1.0
