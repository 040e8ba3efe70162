"""Several objectives at once: the networks that nothing beats in all of them, and a choice there.

A network is dominated where another is at least as good in every objective and better in one. What
is left is the Pareto front: along it, each gain in one objective costs some of another.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

import numpy as np

from modelshelf.core.errors import SettingError, nearest

__all__ = ["Cost", "Prefer", "Traded", "choose", "finalists", "non_dominated", "within_noise"]

K = TypeVar("K", bound=Hashable)
S = TypeVar("S", bound=Hashable)

_NEAR = 0.2  # of the way from the best network of the search to its middling one


class Prefer(StrEnum):
    """What a winner is chosen for, among networks that score alike."""

    BEST = "best"  # the best score
    SMALL = "small"  # the fewest parameters
    FAST = "fast"  # the least work to answer a row

    @classmethod
    def of(cls, word: str) -> Prefer:
        """The preference of this name. Raises `SettingError` where there is none."""
        names = [each.value for each in cls]
        if word not in names:
            raise SettingError(f"There is no preference {word!r}: {nearest(word, names)}")
        return cls(word)


@dataclass(frozen=True, slots=True)
class Cost:
    """What a network costs to keep and to ask, the same on every machine."""

    parameters: int
    multiply_adds: int  #: for one row's answer

    def of(self, prefer: Prefer) -> int:
        """What this preference wants little of."""
        return self.multiply_adds if prefer is Prefer.FAST else self.parameters


@dataclass(frozen=True, slots=True)
class Traded:
    """What was given for what, where a cheaper network was preferred to the best one."""

    prefer: Prefer
    barcode: str  #: of the best by its re-tests
    validation: float  #: its mean score over the re-tests
    parameters: tuple[int, int]  #: of the winner, and of the best
    multiply_adds: tuple[int, int]


def non_dominated(objectives: Sequence[Sequence[float]]) -> list[int]:
    """Which rows no other row dominates, in their order; all columns are to be low.

    Of rows that are equal in everything, the first stays. Rows that are not finite never stay.

    >>> non_dominated([(1, 9), (2, 2), (3, 3), (9, 1), (2, 2)])
    [0, 1, 3]
    """
    if not objectives:
        return []
    rows = np.asarray(objectives, dtype=np.float64)
    kept: list[int] = []
    # In this order, no row is dominated by a later one: holding each against the kept is enough.
    for index in np.lexsort(rows.T[::-1]).tolist():
        if np.isfinite(rows[index]).all() and not (rows[kept] <= rows[index]).all(axis=1).any():
            kept.append(index)
    return sorted(kept)


def finalists(
    ranked: Sequence[tuple[K, float]], cost: Callable[[K], Cost], prefer: Prefer, count: int
) -> list[K]:
    """Who is to be re-tested: of (candidate, value), best first and lower better, up to `count`.

    The best by value; where small or fast networks are preferred, half of them, and as many of the
    front of value against cost as lie near the best, evenly from the cheapest on. Near is a fifth
    of the way to the middling network: wide, for the re-tests judge, and in no metric's unit.

    >>> costs = {"a": 900, "b": 800, "c": 300, "d": 10, "e": 1}
    >>> ranked = [("a", 1.0), ("b", 1.01), ("c", 1.02), ("d", 2.0), ("e", 4.0), ("f", 5.0)]
    >>> finalists(ranked, lambda k: Cost(costs[k], 0), Prefer.SMALL, 2)
    ['a', 'c']
    """
    best = [each for each, _ in ranked[:count]]
    if prefer is Prefer.BEST or len(ranked) <= count:
        return best
    values = [value for _, value in ranked]
    limit = values[0] + _NEAR * (values[len(values) // 2] - values[0])
    near = [each for each, value in ranked if value <= limit]
    named = best[: (count + 1) // 2]
    front = non_dominated([(i, cost(each).of(prefer)) for i, each in enumerate(near)])
    cheap = [near[i] for i in reversed(front) if near[i] not in named]
    wanted = count - len(named)
    if len(cheap) > wanted:
        cheap = [cheap[i * len(cheap) // wanted] for i in range(wanted)]
    rest = (each for each in best if each not in named)
    return [*named, *cheap, *rest][:count]


def within_noise(candidate: Sequence[float], best: Sequence[float]) -> bool:
    """Whether two networks' values on the same splits, lower better, are one standard error apart.

    The error is that of the mean difference, split by split. Training sets of folds overlap, so
    that the plain error is too small: its variance is corrected by their share of test rows
    (Nadeau & Bengio 2003), taken as that of as many folds. And no more than the best one's own
    error (Breiman et al. 1984) is forgiven: a candidate that fails on one split has a large error,
    which must not excuse it. One split alone says nothing of noise: then only an equal will do.

    >>> within_noise([0.31, 0.29, 0.33], [0.30, 0.29, 0.32])
    False
    >>> within_noise([0.31, 0.28, 0.33], [0.30, 0.29, 0.32])
    True
    """
    apart = [mine - its for mine, its in zip(candidate, best, strict=True)]
    mean, splits = statistics.fmean(apart), len(apart)
    if splits < 2:
        return mean <= 0.0
    correction = math.sqrt(1.0 / splits + 1.0 / (splits - 1))
    return mean <= correction * min(statistics.stdev(apart), statistics.stdev(best))


def choose(
    retests: Mapping[K, Mapping[S, float]], cost: Callable[[K], Cost], prefer: Prefer
) -> tuple[K, K]:
    """The winner, and the best: equal where the best is preferred, or nothing cheaper keeps up.

    `retests` holds each finalist's value on each split, lower better. Only those that were
    re-tested most often count, so that none wins by having been spared the hard splits.
    """
    most = max(len(values) for values in retests.values())
    full = {each: values for each, values in retests.items() if len(values) == most}
    best = min(full, key=lambda each: statistics.fmean(full[each].values()))
    if prefer is Prefer.BEST:
        return best, best
    splits = list(full[best])
    its = [full[best][split] for split in splits]
    alike = [
        each
        for each, values in full.items()
        if values.keys() == full[best].keys()
        and within_noise([values[split] for split in splits], its)
    ]
    # Of equally cheap ones, the better.
    order = {each: (cost(each).of(prefer), statistics.fmean(full[each].values())) for each in alike}
    return min(alike, key=lambda each: order[each]), best
