"""A table as it was read, and as it was understood."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from modelshelf.core.records import Task
from modelshelf.data.tensor import Frame, Tensor, shape_words

__all__ = ["Column", "Dataset", "Kind", "Label", "Schema", "Table"]

Label = str | int | float | bool


class Kind(StrEnum):
    """How a column is read."""

    NUMERIC = "numeric"
    CATEGORICAL = "categorical"
    DATE = "date"
    TEXT = "text"
    IMAGE = "image"
    ARRAY = "array"
    IGNORE = "ignore"


@dataclass(frozen=True, slots=True)
class Column:
    """What was understood of one input column."""

    name: str
    kind: Kind
    distinct: int = 0  #: values, missing ones not counted
    missing: int = 0
    reason: str = ""  #: why it is left aside, where it is
    note: str = ""  #: what was decided about it


@dataclass(frozen=True, slots=True)
class Schema:
    """What a network needs to know of a table in order to read another one like it."""

    columns: tuple[Column, ...]
    target: str
    task: Task
    classes: tuple[Label, ...] = ()  #: sorted; empty for numbers
    shape: tuple[int, ...] = ()  #: of a row, where rows are arrays; an image's has channels first

    @property
    def image(self) -> bool:
        """Whether rows are images."""
        return any(each.kind is Kind.IMAGE for each in self.columns)

    @property
    def tabular(self) -> bool:
        """Whether rows are those of a table."""
        return not any(each.kind in (Kind.IMAGE, Kind.ARRAY) for each in self.columns)

    @property
    def texts(self) -> int:
        """How many columns of text are used."""
        return sum(each.kind is Kind.TEXT for each in self.columns)

    @property
    def inputs(self) -> tuple[Column, ...]:
        """The columns that are used."""
        return tuple(each for each in self.columns if each.kind is not Kind.IGNORE)

    @property
    def left_aside(self) -> tuple[str, ...]:
        """The names of the columns that are not used, sorted."""
        return tuple(sorted(each.name for each in self.columns if each.kind is Kind.IGNORE))

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values; each class label keeps its type."""
        return {
            "columns": [
                [c.name, c.kind.value, c.distinct, c.missing, c.reason, c.note]
                for c in self.columns
            ],
            "target": self.target,
            "task": self.task.value,
            "classes": [[type(label).__name__, label] for label in self.classes],
            **({} if self.tabular else {"shape": list(self.shape)}),
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Schema:
        """The schema whose `to_json` this is."""
        types: dict[str, type] = {"str": str, "int": int, "float": float, "bool": bool}
        return cls(
            columns=tuple(Column(n, Kind(k), *rest) for n, k, *rest in stored["columns"]),
            target=stored["target"],
            task=Task(stored["task"]),
            classes=tuple(types[name](label) for name, label in stored["classes"]),
            shape=tuple(stored.get("shape", ())),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """A table as it was read: text columns from text formats, native types from others."""

    name: str
    frame: pl.DataFrame
    source: str = ""  #: where it can be read again: a path, or `example:NAME`; empty: from memory
    tensor: Tensor | None = None  #: its rows' inputs, where these are arrays beside the columns
    notes: tuple[str, ...] = ()  #: what a person should know of how it was read


@dataclass(frozen=True, slots=True, eq=False)
class Dataset:
    """A table as it was understood.

    `frame` has the input columns alone, as Float64, String or Datetime, nulls where values are
    missing; or it holds rows that are arrays. `target` holds int64 class codes, or float64 values;
    none is missing.
    """

    name: str
    schema: Schema
    frame: Frame
    target: NDArray[Any]
    notes: tuple[str, ...]
    fingerprint: str  #: SHA-256 of names, kinds, values and target
    source: str = ""  #: that of its table

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return len(self.target)

    def taken(self, rows: NDArray[np.int64]) -> Dataset:
        """The same table with these rows alone."""
        return replace(self, frame=self.frame[rows], target=self.target[rows])

    def summary(self) -> tuple[str, ...]:
        """What was understood, in a few lines for a person."""
        inputs = self.schema.inputs
        if isinstance(self.frame, Tensor):
            what = shape_words(self.schema.shape, self.schema.image)
            told = f"{self.name}: {self.rows:,} {what} ({self.frame.dtype})"
            return (told, f"predicting {self.schema.target}: {self._target_words()}", *self.notes)
        kinds = (
            (sum(c.kind is kind for c in inputs), kind.value)
            for kind in (Kind.NUMERIC, Kind.CATEGORICAL, Kind.DATE, Kind.TEXT)
        )
        counted = ", ".join(f"{n} {word}" for n, word in kinds if n)
        lines = [f"{self.name}: {self.rows:,} rows, {len(inputs)} inputs ({counted})"]
        lines.append(f"predicting {self.schema.target}: {self._target_words()}")
        holes = [(c.missing, c.name) for c in inputs if c.missing]
        if holes:
            worst = ", ".join(
                f"{name} {n / max(self.rows, 1):.0%}" for n, name in sorted(holes, reverse=True)[:4]
            )
            more = f" and {len(holes) - 4} more" if len(holes) > 4 else ""
            lines.append(f"missing values in {len(holes)} columns: {worst}{more}")
        lines += _left_aside([c for c in self.schema.columns if c.kind is Kind.IGNORE])
        lines += [f"{c.name}: {c.note}" for c in inputs if c.note]
        return (*lines, *self.notes)

    def _target_words(self) -> str:
        if not self.schema.task.is_classification:
            low, high = float(self.target.min()), float(self.target.max())
            return f"a number from {low:g} to {high:g} (regression)"
        counts = np.bincount(self.target, minlength=len(self.schema.classes))
        named = [
            f"{label} {count / max(self.rows, 1):.0%}"
            for label, count in zip(self.schema.classes, counts, strict=True)
        ]
        shown = ", ".join(named[:5]) + (", …" if len(named) > 5 else "")
        return f"{len(named)} classes ({shown})"


def _left_aside(columns: list[Column]) -> list[str]:
    """One line for each reason, naming a few of its columns."""
    by_reason: dict[str, list[str]] = {}
    for column in columns:
        by_reason.setdefault(column.reason, []).append(column.name)
    return [
        f"left aside: {', '.join(names[:4])}"
        f"{f' and {len(names) - 4} more' if len(names) > 4 else ''} ({reason})"
        for reason, names in by_reason.items()
    ]
