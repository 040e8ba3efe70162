"""Studies: what is on the shelf after what an objective did, and how a study goes on."""

from __future__ import annotations

import math
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

import modelshelf.optuna as optuna
from modelshelf import Shelf
from modelshelf.core.errors import ShelfError
from modelshelf.core.records import Status
from modelshelf.optuna.exceptions import DuplicatedStudyError, UnfitError
from modelshelf.optuna.study import MaxTrialsCallback
from modelshelf.optuna.trial import TrialState


def parabola(trial):
    x = trial.suggest_float("x", -10, 10)
    kind = trial.suggest_categorical("kind", ["a", None])
    shift = trial.suggest_int("shift", 0, 9) if kind is None else 3
    return (x - 2) ** 2 + shift


def study_at(place, seed=0, **settings):
    sampler = optuna.samplers.TPESampler(seed=seed)
    return optuna.create_study(storage=place, sampler=sampler, **settings)


def params(study):
    return [each.params for each in study.trials]


def test_every_trial_is_on_the_shelf_as_it_ended(place):
    def objective(trial):
        x = trial.suggest_float("x", 0, 1)
        trial.report(x, 0)
        if trial.number == 1:
            raise optuna.TrialPruned
        if trial.number == 2:
            raise KeyError("no such thing")
        return [x, x, x, math.nan, None, "many", [x, x], [x]][trial.number]

    study = study_at(place, study_name="s", pruner=optuna.pruners.NopPruner())
    study.optimize(objective, n_trials=8, catch=(KeyError,))
    with Shelf.open(place) as shelf:
        trials = sorted(shelf.trials("s"), key=lambda each: each.number)
        statuses = [each.status for each in trials]
        curves = shelf.curves("s")
        assert shelf.check() == ()
        assert shelf.study("s").status == "done"
    failed = Status.FAILED
    assert statuses == [
        Status.FINISHED, Status.STOPPED, failed, Status.DIVERGED, failed, failed, failed,
        Status.FINISHED,
    ]  # fmt: skip
    assert trials[2].reason == "KeyError: 'no such thing'"
    assert "returned None: expected one number" in trials[4].reason
    assert all(each.configuration["module.x"] == study.trials[each.number].params["x"]
               for each in trials)  # fmt: skip
    assert trials[0].configuration["module"].endswith("objective")
    assert trials[1].score == study.trials[1].value == curves[1][0, 2]
    assert [each.barcode for each in study.trials] == [each.barcode for each in trials]
    fail = TrialState.FAIL
    assert [each.state for each in study.trials] == [
        TrialState.COMPLETE, TrialState.PRUNED, fail, fail, fail, fail, fail, TrialState.COMPLETE,
    ]  # fmt: skip


def test_a_study_that_is_loaded_is_as_it_was_and_goes_on_as_if_never_left(place, tmp_path):
    whole = study_at(tmp_path / "other", seed=3)
    whole.optimize(parabola, n_trials=30)
    first = study_at(place, seed=3, study_name="s")
    first.set_user_attr("author", "me")
    first.optimize(parabola, n_trials=17)
    again = study_at(place, study_name="s", load_if_exists=True)
    assert again.trials == first.trials
    assert again.user_attrs == {"author": "me"}
    again.optimize(parabola, n_trials=13)
    assert params(again) == params(whole)
    assert again.best_params == whole.best_params
    loaded = optuna.study.load_study(study_name="s", storage=place)
    assert loaded.best_value == whole.best_value == min(each.value for each in whole.trials)


def test_the_same_seed_proposes_the_same_and_another_seed_does_not(tmp_path):
    found = []
    for place, seed in (("a", 1), ("b", 1), ("c", 2)):
        study = study_at(tmp_path / place, seed)
        study.optimize(parabola, n_trials=25)
        found.append(params(study))
    assert found[0] == found[1] != found[2]


def test_an_exception_ends_the_study_and_is_on_the_shelf(place):
    def objective(trial):
        if trial.number == 1:
            raise RuntimeError("the GPU is gone")
        return trial.suggest_float("x", 0, 1)

    study = study_at(place)
    with pytest.raises(RuntimeError, match="gone"):
        study.optimize(objective, n_trials=5)
    assert [each.state for each in study.trials] == [TrialState.COMPLETE, TrialState.FAIL]
    study.optimize(objective, n_trials=2)
    assert len(optuna.load_study(study_name="objective", storage=place).trials) == 4


