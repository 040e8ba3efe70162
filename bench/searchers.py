"""Searchers on recorded tables: modelshelf's own, and the known ones beside it.

All of them may pause a trial and resume it where it stood. None starts a configuration twice.
"""

from __future__ import annotations

import math
from bisect import insort
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from modelshelf.core.seeds import generator
from modelshelf.search import Evidence, Result, Searcher, suggest
from modelshelf.search.halving import rungs_for
from recorded import RecordedSpace, RecordedTable
from simulated import Job

__all__ = ["Halving", "Modelshelf", "Random", "tpe", "uniform"]

ETA = 3


class Modelshelf:
    """`search.suggest`, as it is. `blind` shows it noise in place of what trials reached."""

    def __init__(
        self, table: RecordedTable, seed: int, searcher: Searcher = suggest, blind: bool = False
    ) -> None:
        self._space, self._seed, self._searcher = RecordedSpace(table), seed, searcher
        self._rungs = rungs_for(table.first, table.epochs[-1])
        self._noise = generator(seed, "noise") if blind else None
        self._rows: list[int] = []  # of each trial
        self._at: dict[Job, int] = {}  # the rung that a job at work goes to
        self.evidence = Evidence()

    def ask(self) -> Job | None:
        """The next proposal."""
        proposal = self._searcher(
            self._space, self.evidence, self._seed, rungs=len(self._rungs), limit=None
        )
        if proposal is None:
            return None
        if proposal.configuration is not None:
            trial, rung, since = len(self._rows), 0, 0
            self.evidence.start(trial, proposal.configuration)
            self._rows.append(proposal.configuration.index)
        else:
            self.evidence.resume(proposal.trial, proposal.rung)
            trial, rung = proposal.trial, proposal.rung + 1
            since = self._rungs[proposal.rung]
        job = Job(trial, self._rows[trial], since, self._rungs[rung])
        self._at[job] = rung
        return job

    def tell(self, job: Job, value: float, seconds: float) -> None:
        """Evidence of a rung."""
        rung = self._at.pop(job)
        seen = value if self._noise is None else float(self._noise.random())
        going_on = math.isfinite(value) and rung < len(self._rungs) - 1
        cost = seconds / job.to_epoch
        self.evidence.observe(Result(job.trial, rung, seen, going_on, cost))


#: Draws a row: from the table, what was seen (rows and values at the highest rung that says
#: enough), which rows were started, and a generator.
Sampler = Callable[
    [RecordedTable, list[list[tuple[float, int]]], set[int], np.random.Generator], int
]


class Random:
    """Whole trainings of rows drawn evenly."""

    def __init__(self, table: RecordedTable, seed: int) -> None:
        self._table, self._rng = table, generator(seed, "random")
        self._started: set[int] = set()

    def ask(self) -> Job | None:
        """A row that was not started."""
        row = uniform(self._table, [], self._started, self._rng)
        self._started.add(row)
        return Job(len(self._started) - 1, row, 0, self._table.epochs[-1])

    def tell(self, job: Job, value: float, seconds: float) -> None:
        """Nothing is learnt."""


