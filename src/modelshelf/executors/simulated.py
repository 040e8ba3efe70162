"""Jobs that take no time: a clock of its own runs ahead to when each of them would be done."""

from __future__ import annotations

import heapq
import itertools
import math
from collections.abc import Callable
from typing import Generic, TypeVar

from modelshelf.executors.protocol import Done

__all__ = ["SimulatedExecutor"]

J = TypeVar("J")
R = TypeVar("R")


class SimulatedExecutor(Generic[J, R]):
    """`workers` simulated workers, whose jobs take as long as `seconds` says, on `now`'s clock.

    For searchers on recorded benchmarks, and for tests of what depends on time. A job is run when
    it is done, not when it begins, so that what it sees is what is known by then. Jobs that are
    done at the same moment come back in the order in which they began.

    >>> executor = SimulatedExecutor(str, workers=2, seconds=float)
    >>> for job in (3, 1, 1):
    ...     executor.submit(job)
    >>> [(executor.next(10.0).result, executor.now) for _ in range(3)]
    [('1', 1.0), ('1', 2.0), ('3', 3.0)]
    """

    def __init__(self, run: Callable[[J], R], workers: int, seconds: Callable[[J], float]) -> None:
        self.workers = workers
        self.now = 0.0  #: simulated seconds since the start
        self._run = run
        self._seconds = seconds
        self._queue: list[tuple[int, int, J]] = []  # a heap: (less urgent, number, job)
        self._numbers = itertools.count()
        self._at_work: list[tuple[float, int, J]] = []  # a heap: (when done, number, job)
        self._begun = 0

    @property
    def running(self) -> tuple[J, ...]:
        """The jobs at work now, in the order in which they will be done."""
        return tuple(job for _, _, job in sorted(self._at_work, key=lambda each: each[:2]))

    def submit(self, job: J, urgency: int = 0) -> None:
        """Queue a job. It begins now if a worker is free, else when one becomes so."""
        heapq.heappush(self._queue, (-urgency, next(self._numbers), job))
        self._begin()

    def next(self, timeout: float) -> Done[J, R] | None:
        """The job that is done next; None, `timeout` simulated seconds later, if none is by then.

        With an infinite `timeout` the clock stands still where nothing is at work.
        """
        until = self.now + max(timeout, 0.0)
        if not self._at_work or self._at_work[0][0] > until:
            if math.isfinite(until):
                self.now = until
            return None
        self.now, _, job = heapq.heappop(self._at_work)
        self._begin()
        try:
            return Done(job, self._run(job))
        except Exception as error:
            return Done(job, None, error)

    def drop(self) -> None:
        """Forget the jobs that have not begun."""
        self._queue.clear()

    def close(self, patience: float = 10.0) -> None:
        """Forget all jobs."""
        self.drop()
        self._at_work.clear()

    def _begin(self) -> None:
        while self._queue and len(self._at_work) < self.workers:
            _, _, job = heapq.heappop(self._queue)
            done = self.now + max(self._seconds(job), 0.0)
            heapq.heappush(self._at_work, (done, self._begun, job))
            self._begun += 1
