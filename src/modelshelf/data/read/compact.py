"""Columns of text held as numbers where they say the same: 8 bytes a value in place of 16 or more.

`understand` makes of either the very same data set, down to its fingerprint.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

__all__ = ["as_numbers", "joined"]


def as_numbers(text: pl.Series) -> pl.Series:
    """Part of a column: Int64 where its text can be had back, Float64 where all are numbers."""
    numbers = text.cast(pl.Float64, strict=False).fill_nan(None)
    if numbers.null_count() > text.null_count():
        return text
    whole = text.cast(pl.Int64, strict=False)
    if whole.null_count() == text.null_count() and (whole.cast(pl.String) == text).all():
        return whole
    return numbers


def joined(parts: Sequence[pl.Series]) -> pl.Series | None:
    """A column of its parts; None where its text is needed, and one of them has lost it."""
    kinds = {each.dtype for each in parts}
    if pl.String in kinds:
        if pl.Float64 in kinds:
            return None
        return pl.concat([each.cast(pl.String) for each in parts], rechunk=True)
    if pl.Float64 not in kinds:
        return pl.concat(parts, rechunk=True)
    column = pl.concat([each.cast(pl.Float64) for each in parts], rechunk=True)
    return None if _may_count(column) else column


def _may_count(column: pl.Series) -> bool:
    """Whether it may count the rows: of text that is an identifier, of floats it is none."""
    known = column.drop_nulls()
    return bool((known == known.round(0)).all()) and known.n_unique() == len(known)
