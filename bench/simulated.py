"""A search in simulated time on a recorded table, and its regret as time goes by.

Everybody is judged by one rule. At any time, a searcher would return the trial with the best latest
value of those that it has seen by then; the regret is that configuration's, by the mean of its
recorded whole trainings. Nothing seen yet counts as the median configuration.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from modelshelf.executors import SimulatedExecutor
from recorded import RecordedTable

__all__ = ["TENTHS", "Job", "Player", "Strategy", "regret", "simulate"]

WORKERS = 4
TENTHS = np.arange(1, 11) / 10


@dataclass(frozen=True, slots=True)
class Job:
    """Train a trial of this row of the table on from one epoch to another."""

    trial: int
    row: int
    from_epoch: int  #: 0 where the trial starts
    to_epoch: int  #: one of the table's epochs


class Player(Protocol):
    """A search at work: asked whenever a worker is free, told whenever a job is done."""

    def ask(self) -> Job | None:
        """What to do next; None where there is nothing before something else is done."""

    def tell(self, job: Job, value: float, seconds: float) -> None:
        """A job's trial stands at this value, and has cost so many seconds in all its jobs."""


Strategy = Callable[[RecordedTable, int], Player]  # begins a search with a seed


def simulate(
    player: Player, table: RecordedTable, seed: int, seconds: float, workers: int = WORKERS
) -> tuple[list[tuple[float, float]], int]:
    """(time, regret) of each new incumbent within `seconds`, and how many trials were started."""
    column = {epoch: at for at, epoch in enumerate(table.epochs)}
    per_epoch = table.seconds / table.epochs[-1]

    def run(job: Job) -> float:
        return float(table.curves[job.row, table.run_of(job.row, seed), column[job.to_epoch]])

    def cost(job: Job) -> float:
        return float(per_epoch[job.row]) * (job.to_epoch - job.from_epoch)

    executor = SimulatedExecutor(run, workers, cost)
    standing: dict[int, tuple[float, int]] = {}  # trial: (latest value, row)
    found: list[tuple[float, float]] = []
    best: int | None = None

    def fill() -> None:
        while len(executor.running) < workers and (job := player.ask()) is not None:
            executor.submit(job)

    fill()
    while (done := executor.next(seconds - executor.now)) is not None:
        job, value = done.job, done.result
        if value is None:
            raise done.error or AssertionError(job)
        standing[job.trial] = (value, job.row)
        if best is None or value <= standing[best][0]:
            best = job.trial
        elif best == job.trial:  # it got worse: another may stand better now
            best = min(standing, key=standing.__getitem__)
        found.append((executor.now, float(table.regrets[standing[best][1]])))
        player.tell(job, value, float(per_epoch[job.row]) * job.to_epoch)
        fill()
    return found, len(standing)


def regret(
    searcher: Strategy,
    benchmark: RecordedTable,
    seed: int,
    budget: float = 20.0,
    workers: int = WORKERS,
) -> NDArray[np.float64]:
    """Regret of the incumbent at each tenth of the budget.

    `budget` is in usual whole trainings (`RecordedTable.training`), all workers together. 0 is the
    table's best configuration, 1 its median one; worse counts as 1.
    """
    seconds = budget * benchmark.training / workers
    found, _ = simulate(searcher(benchmark, seed), benchmark, seed, seconds, workers)
    times = [at for at, _ in found]
    reached = np.searchsorted(times, TENTHS * seconds * (1 + 1e-9), side="right")
    return np.array([found[at - 1][1] if at else 1.0 for at in reached])
