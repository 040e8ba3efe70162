"""Whole studies on a small table, through the Python face."""

from __future__ import annotations

import json
import math

import numpy as np
import polars as pl
import pytest

from modelshelf import Configuration, Shelf, UserError, train, tune
from modelshelf.core.records import Purpose, Status
from modelshelf.study import Model
from tests.study.conftest import QUICK


def quick(table, where, **more):
    settings = {"target": "label", "trials": 24, "space": QUICK, "shelf": where, "seed": 3}
    return tune(table.drop("amount"), **{**settings, **more})


@pytest.fixture(scope="module")
def shelved(table, tmp_path_factory):
    where = tmp_path_factory.mktemp("shelf") / "shelf"
    return quick(table, where), where


def bits(where):
    """Every network and every number on a shelf, but for times."""
    with Shelf.open(where) as shelf:
        trials = sorted(shelf.trials(), key=lambda t: t.number)
        return [
            (t.number, t.copy, t.status, t.epoch, t.best_epoch, t.loss, t.steps,
             tuple(shelf.curve(t.study, t.number)),
             {n: a.tobytes() for n, a in shelf.read_network(t)[0].items()})
            for t in trials
        ]  # fmt: skip


def test_a_study_names_a_winner_and_shelves_everything(shelved):
    result, where = shelved
    assert result.trials["started"] == 24
    assert sum(n for s, n in result.trials.items() if s != "started") == 24
    assert result.winner.retests == 5
    assert result.winner.refitted
    assert 0.5 < result.winner.validation <= 1
    low, high = result.winner.test_interval
    assert low <= result.winner.test <= high
    assert {b.name for b in result.baselines} == {"linear", "gradient boosting"}
    with Shelf.open(where) as shelf:
        assert shelf.check() == ()
        search = shelf.trials(result.study, purpose=Purpose.SEARCH)
        assert len(search) == len({t.barcode for t in search}) == 24
        assert len(shelf.trials(result.study, purpose=Purpose.RETEST)) == 20
        assert not {t.status for t in search} & {Status.RUNNING, Status.PAUSED}
        assert len(shelf.curve(result.study, 0)) == search[0].epoch or search[0].number != 0


def test_the_json_is_that_of_the_contract(shelved):
    result, _ = shelved
    told = json.loads(json.dumps(result.to_json()))
    assert {"study", "task", "metric", "direction", "winner", "ensemble", "baselines", "trials",
            "member_steps", "seconds", "shelf"} <= set(told)  # fmt: skip
    assert {"barcode", "copy", "configuration", "validation", "validation_std",
            "test"} <= set(told["winner"])  # fmt: skip
    assert set(told["trials"]) == {"started", "finished", "stopped", "diverged", "failed"}
    assert {"total", "training", "search", "shelf"} <= set(told["seconds"])
    assert {"name", "validation", "test", "fit_seconds"} == set(told["baselines"][0])
    assert Configuration.from_json(told["winner"]["configuration"]).barcode == result.winner.barcode


def test_the_network_is_the_one_that_was_scored(shelved, table):
    result, where = shelved
    model = result.model
    assert model.copy == result.winner.copy
    frame = table.drop("amount", "label")
    again = Model.from_shelf(result.winner.barcode[:11], where)
    assert np.array_equal(model.predict_proba(frame), again.predict_proba(frame))
    assert set(model.predict(frame)) <= {"high", "low", "middle"}
    assert (model.predict(frame) == table["label"].to_numpy()).mean() > 0.8


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_any_number_of_workers_gives_the_same_bits(workers, shelved, table, tmp_path):
    result, where = shelved
    other = quick(table, tmp_path / "shelf", workers=workers)
    assert other.winner == result.winner
    assert bits(tmp_path / "shelf") == bits(where)


def test_another_seed_gives_another_study(shelved, table, tmp_path):
    result, _ = shelved
    assert quick(table, tmp_path / "shelf", seed=4).winner.copy != result.winner.copy


def test_the_same_call_reads_the_result_and_a_larger_budget_goes_on(table, tmp_path):
    where = tmp_path / "shelf"
    first = quick(table, where, trials=8)
    again = quick(table, where, trials=8)
    assert again.reused
    assert again.winner == first.winner
    before = bits(where)
    more = quick(table, where, trials=14)
    assert more.study == first.study
    assert more.trials["started"] == 14
    after = {each[0]: each for each in bits(where)}
    for each in before:  # nothing was trained again from the start
        assert after[each[0]][3] >= each[3]
    assert any("used 2 times" in note for note in more.notes)
    with Shelf.open(where) as shelf:
        assert shelf.check() == ()


def test_a_timed_study_keeps_its_time(table, tmp_path):
    result = quick(table, tmp_path / "shelf", trials=None, time_limit=6)
    assert result.seconds["total"] < 6
    assert result.trials["started"] > 20
    assert result.winner.retests > 0


def test_numbers_are_predicted_in_their_own_unit(table, tmp_path):
    space = {**QUICK, "epochs": 60}
    result = tune(
        table.drop("label"), target="amount", trials=16, space=space, shelf=tmp_path / "shelf"
    )
    assert result.task == "regression"
    assert result.metric == "rmse"
    assert result.winner.test < 0.7 * table["amount"].std()
    predicted = result.model.predict(table.drop("label", "amount"))
    assert predicted.mean() == pytest.approx(table["amount"].mean(), rel=0.02)


