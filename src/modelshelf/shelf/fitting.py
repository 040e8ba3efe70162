"""Rows of the shelf, each value of the type and in the range that its column was made for.

SQLite holds any value in any column; what someone else wrote there is told at the door.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Boolean, Connection, Float, Integer, Select, Text

from modelshelf.core.errors import ShelfError

__all__ = ["column_of", "rows_of", "undamaged"]

_MOST = 2**53  # of anything that is counted
_ANY_NUMBER = ("seed", "loss", "score", "train_loss", "validation_loss", "validation_score", "keep")


@contextmanager
def undamaged(path: Path) -> Iterator[None]:
    """Raise `ShelfError` where a row cannot be what modelshelf wrote."""
    try:
        yield
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise ShelfError(
            f"The shelf at {path} is damaged: a row of it cannot be read ({error}). "
            "Put back a copy of it; `modelshelf shelf --check` lists all that is damaged."
        ) from error


def rows_of(connection: Connection, query: Select[Any]) -> Sequence[Any]:
    """All rows of a query. Raises `ValueError` where a value is none that its column may hold."""
    rows = connection.execute(query).all()
    if rows:
        for column, values in zip(query.selected_columns, zip(*rows, strict=True), strict=True):
            _fit(column, values)
    return rows


def column_of(connection: Connection, query: Select[Any]) -> list[Any]:
    """The values of a query for one column; raises `ValueError` as `rows_of` does."""
    return [value for (value,) in rows_of(connection, query)]


def _fit(column: Any, values: tuple[Any, ...]) -> None:
    """What is summed up (a count, a maximum) may be missing, as a column that says so."""
    kinds = set(map(type, values))
    if getattr(column, "nullable", True):
        kinds.discard(type(None))
    if isinstance(column.type, Boolean):
        odd = kinds - {bool}
    elif isinstance(column.type, Integer):
        odd = kinds - {int}
    elif isinstance(column.type, Float):
        odd = kinds - {int, float}
    elif isinstance(column.type, Text):
        odd = kinds - {str}
    else:
        return
    if odd:
        value = next(each for each in values if type(each) in odd)
        raise ValueError(f"its {column.name} is {value!r:.40}")
    if isinstance(column.type, (Integer, Float)) and column.name not in _ANY_NUMBER:
        numbers = [each for each in values if each is not None]
        low, high = min(numbers, default=0), max(numbers, default=0)
        if low < 0 or high > _MOST or not math.isfinite(low + high):
            wrong = low if low < 0 else high
            raise ValueError(f"its {column.name} is {wrong}")
