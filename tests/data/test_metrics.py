"""Metrics against scikit-learn's, and intervals against what they promise."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import binomtest
from sklearn import metrics as sk

from modelshelf.core.errors import SettingError
from modelshelf.core.records import Direction, Task
from modelshelf.data.metrics import METRICS, interval, metric_for, score

rng = np.random.default_rng(0)


def answers(classes: int, rows: int = 400):
    target = rng.integers(0, classes, rows)
    raw = rng.normal(size=(rows, classes)) + 1.5 * np.eye(classes)[target]
    output = np.exp(raw)
    return target, output / output.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("classes", [2, 4])
def test_metrics_of_classes_are_scikit_learns(classes):
    target, output = answers(classes)
    hard = output.argmax(axis=1)
    average = "binary" if classes == 2 else "macro"
    soft = output[:, 1] if classes == 2 else output
    expected = {
        "accuracy": sk.accuracy_score(target, hard),
        "balanced_accuracy": sk.balanced_accuracy_score(target, hard),
        "f1": sk.f1_score(target, hard, average=average),
        "auc": sk.roc_auc_score(target, soft, multi_class="ovr"),
        "log_loss": sk.log_loss(target, output),
    }
    for name, value in expected.items():
        assert score(METRICS[name], target, output) == pytest.approx(value, rel=1e-12), name


def test_metrics_of_numbers_are_scikit_learns():
    target = rng.normal(size=300) * 7 + 100
    output = target + rng.normal(size=300)
    expected = {
        "rmse": sk.root_mean_squared_error(target, output),
        "mae": sk.mean_absolute_error(target, output),
        "r2": sk.r2_score(target, output),
    }
    for name, value in expected.items():
        assert score(METRICS[name], target, output) == pytest.approx(value, rel=1e-12), name
    assert set(expected) == {n for n, m in METRICS.items() if Task.REGRESSION in m.tasks}


def test_directions():
    low = {name for name, metric in METRICS.items() if metric.direction is Direction.MINIMIZE}
    assert low == {"log_loss", "rmse", "mae"}


def test_undefined_is_nan_and_sure_mistakes_are_finite():
    ones = np.ones(5, dtype=np.int64)
    sure = np.tile([1.0, 0.0], (5, 1))
    assert math.isnan(score(METRICS["auc"], ones, sure))
    assert math.isnan(score(METRICS["r2"], np.ones(5), np.arange(5.0)))
    assert score(METRICS["log_loss"], ones, sure) == pytest.approx(-math.log(1e-15))
    target, output = answers(3)
    present = target < 2  # no row has the third class
    assert 0.5 < score(METRICS["auc"], target[present], output[present]) <= 1


@pytest.mark.parametrize(("right", "rows"), [(0, 10), (10, 10), (1, 3), (70, 100), (9_500, 10_000)])
def test_the_interval_of_accuracy_is_wilsons(right, rows):
    target = np.zeros(rows, dtype=np.int64)
    output = np.eye(2)[(np.arange(rows) >= right).astype(int)]
    expected = binomtest(right, rows).proportion_ci(0.95, method="wilson")
    assert interval(METRICS["accuracy"], target, output, 0) == pytest.approx(expected, abs=1e-6)


def test_other_intervals_cover_the_truth():
    """Of 200 draws, a 95 % interval of a mean absolute error holds the truth in 180 at least."""
    truth = math.sqrt(2 / math.pi)  # the mean of a half-normal
    covered = 0
    for seed in range(200):
        errors = np.random.default_rng(seed).normal(size=300)
        low, high = interval(METRICS["mae"], np.zeros(300), errors, seed)
        covered += low <= truth <= high
    assert 180 <= covered <= 199


def test_an_interval_is_the_same_for_the_same_seed():
    target, output = answers(2)
    first = interval(METRICS["auc"], target, output, 1)
    assert first == interval(METRICS["auc"], target, output, 1)
    assert first != interval(METRICS["auc"], target, output, 2)
    low, high = first
    assert low < score(METRICS["auc"], target, output) < high


def test_metrics_by_name():
    assert metric_for(None, Task.BINARY).name == "accuracy"
    assert metric_for(None, Task.REGRESSION).name == "rmse"
    with pytest.raises(SettingError, match="did you mean 'accuracy'"):
        metric_for("acuracy", Task.BINARY)
    with pytest.raises(SettingError, match="does not fit a regression task: these do: rmse"):
        metric_for("auc", Task.REGRESSION)
