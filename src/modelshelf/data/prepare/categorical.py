"""Categories: one column for each, and one for what is rare or was never seen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

__all__ = ["OneHot", "fit_one_hot"]

_MOST = 100  # categories that get a column of their own
_RARE_SHARE, _RARE_ROWS = 0.001, 2  # fewer training rows than this are joined with the unseen


@dataclass(frozen=True, slots=True)
class OneHot:
    """The categories that have a column, in order; what is missing may be one of them."""

    categories: tuple[str, ...]
    missing: bool  #: whether missing values have a column: they were there in training

    def features(self, name: str) -> tuple[str, ...]:
        """Names of the columns."""
        missing = (f"{name} is missing",) if self.missing else ()
        return (*(f"{name} = {each}" for each in self.categories), f"{name} = (other)", *missing)

    def transform(self, values: pl.Series) -> NDArray[np.float32]:
        """(rows, columns) of zeros and ones: a one in each row."""
        other = len(self.categories)
        code = {each: i for i, each in enumerate(self.categories)}
        absent = other + 1 if self.missing else other
        places = np.array(
            [absent if v is None else code.get(v, other) for v in values.to_list()], dtype=np.int64
        )
        return np.eye(other + 1 + self.missing, dtype=np.float32)[places]


def fit_one_hot(values: pl.Series) -> OneHot:
    """Categories of the training values, the commonest first; ties by name."""
    present = values.drop_nulls()
    least = max(_RARE_ROWS, _RARE_SHARE * len(values))
    counted = sorted(present.value_counts().iter_rows(), key=lambda each: (-each[1], each[0]))
    kept = [category for category, count in counted if count >= least][:_MOST]
    return OneHot(tuple(kept), values.null_count() > 0)
