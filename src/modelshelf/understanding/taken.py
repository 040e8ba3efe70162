"""A network or a study taken from a shelf, with its rows: where everything here begins."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from modelshelf.core.records import TrialRecord
from modelshelf.data.dataset import Dataset, Table
from modelshelf.data.read import Sample, from_memory, read_table
from modelshelf.data.read.given import from_arrays
from modelshelf.data.split import Split
from modelshelf.shelf import Shelf, StudyRecord
from modelshelf.shelf.best import best_copy
from modelshelf.study.model import Model
from modelshelf.study.problem import Prepared, Problem
from modelshelf.study.rows import holds_arrays, problem_on, table_of, with_networks
from modelshelf.study.testing import TestSet

__all__ = ["Taken", "as_table", "as_tables", "take"]


def as_table(data: Any, shelf: Shelf, study: StudyRecord) -> Table | None:
    """A table from a path, a data frame, a pair of inputs and target, or a `Table`; None as is.

    Of a study whose rows are arrays, they stay arrays.
    """
    if data is None or isinstance(data, Table):
        return data
    if isinstance(data, (str, Path)):
        return read_table(data)
    pair = data if isinstance(data, tuple) else (data,)
    found = from_arrays(*pair) if holds_arrays(shelf, study) else None
    return (found or from_memory(*pair))[0]


def as_tables(
    data: Any, test: Any, shelf: Shelf, study: StudyRecord
) -> tuple[Table | None, Table | None]:
    """A study's rows and test rows as they are given; of the rows, those that it sampled."""
    table = as_table(data, shelf, study)
    sample, _ = Sample.at(study.settings.get("rows", {}).get("source") or "")
    if table is not None and sample is not None:
        table = sample.drawn(table)
    return table, as_table(test, shelf, study)


@dataclass(eq=False)
class Taken:
    """One network on an open shelf; its rows are read when they are first asked for."""

    shelf: Shelf
    study: StudyRecord
    trial: TrialRecord
    table: Table | None = None  #: the study's rows, where they are given
    test: Table | None = None  #: and those of its test file

    @cached_property
    def model(self) -> Model:
        """The network with its preparation: the very weights on the shelf."""
        return Model.from_record(self.shelf, self.trial)

    @cached_property
    def source(self) -> tuple[Dataset, TestSet]:
        """The study's table and test rows. Raises `DataError` where they are not to be found."""
        return table_of(self.shelf, self.study, self.table, self.test)

    @cached_property
    def problem(self) -> Problem:
        """The rows as they were split. Raises `DataError` where they cannot be read again."""
        return problem_on(self.study, *self.source)

    @property
    def split(self) -> Split:
        """Which rows trained it, and which validated it."""
        return Split.parse(self.trial.split)

    @cached_property
    def prepared(self) -> Prepared:
        """The arrays that it was trained and validated on."""
        return self.problem.prepared(self.split, self.model.configuration)


@contextmanager
def take(
    barcode: str, shelf: str | Path | None = None, data: Any = None, test: Any = None
) -> Iterator[Taken]:
    """The network that a barcode or copy id stands for, or the first few characters of one.

    `data` and `test` are the study's rows, where they came from memory or have moved. Raises
    `BarcodeError` where it matches nothing or several, `ShelfError` where the shelf is damaged, and
    where it is of a study of an objective function.
    """
    with Shelf.open(shelf) as opened:
        trial = best_copy(opened, barcode)
        study = with_networks(opened.study(trial.study))
        yield Taken(opened, study, trial, *as_tables(data, test, opened, study))
