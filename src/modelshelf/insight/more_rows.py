"""Would more rows help? A power law through scores on growing shares of the rows, and beyond."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from modelshelf.core.records import Direction
from modelshelf.core.seeds import generator
from modelshelf.data.metrics import Metric

__all__ = ["MoreRows", "Run", "SharePoint", "more_rows", "share_points"]

Array = NDArray[np.float64]

_POWERS = np.linspace(0.1, 1.5, 15)  # of the rows, by which errors fall
_LEAST_SHARES = 3
_KNOWN = 0.25
_LEAST_RUNS = 2  # of the largest share and the one below it, to know what chance does


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """One training on a share of the rows."""

    share: float
    rows: int
    score: float
    resampled: Array  #: the score on validation rows drawn again, from `insight.paired.resampled`
    fixed: bool = False  #: whether another seed, or other rows, could not give another score


@dataclass(frozen=True, slots=True)
class SharePoint:
    """Trainings on one share of the rows: their mean score and its 95 % interval."""

    share: float
    rows: int
    runs: int
    score: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class MoreRows:
    """What twice the rows should bring: above 0 is better, in the metric's unit."""

    gain: float
    low: float  #: 95 %, over validation rows and over trainings
    high: float
    last: tuple[float, float]  #: 95 %: what the last doubling of the rows brought

    @property
    def rising(self) -> bool:
        """Whether the last doubling improved by more than chance: any early rise bends the law."""
        return self.last[0] > 0.0

    @property
    def told(self) -> bool:
        """Whether it is known well enough to be said.

        The last doubling still improved, and by the least, a quarter of the gain is left.
        """
        return self.rising and self.low > 0.0 and self.low >= _KNOWN * self.gain


def share_points(runs: Sequence[Run], seed: int) -> tuple[SharePoint, ...]:
    """Means of the runs of each share, the smallest share first."""
    noise = _noise(runs)
    rng = generator(seed, "share points")
    points = []
    for share in sorted({each.share for each in runs}):
        of_it = [each for each in runs if each.share == share]
        mean = np.mean([each.resampled for each in of_it], axis=0)
        free = noise if not all(each.fixed for each in of_it) else 0.0
        blurred = mean + free / math.sqrt(len(of_it)) * rng.standard_normal(len(mean))
        low, high = np.nanquantile(blurred, [0.025, 0.975])
        score = float(np.mean([each.score for each in of_it]))
        points.append(SharePoint(share, of_it[0].rows, len(of_it), score, float(low), float(high)))
    return tuple(points)


def more_rows(runs: Sequence[Run], metric: Metric, seed: int) -> MoreRows | None:
    """What twice the rows should gain, by a power law: error = a + b · rows^-c.

    `c` is between 0.1 and 1.5. The law is fitted again to each drawing of the validation rows,
    with the trainings' own scatter added: the interval holds both. So does that of the last
    doubling, of the same validation rows before and after. None where there are fewer than three
    shares, or too few runs of the largest ones to know that scatter.
    """
    shares = sorted({each.share for each in runs})
    if len(shares) < _LEAST_SHARES or not all(_known(runs, share) for share in shares[-2:]):
        return None
    sign = 1.0 if metric.direction is Direction.MINIMIZE else -1.0
    rows = np.array([each.rows for each in runs], np.float64)
    full = rows.max()
    errors = sign * np.array([[each.score, *each.resampled] for each in runs])
    last = _last_doubling(runs, errors[:, 1:], seed)
    blur = generator(seed, "more rows").standard_normal((len(runs), errors.shape[1] - 1))
    free = np.array([0.0 if each.fixed else _noise(runs) for each in runs])
    errors[:, 1:] += free[:, None] * blur
    gains = _gains(rows / full, errors[:, np.isfinite(errors).all(axis=0)])
    low, high = np.quantile(gains[1:], [0.025, 0.975])
    return MoreRows(float(gains[0]), float(low), float(high), last)


def _last_doubling(runs: Sequence[Run], errors: Array, seed: int) -> tuple[float, float]:
    """By how much errors fell from the second largest share to the largest: 95 %, paired.

    Scatter falls with the rows, so only that of the three largest shares counts, by Student's t.
    A fit that is always the same had its own luck with these rows: chance counts for it too.
    """
    share = np.array([each.share for each in runs])
    largest = np.unique(share)[-_LEAST_SHARES:]
    noise, degrees = _scatter([each for each in runs if each.share in largest])
    before, after = (share == each for each in largest[-2:])
    rng = generator(seed, "last doubling")
    chance = noise * math.sqrt(1.0 / before.sum() + 1.0 / after.sum())
    fell = errors[before].mean(axis=0) - errors[after].mean(axis=0)
    fell += chance * rng.standard_t(max(degrees, 1), len(fell))
    low, high = np.quantile(fell[np.isfinite(fell)], [0.025, 0.975])
    return float(low), float(high)


def _gains(rows: Array, errors: Array) -> Array:
    """By how much the fitted error falls from 1 to 2, for each column of errors."""
    best = np.full(errors.shape[1], np.inf)
    gains = np.zeros(errors.shape[1])
    for power in _POWERS:
        terms = np.column_stack([np.ones(len(rows)), rows**-power])
        fitted, *_ = np.linalg.lstsq(terms, errors, rcond=None)
        left = ((errors - terms @ fitted) ** 2).sum(axis=0)
        better = left < best
        best[better] = left[better]
        gains[better] = fitted[1, better] * (1.0 - 2.0**-power)
    return gains


def _known(runs: Sequence[Run], share: float) -> bool:
    of_it = [each for each in runs if each.share == share]
    return len(of_it) >= _LEAST_RUNS or any(each.fixed for each in of_it)


def _noise(runs: Sequence[Run]) -> float:
    return _scatter(runs)[0]


def _scatter(runs: Sequence[Run]) -> tuple[float, int]:
    """Standard deviation of runs of the same share, over all shares, and how many tell of it.

    Both are 0 where it is not known.
    """
    squares, degrees = 0.0, 0
    for share in {each.share for each in runs}:
        scores = [each.score for each in runs if each.share == share]
        squares += float(np.sum((np.array(scores) - np.mean(scores)) ** 2))
        degrees += len(scores) - 1
    return math.sqrt(squares / degrees) if degrees else 0.0, degrees
