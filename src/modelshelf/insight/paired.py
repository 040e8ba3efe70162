"""How far two models' scores on the same rows are apart, and how sure that is.

Both answer the same rows, so what makes a row easy or hard counts for both, and their difference
is known far better than either score. An interval here is over rows: other rows of the same kind
would give a difference within it. It says nothing of other seeds of training.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from modelshelf.core.records import Direction
from modelshelf.core.seeds import generator
from modelshelf.data.metrics import Metric, interval, score

__all__ = ["Difference", "difference", "method_words", "resampled", "spread"]

Target: TypeAlias = NDArray[Any]
Output: TypeAlias = NDArray[np.float64]
Rows: TypeAlias = NDArray[np.int64]

_NUMBERS = 4_000_000  # rows that are drawn in all
_RESAMPLES = (200, 1_000)  # at least, at most
_Z = {0.95: 1.959964, 0.99: 2.575829}


@dataclass(frozen=True, slots=True)
class Difference:
    """A score less another's on the same rows, in the metric's unit: above 0 is higher."""

    value: float
    low: float  #: the interval's ends
    high: float
    better: float  #: the value turned so that above 0 is better
    level: float = 0.95

    @property
    def told(self) -> bool:
        """Whether the interval leaves 0 out: the difference is more than the rows' chance."""
        return self.low > 0.0 or self.high < 0.0

    @property
    def is_better(self) -> bool:
        """Whether it is better by more than chance."""
        return self.told and self.better > 0.0

    @property
    def is_worse(self) -> bool:
        """Whether it is worse by more than chance."""
        return self.told and self.better < 0.0


def difference(
    metric: Metric, target: Target, output: Output, other: Output, seed: int, level: float = 0.95
) -> Difference:
    """The score of `output` less that of `other`, with its interval of this level.

    `target` (rows,); outputs are class probabilities (rows, classes), or values (rows,). For
    accuracy the interval is Bonett and Price's (2012) for paired shares: it counts the rows that
    one of both answers right. For other metrics rows are drawn again, the same for both.
    """
    value = score(metric, target, output) - score(metric, target, other)
    if metric.name == "accuracy":
        mine, its = (each.argmax(axis=1) == target for each in (output, other))
        low, high = _paired_shares(int((mine & ~its).sum()), int((its & ~mine).sum()),
                                   len(target), _Z[level])  # fmt: skip
    else:
        apart = resampled(metric, target, output, seed) - resampled(metric, target, other, seed)
        low, high = _ends(apart, level)
    sign = 1.0 if metric.direction is Direction.MAXIMIZE else -1.0
    return Difference(value, low, high, sign * value, level)


def spread(metric: Metric, target: Target, output: Output, seed: int) -> tuple[float, float]:
    """A 95 % interval of one score: Wilson's for accuracy, else from rows that are drawn again."""
    if metric.name == "accuracy":
        return interval(metric, target, output, seed)
    return _ends(resampled(metric, target, output, seed), 0.95)


def method_words(metric: Metric) -> str:
    """How `difference` makes an interval, for a person."""
    if metric.name == "accuracy":
        return "paired shares (Bonett, Price 2012)"
    return "the same rows drawn again for both (bootstrap)"


def resampled(metric: Metric, target: Target, output: Output, seed: int) -> NDArray[np.float64]:
    """The score on rows drawn again and again, with replacement: (resamples,), 200 to 1,000.

    The draws hang on the seed and the number of rows alone: those of two outputs are paired. NaN
    where a draw leaves the score undefined.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        of_rows = _scorer(metric, target, output)
        return np.array([of_rows(at) for at in _draws(len(target), seed)])


def _ends(found: NDArray[np.float64], level: float) -> tuple[float, float]:
    """The ends between which this share lies, the rest on both sides alike."""
    found, rest = found[np.isfinite(found)], (1.0 - level) / 2.0
    if len(found) == 0:
        return -math.inf, math.inf
    low, high = np.quantile(found, [rest, 1.0 - rest])
    return float(low), float(high)


def _draws(rows: int, seed: int) -> Iterator[Rows]:
    rng = generator(seed, "resampled", rows)
    for _ in range(int(np.clip(_NUMBERS / max(rows, 1), *_RESAMPLES))):
        yield rng.integers(0, rows, rows)


def _scorer(metric: Metric, target: Target, output: Output) -> Callable[[Rows], float]:
    """The score of chosen rows. What does not hang on the choice is made once, for speed."""
    if metric.name == "auc":
        present = np.unique(target)
        ones = present[-1:] if output.shape[1] == 2 else present
        each = [_area(target == label, output[:, label]) for label in ones]
        return lambda at: float(np.nanmean([area(at) for area in each]))
    losses = _row_losses(metric, target, output)
    if losses is None:
        return lambda at: score(metric, target[at], output[at])
    if metric.name == "accuracy":
        return lambda at: 1.0 - float(losses[at].mean())
    if metric.name == "rmse":
        return lambda at: math.sqrt(losses[at].mean())
    return lambda at: float(losses[at].mean())


def _row_losses(metric: Metric, target: Target, output: Output) -> NDArray[np.float64] | None:
    """What each row adds to the score, where it is a mean of such."""
    if metric.name == "accuracy":
        return np.asarray(output.argmax(axis=1) != target, np.float64)
    if metric.name == "log_loss":
        sure = output[np.arange(len(target)), target]
        return np.asarray(-np.log(np.clip(sure, 1e-15, 1.0)))
    if metric.name == "rmse":
        return np.asarray((output - target) ** 2, np.float64)
    if metric.name == "mae":
        return np.asarray(np.abs(output - target), np.float64)
    return None


def _area(mine: NDArray[np.bool_], chances: Output) -> Callable[[Rows], float]:
    """Area under the ROC curve of chosen rows: pairs in the right order, ties for a half."""
    ranks = np.unique(chances, return_inverse=True)[1]
    count = int(ranks.max()) + 1

    def area(at: Rows) -> float:
        held, own = ranks[at], mine[at]
        above = np.bincount(held[own], minlength=count)
        below = np.bincount(held[~own], minlength=count)
        pairs = above.sum() * below.sum()
        lower = np.cumsum(below) - 0.5 * below
        return float((above * lower).sum() / pairs) if pairs else math.nan

    return area


def _paired_shares(gained: int, lost: int, rows: int, z: float) -> tuple[float, float]:
    """Bonett, Price 2012: one row is added to each kind of disagreement, and two to all rows."""
    p, q = (gained + 1) / (rows + 2), (lost + 1) / (rows + 2)
    reach = z * math.sqrt((p + q - (p - q) ** 2) / (rows + 2))
    return max(p - q - reach, -1.0), min(p - q + reach, 1.0)
