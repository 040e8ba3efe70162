"""Rows that are arrays of one shape: images, or whatever a person's own module takes."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from modelshelf.core.errors import DataError

__all__ = ["Blocks", "Frame", "Tensor", "as_columns", "shape_words"]

_BLOCK = 1 << 24  # bytes that are looked at at a time
_LARGE = 1 << 30  # bytes from which rows are not copied
_LARGE_MAP = 1 << 28  # and those that are mapped from a file not read as a matter of course


@dataclass(frozen=True, slots=True, eq=False)
class Tensor:
    """Rows of one array, which may be mapped from a file, and of any number type and shape.

    Nothing is read before it is asked for: choosing rows keeps their numbers alone.

    >>> rows = Tensor(np.arange(12).reshape(4, 3))[np.array([2, 0])]
    >>> rows.height, rows.shape, rows.read().tolist()
    (2, (3,), [[6, 7, 8], [0, 1, 2]])
    """

    array: NDArray[Any]  #: (rows, …)
    index: NDArray[np.int64] | None = None  #: which of them; None: all
    image: bool = False  #: whether a row is (channels, height, width)

    @property
    def height(self) -> int:
        """How many rows there are."""
        return len(self.array) if self.index is None else len(self.index)

    def __len__(self) -> int:
        return self.height

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one row."""
        return tuple(self.array.shape[1:])

    @property
    def numbers(self) -> int:
        """How many numbers a row has."""
        return math.prod(self.shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of its numbers."""
        return self.array.dtype

    def __getitem__(self, rows: Any) -> Tensor:
        """These rows: numbers, a mask or a slice."""
        chosen = np.arange(self.height)[rows] if self.index is None else self.index[rows]
        return replace(self, index=np.asarray(chosen, np.int64))

    def read(self) -> NDArray[Any]:
        """Its rows as one array in memory, (rows, …)."""
        return np.ascontiguousarray(self.array if self.index is None else self.array[self.index])

    @property
    def is_large(self) -> bool:
        """Whether its array is to stay where it lies, and rows are read a few at a time.

        By its size alone, not by what is free: the same data are trained on in the same way.
        """
        each: Any = self.array
        while isinstance(each, np.ndarray) and not isinstance(each, np.memmap):
            each = each.base
        return self.array.nbytes >= (_LARGE_MAP if isinstance(each, np.memmap) else _LARGE)

    def blocks(self) -> Iterator[NDArray[Any]]:
        """The same, a few rows at a time."""
        rows = max(1, _BLOCK // max(self.numbers * self.dtype.itemsize, 1))
        for begin in range(0, self.height, rows):
            part = slice(begin, begin + rows)
            yield np.asarray(self.array[part if self.index is None else self.index[part]])

    def check_finite(self) -> None:
        """Raise `DataError` where a number is not finite."""
        if self.dtype.kind != "f":
            return
        seen = 0
        for block in self.blocks():
            bad = ~np.isfinite(block.reshape(len(block), -1)).all(axis=1)
            if bad.any():
                raise DataError(
                    f"Row {seen + int(bad.argmax()) + 1} has a number that is missing or infinite: "
                    "mend it, or leave the row out."
                )
            seen += len(block)

    def fingerprint(self) -> str:
        """SHA-256 of its type, its shape and its rows."""
        digest = hashlib.sha256(f"{self.dtype.str}{self.shape}{self.image}".encode())
        for block in self.blocks():
            digest.update(np.ascontiguousarray(block).tobytes())
        return digest.hexdigest()


@dataclass(frozen=True, slots=True, eq=False)
class Blocks:
    """Rows that stay where they lie until they are asked for, as an engine may be given them.

    >>> rows = Blocks(Tensor(np.arange(12.0).reshape(4, 3)), np.dtype(np.float32))
    >>> len(rows[1:]), rows.shape, rows[1:].take(np.array([0])).tolist()
    (3, (4, 3), [[3.0, 4.0, 5.0]])
    """

    rows: Tensor
    dtype: np.dtype[Any]  #: of what is taken

    def __len__(self) -> int:
        return self.rows.height

    @property
    def shape(self) -> tuple[int, ...]:
        """As an array's: (rows, …)."""
        return (self.rows.height, *self.rows.shape)

    def __getitem__(self, rows: Any) -> Blocks:
        """These rows, none of them read: numbers, a mask or a slice."""
        return replace(self, rows=self.rows[rows])

    def take(self, rows: NDArray[np.int64]) -> NDArray[Any]:
        """These rows as an array in memory, (rows, …)."""
        return self.rows[rows].read().astype(self.dtype, copy=False)


#: The inputs of a data set: a table's columns, or rows of an array.
Frame = pl.DataFrame | Tensor


def as_columns(frame: Frame, what: str) -> pl.DataFrame:
    """The frame, where it is a table. Raises `DataError`, naming `what` needs one, otherwise."""
    if isinstance(frame, Tensor):
        raise DataError(f"{what} needs a table of columns, and these rows are arrays.")
    return frame


def shape_words(shape: Sequence[int], image: bool) -> str:
    """A row's shape for a person.

    >>> shape_words((3, 32, 32), True), shape_words((7,), False)
    ('images of 32 × 32 in 3 colours', 'arrays of 7')
    """
    if image:
        channels, height, width = shape
        tone = "grey" if channels == 1 else f"{channels} colours"
        return f"images of {width} × {height} in {tone}"
    return f"arrays of {' × '.join(map(str, shape)) or '1'}"
