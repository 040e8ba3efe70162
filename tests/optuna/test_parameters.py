"""Parameters: what may be asked for, what comes back, and how the search learns of them."""

from __future__ import annotations

import math
import statistics

import numpy as np
import pytest

import modelshelf.optuna as optuna
from modelshelf.optuna.distributions import (
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
    from_json,
    merged,
    to_json,
)
from modelshelf.optuna.exceptions import UnfitError
from modelshelf.optuna.search import Names, labels_of, when_absent


def asked(trial):
    values = {
        "float": trial.suggest_float("float", -1, 1),
        "log": trial.suggest_float("log", 1e-5, 1e-1, log=True),
        "step": trial.suggest_float("step", 0, 1, step=0.25),
        "fine": trial.suggest_float("fine", 0, 10, step=0.1),
        "int": trial.suggest_int("int", 3, 5),
        "tens": trial.suggest_int("tens", 10, 95, step=10),
        "wide": trial.suggest_int("wide", 1, 1024, log=True),
        "choice": trial.suggest_categorical("choice", [None, True, 3, "x", (1, 2), [0.5]]),
        "one": trial.suggest_categorical("one", ["only"]),
        "uniform": trial.suggest_uniform("uniform", 0, 1),
        "loguniform": trial.suggest_loguniform("loguniform", 1, 2),
        "discrete": trial.suggest_discrete_uniform("discrete", 0, 1, 0.5),
    }
    assert values == trial.params
    return values["float"] ** 2


def test_values_are_what_was_asked_for(place):
    study = optuna.create_study(storage=place)
    study.optimize(asked, n_trials=40)
    for trial in study.trials:
        p = trial.params
        assert -1 <= p["float"] <= 1
        assert 1e-5 <= p["log"] <= 1e-1
        assert p["step"] in (0, 0.25, 0.5, 0.75, 1)
        assert math.isclose(p["fine"] * 10, round(p["fine"] * 10))
        assert p["int"] in (3, 4, 5)
        assert p["tens"] in range(10, 91, 10)
        assert 1 <= p["wide"] <= 1024
        assert p["one"] == "only"
        assert p["discrete"] in (0, 0.5, 1)
    several = {repr(each.params["choice"]) for each in study.trials}
    assert several == {"None", "True", "3", "'x'", "(1, 2)", "[0.5]"}
    assert len({each.params["wide"] for each in study.trials}) > 10
    loaded = optuna.load_study(study_name="objective", storage=place)
    for before, after in zip(study.trials, loaded.trials, strict=True):
        assert {**before.params, "choice": 0} == {**after.params, "choice": 0}


NARROW = {
    "plain": (1000, 1000.5, {}),
    "long": (0.1234567, 0.1234667, {}),
    "log": (0.999, 0.99999, {"log": True}),
    "many steps": (1000, 1000.5, {"step": 0.005}),
    "fine steps": (1e9, 1e9 + 1e-3, {"step": 1e-5}),
}


@pytest.mark.parametrize("name", NARROW)
def test_a_range_that_is_narrow_beside_its_size_is_searched(name, place):
    low, high, how = NARROW[name]
    middle = (low + high) / 2

    def objective(trial):
        return abs(trial.suggest_float("x", low, high, **how) - middle) / (high - low)

    study = optuna.create_study(storage=place)
    study.optimize(objective, n_trials=20)
    assert len({each.params["x"] for each in study.trials}) > 15
    assert all(low <= each.params["x"] <= high for each in study.trials)
    assert study.best_value < 0.05
    again = optuna.load_study(study_name="objective", storage=place)
    again.optimize(objective, n_trials=5)
    assert [each.params for each in again.trials[:20]] == [each.params for each in study.trials]
    assert len({each.params["x"] for each in again.trials}) > 18


def test_few_steps_far_from_zero_are_all_there(place):
    found = FloatDistribution(1e12, 1e12 + 10, step=0.5)
    assert found.domain.values == tuple(1e12 + k / 2 for k in range(21))
    found = FloatDistribution(1e9, 1e9 + 1e-3, step=1e-4)
    assert found.domain.values == tuple(float(f"1000000000.{k:04}") for k in range(11))
    assert found.high == 1e9 + 1e-3
    with pytest.raises(UnfitError, match=r"from 1e\+09 to 1000000000\.001, not 7"):
        found.label(7)


def test_numbers_of_numpy_are_numbers(place):
    study = optuna.create_study(storage=place)

    def objective(trial):
        trial.suggest_int("int", np.int64(2), np.int32(8), step=np.int64(2))
        trial.suggest_float("float", np.float32(0), np.float64(1), step=np.float64(0.25))
        trial.suggest_categorical("choice", np.array([16, 32]))
        trial.set_user_attr("weights", np.eye(2))
        trial.report(np.float32(0.5), np.int64(0))
        return np.float64(trial.params["int"])

    study.optimize(objective, n_trials=4)
    loaded = optuna.load_study(study_name="objective", storage=place)
    assert loaded.trials == study.trials
    assert loaded.trials[0].user_attrs == {"weights": [[1.0, 0.0], [0.0, 1.0]]}
    assert {type(each.params["choice"]) for each in loaded.trials} == {int}


def test_a_name_asked_for_twice_keeps_its_value_and_its_kind(place):
    trial = optuna.create_study(storage=place).ask()
    assert trial.suggest_float("x", 0, 1) == trial.suggest_float("x", 0, 1)
    with pytest.raises(UnfitError, match="'x' was asked for as FloatDistribution"):
        trial.suggest_int("x", 0, 1)


