"""A study's rows, read again: what is needed to look into a network after its study has ended."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

from modelshelf.core.errors import DataError, ShelfError
from modelshelf.data.dataset import Dataset, Kind, Schema, Table
from modelshelf.data.metrics import metric_for
from modelshelf.data.read import Sample, read_again
from modelshelf.data.split import drawn_rows
from modelshelf.data.understand import as_understood
from modelshelf.shelf import Shelf, StudyRecord
from modelshelf.study.problem import Problem
from modelshelf.study.testing import TestSet

__all__ = [
    "found_again",
    "has_columns_of",
    "holds_arrays",
    "learned_from",
    "problem_of",
    "problem_on",
    "study_of",
    "table_of",
    "where_rows_are",
    "with_networks",
]


def with_networks(record: StudyRecord) -> StudyRecord:
    """The study itself. Raises `ShelfError` where it is of an objective function."""
    if record.is_objective:
        raise ShelfError(
            f"The trials of the study {record.name} are calls of an objective function: it reads "
            "its own rows, and keeps its own networks. `modelshelf show` has what one returned, "
            "and `modelshelf explain` says what its parameters did."
        )
    return record


def where_rows_are(dataset: Dataset, test: TestSet) -> dict[str, Any]:
    """What a study keeps of where its rows came from; no row of it lies on the shelf."""
    return {"source": dataset.source, "test": test.place, "test_key": test.key}


def found_again(shelf: Shelf, record: StudyRecord, dataset: Dataset, test: TestSet) -> StudyRecord:
    """The study's record, with where its rows lie and how they read now.

    They may have been moved, and what was left aside may hold other values.
    """
    rows, understood = where_rows_are(dataset, test), dataset.summary()
    if record.settings.get("rows") == rows and record.understood == understood:
        return record
    settings = {**record.settings, "rows": rows}
    shelf.update_study(record.name, settings=settings, understood=understood)
    return replace(record, settings=settings, understood=understood)


def study_of(shelf: Shelf, keys: Collection[str], dataset: Dataset) -> StudyRecord | None:
    """The newest study that one of these keys defines, of a table with columns of these names."""
    found = (each for each in reversed(shelf.studies()) if each.key in keys)
    return next((each for each in found if has_columns_of(shelf, each, dataset)), None)


def has_columns_of(shelf: Shelf, record: StudyRecord, dataset: Dataset) -> bool:
    """Whether columns of the same names were left aside of a study that has the same inputs.

    A study of an older modelshelf did not note them: its networks know, or its words must do.
    """
    names = record.settings.get("left_aside")
    if names is None:
        try:
            names = _schema(shelf, record).left_aside
        except ShelfError:
            return record.understood == dataset.summary()
    return tuple(names) == dataset.schema.left_aside


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
    Raises `DataError` where rows or test rows are not to be found, or are not those of the study.
    """
    return problem_on(record, *table_of(shelf, record, table, test))


def problem_on(record: StudyRecord, dataset: Dataset, apart: TestSet) -> Problem:
    """`problem_of`, of what `table_of` has read."""
    development, tested = apart.part(dataset, record.seed)
    drawn = record.settings.get("drawn")
    return Problem(
        learned_from(development, drawn, record.seed),
        metric_for(record.metric, record.task),
        record.seed,
        record.settings.get("folds", 0),
        *tested,
        development.rows,
    )


def holds_arrays(shelf: Shelf, record: StudyRecord) -> bool:
    """Whether a study's rows are arrays that go in as they are, and no table's."""
    return any(each.kind is Kind.ARRAY for each in _schema(shelf, record).columns)


def table_of(
    shelf: Shelf, record: StudyRecord, table: Table | None = None, test: Table | None = None
) -> tuple[Dataset, TestSet]:
    """A study's whole table, and where its test rows come from; as `problem_of` has them."""
    rows = _noted(record)
    schema = _schema(shelf, record)
    if table is None:
        words = {each.name for each in schema.columns if each.kind is not Kind.NUMERIC}
        table = _again(rows["source"], record, "its rows", {schema.target, *words})
    dataset = as_understood(schema, table)
    if dataset.fingerprint != record.fingerprint:
        raise DataError(
            f"{table.name} does not hold the rows that the study {record.name} learned from: they "
            "have changed since. Give the rows of then, or run the study again on those of now."
        )
    return dataset, _test(rows, test, record)


def _noted(record: StudyRecord) -> dict[str, Any]:
    """What the study noted of its rows. Raises `DataError` where it is too old to have done so."""
    rows = with_networks(record).settings.get("rows", {})
    if "test_key" not in rows:
        raise DataError(
            f"The study {record.name} is of an older modelshelf, which did not note where its rows "
            "are and which of them are test rows. Run its command again: nothing is trained anew, "
            f"and it is noted then. It was: {record.settings.get('command') or 'not kept'}."
        )
    return dict(rows)


def _test(rows: dict[str, Any], given: Table | None, record: StudyRecord) -> TestSet:
    """The study's own test set: another would make other rows train, validate and test."""
    place = rows["test"]
    if isinstance(place, (int, float)):
        if given is not None:
            raise DataError(
                f"The study {record.name} set {TestSet(float(place)).words} apart as test rows, "
                "and needs no others: leave --test out."
            )
        return TestSet(float(place))
    found = TestSet(table=given or _again(place, record, "its test rows"))
    if found.key != rows["test_key"]:
        raise DataError(
            f"{found.words.removeprefix('the rows of ')} does not hold the test rows of the study "
            f"{record.name}: they have changed since, or are others."
        )
    return found


def _again(
    source: str, record: StudyRecord, what: str, text: Collection[str] | None = None
) -> Table:
    option = "--data FILE" if what == "its rows" else "--test FILE"
    if not Sample.at(source)[1]:
        raise DataError(
            f"The study {record.name} never was told where {what} can be read again: give them "
            f"with {option}, or in Python as a table."
        )
    try:
        return read_again(source, text)
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
