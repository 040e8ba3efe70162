"""A study's rows, read again: what is needed to look into a network after its study has ended."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from modelshelf.core.errors import DataError, ShelfError
from modelshelf.data.dataset import Dataset, Schema, Table
from modelshelf.data.metrics import METRICS
from modelshelf.data.read import read_again
from modelshelf.data.split import drawn_rows
from modelshelf.data.understand import as_understood
from modelshelf.shelf import Shelf, StudyRecord
from modelshelf.study.problem import Problem
from modelshelf.study.testing import TestSet

__all__ = ["found_again", "learned_from", "problem_of", "table_of", "where_rows_are"]


def where_rows_are(dataset: Dataset, test: TestSet) -> dict[str, Any]:
    """What a study keeps of where its rows came from; no row of it lies on the shelf."""
    return {"source": dataset.source, "test": test.place}


def found_again(shelf: Shelf, record: StudyRecord, dataset: Dataset, test: TestSet) -> StudyRecord:
    """The study's record, with where its rows lie now: they may have been moved."""
    rows = where_rows_are(dataset, test)
    if record.settings.get("rows") == rows:
        return record
    settings = {**record.settings, "rows": rows}
    shelf.update_study(record.name, settings=settings)
    return replace(record, settings=settings)


def learned_from(dataset: Dataset, drawn: int | None, seed: int) -> Dataset:
    """Of development rows, those that a study learns from: all, or so many drawn."""
    if drawn is None:
        return dataset
    classes = dataset.schema.task.is_classification
    return dataset.taken(drawn_rows(dataset.target, drawn, seed, classes))


def problem_of(
    shelf: Shelf, record: StudyRecord, table: Table | None = None, test: Table | None = None
) -> Problem:
    """The problem that a study worked on, its rows read again from where they were.

    `table` holds the rows where they came from memory or have moved, `test` those of a test file.
    Raises `DataError` where the rows are not to be found, or are not those of the study.
    """
    dataset, apart = table_of(shelf, record, table, test)
    development, tested = apart.part(dataset, record.seed)
    drawn = record.settings.get("drawn")
    return Problem(
        learned_from(development, drawn, record.seed),
        METRICS[record.metric],
        record.seed,
        record.settings.get("folds", 0),
        *tested,
        development.rows,
    )


def table_of(
    shelf: Shelf, record: StudyRecord, table: Table | None = None, test: Table | None = None
) -> tuple[Dataset, TestSet]:
    """A study's whole table, and where its test rows come from; as `problem_of` has them."""
    rows = record.settings.get("rows", {})
    if table is None:
        table = _again(rows.get("source"), record, "its rows")
    dataset = as_understood(_schema(shelf, record), table)
    if dataset.fingerprint != record.fingerprint:
        raise DataError(
            f"{table.name} does not hold the rows that the study {record.name} learned from: they "
            "have changed since. Give the rows of then, or run the study again on those of now."
        )
    return dataset, TestSet(table=test) if test is not None else _test(rows.get("test"), record)


def _test(place: float | str | None, record: StudyRecord) -> TestSet:
    if isinstance(place, float):
        return TestSet(place)
    return TestSet(table=_again(place, record, "its test rows"))


def _again(source: str | None, record: StudyRecord, what: str) -> Table:
    option = "--data FILE" if what == "its rows" else "--test FILE"
    if not source:
        why = (
            "is of an older modelshelf, which did not note" if source is None else "never was told"
        )
        raise DataError(
            f"The study {record.name} {why} where {what} can be read again: give them with "
            f"{option}, or in Python as a table."
        )
    try:
        return read_again(source)
    except DataError as error:
        raise DataError(
            f"The study {record.name} cannot read {what} again. {error} If the file has moved, "
            f"say where it is now: {option}."
        ) from None


def _schema(shelf: Shelf, record: StudyRecord) -> Schema:
    """How the study understood its table: any of its networks' preparations says so."""
    for file in shelf.files(record.name).values():
        if file.preparation:
            return Schema.from_json(shelf.read_preparation(file.preparation)[0]["schema"])
    raise ShelfError(f"The study {record.name} has no network yet: there is nothing to look into.")
