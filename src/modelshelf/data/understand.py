"""From a table to a data set: what each column is, and what is asked."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping

import numpy as np
import polars as pl
from numpy.typing import NDArray

from modelshelf.core.errors import DataError, nearest
from modelshelf.core.records import Task
from modelshelf.data.columns import Read, as_kind, read_column
from modelshelf.data.dataset import Column, Dataset, Kind, Schema, Table
from modelshelf.data.resize import brought_to
from modelshelf.data.target import is_absent, read_target, target_codes
from modelshelf.data.tensor import Frame, Tensor, as_columns, shape_words

__all__ = ["as_understood", "conform", "understand"]

_LEAST_ROWS = 10


def understand(
    table: Table,
    target: str,
    task: str = "auto",
    columns: Mapping[str, str] | None = None,
    allow_wide: bool = False,
) -> Dataset:
    """Decide what each column is and what is asked; `task` and `columns` overrule.

    Raises `DataError` for a table that nothing can be learned from; the message says why.
    """
    frame = table.frame
    if target not in frame.columns:
        near = nearest(target, frame.columns)
        raise DataError(f"There is no column {target!r} to predict: {near}")
    overrides = _overrides(columns or {}, frame.columns, target)
    notes = list(table.notes)
    absent = is_absent(frame[target])
    if absent.all():
        raise DataError(f"Every value of the target {target!r} is missing.")
    if absent.any():
        notes.append(f"{int(absent.sum())} rows without a target are left out")
    height = frame.height - int(absent.sum())
    _check_rows(height)
    found, classes, values = read_target(_present(frame[target], absent), task)
    if table.tensor is not None:
        rows = table.tensor[~absent.to_numpy()] if absent.any() else table.tensor
        rows.check_finite()
        kind = Kind.IMAGE if rows.image else Kind.ARRAY
        schema = Schema((Column(kind.value, kind),), target, found, classes, rows.shape)
        return _dataset(table, schema, rows, values, tuple(notes))
    given = (_present(each, absent) for each in frame if each.name != target)
    reads = _read_inputs(given, values, found, overrides)
    schema = Schema(tuple(each.column for each in reads), target, found, classes)
    _check_inputs(schema, height, allow_wide)
    used = [each.values for each in reads if each.column.kind is not Kind.IGNORE]
    _check_finite(used, {name for name, kind in overrides.items() if kind is Kind.NUMERIC})
    inputs = pl.DataFrame(used)
    return _dataset(table, schema, inputs, values, tuple(notes))


def as_understood(schema: Schema, table: Table) -> Dataset:
    """A table that was understood before, as the same data set: nothing is decided anew.

    The same rows give the same fingerprint. Raises `DataError` where the table does not fit.
    """
    frame, target, notes = conform(schema, table, need_target=True)
    assert target is not None
    return _dataset(table, schema, frame, target, notes)


def _dataset(
    table: Table,
    schema: Schema,
    inputs: Frame,
    target: NDArray[np.generic],
    notes: tuple[str, ...],
) -> Dataset:
    mark = _fingerprint(schema, inputs, target)
    return Dataset(table.name, schema, inputs, target, notes, mark, table.source)


def conform(
    schema: Schema, table: Table, need_target: bool
) -> tuple[Frame, NDArray[np.generic] | None, tuple[str, ...]]:
    """Bring another table to a schema: (input columns or rows, target or None, notes).

    Categories that the schema's table did not have are allowed: they have their place. Raises
    `DataError` where a column is missing, or where the target holds a new class.
    """
    _check_form(schema, table)
    frame, notes = table.frame, list(table.notes)
    inputs = [c.name for c in schema.inputs] if schema.tabular else []
    wanted = inputs + ([schema.target] if need_target else [])
    missing = [name for name in wanted if name not in frame.columns]
    if missing:
        rest = [c for c in frame.columns if c not in wanted]
        told = " ".join(f"{name!r}, {nearest(name, rest)}" for name in missing[:3])
        raise DataError(f"{table.name} lacks {len(missing)} columns that are needed: {told}")
    if (frame.height if table.tensor is None else table.tensor.height) == 0:
        raise DataError(f"{table.name} has no rows.")
    target, absent, rows = None, None, table.tensor
    if rows is not None:
        rows, note = brought_to(rows, schema.shape, table.name)
        notes += [note] if note else []
    if need_target:
        absent = is_absent(frame[schema.target])
        if absent.all():
            raise DataError(f"{table.name} has no value of the target {schema.target!r}.")
        if absent.any():
            notes.append(f"{int(absent.sum())} rows without a target are left out")
            rows = None if rows is None else rows[~absent.to_numpy()]
        target = target_codes(_present(frame[schema.target], absent), schema)
    if rows is not None:
        rows.check_finite()
        return rows, target, tuple(notes)
    reads = [as_kind(_present(frame[c.name], absent), c.kind) for c in schema.inputs]
    _check_finite([each.values for each in reads], set())
    notes += [f"{each.column.name}: {each.column.note}" for each in reads if each.column.note]
    return pl.DataFrame([each.values for each in reads]), target, tuple(notes)


def _present(values: pl.Series, absent: pl.Series | None) -> pl.Series:
    """A column of the rows that have a target: a column at a time, for a table may be large."""
    return values if absent is None or not absent.any() else values.filter(~absent)


def _check_form(schema: Schema, table: Table) -> None:
    """Rows that are arrays, and a table's, do not answer for each other."""
    if schema.tabular is not (table.tensor is None):
        wanted = "a table's" if schema.tabular else shape_words(schema.shape, schema.image)
        came = "a table's" if table.tensor is None else "arrays"
        raise DataError(f"{table.name}: expected {wanted} rows, and got {came}.")


