"""Which of several treatments are as good as the best, where each had the same few seeds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from scipy.optimize import brentq
from scipy.special import digamma, polygamma

__all__ = ["Contrast", "against_best", "moderated"]

Array = NDArray[np.float64]

_LEAST = 1e-12  # a loss below this is taken for this: its logarithm must be finite
_SURE = 0.95


@dataclass(frozen=True, slots=True)
class Contrast:
    """One treatment against the best."""

    ratio: float  #: of its loss to the best one's, as geometric means over the seeds of both
    least: float  #: the ratio is at least this, with 95 % confidence for all treatments together
    worse: bool  #: `least` is above 1


def moderated(variances: Array, freedom: int) -> tuple[float, float]:
    """A prior for variances that were each measured with few degrees of freedom.

    Returns its degrees of freedom (0: nothing known; infinite: all variances are alike) and its
    value. Smyth 2004: the empirical Bayes estimate from the spread of their logarithms.
    """
    some = variances[variances > 0.0]
    if len(some) < 3:
        return 0.0, 0.0
    half = freedom / 2
    found = np.log(some) - digamma(half) + np.log(half)
    middle, spread = float(found.mean()), float(found.var(ddof=1) - polygamma(1, half))
    if spread <= 1e-6:
        return np.inf, float(np.exp(middle))
    own = brentq(lambda x: float(polygamma(1, x)) - spread, 1e-6, 1e9)
    return 2.0 * own, float(np.exp(middle + digamma(own) - np.log(own)))


def against_best(
    losses: Array, rows: Sequence[Array | None], sure: float = _SURE
) -> tuple[int, list[Contrast | None]]:
    """The best of several treatments, and each one's contrast with it (None: it cannot be told).

    `losses` (seeds, treatments) holds NaN where a network is missing; a seed pairs the networks of
    all treatments. `rows` holds each treatment's loss of each validation row, (rows,), as a mean
    over its seeds.

    Losses are compared as logarithms, seed by seed. A difference's error is that of the seeds (its
    variance moderated by those of the others, Smyth 2004) and that of the rows (delta method)
    together. Each is held against the best at a t quantile that Bonferroni corrects for the number
    of all ordered pairs, as the best was chosen by the same data: of treatments that are alike, one
    is called worse in at most 5 % of experiments. Fewer than two common seeds tell nothing.
    """
    logs = np.log(np.maximum(losses, _LEAST))
    there = np.isfinite(logs)
    counted = there.sum(axis=0)
    sums = np.where(there, logs, 0.0).sum(axis=0)
    means = np.where(counted == counted.max(), sums / np.maximum(counted, 1), np.inf)
    best = int(np.argmin(means))
    apart = [logs[:, v] - logs[:, best] for v in range(logs.shape[1])]
    apart = [each[np.isfinite(each)] for each in apart]
    freedoms = [max(len(each) - 1, 0) for each in apart]
    variances = np.array([each.var(ddof=1) if len(each) > 1 else np.nan for each in apart])
    told = [v for v, freedom in enumerate(freedoms) if freedom and v != best]
    usual = max((freedoms[v] for v in told), default=1)
    prior, value = moderated(variances[[v for v in told if freedoms[v] == usual]], usual)
    count = len(told) + 1
    level = 1.0 - (1.0 - sure) / max(count * (count - 1), 1)
    found: list[Contrast | None] = [None] * logs.shape[1]
    if freedoms[best]:
        found[best] = Contrast(1.0, 1.0, False)
    for v in told:
        mean, own = float(apart[v].mean()), float(variances[v])
        variance, freedom = _mixed(own, freedoms[v], prior, value)
        # No more than was measured; and differences share the noise of the best.
        freedom = min(freedom, max(sum(freedoms) / 2, freedoms[v]))
        error = variance / len(apart[v])
        beyond, freedom = _with_rows(error, freedom, rows[v], rows[best])
        least = mean - float(stats.t.ppf(level, freedom)) * beyond
        found[v] = Contrast(float(np.exp(mean)), float(np.exp(min(least, mean))), least > 0.0)
    return best, found


def _mixed(own: float, freedom: int, prior: float, value: float) -> tuple[float, float]:
    """A measured variance and the prior, weighted by their degrees of freedom."""
    if np.isinf(prior):
        return value, np.inf
    return (prior * value + freedom * own) / (prior + freedom), prior + freedom


def _with_rows(
    error: float, freedom: float, mine: Array | None, its: Array | None
) -> tuple[float, float]:
    """The standard error with that of the rows in it, and its degrees of freedom (Welch)."""
    if mine is None or its is None or len(mine) < 2:
        return float(np.sqrt(error)), freedom
    of_rows = float((mine / mine.mean() - its / its.mean()).var(ddof=1)) / len(mine)
    both = error + of_rows
    if both == 0.0 or np.isinf(freedom):
        return float(np.sqrt(both)), freedom
    parts = error**2 / freedom + of_rows**2 / (len(mine) - 1)
    return float(np.sqrt(both)), both**2 / parts if parts > 0 else freedom
