"""Splits: which rows train, which validate, which test. Stratified, and from the study's seed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from modelshelf.core.errors import SettingError
from modelshelf.core.seeds import generator

__all__ = ["Split", "dealt", "drawn_rows", "rows_of", "test_rows"]

Rows = NDArray[np.int64]

_MOST_VALIDATION = 20_000  # rows: more would cost time and tell no more


@dataclass(frozen=True, slots=True)
class Split:
    """Which development rows train, and which validate.

    `search` is the holdout on which trials are compared. In `fold`, part `index` of `of` of the
    rows that `search` trains on validates, so that no row judges twice. In `all` every row trains.
    """

    kind: str
    index: int = 0
    of: int = 1

    def __str__(self) -> str:
        return f"fold {self.index + 1}/{self.of}" if self.kind == "fold" else self.kind

    @classmethod
    def parse(cls, text: str) -> Split:
        """The split whose `str` this is.

        >>> Split.parse("fold 2/5")
        Split(kind='fold', index=1, of=5)
        """
        kind, _, part = text.partition(" ")
        index, _, of = part.partition("/")
        return cls(kind, int(index) - 1, int(of)) if part else cls(kind)


def dealt(target: NDArray[Any], parts: int, seed: int, *path: object) -> Rows:
    """The part (0 … parts-1) of each row, stratified by class, or by the target's size.

    Rows are lined up by target, ties at random; each run of `parts` rows is dealt to the parts in
    a random order. So all parts have the same share of each class, to within a row.
    """
    rng = generator(seed, *path)
    rows = len(target)
    shuffled = rng.permutation(rows)
    lined_up = shuffled[np.argsort(target[shuffled], kind="stable")]
    runs = -(-rows // parts)
    orders = rng.permuted(np.tile(np.arange(parts), (runs, 1)), axis=1).reshape(-1)[:rows]
    found = np.empty(rows, dtype=np.int64)
    found[lined_up] = orders
    return found


def test_rows(target: NDArray[Any], fraction: float, seed: int, classes: bool) -> tuple[Rows, Rows]:
    """Development and test rows, as indices; every class keeps a development row."""
    if not 0 < fraction <= 0.9:
        raise SettingError(
            f"The test fraction is {fraction}: expected a number above 0 and up to 0.9."
        )
    return _held_out(target, fraction, seed, "test", classes)


test_rows.__test__ = False  # type: ignore[attr-defined] # pytest collects what is called test_…


def drawn_rows(target: NDArray[Any], most: int, seed: int, classes: bool) -> Rows:
    """So many of the rows, spread evenly along the target; of every class at least one."""
    return _held_out(target, 1.0 - most / len(target), seed, "drawn", classes)[0]


def rows_of(split: Split, target: NDArray[Any], seed: int, classes: bool) -> tuple[Rows, Rows]:
    """Training and validation rows of a split, as indices into the development rows."""
    everything = np.arange(len(target))
    if split.kind == "all":
        return everything, everything[:0]
    if split.kind == "search":
        return _held_out(target, 0.2, seed, "search", classes, _MOST_VALIDATION)
    fresh, _ = rows_of(Split("search"), target, seed, classes)
    held = np.zeros(len(target), dtype=bool)
    held[fresh] = dealt(target[fresh], split.of, seed, "folds", split.of) == split.index
    return _with_every_class(target, held, classes)


def _held_out(
    target: NDArray[Any], fraction: float, seed: int, what: str, classes: bool, most: int = 2**62
) -> tuple[Rows, Rows]:
    """A share of the rows held out: every so many-th along the target, from a random start."""
    rng = generator(seed, what)
    rows = len(target)
    fraction = min(fraction, most / rows)
    shuffled = rng.permutation(rows)
    lined_up = shuffled[np.argsort(target[shuffled], kind="stable")]
    steps = np.floor(np.arange(rows + 1) * fraction + rng.random())
    held = np.zeros(rows, dtype=bool)
    held[lined_up] = np.diff(steps) > 0
    return _with_every_class(target, held, classes)


def _with_every_class(
    target: NDArray[Any], held: NDArray[np.bool_], classes: bool
) -> tuple[Rows, Rows]:
    """(kept, held) indices; a class of which no row would be kept gets one back."""
    if classes:
        held = held.copy()
        for label in np.setdiff1d(np.unique(target), np.unique(target[~held])):
            held[np.flatnonzero(target == label)[0]] = False
    return np.flatnonzero(~held), np.flatnonzero(held)
