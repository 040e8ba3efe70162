"""Tables in memory: data frames of any library, arrays, lists, dictionaries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import narwhals as nw
import numpy as np
import polars as pl

from modelshelf.core.errors import DataError
from modelshelf.data.dataset import Table
from modelshelf.data.read.arrays import array_columns
from modelshelf.data.read.delimited import clean_text, unique_names
from modelshelf.data.read.pixels import as_array, as_tensor
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
        answers = _series(y)
        if len(answers) != height:
            raise DataError(f"X has {height} rows and y has {len(answers)}: expected as many.")
        wanted = target or str(getattr(y, "name", None) or "target")
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
        return X
    if isinstance(X, Mapping):
        return pl.DataFrame({str(key): _series(value) for key, value in X.items()})
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
        return pl.DataFrame({n: _series(c) for n, c in zip(names, columns, strict=True)})
    try:
        array = np.asarray(X)
    except ValueError as error:
        raise DataError(f"The rows cannot be made into an array: {error}.") from None
    if array.ndim != 2:
        raise DataError(f"Expected a table (rows, columns), and got the shape {array.shape}.")
    if array.dtype == object:
        return pl.DataFrame({f"x{i}": _series(array[:, i].tolist()) for i in range(array.shape[1])})
    return pl.DataFrame(array_columns(array, "x") if array.shape[1] != 1 else {"x0": array[:, 0]})


def _series(values: Any) -> pl.Series:
    """One column. pandas' is read value by value, so that pyarrow is not needed."""
    if isinstance(values, pl.Series):
        return values.cast(pl.String) if values.dtype in (pl.Categorical, pl.Enum) else values
    if isinstance(values, nw.Series):
        if values.dtype.is_numeric() and not values.is_null().any():
            return pl.Series(values.to_numpy())
        return _listed(values.to_list())
    try:
        return _series(nw.from_native(values, series_only=True))
    except TypeError:
        pass
    given = as_array(values)
    array = np.asarray(values, dtype=object) if given is None else given
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1:
        raise DataError(f"Expected one value a row, and got the shape {array.shape}.")
    return pl.Series(array) if array.dtype.kind in "biufU" else _listed(array.tolist())


def _listed(values: Sequence[Any]) -> pl.Series:
    """A column from Python values; mixed ones become text."""
    plain = [
        None if v is None or v != v else v.item() if isinstance(v, np.generic) else v
        for v in values
    ]
    kinds = {type(v) for v in plain if v is not None}
    if kinds <= {int, float}:
        whole = kinds == {int} and all(v is None or abs(v) < 2**63 for v in plain)
        dtype = pl.Int64 if whole else pl.Float64  # labels 0 and 1 must not become 0.0 and 1.0
        return pl.Series([v if v is None or whole else float(v) for v in plain], dtype=dtype)
    if len(kinds) == 1:
        try:
            return pl.Series(plain, strict=True)
        except (TypeError, pl.exceptions.PolarsError):
            pass
    return pl.Series([None if v is None else str(v) for v in plain], dtype=pl.String)