def test_a_range_may_move_from_trial_to_trial_but_not_its_scale(place):
    study = optuna.create_study(storage=place)
    for most in (1, 5, 2):
        trial = study.ask()
        assert 0 <= trial.suggest_float("x", 0, most) <= most
        study.tell(trial, 0.0)
    trial = study.ask()
    with pytest.raises(UnfitError, match="Give it another name"):
        trial.suggest_float("x", 0.1, 1, log=True)
    with pytest.raises(UnfitError, match="Give it another name"):
        study.ask().suggest_categorical("x", [0, 1])


def test_merged_ranges_hold_both():
    low, high = FloatDistribution(0, 1, step=0.5), FloatDistribution(0, 3, step=0.5)
    assert merged("x", low, high) == high
    assert merged("x", low, FloatDistribution(0.25, 2)) == FloatDistribution(0, 2)
    assert merged("x", IntDistribution(4, 9), IntDistribution(1, 5)) == IntDistribution(1, 9)


@pytest.mark.parametrize(
    "distribution",
    [
        FloatDistribution(0.5, 2, log=True),
        IntDistribution(0, 10, step=3),
        CategoricalDistribution((None, "a", (1, (2, 3)), 0.5)),
    ],
)
def test_distributions_go_through_json(distribution):
    assert from_json(to_json(distribution)) == distribution


@pytest.mark.parametrize(
    ("make", "word"),
    [
        (lambda: FloatDistribution(1, 0), "the lowest first"),
        (lambda: FloatDistribution(0, math.inf), "finite numbers"),
        (lambda: FloatDistribution(0, 1, log=True), "above 0"),
        (lambda: FloatDistribution(1, 2, log=True, step=0.1), "no steps"),
        (lambda: FloatDistribution(0, 1, step=0), "above 0"),
        (lambda: IntDistribution(0.5, 2), "expected a whole number"),
        (lambda: CategoricalDistribution(()), "no choices"),
        (lambda: CategoricalDistribution((object(),)), "look the object up by its word"),
    ],
)
def test_what_is_no_domain_is_told(make, word):
    with pytest.raises(UnfitError, match=word):
        make()


@pytest.mark.parametrize("value", [5.0, "high", None])
def test_an_enqueued_value_outside_is_told(place, value):
    study = optuna.create_study(storage=place)
    study.enqueue_trial({"x": value})
    with pytest.raises(UnfitError, match="'x' was enqueued: expected a number"):
        study.ask().suggest_float("x", 0, 1)


def test_fixed_trials_answer_with_what_was_given():
    trial = optuna.trial.FixedTrial({"x": 0.5, "kind": None})
    assert trial.suggest_float("x", 0, 1) == 0.5
    assert trial.suggest_categorical("kind", ["a", None]) is None
    trial.report(1.0, 0)
    assert not trial.should_prune()
    with pytest.raises(UnfitError, match="'y' was not given"):
        trial.suggest_int("y", 0, 1)
    with pytest.raises(UnfitError, match="'x' was fixed: expected a number from 1 to 2"):
        optuna.trial.FixedTrial({"x": 0.5}).suggest_float("x", 1, 2)


NAMES = {
    "model": CategoricalDistribution(("forest", "svm")),
    "rate": FloatDistribution(0, 1),
    "kernel": CategoricalDistribution(("rbf", "poly")),
    "degree": IntDistribution(2, 5),
    "trees": IntDistribution(1, 9),
}
TRIALS = [
    {"model": "svm", "rate": 0.1, "kernel": "poly", "degree": 3},
    {"model": "svm", "rate": 0.2, "kernel": "rbf"},
    {"model": "forest", "rate": 0.3, "trees": 2},
]


def test_conditions_are_found_by_what_was_asked_for():
    assert when_absent(NAMES, TRIALS) == {
        "kernel": ("model", frozenset({"forest"})),
        "degree": ("kernel", frozenset({"rbf", None})),
        "trees": ("model", frozenset({"svm"})),
    }
    # One trial that contradicts a rule takes it away.
    odd = {"model": "forest", "rate": 0.4, "trees": 2, "kernel": "rbf"}
    assert "kernel" not in when_absent(NAMES, [*TRIALS, odd])


def test_proposals_hold_what_will_be_asked_for():
    space = Names("objective", NAMES, TRIALS)
    shapes = set()
    for k in range(64):
        unit = [(0.5 + k * step) % 1 for step in (0.5, 0.3, 0.25, 0.7, 0.9)]
        found = labels_of(space.configuration(unit))
        shapes.add(tuple(sorted(found)))
    assert shapes == {
        ("model", "rate", "trees"),
        ("kernel", "model", "rate"),
        ("degree", "kernel", "model", "rate"),
    }


def best_after(place, sampler, objective, trials):
    study = optuna.create_study(storage=place, sampler=sampler)
    study.optimize(objective, n_trials=trials)
    return study.best_value


def parabola(trial):
    return (trial.suggest_float("x", -10, 10) - 2) ** 2 + (trial.suggest_float("y", -5, 5) + 1) ** 2


def test_the_search_learns_and_chance_does_not(tmp_path):
    """Chance is the control: with it in the search's place, this fails."""
    medians = {
        kind: statistics.median(
            best_after(tmp_path / f"{kind.__name__}-{seed}", kind(seed=seed), parabola, 60)
            for seed in range(3)
        )
        for kind in (optuna.samplers.TPESampler, optuna.samplers.RandomSampler)
    }
    searched, chance = medians.values()
    assert searched < chance / 2


def test_a_few_choices_are_tried_once_each_and_then_again(place):
    study = optuna.create_study(storage=place)
    study.optimize(lambda trial: trial.suggest_int("x", 0, 5), n_trials=9)
    values = [each.params["x"] for each in study.trials]
    assert sorted(set(values[:6])) == list(range(6))
    assert len(values) == 9
