"""A study goes on with another space, and a new one begins from what the shelf knows."""

from __future__ import annotations

import math

import pytest

from modelshelf import Configuration, Shelf, Space, UserError, tune
from modelshelf.core.records import Purpose
from modelshelf.space.again import space_from_json
from modelshelf.space.domains import Real
from modelshelf.study.warm import SIMILAR, distance
from tests.study.conftest import QUICK, make_table
from tests.study.test_study import CutError, bits, quick

SGD = {**QUICK, "optimizer": ["sgd", "momentum"], "learning_rate": (1e-2, 0.3)}


def both(table, where, **more):
    """A study with one space, and then with another."""
    quick(table, where, trials=10, study="s")
    return quick(table, where, trials=10, study="s", space=SGD, **more)


@pytest.fixture(scope="module")
def moved(table, tmp_path_factory):
    where = tmp_path_factory.mktemp("spaces") / "shelf"
    return both(table, where), where


def test_what_lies_in_the_new_space_counts_and_the_rest_stays(moved):
    result, where = moved
    assert result.study == "s"
    with Shelf.open(where) as shelf:
        (record,) = shelf.studies()
        trials = sorted(shelf.trials("s", purpose=Purpose.SEARCH), key=lambda t: t.number)
        assert shelf.check() == ()
    space = Space(**SGD)
    first = record.settings["spaces"][-1]["first_trial"]
    old, new = ([t for t in trials if (t.number >= first) is late] for late in (False, True))
    fit = [t for t in old if Configuration.from_json(t.configuration) in space]
    assert 0 < len(fit) < len(old) == 10
    assert len(fit) + len(new) == 10
    assert all(t.configuration["optimizer"] in ("sgd", "momentum") for t in new)
    assert result.winner.configuration["optimizer"] in ("sgd", "momentum")
    assert any("outside the space" in note for note in result.notes)
    before, now = record.settings["spaces"]
    assert before["winner"] is not None
    assert before["seconds"] > 0
    assert now["space"] == space.to_json()


def test_the_same_call_reads_it_and_the_old_space_is_another_study(moved, table):
    result, where = moved
    again = quick(table, where, trials=10, study="s", space=SGD)
    assert again.reused
    assert again.winner == result.winner
    assert quick(table, where, trials=1, space=SGD).study != "s"
    assert quick(table, where, trials=1).study != "s"
    with pytest.raises(UserError, match="of other data or other settings"):
        quick(table, where, trials=1, study="s", seed=4)


@pytest.mark.parametrize("phase", ["searching", "re-testing"])
def test_cut_off_in_the_new_space_it_comes_to_the_same_bits(phase, moved, table, tmp_path):
    result, where = moved

    def cut(progress):
        enough = progress.paused >= 6 if phase == "searching" else progress.retests[0] >= 3
        if progress.phase == phase and enough:
            raise CutError

    with pytest.raises(CutError):
        both(table, tmp_path, observer=cut)
    again = quick(table, tmp_path, trials=10, study="s", space=SGD)
    assert again.winner == result.winner
    with Shelf.open(where) as shelf:
        names = {t.copy for t in shelf.trials("s")}
    mine = [each for each in bits(where) if each[1] in names]
    assert {each[1] for each in bits(tmp_path)} == {each[1] for each in mine}


def test_a_wider_space_keeps_all_evidence(table, tmp_path):
    quick(table, tmp_path, trials=9, study="s", space={**SGD, "dropout": 0.1})
    result = quick(table, tmp_path, trials=12, study="s", space={**SGD, "dropout": (0.0, 0.5)})
    assert result.trials["started"] == 12
    assert not any("outside" in note for note in result.notes)


def test_a_warm_start_tries_what_did_best_and_remembers_it(table, tmp_path):
    first = quick(table, tmp_path, trials=10)
    other = make_table(rows=200, seed=5)
    warm = quick(other, tmp_path, trials=10, warm_start=True)
    with Shelf.open(tmp_path) as shelf:
        record = shelf.study(warm.study)
        tried = {t.barcode for t in shelf.trials(warm.study, purpose=Purpose.SEARCH)}
    kept = record.settings["warm_start"]
    assert kept["studies"] == [first.study]
    assert 1 <= len(kept["configurations"]) <= 3
    assert {Configuration.from_json(c).barcode for c in kept["configurations"]} <= tried
    assert first.winner.barcode in tried
    assert any(first.study in note for note in warm.notes)
    assert quick(other, tmp_path, trials=10, warm_start=True).reused
    cold = quick(other, tmp_path, trials=3)
    assert cold.study != warm.study
    assert not any("similar data" in note for note in cold.notes)


def test_a_warm_start_takes_nothing_from_rows_that_may_be_the_test(table, tmp_path):
    quick(table, tmp_path, trials=2)
    split_otherwise = quick(table, tmp_path, trials=2, seed=4, warm_start=True)
    other_task = tune(table.drop("label"), target="amount", trials=2, space=QUICK,
                      shelf=tmp_path, warm_start=True)  # fmt: skip
    same_split = quick(table, tmp_path, trials=2, metric="log_loss", warm_start=True)
    notes = [" ".join(each.notes) for each in (split_otherwise, other_task, same_split)]
    assert ["no finished study" in each for each in notes] == [True, True, False]


def test_similar_data_have_the_same_kinds_of_columns():
    base = {"rows": 1000, "classes": 2, "numeric": 8, "categorical": 2, "date": 0}
    assert distance(base, base) == 0
    assert distance(base, {**base, "rows": 4000, "numeric": 4}) == 3 <= SIMILAR
    assert distance({**base, "rows": 4000}, base) == 2
    assert distance(base, {**base, "rows": 64_000}) > SIMILAR
    assert distance(base, {**base, "categorical": 0}) == math.inf
    assert distance(base, {}) == math.inf


def test_a_study_of_a_narrow_range_searches_it_and_goes_on(table, tmp_path):
    space = {**QUICK, "optimizer": "momentum", "momentum": (0.9, 0.90001), "epochs": 4}
    quick(table, tmp_path / "shelf", trials=4, study="s", space=space)
    result = quick(table, tmp_path / "shelf", trials=8, study="s", space=space)
    assert result.study == "s"
    with Shelf.open(tmp_path / "shelf") as shelf:
        (record,) = shelf.studies()
        trials = shelf.trials("s", purpose=Purpose.SEARCH)
    assert len({each.configuration["momentum"] for each in trials}) == len(trials) == 8
    again = space_from_json(record.settings["space"])
    assert all(Configuration.from_json(each.configuration) in again for each in trials)
    assert again.varied["momentum"] == Real(0.9, 0.90001)
