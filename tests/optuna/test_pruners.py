"""Pruners, by hand-made reports; lower is better."""

from __future__ import annotations

import math

import pytest

import modelshelf.optuna as optuna
from modelshelf.optuna.exceptions import UnfitError
from modelshelf.optuna.pruners import (
    HyperbandPruner,
    MedianPruner,
    NopPruner,
    PercentilePruner,
    Reports,
    SuccessiveHalvingPruner,
)


def ended(*values):
    return Reports(dict(enumerate(values)), ended=True)


def own(*values):
    return Reports(dict(enumerate(values)))


OTHERS = [ended(v, v) for v in (1.0, 2.0, 3.0, 4.0, 5.0)]  # the median is 3


@pytest.mark.parametrize(
    ("pruner", "report", "expected"),
    [
        (MedianPruner(), own(3.1), True),
        (MedianPruner(), own(3.0), False),
        (MedianPruner(), own(2.0, 9.0), False),  # its best counts
        (MedianPruner(), own(math.nan), True),
        (MedianPruner(n_startup_trials=6), own(9.0), False),
        (MedianPruner(n_warmup_steps=1), own(9.0), False),
        (MedianPruner(n_warmup_steps=1), own(9.0, 9.0), True),
        (MedianPruner(interval_steps=2), own(9.0, 9.0), False),
        (MedianPruner(n_min_trials=6), own(9.0), False),
        (MedianPruner(), own(9.0, 9.0, 9.0), False),  # nobody came so far
        (PercentilePruner(25.0), own(2.1), True),
        (PercentilePruner(25.0), own(2.0), False),
        (NopPruner(), own(9.0), False),
        (SuccessiveHalvingPruner(), own(2.0), True),  # of six at rung 1, one goes on
        (SuccessiveHalvingPruner(), own(0.5), False),
        (SuccessiveHalvingPruner(reduction_factor=2), own(2.5), False),  # of six, three go on
        (SuccessiveHalvingPruner(reduction_factor=2), own(3.5), True),
        (SuccessiveHalvingPruner(min_resource=2), own(9.0), False),  # no rung yet
        (SuccessiveHalvingPruner(min_resource=2), own(9.0, 9.0), True),
        (SuccessiveHalvingPruner(min_early_stopping_rate=1), own(9.0, 9.0), False),
        (SuccessiveHalvingPruner(bootstrap_count=6), own(0.5), True),
        (HyperbandPruner(), own(1.5), False),  # of six, two go on
        (HyperbandPruner(), own(2.5), True),
    ],
)
def test_rules(pruner, report, expected):
    assert pruner.prune(report, OTHERS) is expected


def test_halving_does_not_ask_twice_at_one_rung():
    pruner = SuccessiveHalvingPruner(min_resource=1, reduction_factor=4)
    others = [ended(v, v, v, v) for v in (1.0, 2.0, 3.0, 4.0)]
    assert not pruner.prune(own(0.5, 9.0), others)
    assert pruner.prune(own(0.5, 9.0, 9.0, 9.0), others)


def test_only_ended_trials_make_the_median():
    running = [Reports(each.values) for each in OTHERS]
    assert not MedianPruner().prune(own(9.0), running)


@pytest.mark.parametrize("direction", ["minimize", "maximize"])
def test_the_worse_half_is_pruned_in_either_direction(place, direction):
    sign = 1 if direction == "minimize" else -1

    def objective(trial):
        value = sign * trial.suggest_float("x", 0, 1)
        trial.report(value, 0)
        if trial.should_prune():
            raise optuna.TrialPruned
        return value

    study = optuna.create_study(storage=place, direction=direction)
    study.optimize(objective, n_trials=20)
    state = optuna.trial.TrialState
    pruned = study.get_trials(states=[state.PRUNED])
    complete = study.get_trials(states=[state.COMPLETE])
    assert pruned
    worst = max(sign * each.value for each in complete)
    assert min(sign * each.value for each in pruned) > min(sign * each.value for each in complete)
    assert all(sign * each.value <= worst for each in complete)


def test_a_trial_without_a_report_is_never_pruned(place):
    study = optuna.create_study(storage=place, pruner=MedianPruner(n_startup_trials=0))
    study.optimize(lambda trial: float(trial.should_prune()), n_trials=3)
    assert [each.value for each in study.trials] == [0.0, 0.0, 0.0]


@pytest.mark.parametrize(
    "make",
    [
        lambda: PercentilePruner(101.0),
        lambda: MedianPruner(n_warmup_steps=-1),
        lambda: SuccessiveHalvingPruner(min_resource=0),
        lambda: SuccessiveHalvingPruner(reduction_factor=1),
    ],
)
def test_bad_input_is_told(make):
    with pytest.raises(UnfitError, match="expected a"):
        make()