class Halving:
    """Asynchronous successive halving (ASHA), in one bracket or in Hyperband's.

    Sources: Li et al. 2020, arXiv 1810.05934; Li et al. 2018, arXiv 1603.06560. With `brackets`,
    trials are dealt to brackets that start at higher rungs, in Hyperband's proportions.
    """

    def __init__(
        self, table: RecordedTable, seed: int, sampler: Sampler, brackets: bool = False
    ) -> None:
        self._table, self._sampler, self._rng = table, sampler, generator(seed, "halving")
        self._rungs = rungs_for(table.first, table.epochs[-1], ETA)
        count = len(self._rungs)
        self._brackets = range(count if brackets else 1)
        # Hyperband's n = ceil((s_max + 1) / (s + 1) eta^s), s = rungs left to climb
        sizes = [-(-count * ETA ** (count - 1 - b) // (count - b)) for b in self._brackets]
        self._shares = np.array(sizes) / sum(sizes)
        self._reached: list[list[list[tuple[float, int]]]] = [
            [[] for _ in self._rungs] for _ in self._brackets
        ]
        self._all: list[list[tuple[float, int]]] = [[] for _ in self._rungs]  # (value, row)
        self._gone: set[tuple[int, int]] = set()  # (rung, trial) sent on
        self._trials: list[tuple[int, int]] = []  # (row, bracket)
        self._started: set[int] = set()

    def ask(self) -> Job | None:
        """A promotion if one is due, else a new trial."""
        for rung in range(len(self._rungs) - 2, -1, -1):
            for bracket in self._brackets:
                reached = self._reached[bracket][rung]
                for _, trial in reached[: len(reached) // ETA]:
                    if (rung, trial) not in self._gone:
                        self._gone.add((rung, trial))
                        row = self._trials[trial][0]
                        return Job(trial, row, self._rungs[rung], self._rungs[rung + 1])
        bracket = int(self._rng.choice(len(self._brackets), p=self._shares))
        row = self._sampler(self._table, self._all, self._started, self._rng)
        self._started.add(row)
        self._trials.append((row, bracket))
        return Job(len(self._trials) - 1, row, 0, self._rungs[bracket])

    def tell(self, job: Job, value: float, seconds: float) -> None:
        """A trial's standing in its bracket."""
        rung, (row, bracket) = self._rungs.index(job.to_epoch), self._trials[job.trial]
        insort(self._reached[bracket][rung], (value, job.trial))
        self._all[rung].append((value, row))


def uniform(
    table: RecordedTable,
    seen: list[list[tuple[float, int]]],
    started: set[int],
    rng: np.random.Generator,
) -> int:
    """Any row that was not started."""
    while True:
        row = int(rng.integers(len(table.truth)))
        if row not in started or len(started) >= len(table.truth):
            return row


def tpe(
    table: RecordedTable,
    seen: list[list[tuple[float, int]]],
    started: set[int],
    rng: np.random.Generator,
    candidates: int = 64,
    random_share: float = 1 / 3,
    best_share: float = 0.15,
) -> int:
    """BOHB's sampler (Falkner et al. 2018, arXiv 1807.01774, and its published defaults).

    Kernel densities of the best 15 % and of the others, at the highest rung with enough results;
    64 candidates drawn around the best with three times the bandwidth, a third of all at random.
    """
    counts = np.array([*table.parameters.values()])
    least = len(counts) + 1
    full = [rung for rung in seen if len(rung) >= least + 2]
    if not full or rng.random() < random_share:
        return uniform(table, seen, started, rng)
    ranked = [row for _, row in sorted(full[-1])]
    cut = max(least, round(best_share * len(ranked)))
    good, bad = table.levels[ranked[:cut]], table.levels[ranked[cut:]]
    drawn = np.empty((candidates, len(counts)), np.int64)
    score = np.zeros((candidates, 2))
    logs = [np.zeros((candidates, len(good))), np.zeros((candidates, len(bad)))]
    centres = rng.integers(len(good), size=candidates)
    for d, (count, ordered) in enumerate(zip(counts, table.ordered, strict=True)):
        wide = _kernel(good[:, d], count, ordered, 3.0)
        drawn[:, d] = _draw(wide[good[centres, d]], rng)
        for at, points in enumerate((good, bad)):
            kernel = _kernel(points[:, d], count, ordered, 1.0)
            logs[at] += np.log(kernel)[points[:, d]][:, drawn[:, d]].T
    for at in range(2):
        score[:, at] = np.logaddexp.reduce(logs[at], axis=1) - np.log(logs[at].shape[1])
    for at in np.argsort(score[:, 1] - score[:, 0]):
        row = int(np.ravel_multi_index(tuple(drawn[at]), tuple(counts)))
        if row not in started:
            return row
    return uniform(table, seen, started, rng)


def _kernel(
    points: NDArray[np.int64], count: int, ordered: bool, widen: float
) -> NDArray[np.float64]:
    """(count, count): probability of each level around each level, by Scott's rule."""
    rule = len(points) ** (-1 / 5)
    if ordered:
        spread = max(float(points.std()) * 1.06 * rule, 0.3) * widen
        at = np.arange(count)
        weights = np.exp(-0.5 * ((at[:, None] - at) / spread) ** 2) + 1e-3
    else:
        other = min(0.5 * rule * widen, 0.9)
        weights = np.full((count, count), other / max(count - 1, 1))
        np.fill_diagonal(weights, 1 - other)
    found: NDArray[np.float64] = weights / weights.sum(axis=1, keepdims=True)
    return found


def _draw(shares: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.int64]:
    """One level by each row of probabilities."""
    sums = np.cumsum(shares, axis=1)
    return (rng.random((len(shares), 1)) < sums / sums[:, -1:]).argmax(axis=1)
