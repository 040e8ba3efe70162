from __future__ import annotations

import shutil

import numpy as np
import pytest

from modelshelf import Configuration, Shelf, explain, train, tune
from modelshelf.api import request
from modelshelf.core.errors import ShelfError
from modelshelf.core.records import Purpose, Status
from modelshelf.data.read import from_memory
from modelshelf.understanding.explain import studied
from tests.conftest import HOSTILE
from tests.study.conftest import QUICK, make_table


@pytest.fixture(scope="module")
def found(searched):
    return explain(HOSTILE, searched)


def test_the_same_study_gives_the_same_answer(found, searched):
    assert explain(HOSTILE, searched) == found
    assert explain("<img", searched, seed=1) != found


def test_what_the_shelf_holds_is_what_is_explained(found, searched):
    with Shelf.open(searched) as shelf:
        record = shelf.study(HOSTILE)
        networks = studied(shelf, record)
        trials = {t.number: t for t in shelf.trials(record.name) if t.purpose is Purpose.SEARCH}
        for number, curve in networks.curves.items():
            points = shelf.curve(record.name, number)
            assert np.array_equal(curve[:, 1], [p.validation_loss for p in points], equal_nan=True)
    assert found.networks == len(networks) == len(trials)
    for row, number in enumerate(networks.numbers.tolist()):
        trial = trials[number]
        assert networks.configurations[row].barcode == trial.barcode
        assert networks.epochs[row] == trial.epoch
        assert np.isfinite(networks.values[row]) == (trial.status is not Status.DIVERGED)


def test_networks_that_went_further_are_compared_with_those_that_did_not(searched):
    """A network's value is brought to the last rung: longer training is no merit of settings."""
    with Shelf.open(searched) as shelf:
        networks = studied(shelf, shelf.study(HOSTILE))
        losses = {t.number: t.loss for t in shelf.trials(HOSTILE)}
    early = [i for i, s in enumerate(networks.statuses) if s is Status.STOPPED]
    lifted = [networks.values[i] < losses[int(networks.numbers[i])] for i in early]
    assert early
    assert np.mean(lifted) > 0.5


def test_barcodes_of_all_networks_that_sentences_rest_on_are_told(found):
    numbers = {n for row in found.rows for each in row.findings for n in each.trials}
    assert numbers == set(found.barcodes)


def test_a_study_without_a_search_says_what_to_do(tmp_path):
    frame = make_table(60).drop("amount")
    train(frame, target="label", configuration=Configuration(epochs=2), shelf=tmp_path / "s")
    with Shelf.open(tmp_path / "s") as shelf:
        name = shelf.studies()[0].name
    with pytest.raises(ShelfError, match="no search to explain"):
        explain(name, tmp_path / "s")
    with pytest.raises(ShelfError):
        explain("nothing", tmp_path / "s")


def test_a_study_that_went_on_with_another_space_counts_what_lies_in_it(tmp_path):
    table, where = make_table(120).drop("amount"), tmp_path / "s"
    wide = {**QUICK, "epochs": 4, "learning_rate": (1e-4, 1e-1)}
    tune(table, target="label", trials=10, space=wide, folds=2, shelf=where, study="one")
    narrow = {**wide, "learning_rate": (1e-3, 1e-2)}
    tune(table, target="label", trials=16, space=narrow, folds=2, shelf=where, study="one")
    found = explain("one", where)
    with Shelf.open(where) as shelf:
        searched = [t for t in shelf.trials("one") if t.purpose is Purpose.SEARCH]
        inside = [t for t in searched if 1e-3 <= t.configuration["learning_rate"] <= 1e-2]
    assert found.networks == len(inside) < len(searched)
    assert any("another space" in note for note in found.notes)


