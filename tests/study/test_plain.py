"""Plain models: what they answer, and what they say of their size."""

from __future__ import annotations

import numpy as np
import pytest

from modelshelf.data.metrics import METRICS, score
from modelshelf.data.read import from_memory
from modelshelf.data.split import Split
from modelshelf.data.understand import understand
from modelshelf.study import plain
from modelshelf.study.plain import BOOSTING, LIGHTGBM, LINEAR, NEIGHBOURS, plain_models
from modelshelf.study.problem import Problem
from tests.study.conftest import make_table


def problem(target, rows=300):
    other = "amount" if target == "label" else "label"
    dataset = understand(from_memory(make_table(rows).drop(other))[0], target)
    metric = METRICS["accuracy" if target == "label" else "rmse"]
    return Problem(dataset, metric, 0, 0)


@pytest.mark.parametrize("name", [LINEAR, NEIGHBOURS, BOOSTING, LIGHTGBM])
@pytest.mark.parametrize("target", ["label", "amount"])
def test_each_learns_and_answers_as_a_network_does(name, target):
    if name == LIGHTGBM:
        pytest.importorskip("lightgbm")
    made = problem(target)
    train, validation = made.rows(Split("search"))
    model = plain_models()[name](made, train)
    output = model.predict(made.dataset.frame[validation])
    truth = made.dataset.target[validation]
    if made.classes:
        assert output.shape == (len(validation), 3)
        np.testing.assert_allclose(output.sum(axis=1), 1.0, atol=1e-6)
        always = np.tile(np.bincount(made.dataset.target[train]), (len(truth), 1))
        assert score(made.metric, truth, output) > score(made.metric, truth, always)
    else:
        assert output.shape == (len(validation),)
        always = np.full(len(truth), made.dataset.target[train].mean())
        assert score(made.metric, truth, output) < score(made.metric, truth, always)
    assert model.parameters > 0
    assert model.bytes >= model.parameters


@pytest.mark.parametrize("name", [LINEAR, NEIGHBOURS, BOOSTING])
def test_a_class_that_was_never_seen_has_no_chance(name):
    made = problem("label")
    train, validation = made.rows(Split("search"))
    seen = train[made.dataset.target[train] != 1]
    output = plain_models()[name](made, seen).predict(made.dataset.frame[validation])
    assert (output[:, 1] == 0.0).all()
    np.testing.assert_allclose(output.sum(axis=1), 1.0, atol=1e-6)


def test_neighbours_are_looked_for_among_so_many_rows_and_it_is_said(monkeypatch):
    made = problem("label")
    train, _ = made.rows(Split("search"))
    whole = plain_models()[NEIGHBOURS](made, train)
    monkeypatch.setattr(plain, "_MOST_KEPT", 100)
    some = plain_models()[NEIGHBOURS](made, train)
    assert "among 100 rows, drawn of 240" in some.note
    assert "drawn" not in whole.note
    assert some.parameters == pytest.approx(100 / 240 * whole.parameters, rel=0.02)


def test_the_linear_model_is_scikit_learn_s():
    from sklearn.linear_model import Ridge

    from modelshelf.data.prepare import fit_preparation

    made = problem("amount")
    train, validation = made.rows(Split("search"))
    frame, target = made.dataset.frame, made.dataset.target
    preparation = fit_preparation(made.dataset, train, "standard")
    direct = Ridge().fit(preparation.transform(frame[train]).astype(float), target[train])
    expected = direct.predict(preparation.transform(frame[validation]).astype(float))
    ours = plain_models()[LINEAR](made, train)
    np.testing.assert_allclose(ours.predict(frame[validation]), expected, rtol=1e-10)
    assert ours.parameters == direct.coef_.size + 1
