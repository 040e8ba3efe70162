"""Depth and width: what size buys, and what it costs in time and memory."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from modelshelf.core.records import Direction
from modelshelf.insight.course.finding import CHANCE, Finding, finding, trend
from modelshelf.insight.studied import Studied

__all__ = ["time_and_memory"]

_PART = 10  # a small network has this part of the best one's weights, or less
_BYTES = 4  # of a weight


def time_and_memory(studied: Studied) -> Iterator[Finding]:
    """Whether larger networks take longer, and what a much smaller one gives away."""
    size = studied.parameters.astype(float)
    seconds = studied.seconds / np.maximum(studied.epochs, 1)
    rho, chance, known = trend(size, seconds)
    if chance < CHANCE:
        slope = np.polyfit(np.log(size[known]), np.log(np.maximum(seconds[known], 1e-9)), 1)[0]
        yield finding(
            studied, known,
            f"Ten times the weights take {10**slope:.1f} times as long for an epoch.",
            chance=chance, supports=rho > 0,
        )  # fmt: skip
    yield from _small(studied)


def _small(studied: Studied) -> Iterator[Finding]:
    sign = 1.0 if studied.direction is Direction.MINIMIZE else -1.0
    order = np.argsort(np.where(np.isfinite(studied.scores), sign * studied.scores, np.inf))
    best = int(order[0])
    small = [int(i) for i in order if studied.parameters[i] * _PART <= studied.parameters[best]]
    if not small or not np.isfinite(studied.scores[small[0]]):
        return
    own, its = studied.parameters[small[0]], studied.parameters[best]
    yield finding(
        studied, np.array([best, small[0]]),
        f"The best network has {its:,} weights ({_BYTES * its / 1024:,.0f} KiB) and "
        f"{studied.metric} {studied.scores[best]:.5g} on validation rows; the best with a tenth of "
        f"them or less has {own:,} and {studied.scores[small[0]]:.5g}.",
    )  # fmt: skip