@pytest.mark.parametrize("jobs", [1, 2])
def test_ctrl_c_goes_through_and_what_ended_is_on_the_shelf(place, jobs):
    def interrupt(study, trial):
        if trial.number == 2:
            raise KeyboardInterrupt

    study = study_at(place)
    with pytest.raises(KeyboardInterrupt):
        study.optimize(parabola, n_trials=50, n_jobs=jobs, callbacks=[interrupt])
    loaded = optuna.load_study(study_name="objective", storage=place)
    assert 3 <= len(loaded.trials) <= 5
    assert {each.state for each in loaded.trials} == {TrialState.COMPLETE}
    study.optimize(parabola, n_trials=2)
    assert (
        len({each.number for each in study.trials}) == len(study.trials) == len(loaded.trials) + 2
    )


def test_ctrl_c_in_an_objective_is_no_result(place):
    def objective(trial):
        if trial.number == 2:
            raise KeyboardInterrupt
        return trial.suggest_float("x", 0, 1)

    study = study_at(place)
    with pytest.raises(KeyboardInterrupt):
        study.optimize(objective, n_trials=5)
    assert len(study.trials) == 2
    with Shelf.open(place) as shelf:
        assert len(shelf.trials("objective")) == 2


def test_threads_that_tell_at_once_take_turns(place):
    study = study_at(place, study_name="s")
    trials = [study.ask() for _ in range(12)]
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda each: study.tell(each, each.suggest_float("x", 0, 1)), trials))
    with Shelf.open(place) as shelf:
        assert len(shelf.trials("s")) == len({each.job.number for each in shelf.jobs("s")}) == 12
        assert shelf.check() == ()


def test_an_objective_in_a_thread_that_tells_of_other_trials_is_refused_at_once(place):
    def objective(trial):
        other = study.ask()
        study.tell(other, other.suggest_float("x", 0, 1))
        return trial.suggest_float("x", 0, 1)

    study = study_at(place, study_name="s")
    with pytest.raises(UnfitError, match="in another thread: tell of trials there"):
        study.optimize(objective, n_trials=4, n_jobs=2)
    study.optimize(objective, n_trials=4)


def test_threads_run_at_the_same_time_and_propose_apart(place):
    both = threading.Barrier(2, timeout=60)

    def objective(trial):
        both.wait()
        return parabola(trial)

    study = study_at(place)
    study.optimize(objective, n_trials=24, n_jobs=2)
    assert len(study.trials) == 24
    assert sorted(each.number for each in study.trials) == list(range(24))
    assert len({str(each) for each in params(study)}) == 24
    with Shelf.open(place) as shelf:
        assert shelf.check() == ()


def test_limits(place):
    study = study_at(place)
    study.optimize(parabola, n_trials=50, callbacks=[MaxTrialsCallback(3)])
    assert len(study.trials) == 3
    study.optimize(parabola, timeout=0)
    assert len(study.trials) == 3
    study.optimize(parabola, n_trials=4, timeout=1000, gc_after_trial=True, show_progress_bar=True)
    assert len(study.trials) == 7
    study.optimize(lambda trial: study.stop() or 1.0)
    assert len(study.trials) == 8


def test_ask_and_tell(place):
    study = study_at(place, direction="maximize")
    study.enqueue_trial({"x": 0.25})
    one, two, three = study.ask(), study.ask(), study.ask()
    assert [one.number, two.number, three.number] == [0, 1, 2]
    assert one.suggest_float("x", 0, 1) == 0.25
    two.suggest_float("x", 0, 1)
    two.report(0.75, 4)
    study.tell(two, state=TrialState.PRUNED)
    study.tell(one, 0.5)
    study.tell(three.number, state=TrialState.FAIL)
    assert [each.value for each in study.trials] == [0.5, 0.75, None]
    assert study.best_trial.number == 0
    assert study.tell(one, 9.0, skip_if_finished=True).value == 0.5
    with pytest.raises(UnfitError, match="not running"):
        study.tell(one, 0.5)
    reloaded = optuna.load_study(study_name="objective", storage=place)
    assert reloaded.trials == study.trials
    assert reloaded.trials[1].intermediate_values == {4: 0.75}