@pytest.mark.parametrize("metric", ["auc", "log_loss", "f1", "balanced_accuracy"])
def test_other_metrics_run(metric, table, tmp_path):
    result = quick(table, tmp_path / "shelf", trials=6, metric=metric)
    assert math.isfinite(result.winner.test)
    assert result.direction == ("minimize" if metric == "log_loss" else "maximize")


def test_a_test_table_is_used_and_new_categories_are_welcome(table, tmp_path):
    test = table.drop("amount").head(40).with_columns(pl.lit("Oslo").alias("city"))
    result = quick(table.tail(200), tmp_path / "shelf", trials=6, test=test)
    assert result.winner.test is not None


def test_no_test_rows_are_set_apart_where_none_are_wanted(table, tmp_path):
    result = quick(table, tmp_path / "shelf", trials=6, test=0)
    assert result.winner.test is None
    assert all(b.test is None for b in result.baselines)


def test_a_space_in_which_all_diverges_says_so(table, tmp_path):
    wild = {**QUICK, "learning_rate": 900.0, "optimizer": "sgd", "l2": 5.0, "loss": "cross_entropy",
            "schedule": "constant", "activation": "relu"}  # fmt: skip
    with pytest.raises(UserError, match="None of 6 networks could be trained: 6 diverged"):
        quick(table, tmp_path / "shelf", trials=6, space=wild)


def test_train_is_one_network_without_a_search(table):
    frame = table.drop("amount")
    configuration = Configuration(learning_rate=0.01, epochs=40, hidden_layers=[24])
    model = train(frame, target="label", configuration=configuration, seed=1)
    again = train(frame, target="label", configuration=configuration, seed=1)
    assert model.barcode == configuration.barcode
    assert model.copy == again.copy
    assert np.array_equal(model.predict_proba(frame), again.predict_proba(frame))
    assert model.record.score > 0.6


def test_a_model_is_the_same_in_torch(shelved, table):
    import torch

    model = shelved[0].model
    frame = table.drop("amount", "label")
    x = model.preparation.transform(frame)
    with torch.no_grad():
        theirs = torch.softmax(model.to_torch()(torch.from_numpy(x)).double(), 1).numpy()
    np.testing.assert_allclose(model.predict_proba(frame), theirs, atol=1e-6)


def test_what_is_no_module_is_refused_in_words(table):
    with pytest.raises(UserError, match=r"expected a class, a function that returns a torch"):
        tune(table, target="label", module=object())


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"trials": 0}, "above 0"),
        ({"trials": -3}, "above 0"),
        ({"trials": 2, "time_limit": 3}, "not both"),
        ({"trials": None, "time_limit": 0}, "above 0"),
        ({"trials": None, "time_limit": "-5s"}, "not a time"),
        ({"trials": None, "time_limit": "soon"}, "not a time"),
        ({"trials": None, "time_limit": math.nan}, "above 0"),
        ({"metric": "acuracy"}, "did you mean 'accuracy'"),
        ({"metric": "rmse"}, "does not fit"),
        ({"folds": 1}, "from 2 on"),
        ({"folds": 10**6}, "only 300 rows"),
        ({"workers": 0}, "from 1 on"),
        ({"seed": -1}, "0 or more"),
        ({"test": 1.5}, "up to 0.9"),
        ({"target": "lable"}, "did you mean 'label'"),
        ({"space": {"lr": 1}}, "no hyperparameter 'lr'"),
        ({"columns": {"a": "number"}}, "expected one of"),
    ],
)
def test_wrong_arguments_end_before_a_shelf_is_made(wrong, told, table, tmp_path):
    with pytest.raises(UserError, match=told):
        quick(table, tmp_path / "shelf", **wrong)
    assert not (tmp_path / "shelf").exists()


class CutError(Exception):
    """Ends a study from inside, as an interruption would."""


@pytest.mark.parametrize("phase", ["searching", "re-testing", "scoring", "testing"])
def test_a_study_cut_off_in_any_phase_goes_on_to_the_same_bits(phase, shelved, table, tmp_path):
    result, where = shelved
    seen = []

    def cut(progress):
        seen.append(progress.phase)
        enough = {"searching": progress.paused >= 6, "re-testing": progress.retests[0] >= 7}
        if progress.phase == phase and enough.get(phase, True):
            raise CutError

    for _ in range(2):  # the second time, what was cut off is cut off again
        with pytest.raises(CutError):
            quick(table, tmp_path / "shelf", observer=cut)
    assert phase in seen
    again = quick(table, tmp_path / "shelf")
    assert again.winner == result.winner
    assert bits(tmp_path / "shelf") == bits(where)


def test_a_timed_study_that_was_cut_off_gets_the_rest_of_its_time(table, tmp_path):
    def cut(progress):
        if progress.elapsed > 3:
            raise CutError

    with pytest.raises(CutError):
        quick(table, tmp_path / "shelf", trials=None, time_limit=8, observer=cut)
    with Shelf.open(tmp_path / "shelf") as shelf:
        before = {t.number: t.epoch for t in shelf.trials()}
        assert 2 < shelf.studies()[0].seconds < 4
    result = quick(table, tmp_path / "shelf", trials=None, time_limit=8)
    assert result.seconds["total"] < 8 + 2  # the promise's grace
    with Shelf.open(tmp_path / "shelf") as shelf:
        after = {t.number: t.epoch for t in shelf.trials()}
        assert all(after[number] >= epoch for number, epoch in before.items())
        assert shelf.check() == ()
