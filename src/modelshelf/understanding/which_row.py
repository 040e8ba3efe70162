"""One row of a study's table, and what it was to a network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from modelshelf.core.errors import DataError
from modelshelf.data.dataset import Table
from modelshelf.data.read import read_again
from modelshelf.data.tensor import Frame, shape_words
from modelshelf.data.understand import conform
from modelshelf.study.roles import roles_of
from modelshelf.understanding.taken import Taken

__all__ = ["FoundRow", "find_row", "numbered"]


@dataclass(frozen=True, slots=True, eq=False)
class FoundRow:
    """A row of the table that a study was given."""

    number: int  #: counted from 1, below the header
    frame: Frame  #: (1, inputs), as a preparation takes it
    values: tuple[tuple[str, str], ...]  #: each used column as it was read
    target: NDArray[Any] | None  #: (1,), as a preparation takes it; None where it is missing
    part: str  #: training, validation, test, held out, not drawn, without a target


def find_row(taken: Taken, number: int) -> FoundRow:
    """Row `number` of the table, counted from 1, as it stands below the header.

    Raises `DataError` where the table has no such row, or cannot be read again.
    """
    schema = taken.model.preparation.schema
    dataset, _ = taken.source  # says what to do where the rows are gone or have changed
    table = taken.table or read_again(taken.study.settings["rows"]["source"])
    if not 1 <= number <= table.frame.height:
        raise DataError(
            f"There is no row {number}: {table.name} has {table.frame.height:,} rows, and the "
            "first below its header is row 1."
        )
    at = number - 1
    inputs, _, _ = conform(schema, table, need_target=False)
    named = table.frame.row(at, named=True)
    values = tuple(
        (each.name, "" if named[each.name] is None else str(named[each.name]))
        for each in schema.inputs
        if schema.tabular
    ) or ((schema.inputs[0].name, shape_words(schema.shape, schema.image)),)
    absent = table.frame[schema.target].is_null().to_numpy()
    frame = inputs[at : at + 1]
    if absent[at]:
        return FoundRow(number, frame, values, None, "without a target")
    place = at - int(absent[:at].sum())
    return FoundRow(number, frame, values, dataset.target[place : place + 1], _part(taken, place))


def numbered(table: Table, target: str) -> NDArray[np.int64]:
    """The numbers, as `find_row` takes them, of a table's rows that have a target."""
    return np.flatnonzero(table.frame[target].is_not_null().to_numpy()) + 1


def _part(taken: Taken, place: int) -> str:
    """What a row was to this network; `place` counts the rows that have a target, from 0."""
    roles = roles_of(taken.study, *taken.source, taken.split)
    if roles.tested[place]:
        return "test"
    if not roles.learned[place]:
        return "not drawn"
    if roles.trained[place]:
        return "training"
    return "validation" if roles.validated[place] else "held out"
