"""The choice of an ensemble, as a pure function of predictions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelshelf.core.records import Direction
from modelshelf.data.metrics import METRICS, score
from modelshelf.study import ensemble
from modelshelf.study.answers import ANSWERS, packed, unpacked
from modelshelf.study.ensemble import Predictions, select


def noisy(seed: int, networks: int, rows: int, classes: int, skill: float = 1.5) -> Predictions:
    """Networks of unequal skill, none of which is right about everything."""
    rng = np.random.default_rng(seed)
    skills = rng.uniform(0.5, 1.0, networks) * skill
    if classes == 0:
        target = rng.normal(size=rows)
        noise = rng.normal(size=(networks, rows)) + 0.3 * rng.normal(size=rows)
        return Predictions(target + noise / (0.5 + skills[:, None]), target)
    target = rng.integers(0, classes, rows)
    logits = rng.normal(size=(networks, rows, classes))
    logits[:, np.arange(rows), target] += skills[:, None]
    chances = np.exp(logits)
    return Predictions((chances / chances.sum(axis=2, keepdims=True)).astype(np.float32), target)


def better(metric: str, left: float, right: float) -> bool:
    """Whether the left score is no worse."""
    maximize = METRICS[metric].direction is Direction.MAXIMIZE
    return left >= right if maximize else left <= right


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 2**32), st.integers(1, 30), st.integers(1, 120),
    st.sampled_from([("accuracy", 2), ("accuracy", 4), ("log_loss", 3), ("f1", 2),
                     ("rmse", 0), ("mae", 0), ("r2", 0)]),
)  # fmt: skip
def test_it_is_never_worse_than_the_best_network_alone(seed, networks, rows, task):
    metric, classes = task
    made = select(noisy(seed, networks, rows, classes), METRICS[metric], seed)
    assert made.weights.shape == (networks,)
    assert made.weights.sum() == pytest.approx(1.0)
    assert made.weights.min() >= 0.0
    assert made.loss <= made.single_loss
    if np.isfinite(made.single):
        assert better(metric, made.validation, made.single)
    if made.size == 1:
        assert made.validation == pytest.approx(made.single, nan_ok=True)


@pytest.mark.parametrize(("metric", "classes"), [("accuracy", 3), ("rmse", 0), ("auc", 2)])
def test_it_helps_where_errors_are_different_and_keeps_its_word_on_new_rows(metric, classes):
    gaps, gains = [], []
    for seed in range(12):
        whole = noisy(seed, 20, 2_400, classes)
        seen = Predictions(whole.outputs[:, :400], whole.target[:400])
        made = select(seen, METRICS[metric], seed)
        assert made.size > 1
        new = Predictions(whole.outputs[:, 400:], whole.target[400:])
        ahead = score(METRICS[metric], new.target, new.mean(made.weights))
        single = np.eye(20)[seen_best(seen)]
        alone = score(METRICS[metric], new.target, new.mean(single))
        assert better(metric, ahead, alone)
        gaps.append(made.validation - ahead)
        gains.append(ahead - alone)
    # What was told is at most a little too good: it is of halves, and so rather too modest.
    told = np.mean(gaps) * (1 if METRICS[metric].direction is Direction.MAXIMIZE else -1)
    assert told <= 2 * np.std(gaps) / np.sqrt(len(gaps))


def seen_best(seen: Predictions) -> int:
    given = seen.to_the_point
    return int(np.argmin((-np.log(given) if seen.classes else given**2).mean(axis=1)))


@pytest.mark.parametrize("classes", [0, 2])
def test_noise_does_not_look_like_skill(classes):
    """Of sixty networks that know nothing some are lucky, on rows that choose them."""
    metric = METRICS["log_loss" if classes else "rmse"]
    honest, naive, new = [], [], []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        whole = noisy(seed, 60, 4_150, classes)
        lost = rng.permutation(whole.target) if classes else rng.normal(size=4_150)
        seen = Predictions(whole.outputs[:, :150], lost[:150])
        made = select(seen, metric, seed)
        honest.append(made.validation)
        naive.append(score(metric, seen.target, seen.mean(made.weights)))
        rest = Predictions(whole.outputs[:, 150:], lost[150:])
        new.append(score(metric, rest.target, rest.mean(made.weights)))
    gap = np.array(honest) - new
    assert gap.mean() > -2 * gap.std() / np.sqrt(len(gap))  # both are losses: not too good
    lucky = np.array(naive) - new
    assert lucky.mean() < -3 * lucky.std() / np.sqrt(len(lucky))  # the control: this is


def test_a_network_may_be_taken_twice():
    rng = np.random.default_rng(0)
    target = rng.normal(size=2_000)
    errors = np.stack([rng.normal(size=2_000), 2.0 * rng.normal(size=2_000)])
    made = select(Predictions(target + errors, target), METRICS["rmse"], 0)
    # The best weights of independent errors are those of their inverse variances: 4 to 1.
    assert made.weights == pytest.approx([0.8, 0.2], abs=0.06)


def test_where_no_step_helps_those_that_the_halves_found_best_answer_together(monkeypatch):
    monkeypatch.setattr(ensemble, "_TRIED", 0)
    seen = noisy(3, 20, 400, 3)
    made = select(seen, METRICS["accuracy"], 3)
    assert made.size > 1
    assert (made.validation, made.loss) == (made.single, made.single_loss)
    firsts = np.flatnonzero(made.weights)
    losses = -np.log(np.maximum(seen.to_the_point, 1e-7)).mean(axis=1)
    assert losses[firsts].max() < np.median(losses)


def test_one_good_network_among_hopeless_ones_stays_alone():
    rng = np.random.default_rng(1)
    target = rng.normal(size=300)
    outputs = np.stack([target + 0.01, *(5 * rng.normal(size=(9, 300)))])
    made = select(Predictions(outputs, target), METRICS["rmse"], 0)
    assert made.size == 1
    assert made.weights[0] == 1.0
    assert made.validation == made.single


def test_the_same_seed_gives_the_same_ensemble():
    candidates = noisy(3, 20, 200, 3)
    first, again = (select(candidates, METRICS["accuracy"], 7) for _ in range(2))
    assert np.array_equal(first.weights, again.weights)
    assert first.validation == again.validation


@pytest.mark.parametrize("classes", [2, 5])
def test_kept_answers_come_back_but_for_half_precision(classes):
    rng = np.random.default_rng(classes)
    logits = rng.normal(size=(200, classes)) * 8
    chances = np.exp(logits - logits.max(axis=1, keepdims=True))
    chances /= chances.sum(axis=1, keepdims=True)
    chances[0] = np.eye(classes)[0]
    tensors = packed(chances, True)
    again = unpacked(tensors, True)
    assert tensors[ANSWERS].nbytes == 200 * (4 if classes == 2 else 2 * classes)
    np.testing.assert_allclose(again, chances, rtol=2e-2, atol=1e-12)
    true = np.arange(200) % classes
    metric = METRICS["log_loss"]
    exact, kept = score(metric, true, chances), score(metric, true, again)
    assert kept == pytest.approx(exact, rel=2e-3)
    numbers = rng.normal(size=50) * 1e9
    assert np.array_equal(unpacked(packed(numbers, False), False), numbers)


def test_answers_that_are_not_finite_are_not_kept():
    assert packed(np.array([1.0, np.inf]), False) == {}
    assert unpacked({}, True) is None
