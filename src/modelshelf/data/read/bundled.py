"""The data sets that come with scikit-learn: nothing is downloaded."""

from __future__ import annotations

import numpy as np
import polars as pl

from modelshelf.core.errors import DataError, nearest
from modelshelf.data.dataset import Table

__all__ = ["BUNDLED", "EXAMPLE", "bundled"]

EXAMPLE = "example:"  #: what the source of a bundled table begins with

#: Name of the set, and of its target column here.
BUNDLED = {
    "digits": "digit",
    "breast_cancer": "diagnosis",
    "wine": "cultivar",
    "iris": "species",
    "diabetes": "progression",
}


def bundled(name: str) -> tuple[Table, str]:
    """A bundled set, and the name of its target column.

    >>> table, target = bundled("iris")
    >>> table.frame.shape, target
    ((150, 5), 'species')
    """
    if name not in BUNDLED:
        raise DataError(f"There is no example {name!r}: {nearest(name, BUNDLED)}")
    from sklearn import datasets

    loaded = getattr(datasets, f"load_{name}")()
    target = BUNDLED[name]
    names = [str(each) for each in loaded.feature_names]
    frame = pl.DataFrame({each: loaded.data[:, i] for i, each in enumerate(names)})
    answers = loaded.target
    if name not in ("digits", "diabetes"):
        answers = np.asarray(loaded.target_names)[answers].astype(str)
    whole = frame.with_columns(pl.Series(target, answers.tolist()))
    return Table(name, whole, f"{EXAMPLE}{name}"), target
