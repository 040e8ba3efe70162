"""One column in memory, of any library and any type of value, as polars holds it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import narwhals as nw
import numpy as np
import polars as pl
from numpy.typing import NDArray

from modelshelf.core.errors import DataError
from modelshelf.data.read.pixels import as_array

__all__ = ["as_series", "settled"]

_UNITS = ("ms", "us", "ns")  # of time, as polars holds them
_DAYS = ("D", "W", "M", "Y")


def as_series(values: Any, name: str) -> pl.Series:
    """The column (rows,), null where a value is missing, of whatever kind.

    Complex numbers become records of two numbers, and objects of no known type the text that they
    write themselves as. Raises `DataError`, naming the column, where it is none.
    """
    try:
        return _series(values, name).alias(name)
    except (TypeError, ValueError, OverflowError, pl.exceptions.PolarsError) as error:
        told = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataError(
            f"The column {name!r} cannot be read: {told.rstrip('.')}. Give it as numbers, text or "
            "dates, or leave it out."
        ) from None


def settled(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame without types that polars can hold and not compare, cast or write as text."""
    odd = [name for name, dtype in frame.schema.items() if _is_extension(dtype) or _is_odd(dtype)]
    return frame.with_columns(as_series(frame[name], name) for name in odd)


def _is_extension(dtype: pl.DataType) -> bool:
    """Whether it is another type under a name of its own, as pandas' periods are in Parquet."""
    return type(dtype).__name__ == "Extension"


def _is_odd(dtype: pl.DataType) -> bool:
    return dtype == pl.Object or type(dtype).__name__ == "Map"  # which older polars has not


def _series(values: Any, name: str) -> pl.Series:
    """pandas' columns are read value by value, so that pyarrow is not needed."""
    if isinstance(values, pl.Series):
        if values.dtype in (pl.Categorical, pl.Enum):
            return values.cast(pl.String)
        if _is_extension(values.dtype):
            return _series(values.ext.storage(), name)
        return _listed(values.to_list()) if _is_odd(values.dtype) else values
    if isinstance(values, nw.Series):
        number = values.dtype.is_numeric() and not values.dtype.is_decimal()
        if (number and not values.is_null().any()) or values.dtype == nw.Duration:
            return _of_array(values.to_numpy())
        return _listed(values.to_list())
    try:
        return _series(nw.from_native(values, series_only=True), name)
    except TypeError:
        pass
    given = as_array(values)
    array = np.asarray(values, dtype=object) if given is None else given
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1:
        raise DataError(
            f"The column {name!r}: expected one value a row, and got the shape {array.shape}."
        )
    return _of_array(array)


def _of_array(array: NDArray[Any]) -> pl.Series:
    """A column from an array (rows,)."""
    unit = np.datetime_data(array.dtype)[0] if array.dtype.kind in "mM" else "generic"
    if unit != "generic":
        held = "D" if array.dtype.kind == "M" and unit in _DAYS else "us"
        return pl.Series(array if unit in _UNITS else array.astype(f"{array.dtype.kind}8[{held}]"))
    if array.dtype.kind == "f" and array.dtype.itemsize > 8:
        array = array.astype(np.float64)
    return pl.Series(array) if array.dtype.kind in "biufU" else _listed(array.tolist())


def _listed(values: Sequence[Any]) -> pl.Series:
    """A column from Python values; mixed ones become text."""
    plain = [None if _is_missing(value) else _plain(value) for value in values]
    kinds = {type(v) for v in plain if v is not None}
    if kinds <= {int, float}:
        whole = kinds == {int} and all(v is None or abs(v) < 2**63 for v in plain)
        dtype = pl.Int64 if whole else pl.Float64  # labels 0 and 1 must not become 0.0 and 1.0
        return pl.Series([v if v is None or whole else float(v) for v in plain], dtype=dtype)
    if complex in kinds and kinds <= {int, float, complex}:
        plain = [None if v is None else {"real": v.real, "imaginary": v.imag} for v in plain]
        kinds = {dict}
    if len(kinds) == 1:
        try:
            found = pl.Series(plain, strict=True)
        except (TypeError, ValueError, OverflowError, pl.exceptions.PolarsError):
            found = None
        if found is not None and found.dtype != pl.Object:
            return found
    return pl.Series([None if v is None else str(v) for v in plain], dtype=pl.String)


def _is_missing(value: Any) -> bool:
    """Whether it is None, pandas' NA, or what does not equal itself: NaN or NaT."""
    if value is None:
        return True
    try:
        return bool(value != value)
    except (TypeError, ValueError):  # NA has no truth; nor has the comparison of an array
        pandas = sys.modules.get("pandas")
        return pandas is not None and value is pandas.NA
    except ArithmeticError:
        return isinstance(value, Decimal)  # a signalling NaN


def _plain(value: Any) -> Any:
    """The value in a type of Python's own, where it has one."""
    if isinstance(value, (np.datetime64, np.timedelta64)):
        return value.astype(f"{value.dtype.kind}8[us]").item()
    if isinstance(value, np.floating):
        return float(value)
    if isinstance(value, np.complexfloating):
        return complex(value)
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, (set, frozenset)):
        return sorted(value, key=repr)  # in an order that stays the same
    pandas = sys.modules.get("pandas")
    if pandas is not None and isinstance(value, pandas.Period):
        return value.start_time
    return value
