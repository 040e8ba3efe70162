"""A probe around a network: what is held, what is paired, what lies on the shelf."""

from __future__ import annotations

import numpy as np
import pytest

from modelshelf import Configuration, Shelf, UserError, probe, train, train_like, tune
from modelshelf.core.records import Purpose, Status
from modelshelf.shelf.best import best_copy
from modelshelf.study.progress import Stopper
from tests.study.conftest import QUICK, make_table

SETTINGS = {"hidden_layers": (16,), "epochs": 12, "patience": 0, "batch_size": 32}


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    path = tmp_path_factory.mktemp("rows") / "table.parquet"
    make_table().drop("amount").write_parquet(path)
    return path


@pytest.fixture(scope="module")
def shelved(rows, tmp_path_factory):
    where = tmp_path_factory.mktemp("probe") / "shelf"
    model = train(rows, target="label", configuration=Configuration(**SETTINGS), shelf=where)
    return model.barcode, where


@pytest.fixture(scope="module")
def probed(shelved):
    barcode, where = shelved
    return probe(barcode, "learning_rate", shelf=where, time_limit=None, workers=2)


def test_too_low_good_and_too_high_are_told(probed):
    verdicts = {each.label: str(each.verdict) for each in probed.points}
    assert verdicts["1e-05"] == "too low"
    assert "good" in verdicts.values()
    assert probed.best.value > 0.001  # twelve epochs are few
    assert {each.networks for each in probed.points} == {3}
    assert probed.left_out == 0
    assert [each.own for each in probed.points].count(True) == 1


def test_everything_but_what_is_varied_is_held(probed, shelved):
    barcode, where = shelved
    with Shelf.open(where) as shelf:
        own = shelf.resolve(barcode)[0]
        beside = next(each for each in shelf.studies() if "beside" in each.settings)
        made = shelf.trials(beside.name, purpose=Purpose.PROBE)
        assert shelf.check() == ()
    assert len(made) == 27
    for each in made:
        changed = {k for k in own.configuration if own.configuration[k] != each.configuration[k]}
        assert changed <= {"learning_rate"}
        assert each.split == "search"
    seeds = {value.barcode: {t.seed for t in made if t.barcode == value.barcode}
             for value in probed.points}  # fmt: skip
    assert len({frozenset(each) for each in seeds.values()}) == 1


def test_the_same_probe_answers_at_once(probed, shelved):
    barcode, where = shelved
    again = probe(barcode, "learning_rate", shelf=where, time_limit=None,
                  watcher=lambda *_: pytest.fail("something was trained"))  # fmt: skip
    assert again == probed


def test_the_number_of_workers_changes_nothing(probed, shelved, rows, tmp_path):
    model = train(rows, target="label", configuration=Configuration(**SETTINGS), shelf=tmp_path)
    alone = probe(model.barcode, "learning_rate", shelf=tmp_path, time_limit=None, workers=1)
    for one, other in zip(alone.points, probed.points, strict=True):
        assert (one.loss, one.score, one.verdict) == (other.loss, other.score, other.verdict)


def test_a_barcode_still_stands_for_the_network_that_was_asked_for(probed, shelved):
    barcode, where = shelved
    with Shelf.open(where) as shelf:
        found = shelf.resolve(barcode)
        assert {each.purpose for each in found} == {Purpose.TRAIN, Purpose.PROBE}
        assert best_copy(shelf, barcode).purpose is Purpose.TRAIN


def test_what_there_is_no_time_for_leaves_a_balanced_design(rows, tmp_path):
    model = train(rows, target="label", configuration=Configuration(**SETTINGS), shelf=tmp_path)
    stopper = Stopper()

    def watch(levels, wanted, outcomes):
        if len(outcomes) >= 6:
            stopper.stop()

    found = probe(model.barcode, "learning_rate", seeds=2, shelf=tmp_path, time_limit=None,
                  workers=1, watcher=watch, stopper=stopper)  # fmt: skip
    counts = [each.networks for each in found.points]
    assert found.left_out == 18 - sum(counts) > 0
    coarse = counts[::2]
    assert max(coarse) - min(coarse) <= 1  # seed by seed, every other value
    whole = probe(model.barcode, "learning_rate", seeds=2, shelf=tmp_path, time_limit=None)
    assert whole.left_out == 0
    with Shelf.open(tmp_path) as shelf:
        assert shelf.check() == ()
        assert not {t.status for t in shelf.trials()} & {Status.RUNNING, Status.FAILED}


