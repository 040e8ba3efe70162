"""Paired intervals hold what they promise, against known methods and by repetition."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest

from modelshelf.data.metrics import METRICS, score
from modelshelf.insight import paired
from modelshelf.insight.paired import _draws, difference, resampled


def classes(rng, rows, right, also):
    """Targets, and answers of two models that are right on these shares, paired."""
    target = rng.integers(0, 2, rows)
    first, second = rng.random(rows) < right, rng.random(rows) < also
    answers = [np.where(each, target, 1 - target) for each in (first, second)]
    return target, *(np.eye(2)[each] * 0.8 + 0.1 for each in answers)


def test_the_accuracy_interval_agrees_with_mcnemar_s_exact_test():
    rng = np.random.default_rng(0)
    agreed = disagreed = 0
    for _ in range(200):
        target, a, b = classes(rng, 200, 0.8, rng.uniform(0.7, 0.9))
        found = difference(METRICS["accuracy"], target, a, b, 0)
        mine, its = a.argmax(1) == target, b.argmax(1) == target
        gained, lost = (mine & ~its).sum(), (its & ~mine).sum()
        exact = binomtest(int(gained), int(gained + lost)).pvalue < 0.05
        agreed += exact == found.told
        disagreed += exact and not found.told
    assert agreed >= 185  # the exact test is the more cautious one, at its edge
    assert disagreed <= 2


@pytest.mark.parametrize("name", ["accuracy", "log_loss", "rmse", "auc"])
def test_intervals_hold_the_true_difference_as_often_as_they_say(name, monkeypatch):
    monkeypatch.setattr(paired, "_RESAMPLES", (200, 300))
    rng = np.random.default_rng(1)
    held = widths = unpaired = 0
    metric = METRICS[name]
    for i in range(60):
        outputs = []
        if name == "rmse":
            target = rng.normal(size=300)
            shared = rng.normal(size=300)  # what both models miss
            outputs = [target + shared + 0.3 * rng.normal(size=300) for _ in range(2)]
        else:
            target = rng.integers(0, 2, 300)
            shared = rng.normal(size=300)
            for _ in range(2):
                chance = 1 / (1 + np.exp(-(2 * target - 1 + shared + 0.3 * rng.normal(size=300))))
                outputs.append(np.column_stack([1 - chance, chance]))
        found = difference(metric, target, *outputs, seed=i)
        held += found.low <= 0.0 <= found.high  # both are as good, by design
        widths += found.high - found.low
        alone = [resampled(metric, target, each, seed=k) for k, each in enumerate(outputs)]
        unpaired += np.ptp(np.quantile(alone[0] - alone[1], [0.025, 0.975]))
    assert held >= 53  # 95 % of 60 is 57; fewer than 53 has a chance below 2 %
    assert widths < 0.75 * unpaired  # the control: draws that are not paired tell much less


@pytest.mark.parametrize("name", ["accuracy", "log_loss", "rmse", "mae", "auc"])
def test_row_losses_give_the_scores_that_the_metric_gives(name):
    rng = np.random.default_rng(2)
    metric = METRICS[name]
    if name in ("rmse", "mae"):
        target, output = rng.normal(size=50), rng.normal(size=50)
    else:
        target, output = rng.integers(0, 3, 50), rng.dirichlet(np.ones(3), 50)
        output = output.round(1)  # ties
    draws = [at for at, _ in zip(_draws(50, 7), range(100), strict=False)]
    slow = [score(metric, target[at], output[at]) for at in draws]
    np.testing.assert_allclose(resampled(metric, target, output, 7)[:100], slow, rtol=1e-12)


def test_better_is_by_the_metric_s_direction():
    target = np.arange(50.0)
    near, far = target + 0.1, target + np.linspace(1, 2, 50)
    found = difference(METRICS["rmse"], target, near, far, 0)
    assert found.value < 0 < found.better
    assert found.is_better
    assert not found.is_worse
    assert difference(METRICS["rmse"], target, far, near, 0).is_worse
    assert not difference(METRICS["rmse"], target, near, near, 0).told


def test_one_row_and_constant_answers_are_no_error():
    target = np.array([1])
    output = np.array([[0.2, 0.8]])
    for name in ("accuracy", "log_loss", "auc"):
        found = difference(METRICS[name], target, output, output, 0)
        assert not found.told