def _overrides(columns: Mapping[str, str], names: list[str], target: str) -> dict[str, Kind]:
    kinds: dict[str, Kind] = {}
    for name, word in columns.items():
        if name not in names:
            raise DataError(f"There is no column {name!r}: {nearest(name, names)}")
        if name == target:
            raise DataError(f"{name!r} is the target: say what it is with --task.")
        of_columns = [each for each in Kind if each not in (Kind.IMAGE, Kind.ARRAY)]
        if word not in of_columns:
            known = ", ".join(of_columns)
            raise DataError(f"The column {name!r} cannot be {word!r}: expected one of {known}.")
        kinds[name] = Kind(word)
    return kinds


def _check_rows(rows: int) -> None:
    if rows < _LEAST_ROWS:
        raise DataError(
            f"There are {rows} rows with a target: expected at least {_LEAST_ROWS}, "
            "for some must train, some validate and some test."
        )


def _read_inputs(
    columns: Iterable[pl.Series],
    values: NDArray[np.generic],
    task: Task,
    overrides: Mapping[str, Kind],
) -> list[Read]:
    reads: list[Read] = []
    seen: dict[bytes, str] = {}
    for given in columns:
        name = given.name
        if name in overrides:
            reads.append(as_kind(given, overrides[name]))
            continue
        each = read_column(given, len(given))
        if each.column.kind is not Kind.IGNORE:
            mark = hashlib.sha256(each.values.hash(seed=0).to_numpy().tobytes()).digest()
            reason = ""
            if mark in seen:
                reason = f"the same as {seen[mark]}"
            elif _tells_target(each, values, task):
                reason = "a copy of the target"
            seen.setdefault(mark, name)
            if reason:
                old = each.column
                left = Column(name, Kind.IGNORE, old.distinct, old.missing, reason)
                each = Read(each.values, left)
        reads.append(each)
    return reads


def _tells_target(each: Read, values: NDArray[np.generic], task: Task) -> bool:
    """Whether a column is the target in other words: one to one, or a straight line."""
    column = each.column
    if column.missing:
        return False
    if task.is_classification:
        if column.distinct != len(np.unique(values)):
            return False
        codes = each.values.rank("dense").to_numpy()
        return len(np.unique(np.stack([codes, values]), axis=1).T) == column.distinct
    if column.kind is not Kind.NUMERIC or column.distinct < 3:
        return False
    x = each.values.to_numpy()
    if not np.isfinite(x).all():
        return False
    return abs(float(np.corrcoef(x, values.astype(np.float64))[0, 1])) > 1 - 1e-12


def _check_inputs(schema: Schema, rows: int, allow_wide: bool) -> None:
    inputs = len(schema.inputs)
    if not inputs:
        reasons = "; ".join(f"{c.name}: {c.reason}" for c in schema.columns[:5])
        raise DataError(
            f"None of {len(schema.columns)} columns can be used as an input"
            f"{f' ({reasons})' if reasons else ''}. --column NAME=categorical overrules."
        )
    if inputs > rows and not allow_wide:
        raise DataError(
            f"There are {inputs} inputs and only {rows} rows. Usually the delimiter is wrong, or "
            "the table lies on its side; if it is meant, say --allow-wide (allow_wide=True)."
        )


def _check_finite(columns: list[pl.Series], forced: set[str]) -> None:
    for values in columns:
        if values.dtype == pl.Float64 and values.is_infinite().any():
            rows = values.is_infinite().arg_true()
            raise DataError(
                f"The column {values.name!r} has {len(rows)} infinite values, the first in row "
                f"{rows[0] + 1}. Mend them, or leave the column out: --column "
                f"'{values.name}=ignore'."
            )


def _fingerprint(schema: Schema, frame: Frame, target: NDArray[np.generic]) -> str:
    digest = hashlib.sha256()
    if isinstance(frame, Tensor):
        digest.update(frame.fingerprint().encode())
    for column in schema.inputs if schema.tabular else ():
        digest.update(f"{column.name}\x1f{column.kind}\x1e".encode("utf-8", "surrogatepass"))
        values = as_columns(frame, "A schema of columns")[column.name]
        if column.kind in (Kind.CATEGORICAL, Kind.TEXT):
            for value in values.to_list():
                digest.update(b"\x00" if value is None else b"\x01" + value.encode() + b"\x1e")
        elif column.kind is Kind.DATE:
            digest.update(values.cast(pl.Int64).fill_null(-(2**63)).to_numpy().tobytes())
        else:
            digest.update(values.fill_null(np.nan).to_numpy().tobytes())
    digest.update(f"{schema.target}\x1f{schema.task}\x1f{schema.classes!r}".encode())
    digest.update(np.ascontiguousarray(target).tobytes())
    return digest.hexdigest()