@pytest.mark.parametrize(
    ("vary", "changes", "more"),
    [
        ("batch_size", {}, {"points": 3}),
        ("epochs", {}, {"points": 3}),
        ("optimizer", {}, {"values": ["sgd", "adam"]}),
        ("momentum", {"optimizer": "momentum"}, {"points": 3}),
        ("dropout", {}, {"points": 3}),
        ("initialisation", {}, {"values": ["he_normal", "standard_normal"]}),
        ("l1", {}, {"points": 3}),
        ("l2", {}, {"points": 3}),
        ("weight_decay", {"optimizer": "adamw"}, {"points": 3}),
        ("patience", {}, {"points": 3}),
        ("loss", {}, {}),
        ("depth", {}, {"points": 3}),
        ("width", {}, {"points": 3}),
        ("activation", {}, {"values": ["relu", "tanh", "sigmoid"]}),
        ("scaling", {}, {}),
    ],
)
def test_every_row_of_the_course_can_be_probed(vary, changes, more, shelved):
    barcode, where = shelved
    found = probe(barcode, vary, changes=changes, seeds=2, shelf=where, time_limit=None, **more)
    assert found.held == changes
    assert all(each.networks == 2 for each in found.points)
    assert all(np.isfinite(each.loss) for each in found.points)
    assert found.sentences


@pytest.mark.parametrize(
    ("vary", "more", "said"),
    [
        ("momentum", {}, "--set optimizer=momentum"),
        ("learning_rate", {"values": [0.1]}, "two values"),
        ("learning_rate", {"points": 1}, "2 points"),
        ("learning_rate", {"changes": {"recipe": "tabm"}}, "recipe"),
        ("learning_rate", {"changes": {"rho": 0.5}}, "plays no part"),
        ("depht", {}, "depth"),
    ],
)
def test_what_cannot_be_probed_is_told(vary, more, said, shelved):
    barcode, where = shelved
    with pytest.raises(UserError, match=said):
        probe(barcode, vary, shelf=where, **more)


def test_networks_of_a_study_are_probed_on_its_development_rows(tmp_path):
    table = make_table(200).drop("label")
    result = tune(table, target="amount", trials=3, space=QUICK, shelf=tmp_path, seed=1)
    with pytest.raises(UserError, match="--data"):
        probe(result.winner.barcode, "l2", shelf=tmp_path, seeds=2, points=3)
    found = probe(result.winner.barcode, "l2", shelf=tmp_path, data=table, seeds=2, points=3,
                  time_limit=None)  # fmt: skip
    assert found.training_rows + found.validation_rows == 160  # a fifth is the test, unseen
    assert found.loss == "squared error"
    with Shelf.open(tmp_path) as shelf:
        study = shelf.study(result.study)
        beside = shelf.study(f"beside-{result.study}")
        assert study.test_uses == shelf.study(result.study).test_uses
        assert beside.settings["data_key"] == study.settings["data_key"]
        before = {each.copy for each in shelf.trials(result.study)}
        assert not before & {each.copy for each in shelf.trials(beside.name)}


def test_the_last_epoch_is_held_against_the_best_of_its_own_curve(tmp_path):
    table = make_table(200).drop("label")
    model = train(table, target="amount", configuration=Configuration(**SETTINGS), metric="mae",
                  shelf=tmp_path)  # fmt: skip
    found = probe(model.barcode, "l2", values=[0.0, 0.1], seeds=2, shelf=tmp_path, data=table,
                  time_limit=None)  # fmt: skip
    assert found.loss == "absolute error"
    with Shelf.open(tmp_path) as shelf:
        for point in found.points:
            made = [each for each in shelf.resolve(point.barcode) if each.purpose is Purpose.PROBE]
            ends = [shelf.curve(each.study, each.number)[-1].validation_loss for each in made]
            assert point.kept_loss == pytest.approx(np.mean([each.loss for each in made]))
            assert point.last_loss == pytest.approx(np.mean(ends))
            assert point.kept_loss <= point.last_loss * (1 + 1e-9)


def test_a_network_is_trained_like_another_one(shelved):
    barcode, where = shelved
    model = train_like(barcode, {"learning_rate": 0.02}, shelf=where)
    assert model.configuration.number("learning_rate") == 0.02
    assert model.configuration.hidden_layers == (16,)
    again = train_like(barcode, {"learning_rate": 0.02}, shelf=where)
    assert again.copy == model.copy
    assert again.record.number == model.record.number
    other = train_like(barcode, {"learning_rate": 0.02}, seed=1, shelf=where)
    assert other.barcode == model.barcode
    assert other.copy != model.copy
    with Shelf.open(where) as shelf:
        assert shelf.study(model.record.study).settings["beside"]
        assert shelf.check() == ()
