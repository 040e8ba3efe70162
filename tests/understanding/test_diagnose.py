"""A diagnosis on a shelf: which copy is looked into, what is trained for it, what is left alone."""

from __future__ import annotations

import time

import pytest

from modelshelf import Configuration, Shelf, UserError, diagnose, train, tune
from modelshelf.core.records import Purpose, Status
from modelshelf.understanding import evidence
from modelshelf.understanding.taken import take
from tests.study.conftest import QUICK, make_table


@pytest.fixture(scope="module")
def table():
    return make_table(400).drop("amount")


def trained(table, where, **settings):
    configuration = Configuration(**{"hidden_layers": (24,), **settings})
    return train(table, target="label", configuration=configuration, shelf=where)


def test_a_winner_is_looked_into_by_its_copy_of_the_search(table, tmp_path):
    result = tune(table, target="label", trials=6, space=QUICK, shelf=tmp_path, seed=2)
    assert result.winner.refitted
    found = diagnose(result.winner.barcode, shelf=tmp_path, data=table)
    assert found.copy != result.winner.copy
    assert "that of the search" in found.notes[0]
    with Shelf.open(tmp_path) as shelf:
        looked = next(each for each in shelf.resolve(found.copy) if each.copy == found.copy)
        assert looked.purpose is Purpose.SEARCH
        assert shelf.study(result.study).test_uses == 1
        assert shelf.check() == ()


def test_a_short_training_is_found_out_and_what_was_trained_for_it_is_shelved(table, tmp_path):
    model = trained(table, tmp_path, epochs=2)
    found = diagnose(model.barcode, shelf=tmp_path, data=table, time_limit=None)
    assert [each.name for each in found.findings] == ["stopped too early"]
    assert found.findings[0].changes["epochs"] >= 8
    with Shelf.open(tmp_path) as shelf:
        made = [each for each in shelf.trials() if each.purpose is Purpose.PROBE]
    assert len(made) == 2
    assert {each.seed for each in made} == {model.record.seed}
    assert diagnose(model.barcode, shelf=tmp_path, data=table) == found


def test_other_seeds_are_trained_where_that_is_asked(table, tmp_path):
    model = trained(table, tmp_path, epochs=40, patience=8)
    found = diagnose(model.barcode, shelf=tmp_path, data=table)
    assert any(each.startswith("unlucky seed") for each in found.unchecked)
    again = diagnose(model.barcode, retrain=3, shelf=tmp_path, data=table)
    assert "unlucky seed" in again.checked
    assert "unlucky seed" not in [each.name for each in again.findings]


def test_a_network_that_its_search_left_is_to_be_trained_to_its_own_end(table, tmp_path):
    plain = {**QUICK, "epochs": 256, "learning_rate": 1e-3, "patience": 0}
    plain |= dict.fromkeys(("l1", "l2", "dropout"), 0.0)
    tune(table, target="label", trials=8, space=plain, shelf=tmp_path, seed=2)
    with Shelf.open(tmp_path) as shelf:
        left = [each for each in shelf.trials() if each.status is Status.STOPPED]
    told = []
    for each in left:
        found = diagnose(each.copy, shelf=tmp_path, data=table, time_limit=None, retrain=2)
        assert any("not trained to its end" in why for why in found.unchecked)
        told += [(each, one) for one in found.findings if one.name == "stopped too early"]
    assert told
    for each, early in told:
        assert f"after epoch {each.epoch} of 256 (its search left it)" in early.evidence
        assert (early.changes, early.barcode) == ({}, each.barcode)
    with Shelf.open(tmp_path) as shelf:
        made = [each for each in shelf.trials() if each.purpose is Purpose.PROBE]
    assert len(made) <= 2 * len(left)  # other seeds would be trained in vain
    assert max(each.epoch for each in made) <= 256


def test_losses_are_in_the_measure_of_the_curve(tmp_path):
    table = make_table(400).drop("label")
    configuration = Configuration(hidden_layers=(16,), epochs=10)
    model = train(table, target="amount", configuration=configuration, metric="mae", shelf=tmp_path)
    with take(model.barcode, tmp_path, table, None) as taken:
        found = evidence.gathered(taken, retrain=0, workers=1, seconds=1e-9)
        target = taken.prepared.data.validation_y[:, 0].astype(float)
        mean = taken.prepared.data.y.mean()
    assert found.validation_loss == pytest.approx(found.loss, rel=1e-5)
    assert found.chance == pytest.approx(((target - mean) ** 2).mean(), rel=1e-5)


def test_the_time_is_for_all_that_is_trained_together(table, tmp_path, monkeypatch):
    given = []

    def slow(*args, seconds, **more):
        given.append(seconds)
        time.sleep(0.2)
        return {}

    model = trained(table, tmp_path, epochs=2)
    monkeypatch.setattr(evidence, "train_beside", slow)
    diagnose(model.barcode, shelf=tmp_path, data=table, retrain=2, time_limit=50)
    assert len(given) == 2
    assert given[1] <= given[0] - 0.2


def test_a_linear_network_has_no_layers_to_ail(table, tmp_path):
    model = trained(table, tmp_path, hidden_layers=(), epochs=60)
    found = diagnose(model.barcode, shelf=tmp_path, data=table, time_limit=None)
    assert "dead units" in found.checked
    assert not {"dead units", "vanishing gradients"} & {each.name for each in found.findings}


@pytest.mark.parametrize(
    "settings",
    [
        {"numeric_encoding": "periodic", "activation": "selu"},
        {"ensemble_size": 3},
        {"normalisation": "batch", "activation": "tanh"},
    ],
)
def test_networks_of_every_form_can_be_diagnosed(settings, table, tmp_path):
    model = trained(table, tmp_path, epochs=30, **settings)
    found = diagnose(model.barcode, shelf=tmp_path, data=table, time_limit=None)
    assert found.checked


def test_bad_input_is_told(table, tmp_path):
    model = trained(table, tmp_path, epochs=5)
    with pytest.raises(UserError, match="2 seeds"):
        diagnose(model.barcode, retrain=1, shelf=tmp_path, data=table)
    with pytest.raises(UserError, match="rows of then"):
        diagnose(model.barcode, shelf=tmp_path, data=table.head(100))
    with pytest.raises(UserError, match="--data"):
        diagnose(model.barcode, shelf=tmp_path)
