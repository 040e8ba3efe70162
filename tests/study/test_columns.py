"""A study is its data's, the names of columns that are left aside included."""

from __future__ import annotations

import pandas as pd
import polars as pl
import pytest

from modelshelf import Configuration, Shelf, UserError, train
from modelshelf.api import request
from modelshelf.core.records import Purpose
from modelshelf.data.read import from_memory
from modelshelf.study.budget import Budget
from modelshelf.study.study import Request
from tests.study.conftest import QUICK
from tests.study.test_study import quick

SMALL = Configuration(hidden_layers=[8], epochs=3)


def with_column(table: pl.DataFrame, name: str, value: object) -> pl.DataFrame:
    return table.with_columns(pl.lit(value).alias(name))


def as_before(where, table) -> None:
    """Make a shelf's only study one of an older modelshelf, which noted no such names."""
    with Shelf.open(where) as shelf:
        (record,) = shelf.studies()
        settings = {n: each for n, each in record.settings.items() if n != "left_aside"}
        if settings.get("single"):
            plain = train(*_pair(table), SMALL, shelf=where.parent / "plain")
            with Shelf.open(where.parent / "plain") as other:
                key = other.study(plain.record.study).key
            shelf.update_study(record.name, key=key, settings=settings)
            return
        older = asked(table).before_names
        settings["question"] = older.question
        shelf.update_study(record.name, key=older.key, settings=settings)


def _pair(table):
    return table.drop("amount", "label", "b", strict=False), table["label"]


def asked(table) -> Request:
    given, target = from_memory(table.drop("amount"), target="label")
    return request(given, target, budget=Budget.of(None, 3, None), seed=3, space=QUICK)


def test_a_column_of_another_name_is_another_study(table, tmp_path):
    where = tmp_path / "shelf"
    first = quick(with_column(table, "b2", 1.0), where, trials=3)
    second = quick(with_column(table, "id", 1.0), where, trials=3)
    assert second.study != first.study
    assert not second.reused
    assert "left aside: id (constant)" in second.understood
    assert quick(table, where, trials=3).study not in (first.study, second.study)
    again = quick(with_column(table, "b2", 1.0), where, trials=3)
    assert again.reused
    assert again.study == first.study
    assert second.winner.copy == first.winner.copy  # the networks themselves are the same


def test_what_a_column_left_aside_holds_now_is_told(table, tmp_path):
    where = tmp_path / "shelf"
    first = quick(with_column(table, "id", 1.0), where, trials=3)
    counted = table.with_columns(pl.int_range(pl.len()).alias("id"))
    again = quick(counted, where, trials=3)
    assert again.reused
    assert again.study == first.study
    assert "left aside: id (identifier: counts the rows)" in again.understood
    with Shelf.open(where) as shelf:
        assert shelf.study(first.study).understood == again.understood


@pytest.mark.parametrize("named", [None, "mine"])
def test_a_study_of_an_older_modelshelf_goes_on(named, table, tmp_path):
    where = tmp_path / "shelf"
    first = quick(with_column(table, "b2", 1.0), where, trials=3, study=named)
    as_before(where, with_column(table, "b2", 1.0))
    again = quick(with_column(table, "b2", 1.0), where, trials=3, study=named)
    assert again.reused
    assert again.winner == first.winner
    more = quick(with_column(table, "b2", 1.0), where, trials=5, study=named)
    assert more.study == first.study
    with Shelf.open(where) as shelf:
        assert len(shelf.trials(more.study, purpose=Purpose.SEARCH)) == 5


@pytest.mark.parametrize("column", ["id", None])
def test_and_does_not_answer_for_columns_of_other_names(column, table, tmp_path):
    where = tmp_path / "shelf"
    first = quick(with_column(table, "b2", 1.0), where, trials=3, study="mine")
    as_before(where, with_column(table, "b2", 1.0))
    other = table if column is None else with_column(table, column, 1.0)
    found = quick(other, where, trials=3)
    assert not found.reused
    assert found.study != first.study
    with pytest.raises(UserError, match="of other data or other settings"):
        quick(other, where, trials=3, study="mine")


def test_one_network_is_its_data_s_too(table, tmp_path):
    where = tmp_path / "shelf"
    x, y = _pair(table)
    old = train(with_column(x, "b2", 1.0), y, SMALL, shelf=where)
    with Shelf.open(where) as shelf:
        (record,) = shelf.studies()
    as_before(where, table)
    new = train(with_column(x, "id", 1.0), y, SMALL, shelf=where)
    assert new.record.study != old.record.study
    assert [each.name for each in new.preparation.schema.columns][-1] == "id"
    again = train(with_column(x, "b2", 1.0), y, SMALL, shelf=where)
    assert again.record == old.record
    assert record.name == old.record.study


def test_a_frame_of_nullable_types_is_learned_and_answered(table):
    frame = pd.DataFrame(table.drop("amount").to_dict(as_series=False))
    frame["took"] = pd.to_timedelta(range(0, 7 * len(frame), 7), unit="s")
    frame.loc[3::9, ["city", "took"]] = None
    nullable = frame.convert_dtypes()
    nullable.loc[5, "label"] = pd.NA
    model = train(nullable, target="label", configuration=SMALL)
    new = nullable.drop(columns="label")
    assert (
        model.predict(new[:9]).tolist() == model.predict(frame.drop(columns="label")[:9]).tolist()
    )
    told = model.preparation.schema.columns
    assert {each.name for each in told if each.missing} == {"c", "city", "took"}
