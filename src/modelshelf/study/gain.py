"""What more time would buy, by the study's own record; and when to stop for want of it.

The best of n networks gets better by ever less with each doubling of n. What the last doublings
bought says what the next one should: for any distribution of values whose lower tail is a power
of the distance to its end, each doubling buys the same fraction of what the one before it bought
(the Weibull case of Fisher & Tippett 1928). The mean of two views of the last doubling is taken:

- what it did buy: honest where the search learns, but a single number, and often 0;
- what it buys on average over all subsets of the networks, which is known exactly (the expected
  minimum of m drawn without replacement): smooth, but blind to their order. It is scaled down
  where the best of them came early, as when known-good configurations go first. The very best is
  left out of it, for it may be a stroke of luck.

The record is that of validation scores, and holds their luck: where all networks are alike, what
is expected here is noise, and the re-tests' error says so.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

from modelshelf.core.errors import SettingError
from modelshelf.core.records import Direction
from modelshelf.data.metrics import Metric

__all__ = ["FEWEST", "LeastGain", "MoreTime", "Watch", "expected_gain", "more_time"]

#: Networks below which nothing is said of more of them.
FEWEST = 32

_TOP = 10  # of the best networks, how many came late tells whether good ones still come
_PACE = 1.1  # a search is looked at whenever it has grown by this factor

Standing = tuple[float, float]  # (what it is ranked by, lower is better; its score)


@dataclass(frozen=True, slots=True)
class MoreTime:
    """What twice the time, or twice the networks, is expected to buy."""

    networks: int  #: whose record says so
    gain: float  #: in the metric's unit, 0 or more
    share: float  #: of what is left to gain: of the error, or of the distance of a score from 1
    noise: float  #: standard error of the winner's score; NaN where it was not re-tested

    @property
    def measurable(self) -> bool:
        """Whether the gain would stand out from the noise of the score itself."""
        return self.gain > 0.0 and not self.gain < self.noise


@dataclass(frozen=True, slots=True)
class LeastGain:
    """The gain of a doubling below which a search is to stop.

    >>> LeastGain.of("2%"), LeastGain.of("0.001")
    (LeastGain(amount=0.02, relative=True), LeastGain(amount=0.001, relative=False))
    """

    amount: float = 0.01
    relative: bool = True  #: a share of what is left to gain; else in the metric's unit

    @classmethod
    def of(cls, given: str | float | bool) -> LeastGain:
        """A threshold from `2%`, or `0.001` in the metric's unit; `True` is 1 %.

        Raises `SettingError` where it is neither, or not above 0.
        """
        if given is True:
            return cls()
        text = str(given).strip()
        try:
            amount = float(text.removesuffix("%"))
        except ValueError:
            amount = math.nan
        if isinstance(given, bool) or not (math.isfinite(amount) and amount > 0.0):
            raise SettingError(
                f"The least gain is {given!r}: expected a share of what is left, such as 1%, or "
                "a number above 0 in the metric's unit, such as 0.001."
            )
        return cls(amount / 100.0, True) if text.endswith("%") else cls(amount, False)

    def missed(self, found: MoreTime) -> bool:
        """Whether this gain falls under the threshold."""
        return (found.share if self.relative else found.gain) < self.amount

    def __str__(self) -> str:
        return f"{100 * self.amount:g}%" if self.relative else f"{self.amount:g}"


def expected_gain(values: Sequence[float]) -> float:
    """By how much the best of twice as many values should be lower, from values in their order.

    >>> expected_gain([1.0] * 64)
    0.0
    """
    found = np.asarray(values, dtype=np.float64)
    found = found[np.isfinite(found)]
    n = found.size
    if n < 8:
        return 0.0
    order = np.argsort(found, kind="stable")
    ranked = found[order[1:]]
    half, quarter, eighth = (_expected_least(ranked, (n - 1) // part) for part in (2, 4, 8))
    now, before = quarter - half, eighth - quarter
    decay = min(max(now / before, 0.2), 1.0) if before > 0.0 else 1.0
    top = order[: min(_TOP, n // 4)]
    late = min(2.0 * float(np.mean(top >= n // 2)), 1.0)
    bought = float(found[: n // 2].min() - found.min())
    # From the subsets of half to the whole is one doubling; what is asked for is the next.
    return max(0.5 * (decay * bought + late * decay**2 * now), 0.0)


def _expected_least(ranked: NDArray[np.float64], m: int) -> float:
    """The expected minimum of m of these ascending values, drawn without replacement.

    Value i of n is the least in C(n - i, m - 1) of C(n, m) draws.
    """
    n = ranked.size
    i = np.arange(1, n - m + 2)
    others = gammaln(n - i + 1) - gammaln(m) - gammaln(n - i - m + 2)
    every = gammaln(n + 1) - gammaln(m + 1) - gammaln(n - m + 1)
    return float(np.exp(others - every) @ (ranked[: n - m + 1] - ranked[0]) + ranked[0])


def more_time(
    standings: Sequence[Standing], metric: Metric, score: float, noise: float = math.nan
) -> MoreTime | None:
    """What twice the time should buy, from (value, score) of networks in the order they came.

    `score` is what it would be bought from. None where there are too few networks to say.
    """
    usable = [each for each in standings if math.isfinite(each[0]) and math.isfinite(each[1])]
    if len(usable) < FEWEST:
        return None
    gain = expected_gain([value for value, _ in usable])
    if metric.by_loss:
        gain *= _worth(usable, metric.direction)
    left = 1.0 - score if metric.direction is Direction.MAXIMIZE else score
    return MoreTime(len(usable), gain, gain / left if left > 0.0 else 0.0, noise)


def _worth(standings: Sequence[Standing], direction: Direction) -> float:
    """By how much the score is better for each unit of loss: the slope among the better half."""
    better = np.array(sorted(standings)[: len(standings) // 2])
    loss, score = (better - better.mean(axis=0)).T
    if not loss.any():
        return 0.0
    slope = float(loss @ score / (loss @ loss))
    return max(slope if direction is Direction.MINIMIZE else -slope, 0.0)


@dataclass(eq=False)
class Watch:
    """Says when a search is to stop: twice in a row, what more would buy was under the least."""

    metric: Metric
    least: LeastGain | None  #: None: never
    stopped: bool = False
    _due: float = FEWEST
    _missed: int = 0

    def over(self, networks: int, standings: Callable[[], Sequence[Standing]]) -> bool:
        """Whether to stop, now that this many networks stand. Looks only now and then."""
        if self.least is None or self.stopped or networks < self._due:
            return self.stopped
        self._due = _PACE * networks
        known = standings()
        best = min(known)[1]
        found = more_time(known, self.metric, best)
        if found is not None:
            self._missed = self._missed + 1 if self.least.missed(found) else 0
        self.stopped = self._missed >= 2
        return self.stopped
