"""Runs jobs in one thread for each core; kernels hold no GIL, so that cores are truly used."""

from __future__ import annotations

import itertools
import queue
import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from modelshelf.executors.protocol import Done

__all__ = ["ThreadExecutor"]

_FIRST = -1_000  # before anything that is queued

J = TypeVar("J")
R = TypeVar("R")


class ThreadExecutor(Generic[J, R]):
    """`workers` threads that take jobs from one queue; nothing waits for anything.

    The threads are no daemons: a daemon that is cut off inside compiled code, while Python shuts
    down, can abort the process. They end when the executor is closed.
    """

    def __init__(self, run: Callable[[J], R], workers: int) -> None:
        self.workers = workers
        self._run = run
        self._todo: queue.PriorityQueue[tuple[int, int, J | None]] = queue.PriorityQueue()
        self._numbers = itertools.count()
        self._done: queue.SimpleQueue[Done[J, R]] = queue.SimpleQueue()
        self._at_work: dict[int, J] = {}
        self._threads = [
            threading.Thread(target=self._work, args=(n,), name=f"modelshelf-{n}")
            for n in range(workers)
        ]
        for thread in self._threads:
            thread.start()

    @property
    def running(self) -> tuple[J, ...]:
        """The jobs at work now."""
        return tuple(self._at_work.copy().values())

    def submit(self, job: J, urgency: int = 0) -> None:
        """Queue a job."""
        self._todo.put((-urgency, next(self._numbers), job))

    def next(self, timeout: float) -> Done[J, R] | None:
        """A job that came back, waiting up to `timeout` seconds for one."""
        try:
            return (
                self._done.get(timeout=max(timeout, 0.0))
                if timeout > 0
                else self._done.get_nowait()
            )
        except queue.Empty:
            return None

    def drop(self) -> None:
        """Forget the jobs that have not begun."""
        while True:
            try:
                self._todo.get_nowait()
            except queue.Empty:
                return

    def close(self, patience: float = 10.0) -> None:
        """Forget what has not begun, and wait up to `patience` seconds for what is at work."""
        self.drop()
        for _ in self._threads:
            self._todo.put((_FIRST, next(self._numbers), None))
        until = time.monotonic() + patience
        for thread in self._threads:
            thread.join(max(until - time.monotonic(), 0.0))

    def _work(self, number: int) -> None:
        while (job := self._todo.get()[-1]) is not None:
            self._at_work[number] = job
            try:
                done: Done[J, R] = Done(job, self._run(job))
            except BaseException as error:  # a worker must never die silently
                done = Done(job, None, error)
            finally:
                self._at_work.pop(number, None)
            self._done.put(done)
