"""What twice the rows should bring: planted power laws, and curves that are flat."""

from __future__ import annotations

import numpy as np
import pytest

from modelshelf.data.metrics import METRICS
from modelshelf.insight.advice import rows_advice
from modelshelf.insight.more_rows import Run, more_rows, share_points
from modelshelf.insight.worth import CurveOverRows

SHARES = (1 / 16, 1 / 8, 1 / 4, 1 / 2, 1.0)


def planted(rng, error, repeats=3, noise=0.004, rows=0.01, maximize=False):
    """Runs whose error on a share is `error(share)`: rows blur all alike, trainings each alone."""
    here = rows * rng.standard_normal()  # these validation rows are harder, or easier, than most
    again = rows * rng.standard_normal(300)
    runs = []
    for share in SHARES:
        for _ in range(repeats):
            value = error(share) + here + noise * rng.standard_normal()
            every = value + again + 0.1 * rows * rng.standard_normal(300)
            if maximize:
                value, every = 1 - value, 1 - every
            runs.append(Run(share, int(1600 * share), value, every))
    return runs


@pytest.mark.parametrize("power", [0.3, 0.5, 1.0])
@pytest.mark.parametrize("name", ["rmse", "accuracy"])
def test_the_true_gain_lies_within_the_interval(power, name):
    def error(rows):
        return 0.1 + 0.05 * rows**-power

    true = error(1.0) - error(2.0)
    rng = np.random.default_rng(0)
    held = told = 0
    for seed in range(60):
        runs = planted(rng, error, maximize=name == "accuracy")
        found = more_rows(runs, METRICS[name], seed)
        held += found.low <= true <= found.high
        told += found.told
    assert held >= 51
    assert told >= 50


def test_a_flat_curve_promises_nothing():
    rng = np.random.default_rng(1)
    found = [more_rows(planted(rng, lambda share: 0.1), METRICS["rmse"], s) for s in range(60)]
    assert sum(each.told for each in found) <= 6
    assert abs(np.mean([each.gain for each in found])) < 0.002


def counted(rng, accuracies, rows=178, repeats=3):
    """Runs whose answers are right on so many of these rows: hard rows are hard for all."""
    hard = rng.random(rows)
    drawn = rng.integers(0, rows, (300, rows))
    runs = []
    for share, accuracy in zip(SHARES, accuracies, strict=True):
        for _ in range(repeats):
            right = hard + 0.05 * rng.standard_normal(rows) < accuracy
            runs.append(Run(share, int(571 * share), right.mean(), right[drawn].mean(axis=1)))
    return runs


@pytest.mark.parametrize(
    ("accuracies", "least", "most"),
    [
        ((0.64, 0.76, 0.815, 0.815, 0.815), 0, 2),
        ((0.64, 0.76, 0.82, 0.815, 0.81), 0, 2),
        ((0.55, 0.65, 0.73, 0.80, 0.86), 35, 40),
    ],
    ids=["plateau", "falling plateau", "rising"],
)
def test_only_a_curve_that_still_rises_promises_a_gain(accuracies, least, most):
    rng = np.random.default_rng(5)
    found = [more_rows(counted(rng, accuracies), METRICS["accuracy"], s) for s in range(40)]
    assert least <= sum(each.told for each in found) <= most
    # The law alone would have promised something in nearly all: the last doubling is what tells.
    assert sum(each.low > 0 for each in found) >= 35


def test_advice_names_the_last_doubling_where_it_did_not_help():
    rng = np.random.default_rng(6)
    flat, rising = ((0.64, 0.76, 0.815, 0.815, 0.815), (0.55, 0.65, 0.73, 0.80, 0.86))
    said = []
    for accuracies in (flat, rising):
        runs = counted(rng, accuracies)
        more = more_rows(runs, METRICS["accuracy"], 0)
        said += rows_advice([CurveOverRows("network", share_points(runs, 0), more)], "accuracy")
    assert "cannot be told: from half of the rows to all its accuracy improved by -" in said[0]
    assert said[1].startswith("Twice the rows should improve the network's accuracy by about ")


def test_a_curve_that_rises_with_rows_is_no_gain():
    rng = np.random.default_rng(2)
    runs = planted(rng, lambda share: 0.1 + 0.05 * share)
    found = more_rows(runs, METRICS["rmse"], 0)
    assert found.gain < 0
    assert not found.told


def test_too_few_trainings_tell_nothing():
    rng = np.random.default_rng(3)
    runs = planted(rng, lambda share: 0.1 / share, repeats=1)
    assert more_rows(runs, METRICS["rmse"], 0) is None
    few = [each for each in planted(rng, lambda share: 0.1) if each.share >= 0.5]
    assert more_rows(few, METRICS["rmse"], 0) is None


def test_points_are_means_with_intervals_that_hold_rows_and_trainings():
    rng = np.random.default_rng(4)
    runs = planted(rng, lambda share: 0.1, noise=0.05)
    quiet = planted(rng, lambda share: 0.1, noise=0.0)
    points, narrow = share_points(runs, 0), share_points(quiet, 0)
    assert [each.share for each in points] == list(SHARES)
    assert all(each.low < each.score < each.high and each.runs == 3 for each in points)
    assert np.mean([p.high - p.low for p in points]) > 2 * np.mean([p.high - p.low for p in narrow])
