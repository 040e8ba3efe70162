"""Whether a trial is worth going on with: rules over what trials reported at the same step."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from modelshelf.optuna.exceptions import UnfitError, absent

__all__ = [
    "HyperbandPruner",
    "MedianPruner",
    "NopPruner",
    "PercentilePruner",
    "Pruner",
    "Reports",
    "SuccessiveHalvingPruner",
]


@dataclass(frozen=True, slots=True)
class Reports:
    """What one trial reported: value by step, lower is better. `ended`: it came to its end."""

    values: dict[int, float]
    ended: bool = False


class Pruner(Protocol):
    """A rule."""

    def prune(self, own: Reports, others: Sequence[Reports]) -> bool:
        """Whether a trial that just reported is to end; `own` has at least one report."""


class NopPruner:
    """Never."""

    def prune(self, own: Reports, others: Sequence[Reports]) -> bool:
        """Never."""
        return False


@dataclass(frozen=True)
class PercentilePruner:
    """Where its best report is worse than the best `percentile` of ended trials at this step.

    Not before `n_startup_trials` trials came to their end, not at steps before `n_warmup_steps`,
    only at every `interval_steps`-th step from there, and only where `n_min_trials` trials had
    reported. All arguments are obeyed.
    """

    percentile: float
    n_startup_trials: int = 5
    n_warmup_steps: int = 0
    interval_steps: int = 1
    n_min_trials: int = 1

    def __post_init__(self) -> None:
        if not 0 <= self.percentile <= 100:
            raise UnfitError(f"percentile is {self.percentile}: expected a number from 0 to 100.")
        _at_least("n_startup_trials", self.n_startup_trials, 0)
        _at_least("n_warmup_steps", self.n_warmup_steps, 0)
        _at_least("interval_steps", self.interval_steps, 1)
        _at_least("n_min_trials", self.n_min_trials, 1)

    def prune(self, own: Reports, others: Sequence[Reports]) -> bool:
        """The rule."""
        step = max(own.values)
        if step < self.n_warmup_steps or not self._is_due(own, step):
            return False
        ended = [each for each in others if each.ended]
        if not ended or len(ended) < self.n_startup_trials:
            return False
        best = min((v for v in own.values.values() if not math.isnan(v)), default=math.inf)
        there = [each.values[step] for each in ended if step in each.values]
        there = [value for value in there if not math.isnan(value)]
        if len(there) < self.n_min_trials:
            return False
        return best == math.inf or best > float(np.percentile(there, self.percentile))

    def _is_due(self, own: Reports, step: int) -> bool:
        """Whether this is the first report since a step that is looked at."""
        past = (step - self.n_warmup_steps) % self.interval_steps
        before = sorted(own.values)[-2] if len(own.values) > 1 else -1
        return before < step - past


class MedianPruner(PercentilePruner):
    """`PercentilePruner` at the median."""

    def __init__(
        self,
        n_startup_trials: int = 5,
        n_warmup_steps: int = 0,
        interval_steps: int = 1,
        *,
        n_min_trials: int = 1,
    ) -> None:
        super().__init__(50.0, n_startup_trials, n_warmup_steps, interval_steps, n_min_trials)


@dataclass(frozen=True)
class SuccessiveHalvingPruner:
    """Asynchronous successive halving: at each rung the best `1 / reduction_factor` go on.

    Rungs are at `min_resource * reduction_factor ** (min_early_stopping_rate + k)` steps, a step
    counted from 1 where reports begin at step 0. A rung lets nobody go on before `bootstrap_count`
    others came to it. All arguments are obeyed; `"auto"` is 1.

    Source: Li et al. 2020, arXiv 1810.05934.
    """

    min_resource: int | str = "auto"
    reduction_factor: int = 4
    min_early_stopping_rate: int = 0
    bootstrap_count: int = 0

    def __post_init__(self) -> None:
        if self.min_resource != "auto":
            _at_least("min_resource", self.min_resource, 1)
        _at_least("reduction_factor", self.reduction_factor, 2)
        _at_least("min_early_stopping_rate", self.min_early_stopping_rate, 0)
        _at_least("bootstrap_count", self.bootstrap_count, 0)

    def prune(self, own: Reports, others: Sequence[Reports]) -> bool:
        """The rule, at the last rung that this report came to."""
        least = 1 if self.min_resource == "auto" else int(self.min_resource)
        rung = least * self.reduction_factor**self.min_early_stopping_rate
        steps = sorted(own.values)
        before = steps[-2] if len(steps) > 1 else -1
        due = None
        while rung <= steps[-1] + 1:
            due = rung if before + 1 < rung else due
            rung *= self.reduction_factor
        if due is None:
            return False
        value = own.values[steps[-1]]
        if math.isnan(value):
            return True
        there = [found for each in others if (found := _at(each, due)) is not None]
        if len(there) < self.bootstrap_count:
            return True
        better = sum(other < value for other in there)
        return better >= max((len(there) + 1) // self.reduction_factor, 1)


class HyperbandPruner(SuccessiveHalvingPruner):
    """`SuccessiveHalvingPruner` with its most eager bracket alone.

    `min_resource`, `reduction_factor` and `bootstrap_count` are obeyed, `max_resource` is accepted.
    """

    def __init__(
        self,
        min_resource: int = 1,
        max_resource: int | str = "auto",
        reduction_factor: int = 3,
        bootstrap_count: int = 0,
    ) -> None:
        super().__init__(min_resource, reduction_factor, 0, bootstrap_count)


def _at(reports: Reports, rung: int) -> float | None:
    """What a trial reported first at this rung or after; None where it did not come so far."""
    steps = [step for step, v in reports.values.items() if step + 1 >= rung and not math.isnan(v)]
    return reports.values[min(steps)] if steps else None


def _at_least(name: str, value: object, least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise UnfitError(f"{name} is {value!r}: expected a whole number, {least} or above.")


__getattr__ = absent(
    "modelshelf.optuna.pruners",
    ("MedianPruner", "PercentilePruner", "SuccessiveHalvingPruner", "HyperbandPruner", "NopPruner"),
    "Take the nearest of these in its place.",
)
