"""Rows that several networks can be held against each other on: none was trained on any."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from modelshelf.core.records import TrialRecord
from modelshelf.core.seeds import generator
from modelshelf.data.dataset import Dataset, Table
from modelshelf.data.split import Split
from modelshelf.data.tensor import Frame
from modelshelf.data.understand import conform
from modelshelf.shelf import StudyRecord
from modelshelf.study.roles import roles_of
from modelshelf.study.testing import TestSet

__all__ = ["CommonRows", "Source", "common_rows", "thinned"]

_MOST = 20_000  # rows: more would take time and tell little more
_MOST_NUMBERS = 20_000_000  # of all networks' answers together

#: A study, its whole table, and where its test rows come from.
Source = tuple[StudyRecord, Dataset, TestSet]


@dataclass(frozen=True, slots=True, eq=False)
class CommonRows:
    """Rows with their targets, as the metric takes these."""

    frame: Frame
    target: NDArray[Any]
    numbers: NDArray[np.int64]  #: among their table's rows that have a target, from 0
    drawn_from: int  #: so many there were
    studies: tuple[str, ...] = ()  #: whose test rows these are
    table: Table | None = None  #: of test rows that are a table of their own


def common_rows(
    trials: Sequence[TrialRecord], sources: Mapping[str, Source], rows: str, numbers: int
) -> CommonRows | None:
    """Rows of one kind, `validation` or `test`, that trained none of the networks; None if none.

    All sources hold the same table. Validation rows are no study's test rows either, and test rows
    validated none of the networks. `numbers` is how many one row's answers take together: of many
    rows some are drawn.
    """
    first, dataset, _ = next(iter(sources.values()))
    roles = [roles_of(*sources[each.study], Split.parse(each.split)) for each in trials]
    trained = np.logical_or.reduce([each.trained for each in roles])
    tested = np.logical_or.reduce([each.tested for each in roles])
    if rows == "validation":
        return _of_table(dataset, ~trained & ~tested, first.seed, numbers)
    validated = np.logical_or.reduce([each.validated for each in roles])
    found = _of_table(dataset, tested & ~trained & ~validated, first.seed, numbers)
    if found is None:
        return _of_file(sources, numbers)
    theirs = {trial.study: each.tested for trial, each in zip(trials, roles, strict=True)}
    owners = tuple(name for name, each in theirs.items() if each[found.numbers].any())
    return replace(found, studies=owners)


def _of_table(
    dataset: Dataset, wanted: NDArray[np.bool_], seed: int, numbers: int
) -> CommonRows | None:
    at = np.flatnonzero(wanted)
    if len(at) == 0:
        return None
    kept = at[thinned(len(at), seed, numbers)]
    return CommonRows(dataset.frame[kept], dataset.target[kept], kept, len(at))


def _of_file(sources: Mapping[str, Source], numbers: int) -> CommonRows | None:
    """The rows of the first test table, which other studies may have too."""
    first, dataset, _ = next(iter(sources.values()))
    tests = {name: each for name, (_, _, each) in sources.items() if each.table is not None}
    for test in tests.values():
        assert test.table is not None
        frame, target, _ = conform(dataset.schema, test.table, need_target=True)
        assert target is not None
        at = thinned(len(target), first.seed, numbers)
        owners = tuple(name for name, each in tests.items() if each.key == test.key)
        return CommonRows(frame[at], target[at], at, len(target), owners, test.table)
    return None


def thinned(rows: int, seed: int, numbers: int = 1) -> NDArray[np.int64]:
    """All of so many rows, or as many drawn as are looked at: 20,000, fewer for long answers."""
    most = min(_MOST, max(100, _MOST_NUMBERS // numbers))
    if rows <= most:
        return np.arange(rows)
    return np.sort(generator(seed, "looked at", rows).permutation(rows)[:most])
