"""What the rows of a study's table were to a network: what trained, validated or tests it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from modelshelf.data.dataset import Dataset
from modelshelf.data.split import Split, rows_of
from modelshelf.data.tensor import as_columns
from modelshelf.shelf import StudyRecord
from modelshelf.study.rows import learned_from
from modelshelf.study.testing import TestSet

__all__ = ["Roles", "roles_of"]

_NUMBER = "number of the row"


@dataclass(frozen=True, slots=True, eq=False)
class Roles:
    """What the rows of a table were to one network, (rows,) each."""

    trained: NDArray[np.bool_]
    validated: NDArray[np.bool_]  #: those that chose its best epoch, and it among others
    learned: NDArray[np.bool_]  #: those that its study learns from: all but test rows, or as drawn
    tested: NDArray[np.bool_]  #: none where the test rows are a table of their own


def roles_of(record: StudyRecord, dataset: Dataset, test: TestSet, split: Split) -> Roles:
    """The roles of the rows of a study's whole table, for a network trained on this split.

    Studies of the same table split it in their own ways: here their rows have common numbers.
    """
    numbers = pl.DataFrame({_NUMBER: np.arange(dataset.rows)})
    # The same split, of numbers in place of values.
    development = replace(dataset, frame=numbers)
    tested = np.zeros(dataset.rows, dtype=bool)
    if test.table is None:
        development, (apart, _) = test.part(development, record.seed)
        if apart is not None:
            tested[as_columns(apart, _NUMBER)[_NUMBER].to_numpy()] = True
    development = learned_from(development, record.settings.get("drawn"), record.seed)
    classes = dataset.schema.task.is_classification
    numbered = as_columns(development.frame, _NUMBER)[_NUMBER].to_numpy()
    trained, validated, learned = np.zeros((3, dataset.rows), dtype=bool)
    learned[numbered] = True
    train, validation = rows_of(split, development.target, record.seed, classes)
    trained[numbered[train]] = True
    validated[numbered[validation]] = True
    return Roles(trained, validated, learned, tested)
