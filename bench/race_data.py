"""The race's data: each table with an untouched test part, and the same rows for every contestant.

adult keeps its official test file. Any other table is shuffled and cut 70/30, by a seed that is the
same for all contestants. modelshelf is given the tables as they were read. The others are given
what modelshelf understood of them: numbers with NaN where one is missing, categories as codes,
identifiers left out. Their file holds no targets of the test rows.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from datasets import SETS as FILES
from modelshelf.core.seeds import generator
from modelshelf.data.dataset import Dataset, Kind, Table
from modelshelf.data.metrics import Metric, metric_for, score
from modelshelf.data.read import read_table
from modelshelf.data.split import rows_of
from modelshelf.data.understand import conform, understand
from modelshelf.study.searching import SEARCH_SPLIT

__all__ = ["DATA", "SETS", "Course", "lay_out"]

DATA = Path(os.environ.get("MODELSHELF_DATA", "../shared/data"))
TEST_SHARE = 0.3
MISSING = -1  # the code of a missing category, and of one that no development row has


def _name(file: str) -> str:
    path = Path(file)
    return path.parent.name or path.stem


#: name: (file, target, test file or None)
SETS = {_name(file): (file, target, test) for file, target, test in FILES}


@dataclass(frozen=True, eq=False)
class Course:
    """One table laid out for the race: what is asked, and the targets that nobody is given."""

    name: str
    seed: int
    folder: Path  #: with `development.parquet`, `test.parquet` and `given.npz`
    target: str
    metric: Metric
    classes: int  #: 0 for numbers
    development: Any  #: targets: class codes, or values
    test: Any

    @property
    def sign(self) -> int:
        """1 where a higher score is better, -1 where a lower one is."""
        return 1 if self.metric.direction == "maximize" else -1

    def score(self, answers: Any) -> float:
        """The metric of answers for the test rows: class codes (rows,), or values (rows,)."""
        output = np.eye(self.classes)[answers.astype(int)] if self.classes else answers
        return score(self.metric, self.test, output)

    def chance(self) -> float:
        """The test score of the commonest class, or of the mean."""
        if self.classes:
            common = np.bincount(self.development).argmax()
            return self.score(np.full(len(self.test), common))
        return self.score(np.full(len(self.test), self.development.mean()))


def lay_out(name: str, seed: int, folder: Path, *, shuffled: bool = False) -> Course:
    """Cut a table, and write what the contestants read; with `shuffled`, labels in random order.

    Raises `FileNotFoundError` where the table is not in the folder of data.
    """
    file, target, test_file = SETS[name]
    if not (DATA / file).exists():
        raise FileNotFoundError(f"{file} is not in {DATA}")
    tables = _cut(DATA / file, DATA / test_file if test_file else None, seed)
    if shuffled:
        tables = _shuffle(tables, target, seed)
    development, test = tables
    development.frame.write_parquet(folder / "development.parquet")
    test.frame.write_parquet(folder / "test.parquet")
    dataset = understand(development, target)
    frame, answers, _ = conform(dataset.schema, test, need_target=True)
    _write_given(folder / "given.npz", dataset, frame, seed)
    metric = metric_for(None, dataset.schema.task)
    classes = len(dataset.schema.classes)
    return Course(name, seed, folder, target, metric, classes, dataset.target, answers)


def _cut(file: Path, test_file: Path | None, seed: int) -> tuple[Table, Table]:
    table = read_table(file)
    if test_file is not None:
        return table, read_table(test_file)
    order = generator(seed, "race").permutation(table.frame.height)
    cut = round(len(order) * TEST_SHARE)
    parts = (Table(table.name, table.frame[rows]) for rows in (order[cut:], order[:cut]))
    return tuple(parts)  # type: ignore[return-value]


def _shuffle(tables: tuple[Table, Table], target: str, seed: int) -> tuple[Table, Table]:
    """The same tables, targets of each in a random order."""

    def mixed(table: Table, part: str) -> Table:
        order = generator(seed, "race", "labels", part).permutation(table.frame.height)
        return Table(table.name, table.frame.with_columns(table.frame[target][order]))

    return mixed(tables[0], "development"), mixed(tables[1], "test")


def _write_given(path: Path, dataset: Dataset, test: pl.DataFrame, seed: int) -> None:
    """Numbers (rows, n) with NaN, category codes (rows, m), targets, validation rows.

    The validation rows are those that modelshelf's search has with this seed.
    """
    numbers, categories = [], []
    for column in dataset.schema.inputs:
        both = pl.concat([dataset.frame[column.name], test[column.name]])
        if column.kind is Kind.CATEGORICAL:
            known = dataset.frame[column.name].drop_nulls().unique().sort().to_list()
            codes = {value: code for code, value in enumerate(known)}
            categories.append([codes.get(value, MISSING) for value in both.to_list()])
        else:
            numbers.append(both.cast(pl.Float64).fill_null(np.nan).to_list())
    rows, whole = dataset.rows, dataset.rows + test.height
    x = np.array(numbers, np.float64).reshape(len(numbers), whole).T
    c = np.array(categories, np.int32).reshape(len(categories), whole).T
    classes = len(dataset.schema.classes)
    _, validation = rows_of(SEARCH_SPLIT, dataset.target, seed, classes > 0)
    np.savez(
        path, numbers=x[:rows], categories=c[:rows], target=dataset.target, validation=validation,
        test_numbers=x[rows:], test_categories=c[rows:], classes=classes,
    )  # fmt: skip
