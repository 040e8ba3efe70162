"""The search: ask for proposals, send them out, and let the searcher see what came of them."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from modelshelf.core.records import Purpose, Status
from modelshelf.data.split import Split
from modelshelf.search import Evidence, Result, Searcher
from modelshelf.search.halving import rungs_for
from modelshelf.space.configuration import Configuration
from modelshelf.space.space import Space
from modelshelf.study.loop import Arrival, Loop
from modelshelf.study.trial import Trial, trial_seed

__all__ = ["SEARCH_SPLIT", "Search", "first_rung"]

SEARCH_SPLIT = Split("search")

#: Legs on their way at a time where trials are counted: constant, so that the number of workers
#: changes nothing, and large enough to keep many of them busy.
WINDOW = 32


def first_rung(rows: int, epochs: int) -> int:
    """Epochs to the first rung: one on large data, more on small, where an epoch says little.

    >>> first_rung(26_000, 100), first_rung(1_150, 200), first_rung(100, 30)
    (1, 18, 10)
    """
    return max(1, min(math.ceil(20_000 / max(rows, 1)), 25, epochs // 3))


@dataclass(eq=False)
class Search:
    """The search of one study: proposals in, evidence out."""

    space: Space
    seed: int
    loop: Loop
    suggest: Searcher
    rows: int  #: training rows of the search's split
    limit: int | None  #: the most trials to start
    window: int
    evidence: Evidence = field(default_factory=Evidence)
    seconds: float = 0.0  #: spent on proposals

    def __post_init__(self) -> None:
        epochs = self.space.most_epochs
        self.rungs = rungs_for(first_rung(self.rows, epochs), epochs)
        self.standing: dict[int, Arrival] = {}  # each search trial's latest arrival
        self._spent: dict[int, float] = {}
        self.tally: Counter[Status] = Counter()  # search trials by their latest status
        self.best: Arrival | None = None  # the best standing so far

    def load(self) -> None:
        """Take up the evidence of the log, and send out again what it left unfinished."""
        for trial in self.loop.trials.values():
            if trial.purpose is Purpose.SEARCH:
                self.evidence.start(trial.configuration.barcode)
        for arrival in self.loop.arrivals:
            self._observe(arrival)
        for leg in self.loop.legs:
            if leg.job.rung > 0 and leg.trial.purpose is Purpose.SEARCH:
                self.evidence.resume(leg.trial.number, leg.job.rung - 1)
        self.loop.resume(lambda trial: trial.purpose is Purpose.SEARCH)

    def run(self, over: Callable[[], bool], tell: Callable[[], None]) -> None:
        """Search until `over()`, or until there is nothing left to propose."""
        self._refill([])
        while self.loop.outstanding and not over():
            seen = self.loop.collect()
            for arrival in seen:
                # One by one: each retirement is followed by its own proposals, so that what is
                # proposed does not hang on how many legs happened to come back together.
                self._observe(arrival)
                self._refill([arrival])
            tell()

    def _refill(self, seen: Iterable[Arrival]) -> None:
        began = time.perf_counter()
        wanted: list[tuple[Trial, int, int, int, float]] = []
        free = self.window - self.loop.outstanding - self.loop.retiring
        while len(wanted) < free:
            proposal = self.suggest(
                self.space, self.evidence, self.seed, rungs=len(self.rungs), limit=self.limit
            )
            if proposal is None:
                break
            if proposal.configuration is not None:
                wanted.append(self._start(proposal.configuration))
            else:
                wanted.append(self._resume(proposal.trial, proposal.rung))
        self.seconds += time.perf_counter() - began
        self.loop.dispatch(wanted, seen)

    def _start(self, configuration: Configuration) -> tuple[Trial, int, int, int, float]:
        barcode = configuration.barcode
        self.evidence.start(barcode)
        seed = trial_seed(self.seed, Purpose.SEARCH, barcode, SEARCH_SPLIT)
        trial = self.loop.new_trial(configuration, Purpose.SEARCH, SEARCH_SPLIT, seed)
        to_epoch = min(self.rungs[0], configuration.whole("epochs"))
        return trial, 0, 0, to_epoch, self.evidence.hopeless_above(0)

    def _resume(self, number: int, rung: int) -> tuple[Trial, int, int, int, float]:
        self.evidence.resume(number, rung)
        trial = self.loop.trials[number]
        to_epoch = min(self.rungs[rung + 1], trial.configuration.whole("epochs"))
        from_epoch = self.standing[number].outcome.epoch
        return trial, rung + 1, from_epoch, to_epoch, self.evidence.hopeless_above(rung + 1)

    def _observe(self, arrival: Arrival) -> None:
        leg = arrival.leg
        if leg.trial.purpose is not Purpose.SEARCH:
            return
        number = leg.trial.number
        if number in self.standing:
            self.tally[self.standing[number].outcome.status] -= 1
        self.tally[arrival.outcome.status] += 1
        self.standing[number] = arrival
        if math.isfinite(arrival.value) and (self.best is None or arrival.value < self.best.value):
            self.best = arrival
        self._spent[number] = self._spent.get(number, 0.0) + arrival.outcome.seconds
        is_open = arrival.outcome.status is Status.PAUSED
        self.evidence.observe(Result(number, leg.job.rung, arrival.value, is_open))

    def standings(self) -> list[tuple[float, float]]:
        """What each trial is ranked by and its score, in the order in which they came to stand."""
        last: dict[int, Arrival] = {}
        for arrival in self.loop.arrivals:
            if arrival.leg.trial.purpose is Purpose.SEARCH:
                last.pop(arrival.leg.trial.number, None)
                last[arrival.leg.trial.number] = arrival
        return [(arrival.value, arrival.outcome.score) for arrival in last.values()]

    def seconds_of(self, number: int) -> float:
        """Seconds that a trial was trained for, on one core, all its legs together."""
        return self._spent.get(number, 0.0)

    def ranked(self) -> list[tuple[Trial, Arrival]]:
        """Trials with something to rank, best first by their latest standing."""
        usable = [a for a in self.standing.values() if math.isfinite(a.value)]
        usable.sort(key=lambda a: (a.value, a.leg.trial.number))
        return [(a.leg.trial, a) for a in usable]
