"""Permutation importance: what the score loses when a column tells nothing any more.

Breiman 2001; Fisher, Rudin, Dominici 2019. Raw columns are shuffled, before any preparation: all
that is made of a column goes with it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from modelshelf.core.records import Direction
from modelshelf.core.seeds import generator, sampled
from modelshelf.data.metrics import Metric, score

__all__ = ["ColumnImportance", "PermutationImportance", "permutation_importance"]

_ANSWERS = 1_000_000  # rows to be answered in all: a few seconds
_FEWEST, _MOST = 256, 4096  # rows


@dataclass(frozen=True, slots=True)
class ColumnImportance:
    """What a column is worth to the network."""

    column: str
    drop: float  #: how much worse the metric is without it, mean over permutations
    std: float  #: over permutations


@dataclass(frozen=True, slots=True)
class PermutationImportance:
    """What each column is worth, the worthiest first."""

    metric: str
    part: str  #: which rows
    rows: int
    of: int  #: drawn from so many
    repeats: int
    score: float  #: of these rows as they are
    columns: tuple[ColumnImportance, ...]


def permutation_importance(
    answer: Callable[[pl.DataFrame], NDArray[np.float64]],
    frame: pl.DataFrame,
    target: NDArray[Any],
    columns: Sequence[str],
    metric: Metric,
    *,
    part: str,
    seed: int,
    repeats: int = 5,
) -> PermutationImportance:
    """The metric's drop when each of `columns` is shuffled, over several permutations.

    `answer` gives what the metric takes for a frame of rows; `target` is theirs. Where there are
    many rows, as many are drawn as can be answered within seconds: 256 to 4,096.
    """
    most = int(np.clip(_ANSWERS // max(1, len(columns) * repeats), _FEWEST, _MOST))
    of = len(target)
    if of > most:
        drawn = sampled(of, most, seed, "importance")
        frame, target = frame[drawn], target[drawn]
    before = score(metric, target, answer(frame))
    sign = 1.0 if metric.direction is Direction.MAXIMIZE else -1.0
    found = []
    for column in columns:
        drops = []
        for repeat in range(repeats):
            order = generator(seed, "permutation", column, repeat).permutation(len(target))
            shuffled = frame.with_columns(frame[column].gather(order))
            drops.append(sign * (before - score(metric, target, answer(shuffled))))
        found.append(ColumnImportance(column, float(np.mean(drops)), float(np.std(drops, ddof=1))))
    found.sort(key=lambda each: -each.drop)
    return PermutationImportance(metric.name, part, len(target), of, repeats, before, tuple(found))