def test_maximize_learns_upwards(place):
    study = study_at(place, direction="maximize")
    study.optimize(lambda trial: -parabola(trial), n_trials=40)
    assert study.best_value == max(each.value for each in study.trials) > -1.0


def test_a_data_frame(place):
    pytest.importorskip("pandas")
    study = study_at(place)
    study.optimize(parabola, n_trials=3)
    frame = study.trials_dataframe()
    assert list(frame["number"]) == [0, 1, 2]
    assert list(frame["params_x"]) == [each.params["x"] for each in study.trials]
    assert set(frame["state"]) == {"COMPLETE"}


def test_names_on_the_shelf(place):
    study_at(place, study_name="s", direction="maximize")
    assert [study_at(place).study_name for _ in range(2)] == ["objective", "objective-2"]
    with pytest.raises(DuplicatedStudyError, match="load_if_exists=True"):
        study_at(place, study_name="s")
    with pytest.raises(UnfitError, match="is there to maximize, not to minimize"):
        study_at(place, study_name="s", load_if_exists=True)
    with pytest.raises(ShelfError, match="did you mean 'objective'"):
        optuna.load_study(study_name="objectve", storage=place)


def test_another_process_with_the_same_study_is_told(place):
    one = study_at(place, study_name="s")
    other = study_at(place, study_name="s", load_if_exists=True)
    one.optimize(parabola, n_trials=2)
    with pytest.raises(ShelfError, match="load it again"):
        other.optimize(parabola, n_trials=2)
    with Shelf.open(place) as shelf, shelf.lock("s"), pytest.raises(ShelfError):
        one.optimize(parabola, n_trials=1)


@pytest.mark.parametrize(
    ("call", "word"),
    [
        (lambda p: study_at(p, directions=["minimize", "maximize"]), "a study has one objective"),
        (lambda p: study_at(p, direction="up"), "The direction is 'up'"),
        (
            lambda p: optuna.create_study(storage="mysql://host/db"),
            "expected the folder of a shelf",
        ),
        (lambda p: optuna.create_study(storage=3), "expected the folder of a shelf"),
        (lambda p: optuna.create_study(storage=p, sampler="tpe"), "expected those of"),
        (lambda p: optuna.samplers.TPESampler(seed=-1), "The seed is -1"),
        (lambda p: optuna.samplers.TPESampler(constraints_func=len), "has no option"),
        (lambda p: study_at(p).optimize(3), "expected a function of a trial"),
        (lambda p: study_at(p).optimize(parabola, n_trials="3"), "n_trials is '3'"),
        (lambda p: study_at(p).optimize(parabola, n_jobs=0), "n_jobs is 0"),
        (lambda p: study_at(p).best_value, "No trial of the study 'objective' is complete yet"),
        (lambda p: study_at(p).set_user_attr("a", object()), "must be what JSON can hold"),
        (lambda p: study_at(p).ask().report("x", 0), "reported 'x' at step 0"),
        (lambda p: study_at(p).tell(0, 1.0), "Trial 0 is not running"),
    ],
)
def test_bad_input_is_told(place, call, word):
    with pytest.raises(UnfitError, match=word):
        call(place)


@pytest.mark.parametrize(
    ("home", "name", "word"),
    [
        (optuna, "visualization", "modelshelf explain STUDY"),
        (optuna, "create_studi", "did you mean 'create_study'"),
        (optuna.samplers, "CmaEsSampler", "stands in for every sampler"),
        (optuna.pruners, "WilcoxonPruner", "Take the nearest"),
    ],
)
def test_what_is_not_here_says_what_to_do(home, name, word):
    with pytest.raises(AttributeError, match=word):
        getattr(home, name)


def test_optuna_s_own_database_becomes_a_shelf_beside_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    optuna.create_study(storage="sqlite:///mine.db", study_name="s")
    with Shelf.open(tmp_path / "mine.shelf") as shelf:
        assert [each.name for each in shelf.studies()] == ["s"]
