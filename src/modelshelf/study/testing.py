"""The test set: rows that are set apart first, and used once, at the end."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from modelshelf.core.errors import DataError, SettingError
from modelshelf.data.dataset import Dataset, Table
from modelshelf.data.read import read_again
from modelshelf.data.split import test_rows
from modelshelf.data.tensor import Frame
from modelshelf.data.understand import conform

__all__ = ["DEFAULT_FRACTION", "TestSet"]

#: The share of rows that is set apart when nothing is said.
DEFAULT_FRACTION = 0.2

Part = tuple[Frame | None, NDArray[np.generic] | None]


@dataclass(frozen=True, slots=True, eq=False)
class TestSet:
    """Where test rows come from: a fraction of the rows, a table of their own, or nowhere (0)."""

    __test__ = False  # pytest collects what is called Test…

    fraction: float = DEFAULT_FRACTION
    table: Table | None = None

    @property
    def words(self) -> str:
        """For a person."""
        if self.table is not None:
            return f"the rows of {self.table.name}"
        return f"{self.fraction:.0%} of the rows" if self.fraction else "none"

    @property
    def place(self) -> float | str:
        """The share, or where its table can be read again: what `TestSet.at` takes."""
        return self.fraction if self.table is None else self.table.source

    @classmethod
    def at(cls, place: float | str) -> TestSet:
        """The test set whose `place` this is. Raises `DataError` where it cannot be read again."""
        return cls(table=read_again(place)) if isinstance(place, str) else cls(place)

    @property
    def key(self) -> str:
        """The identity of the test set, for the study's key."""
        if self.table is None:
            return f"fraction {self.fraction!r}"
        hashes = self.table.frame.hash_rows(seed=0).to_numpy()
        digest = hashlib.sha256(repr(self.table.frame.columns).encode())
        digest.update(hashes.tobytes())
        if self.table.tensor is not None:
            digest.update(self.table.tensor.fingerprint().encode())
        return f"table {digest.hexdigest()}"

    def part(self, dataset: Dataset, seed: int) -> tuple[Dataset, Part]:
        """The development rows as a data set, and the test rows: (frame, target).

        Raises `DataError` where a test table does not fit, `SettingError` for a fraction that
        leaves nothing.
        """
        if self.table is not None:
            frame, target, notes = conform(dataset.schema, self.table, need_target=True)
            told = tuple(f"in the test rows, {note}" for note in notes)
            return replace(dataset, notes=dataset.notes + told), (frame, target)
        if self.fraction == 0:
            return dataset, (None, None)
        if not 0 < self.fraction <= 0.9:
            raise SettingError(
                f"The test fraction is {self.fraction}: expected a number above 0 and up to 0.9, "
                "or a file of test rows; 0 sets no rows apart."
            )
        classes = dataset.schema.task.is_classification
        development, test = test_rows(dataset.target, self.fraction, seed, classes)
        if len(test) < 1:
            raise DataError("There are too few rows to set any apart: give --test 0 or more rows.")
        return dataset.taken(development), (dataset.frame[test], dataset.target[test])
