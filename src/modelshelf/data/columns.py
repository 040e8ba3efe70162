"""What one column is: a number, a category, a date, or nothing that can be used."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from modelshelf.core.errors import DataError
from modelshelf.data.dataset import Column, Kind

__all__ = ["Read", "as_kind", "numbers_of", "read_column", "words_of"]

#: A column is numeric if at most this share of its values are words; they count as missing.
STRAY_SHARE = 0.05

#: A column of mostly distinct values is text if they have so many words on average.
_TEXT_WORDS = 5.0

# Chinese and Japanese put no spaces between words: each of their characters counts.
_WORD = r"[\p{Han}\p{Hiragana}\p{Katakana}]|[^\s\p{Han}\p{Hiragana}\p{Katakana}]+"

#: Types that hold several values in each row, or objects of no known type.
_NESTED = (pl.List, pl.Array, pl.Struct, pl.Object)

_A_SECOND = {"ms": 10**3, "us": 10**6, "ns": 10**9}  # in units of a length of time

_DATES = (
    "%Y-%m-%d", "%Y/%m/%d", "%d.%m.%Y", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S",
    "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f",
    "%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M", "%d.%m.%Y %H:%M", "%d.%m.%Y %H:%M:%S",
)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Read:
    """A column as it was read: its typed values, and what was understood."""

    values: pl.Series  #: Float64, String or Datetime, null where missing
    column: Column


def read_column(values: pl.Series, rows: int) -> Read:
    """Decide what a column is."""
    typed, kind, note = _typed(values)
    distinct, missing = typed.drop_nulls().n_unique(), typed.null_count()
    words = kind is Kind.CATEGORICAL and values.dtype not in (*_NESTED, pl.Binary)
    if words and _many(distinct, rows - missing) and _is_text(typed):
        kind = Kind.TEXT
    reason = _useless(typed, values, kind, distinct, missing, rows)
    if reason:
        kind, note = Kind.IGNORE, ""
    return Read(typed, Column(values.name, kind, distinct, missing, reason, note))


def as_kind(values: pl.Series, kind: Kind) -> Read:
    """Read a column as the kind that a person, or a schema, says it is."""
    note = ""
    if kind is Kind.NUMERIC:
        typed, strays = numbers_of(values)
        note = _stray_note(strays, len(values)) if strays else ""
    elif kind is Kind.DATE:
        found = _dates(values)
        typed = pl.Series(values.name, [None] * len(values), dtype=pl.Datetime("us"))
        if found is not None:
            typed = found
        elif values.drop_nulls().len():
            raise DataError(
                f"The column {values.name!r} was to be read as dates, and its values are not: "
                f"{values.drop_nulls()[0]!r}. Expected dates such as 2024-12-31."
            )
    elif kind in (Kind.CATEGORICAL, Kind.TEXT):
        typed = words_of(values)
    else:
        typed = words_of(values) if values.dtype == pl.Object else values
    distinct = typed.drop_nulls().n_unique()
    reason = "left out as asked" if kind is Kind.IGNORE else ""
    return Read(typed, Column(values.name, kind, distinct, typed.null_count(), reason, note))


def _typed(values: pl.Series) -> tuple[pl.Series, Kind, str]:
    if values.dtype == pl.Boolean:
        return words_of(values), Kind.CATEGORICAL, ""
    if values.dtype.is_numeric():
        return numbers_of(values)[0], Kind.NUMERIC, ""
    if values.dtype == pl.Duration:
        return numbers_of(values)[0], Kind.NUMERIC, "lengths of time, taken as seconds"
    if values.dtype == pl.Time:
        return numbers_of(values)[0], Kind.NUMERIC, "times of day, taken as seconds since midnight"
    if values.dtype in (pl.Date, pl.Datetime):
        return values.cast(pl.Datetime("us")), Kind.DATE, ""
    if values.dtype != pl.String:
        return words_of(values), Kind.CATEGORICAL, ""
    present = values.len() - values.null_count()
    numbers, strays = numbers_of(values)
    if present and len(strays) <= STRAY_SHARE * present:
        return numbers, Kind.NUMERIC, _stray_note(strays, present) if strays else ""
    dates = _dates(values)
    if dates is not None:
        return dates, Kind.DATE, ""
    return words_of(values), Kind.CATEGORICAL, ""


def numbers_of(values: pl.Series) -> tuple[pl.Series, list[str]]:
    """Values as numbers, null where they are none; and the words among them.

    Lengths of time are seconds, and so are times of day, since midnight.
    """
    if values.dtype == pl.Boolean or values.dtype.is_numeric():
        return values.cast(pl.Float64).fill_nan(None), []
    if values.dtype in (pl.Duration, pl.Time):
        return _seconds(values), []
    text = words_of(values)
    numbers = text.cast(pl.Float64, strict=False).fill_nan(None)
    return numbers, text.filter(numbers.is_null() & text.is_not_null()).to_list()


def _seconds(values: pl.Series) -> pl.Series:
    """The same number whatever unit they are counted in: whole seconds, and a rounded rest."""
    second = _A_SECOND[getattr(values.dtype, "time_unit", "ns")]
    counts = values.cast(pl.Int64)
    whole, rest = np.divmod(counts.fill_null(0).to_numpy(), second)
    return pl.Series(values.name, whole + rest / second).set(counts.is_null(), None)


def _stray_note(strays: list[str], present: int) -> str:
    shown = ", ".join(repr(word) for word in dict.fromkeys(strays[:100]))[:60]
    return f"{len(strays)} of {present} values are not numbers ({shown}): taken as missing"


def words_of(values: pl.Series) -> pl.Series:
    """Values as words, of whatever type they are."""
    if values.dtype in (*_NESTED, pl.Binary, pl.Duration):
        told = [None if v is None else str(v) for v in values.to_list()]
        return pl.Series(values.name, told, pl.String)
    return values.cast(pl.String)


def _dates(values: pl.Series) -> pl.Series | None:
    if values.dtype in (pl.Date, pl.Datetime):
        return values.cast(pl.Datetime("us"))
    if values.dtype != pl.String:
        return None
    present = values.drop_nulls()
    if not len(present) or not present[0][:1].isdigit() or len(present[0]) < 8:
        return None
    for form in _DATES:
        whole = form if "%H" in form else f"{form} %H:%M"
        text = values if "%H" in form else values + " 00:00"
        parsed = text.str.to_datetime(whole, strict=False, time_unit="us")
        if parsed.null_count() == values.null_count():
            return parsed
    return None


def _many(distinct: int, present: int) -> bool:
    """Whether most values are distinct, so that categories would say nothing of other rows."""
    return distinct > 50 and distinct > 0.5 * present


def _is_text(values: pl.Series) -> bool:
    words = values.drop_nulls().str.count_matches(_WORD).mean()
    return isinstance(words, float) and words >= _TEXT_WORDS


def _useless(
    typed: pl.Series, raw: pl.Series, kind: Kind, distinct: int, missing: int, rows: int
) -> str:
    """Why a column tells nothing about other rows; empty if it may."""
    if distinct == 0:
        return "all values are missing"
    if distinct == 1 and missing == 0:
        return "constant"
    if kind is Kind.CATEGORICAL and _many(distinct, rows - missing):
        if raw.dtype in _NESTED:
            return "each row holds several values: give each of them a column of its own"
        if raw.dtype == pl.Binary:
            return "bytes, which are not read: give them as numbers or text"
        return f"text or identifier: {distinct:,} distinct values in {rows:,} rows"
    counting = kind is Kind.NUMERIC and missing == 0 and distinct == rows and rows > 20
    if counting and not raw.dtype.is_float():
        low, high = float(typed.min()), float(typed.max())  # type: ignore[arg-type]
        if high - low == rows - 1 and bool((typed == typed.round(0)).all()):
            return "identifier: counts the rows"
    return ""
