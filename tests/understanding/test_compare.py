"""Networks on a shelf held against each other, on rows that none of them was trained on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from modelshelf import Configuration, Shelf, compare, train, tune
from modelshelf.core.errors import BarcodeError, DataError, SettingError
from modelshelf.core.records import Purpose
from modelshelf.data.metrics import METRICS, score
from modelshelf.data.split import Split
from modelshelf.study.model import Model
from modelshelf.study.roles import roles_of
from modelshelf.study.rows import table_of
from modelshelf.understanding import common_rows
from modelshelf.understanding.taken import as_table
from tests.study.conftest import QUICK, make_table
from tests.study.test_study import quick


@pytest.fixture(scope="module")
def shelved(tmp_path_factory):
    where = tmp_path_factory.mktemp("compare") / "shelf"
    table = make_table()
    result = quick(table, where, trials=8, folds=2)
    with Shelf.open(where) as shelf:
        search = [t for t in shelf.trials(result.study, purpose=Purpose.SEARCH) if t.best_epoch]
    return result, where, table.drop("amount"), search


def test_search_networks_are_scored_on_the_study_s_validation_rows(shelved):
    _, where, table, search = shelved
    two = [search[0].copy, search[-1].copy]
    found = compare(two, shelf=where, data=table)
    assert found.rows == "validation"
    assert [n.scored.score for n in found.networks] == [n.validation for n in found.networks]
    apart = found.networks[1].scored.difference
    assert apart.value == pytest.approx(search[-1].score - search[0].score)
    assert apart.low < apart.value < apart.high
    assert found.networks[0].scored.difference is None
    assert found.test_uses == 0
    each = found.disagreements[0]
    assert each.rows == each.first_right + each.second_right + each.neither > 0
    lost = (each.second_right - each.first_right) / found.row_count
    assert lost == pytest.approx(apart.value)
    assert {s.name for s in found.settings if s.differs} >= {"hidden_layers"}
    assert all(n.answer_seconds > 0 and n.multiply_adds > 0 and n.curve for n in found.networks)


def test_rows_that_tell_are_real_rows_of_the_table(shelved):
    _, where, table, search = shelved
    found = compare([search[0].copy, search[-1].copy], shelf=where, data=table)
    assert found.telling
    for row in found.telling:
        real = table.row(row.row - 1, named=True)
        assert real["label"] == row.target
        assert real["a"] == pytest.approx(row.values["a"])
        models = [Model.from_shelf(n.copy, where) for n in found.networks]
        answers = [str(m.predict(table[row.row - 1 : row.row])[0]) for m in models]
        assert list(row.answers) == answers


def test_no_network_is_scored_on_rows_that_trained_one(shelved):
    result, where, table, search = shelved
    with Shelf.open(where) as shelf:
        record = shelf.study(result.study)
        source = (record, *table_of(shelf, record, as_table(table, shelf, record)))
        search_roles = roles_of(*source, Split("search"))
        all_roles = roles_of(*source, Split("all"))
    assert not (search_roles.trained & search_roles.tested).any()
    assert (all_roles.trained | all_roles.tested).all()
    # The refitted winner was trained on all rows: the search's copy stands for it, and it is said.
    found = compare([result.winner.barcode, search[-1].barcode], shelf=where, data=table)
    assert {n.purpose for n in found.networks} == {"search"}
    assert found.row_count == int((~search_roles.trained & ~search_roles.tested).sum())
    assert any("copies of the search stand for them" in note for note in found.notes)
    # By its copy id it is that very network, which leaves no rows.
    found = compare([result.winner.copy, search[-1].copy], shelf=where, data=table)
    assert found.rows == ""
    assert all(n.scored is None for n in found.networks)
    assert any("--rows test" in note for note in found.notes)


def test_a_look_at_test_rows_is_asked_for_and_counted(shelved):
    result, where, table, search = shelved
    with Shelf.open(where) as shelf:
        before = shelf.study(result.study).test_uses
    found = compare([result.winner.copy, search[-1].copy], shelf=where, data=table, rows="test")
    assert found.rows == "test"
    assert found.networks[0].scored.score == result.winner.test
    with Shelf.open(where) as shelf:
        assert shelf.study(result.study).test_uses == before + 1 == found.test_uses


def test_networks_of_several_studies_of_the_same_rows_have_common_rows(shelved):
    _, where, table, search = shelved
    mine = train(table, target="label", configuration=Configuration(epochs=5, hidden_layers=[8]),
                 shelf=where, seed=8)  # fmt: skip
    found = compare([search[0].copy, mine.copy], shelf=where, data=table)
    assert found.rows == "validation"
    assert 0 < found.row_count < 48  # of both studies' validation rows, those that both held out
    with Shelf.open(where) as shelf:
        records = {n: shelf.study(n) for n in (search[0].study, mine.record.study)}
        held = ~np.logical_or.reduce([
            each.trained | each.tested
            for each in (
                roles_of(r, *table_of(shelf, r, as_table(table, shelf, r)), Split("search"))
                for r in records.values()
            )
        ])  # fmt: skip
    assert found.row_count == held.sum()
    rows = table[np.flatnonzero(held)]
    model = Model.from_shelf(mine.copy, where)
    target = [model.classes.index(each) for each in rows["label"]]
    right = score(METRICS["accuracy"], np.array(target), model.predict_proba(rows))
    assert found.networks[1].scored.score == right


@pytest.mark.parametrize("first", ["search", "asked for"])
def test_test_rows_that_chose_a_network_do_not_score_it(shelved, first):
    _, where, table, search = shelved
    mine = train(table, target="label", configuration=Configuration(epochs=5, hidden_layers=[8]),
                 shelf=where, seed=8)  # fmt: skip
    with Shelf.open(where) as shelf:
        study, other = shelf.study(search[0].study), shelf.study(mine.record.study)
        roles = [
            roles_of(each, *table_of(shelf, each, as_table(table, shelf, each)), Split("search"))
            for each in (study, other)
        ]
    assert (roles[0].tested & roles[1].validated).any()  # else this shows nothing
    clean = ~(roles[0].trained | roles[0].validated | roles[1].trained | roles[1].validated)
    copies = [search[0].copy, mine.copy]
    found = compare(copies if first == "search" else copies[::-1], shelf=where, data=table,
                    rows="test")  # fmt: skip
    wanted = (roles[0].tested | roles[1].tested) & clean
    assert found.row_count == wanted.sum()
    assert all(wanted[each.row - 1] for each in found.telling)
    with Shelf.open(where) as shelf:
        for record, each in ((study, roles[0]), (other, roles[1])):
            looked = shelf.study(record.name).test_uses - record.test_uses
            assert looked == (each.tested & clean).any()


def test_where_all_test_rows_chose_a_network_it_is_said(shelved, monkeypatch):
    _, where, table, search = shelved

    def chosen_by_all(*source):
        found = roles_of(*source)
        return replace(found, validated=found.validated | found.tested)

    monkeypatch.setattr(common_rows, "roles_of", chosen_by_all)
    with Shelf.open(where) as shelf:
        before = shelf.study(search[0].study).test_uses
    found = compare([search[0].copy, search[-1].copy], shelf=where, data=table, rows="test")
    assert found.rows == ""
    assert any("neither trained nor chose" in note for note in found.notes)
    with Shelf.open(where) as shelf:
        assert shelf.study(search[0].study).test_uses == before


def test_rows_are_numbered_below_the_header_of_their_own_file(tmp_path):
    table = make_table().drop("amount")
    holes = pl.Series([i % 3 == 0 for i in range(table.height)])  # rows without a target
    holed = table.with_columns(pl.when(~holes).then(pl.col("label")).alias("label"))
    files = {name: tmp_path / f"{name}.csv" for name in ("rows", "later")}
    holed.write_csv(files["rows"])
    later = make_table(90, seed=4).drop("amount")
    later = later.with_columns(pl.when(pl.int_range(90) > 20).then(pl.col("label")).alias("label"))
    later.write_csv(files["later"])
    tune(files["rows"], target="label", test=files["later"], trials=4, space=QUICK,
         shelf=tmp_path / "shelf", seed=3)  # fmt: skip
    with Shelf.open(tmp_path / "shelf") as shelf:
        copies = [t.copy for t in shelf.trials(purpose=Purpose.SEARCH) if t.best_epoch][:2]
    for kind, name, read in (("validation", "rows", holed), ("test", "later", later)):
        found = compare(copies, shelf=tmp_path / "shelf", rows=kind)
        assert found.rows == kind
        assert found.telling
        for each in found.telling:
            assert each.table == files[name].name
            real = read.row(each.row - 1, named=True)
            assert real["label"] == each.target
            assert real["a"] == pytest.approx(each.values["a"])


def test_networks_of_other_rows_are_shown_without_scores(shelved):
    _, where, _, search = shelved
    other = train(make_table(200, seed=9).drop("amount"), target="label",
                  configuration=Configuration(epochs=3), shelf=where)  # fmt: skip
    found = compare([search[0].copy, other.copy], shelf=where)
    assert found.rows == ""
    assert any("learned from different rows" in note for note in found.notes)
    assert found.networks[0].validation == search[0].score
    assert [each.metric for each in found.networks] == ["accuracy", "accuracy"]


def test_rows_that_are_not_to_be_found_leave_the_rest(shelved):
    _, where, table, search = shelved
    found = compare([search[0].copy, search[1].copy], shelf=where)
    assert found.rows == ""
    assert any("--data FILE" in note for note in found.notes)
    with pytest.raises(DataError, match="changed since"):
        compare([search[0].copy, search[1].copy], shelf=where, data=table[:-1])
    with pytest.raises(DataError):
        compare([search[0].copy, search[1].copy], shelf=where, rows="test")


def test_bad_input_says_what_to_do(shelved):
    result, where, table, search = shelved
    first = search[0].copy
    for barcodes, error, says in (
        ([first], SettingError, "from 2 to 8"),
        ([first] * 9, SettingError, "from 2 to 8"),
        ([first, first], SettingError, "the same network"),
        ([first, "ZZZZ-ZZZZ"], BarcodeError, "names no network"),
        ([first, result.study], BarcodeError, "An ensemble has no barcode"),
    ):
        with pytest.raises(error, match=says):
            compare(barcodes, shelf=where, data=table)
    with pytest.raises(SettingError, match="'validation' or 'test'"):
        compare([first, search[1].copy], shelf=where, rows="both")
