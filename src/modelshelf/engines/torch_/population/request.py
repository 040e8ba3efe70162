"""One call of `advance`, on its way through the runner and back."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from modelshelf.core.protocols import Leg, TrainingData
from modelshelf.engines.numpy_ import step
from modelshelf.engines.numpy_.engine import Member
from modelshelf.engines.torch_.population.rates import Rates, keys_of
from modelshelf.engines.torch_.population.shape import Shape, shape_of

__all__ = ["Request"]


@dataclass(slots=True, eq=False)
class Request:
    """A member that is to be trained up to an epoch, and what has come of it so far."""

    member: Member
    data: TrainingData
    to_epoch: int
    stop: NDArray[np.uint8]
    shape: Shape = field(init=False)
    rates: Rates = field(init=False)
    keys: NDArray[np.uint64] = field(init=False)
    curve: list[tuple[float, float, float]] = field(default_factory=list)
    steps: int = 0
    began: float = field(default_factory=time.perf_counter)
    done: threading.Event = field(default_factory=threading.Event)
    error: Exception | None = None

    def __post_init__(self) -> None:
        self.shape = shape_of(self.member.configuration, self.member.layout, self.data)
        self.rates = Rates.of(self.member, self.data)
        self.keys = keys_of(self.member)

    @property
    def over(self) -> bool:
        """Whether there is nothing left to train."""
        counters = self.member.counters
        return int(counters[step.STATE]) != 0 or int(counters[step.EPOCH]) >= self.to_epoch

    @property
    def interrupted(self) -> bool:
        """Whether it was stopped on its way."""
        return int(self.member.counters[step.STATE]) == step.INTERRUPTED

    def interrupt(self) -> None:
        """Mark it as stopped: its member is to be thrown away."""
        self.member.counters[step.STATE] = step.INTERRUPTED

    def record(self, loss: float, right: float, total: float, steps: int, fine: bool) -> bool:
        """Enter an epoch: validation loss, share of right answers, training loss, updates.

        `fine` says that all was finite. True where the weights are the best so far.
        """
        counters, scalars, plan = self.member.counters, self.member.scalars, self.rates.plan
        self.steps += steps
        counters[step.STEP] += steps
        if not fine:
            counters[step.STATE] = step.DIVERGED
            return False
        counters[step.EPOCH] += 1
        epoch = int(counters[step.EPOCH])
        self.curve.append((total / len(self.data.x), loss, right))
        watched = loss if plan[step.MONITOR] == 0 else 1.0 - right
        least = scalars[step.BEST] - self.rates.rates[step.MIN_DELTA]
        if len(self.data.validation_x) == 0 or watched < least:
            counters[step.BEST_EPOCH] = epoch
            scalars[step.BEST], scalars[step.BEST_LOSS] = watched, loss
            return True
        if 0 < plan[step.PATIENCE] <= epoch - counters[step.BEST_EPOCH]:
            counters[step.STATE] = step.STOPPED_EARLY
        return False

    def leg(self) -> Leg:
        """What came of it; its seconds are those that the caller waited."""
        epoch, _, best_epoch, state = (int(each) for each in self.member.counters)
        return Leg(
            epoch=epoch,
            best_epoch=best_epoch,
            loss=float(self.member.scalars[step.BEST_LOSS]),
            steps=self.steps,
            seconds=time.perf_counter() - self.began,
            curve=np.array(self.curve, np.float64).reshape(-1, 3),
            ended=state == step.STOPPED_EARLY,
            diverged=state == step.DIVERGED,
            interrupted=self.interrupted,
        )
