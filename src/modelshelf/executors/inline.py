"""Runs each job in the caller's own thread, when its result is asked for."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable
from typing import Generic, TypeVar

from modelshelf.executors.protocol import Done

__all__ = ["InlineExecutor"]

J = TypeVar("J")
R = TypeVar("R")


class InlineExecutor(Generic[J, R]):
    """One job at a time, in this thread: for debugging and for tests."""

    workers = 1

    def __init__(self, run: Callable[[J], R]) -> None:
        self._run = run
        self._queue: list[tuple[int, int, J]] = []  # a heap: (less urgent, number, job)
        self._numbers = itertools.count()
        self._running: tuple[J, ...] = ()

    @property
    def running(self) -> tuple[J, ...]:
        """The job at work now."""
        return self._running

    def submit(self, job: J, urgency: int = 0) -> None:
        """Queue a job."""
        heapq.heappush(self._queue, (-urgency, next(self._numbers), job))

    def next(self, timeout: float) -> Done[J, R] | None:
        """Run the next job now."""
        if not self._queue:
            return None
        _, _, job = heapq.heappop(self._queue)
        self._running = (job,)
        try:
            return Done(job, self._run(job))
        except Exception as error:
            return Done(job, None, error)
        finally:
            self._running = ()

    def drop(self) -> None:
        """Forget all jobs."""
        self._queue.clear()

    def close(self, patience: float = 10.0) -> None:
        """Forget all jobs."""
        self.drop()
