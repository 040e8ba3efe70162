"""Tables in memory: data frames of any library, arrays, lists, dictionaries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import narwhals as nw
import numpy as np
import polars as pl

from modelshelf.core.errors import DataError
from modelshelf.data.dataset import Table
from modelshelf.data.read.arrays import array_columns
from modelshelf.data.read.delimited import clean_text, unique_names
from modelshelf.data.read.pixels import as_array, as_tensor
from modelshelf.data.read.series import as_series, settled
from modelshelf.data.tensor import Tensor

__all__ = ["from_memory"]


def from_memory(
    X: Any, y: Any = None, target: str | None = None, name: str = "data"
) -> tuple[Table, str]:
    """A table from what is in memory, and the name of its target column (empty if there is none).

    `X`: a data frame that narwhals knows (pandas, polars, pyarrow, …), a 2-D array, a list of
    rows, or a dictionary of columns; or images, an array or a PyTorch tensor of three axes or more.
    `y`: (rows,), or leave it out and name a column by `target`.
    """
    array = as_array(X)
    if array is not None and array.ndim > 2:
        rows: Tensor | None = as_tensor(array, "X")
        frame, height = pl.DataFrame(), len(array)
    else:
        rows, frame = None, _frame(X if array is None else array)
        height = frame.height
    if y is not None:
        wanted = target or str(getattr(y, "name", None) or "target")
        answers = as_series(y, wanted)
        if len(answers) != height:
            raise DataError(f"X has {height} rows and y has {len(answers)}: expected as many.")
        while wanted in frame.columns:
            wanted += "_"
        frame, target = pl.DataFrame([*frame, answers.alias(wanted)]), wanted
    elif isinstance(target, str) is False and target is not None:
        raise DataError(f"target names a column, and {target!r} is no name.")
    if height == 0:
        raise DataError("The table has no rows.")
    return Table(name, clean_text(frame), tensor=rows), target or ""


def _frame(X: Any) -> pl.DataFrame:
    if isinstance(X, pl.DataFrame):
        unique_names(X.columns, "The data frame")
        return settled(X)
    if isinstance(X, Mapping):
        names = unique_names([str(each) for each in X], "The dictionary")
        return _beside({n: as_series(v, n) for n, v in zip(names, X.values(), strict=True)})
    try:
        native = nw.from_native(X, eager_only=True)
    except TypeError:
        native = None
    except nw.exceptions.DuplicateError:
        unique_names([str(each) for each in X.columns], "The data frame")
        raise
    if native is not None:
        names = unique_names([str(each) for each in native.columns], "The data frame")
        columns = (native[:, i] for i in range(len(names)))
        return _beside({n: as_series(c, n) for n, c in zip(names, columns, strict=True)})
    try:
        array = np.asarray(X)
    except ValueError as error:
        raise DataError(f"The rows cannot be made into an array: {error}.") from None
    if array.ndim != 2:
        raise DataError(f"Expected a table (rows, columns), and got the shape {array.shape}.")
    several = {"x0": array[:, 0]} if array.shape[1] == 1 else array_columns(array, "x")
    return _beside({name: as_series(column, name) for name, column in several.items()})


def _beside(columns: Mapping[str, pl.Series]) -> pl.DataFrame:
    """Columns as a table. Raises `DataError` where one is longer than another."""
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        (least, few), (most, many) = (f(lengths.items(), key=lambda e: e[1]) for f in (min, max))
        raise DataError(
            f"The column {most!r} has {many} values and {least!r} has {few}: expected as many."
        )
    return pl.DataFrame(columns)