def test_rows_are_found_again_and_checked(tmp_path):
    from modelshelf.core.errors import DataError
    from modelshelf.data.read import read_table
    from modelshelf.study.rows import problem_of

    table = make_table(80).drop("amount")
    table.write_csv(tmp_path / "t.csv")
    where = tmp_path / "s"
    tune(tmp_path / "t.csv", target="label", trials=2, space={**QUICK, "epochs": 2}, folds=2,
         shelf=where, study="one")  # fmt: skip
    asked = request(read_table(tmp_path / "t.csv"), "label", budget=None, seed=0)
    development, (_, target) = asked.test.part(asked.dataset, 0)
    with Shelf.open(where) as shelf:
        record = shelf.study("one")
        problem = problem_of(shelf, record)
        assert problem.dataset.frame.equals(development.frame)
        assert np.array_equal(problem.test_target, target)
        table.with_columns(a=table["a"] + 1.0).write_csv(tmp_path / "t.csv")
        with pytest.raises(DataError, match="have changed since"):
            problem_of(shelf, record)
        (tmp_path / "t.csv").rename(tmp_path / "moved.csv")
        with pytest.raises(DataError, match="--data FILE"):
            problem_of(shelf, record)
        table.write_csv(tmp_path / "moved.csv")
        given = problem_of(shelf, record, read_table(tmp_path / "moved.csv"))
        assert given.dataset.frame.equals(development.frame)


def test_rows_from_memory_are_asked_for(searched, tmp_path):
    from modelshelf.core.errors import DataError
    from modelshelf.study.rows import problem_of, where_rows_are
    from modelshelf.study.testing import TestSet

    shutil.copytree(searched, tmp_path / "s")
    asked = request(*from_memory(make_table(80).drop("amount"), None, "label"), budget=None)
    with Shelf.open(tmp_path / "s") as shelf:
        record = shelf.study(HOSTILE)
        rows = where_rows_are(asked.dataset, TestSet())
        assert (rows["source"], rows["test"]) == ("", 0.2)
        settings = {**record.settings, "rows": rows}
        shelf.update_study(HOSTILE, settings=settings)
        with pytest.raises(DataError, match="never was told"):
            problem_of(shelf, shelf.study(HOSTILE))


def test_test_rows_are_checked_too(tmp_path):
    from modelshelf.core.errors import DataError
    from modelshelf.data.read import read_table
    from modelshelf.study.rows import problem_of

    make_table(80).drop("amount").write_csv(tmp_path / "train.csv")
    make_table(40, seed=1).drop("amount").write_csv(tmp_path / "test.csv")
    where, quick = tmp_path / "s", {**QUICK, "epochs": 2}
    for name, test in (("file", tmp_path / "test.csv"), ("share", 0.2)):
        tune(tmp_path / "train.csv", target="label", trials=2, space=quick, folds=2, test=test,
             shelf=where, study=name)  # fmt: skip
    other = read_table(tmp_path / "train.csv")
    with Shelf.open(where) as shelf:
        own = problem_of(shelf, shelf.study("file"), test=read_table(tmp_path / "test.csv"))
        assert len(own.test_target) == 40
        with pytest.raises(DataError, match="does not hold the test rows"):
            problem_of(shelf, shelf.study("file"), test=other)
        with pytest.raises(DataError, match="leave --test out"):
            problem_of(shelf, shelf.study("share"), test=other)
        old = {k: v for k, v in shelf.study("share").settings.items() if k != "rows"}
        shelf.update_study("share", settings=old)
        with pytest.raises(DataError, match="Run its command again"):
            problem_of(shelf, shelf.study("share"))
        make_table(40, seed=2).drop("amount").write_csv(tmp_path / "test.csv")
        with pytest.raises(DataError, match="changed since"):
            problem_of(shelf, shelf.study("file"))
    tune(tmp_path / "train.csv", target="label", trials=2, space=quick, folds=2, shelf=where,
         study="share", test=0.2)  # fmt: skip
    with Shelf.open(where) as shelf:
        assert len(problem_of(shelf, shelf.study("share")).test_target) == 16


def test_a_barcode_of_several_tables_must_say_which(tmp_path):
    from modelshelf import Model
    from modelshelf.core.errors import BarcodeError

    wanted = Configuration(epochs=1, hidden_layers=[4])
    for seed in (0, 1):
        train(make_table(60, seed=seed).drop("amount"), target="label", configuration=wanted,
              shelf=tmp_path)  # fmt: skip
    with pytest.raises(BarcodeError, match="several tables") as error:
        Model.from_shelf(wanted.barcode, tmp_path)
    with Shelf.open(tmp_path) as shelf:
        copies = [each.copy for each in shelf.trials()]
    assert all(copy[:9] in str(error.value) for copy in copies)
    assert Model.from_shelf(copies[0], tmp_path).copy == copies[0]
