"""Categories: one column for each, and one for what is rare or was never seen."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

__all__ = ["OneHot", "fit_one_hot", "scaled_robustly"]

_MOST, _MOST_CODED = 100, 10_000  # categories that get a column of their own, or a code
_RARE_SHARE, _RARE_ROWS = 0.001, 2  # fewer training rows than this are joined with the unseen


@dataclass(frozen=True, slots=True)
class OneHot:
    """The categories that have a column, in order; what is missing may be one of them."""

    categories: tuple[str, ...]
    missing: bool  #: whether missing values have a column: they were there in training
    on: tuple[float, ...] = ()  #: what each column holds in its rows; 1 where nothing is said
    off: tuple[float, ...] = ()  #: and in all others; 0 where nothing is said

    def features(self, name: str) -> tuple[str, ...]:
        """Names of the columns."""
        missing = (f"{name} is missing",) if self.missing else ()
        return (*(f"{name} = {each}" for each in self.categories), f"{name} = (other)", *missing)

    @property
    def size(self) -> int:
        """How many columns there are."""
        return len(self.categories) + 1 + self.missing

    def codes(self, values: pl.Series) -> NDArray[np.int64]:
        """(rows,): which of the columns a row has its one in."""
        other = len(self.categories)
        code = {each: i for i, each in enumerate(self.categories)}
        absent = other + 1 if self.missing else other
        return np.array(
            [absent if v is None else code.get(v, other) for v in values.to_list()], dtype=np.int64
        )

    def transform(self, values: pl.Series) -> NDArray[np.float32]:
        """(rows, columns): zeros, and a one in each row; or what stands for them."""
        table = np.eye(self.size, dtype=np.float32)
        if self.on:
            table = np.where(table > 0, self.on, self.off).astype(np.float32)
        one_hot: NDArray[np.float32] = table[self.codes(values)]
        return one_hot


def fit_one_hot(values: pl.Series, coded: bool = False) -> OneHot:
    """Categories of the training values, the commonest first; ties by name.

    More of them are kept where codes are wanted rather than columns.
    """
    present = values.drop_nulls()
    least = max(_RARE_ROWS, _RARE_SHARE * len(values))
    counted = sorted(present.value_counts().iter_rows(), key=lambda each: (-each[1], each[0]))
    kept = [category for category, count in counted if count >= least]
    kept = kept[: _MOST_CODED if coded else _MOST]
    return OneHot(tuple(kept), values.null_count() > 0)


def scaled_robustly(one_hot: OneHot, values: pl.Series) -> OneHot:
    """The same columns by median and interquartile range, with a smooth clip, as numbers are.

    A category of few rows stands out more for it. One that no training row has, or all have, is
    always 0: what was never seen says nothing. Source: Holzmüller et al. 2024, whose code does so.
    """
    shares = np.bincount(one_hot.codes(values), minlength=one_hot.size) / max(len(values), 1)
    median = (shares > 0.5).astype(np.float64)
    middling = (shares > 0.25) & (shares <= 0.75)
    factor = np.where(middling, 1.0, 2.0) * ((shares > 0.0) & (shares < 1.0))

    def clipped(value: float) -> tuple[float, ...]:
        scaled = (value - median) * factor
        return tuple((scaled / np.sqrt(1.0 + (scaled / 3.0) ** 2)).tolist())

    return replace(one_hot, on=clipped(1.0), off=clipped(0.0))
