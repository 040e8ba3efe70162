"""Dates become parts: year, month, day, weekday, hour, and days since the first."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

__all__ = ["PARTS", "parts"]

PARTS = ("year", "month", "day", "weekday", "hour", "days")


def parts(values: pl.Series) -> NDArray[np.float64]:
    """(rows, parts) float64, NaN where the date is missing. `days` counts from 1970."""
    moments = values.cast(pl.Datetime("us"))
    columns = (
        moments.dt.year(),
        moments.dt.month(),
        moments.dt.day(),
        moments.dt.weekday(),
        moments.dt.hour(),
        moments.cast(pl.Int64) / 86_400_000_000,
    )
    return np.stack(
        [each.cast(pl.Float64).fill_null(np.nan).to_numpy() for each in columns], axis=1
    )
