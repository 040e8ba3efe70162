"""The search: ask for proposals, send them out, and let the searcher see what came of them."""

from __future__ import annotations

import math
import re
import time
from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from modelshelf.core.records import Purpose, Status
from modelshelf.data.split import Split
from modelshelf.search import Evidence, Proposal, Result, Searcher
from modelshelf.space.configuration import Configuration
from modelshelf.space.space import Space
from modelshelf.study.loop import Arrival, Loop
from modelshelf.study.trial import Trial, trial_seed

__all__ = ["SEARCH_SPLIT", "Search", "rungs_of"]

SEARCH_SPLIT = Split("search")

#: Legs on their way at a time where trials are counted: constant, so that the number of workers
#: changes nothing, and large enough to keep many of them busy.
WINDOW = 32


#: The ends of `coslog`'s four cycles, where its rate is near 0, in fifteenths of the epochs. Every
#: network is compared at these.
_CYCLES = (1, 3, 7, 15)

_BY_CHANCE = re.compile(r"\d+| It printed last: .*", re.DOTALL)  # in reasons that are one
_FAILED_ALIKE = 6  # networks, after which no other is expected to do better

#: Schedules that fall once, over all epochs: before their end they would be judged too early.
_WHOLE = ("step", "cosine", "one_cycle")


def rungs_of(epochs: int) -> tuple[int, ...]:
    """The epochs at which trials are compared, the last of them `epochs`.

    >>> rungs_of(60), rungs_of(100), rungs_of(5)
    ((4, 12, 28, 60), (7, 20, 47, 100), (1, 2, 5))
    """
    return tuple(dict.fromkeys(max(1, round(epochs * part / 15)) for part in _CYCLES))


@dataclass(eq=False)
class Search:
    """The search of one study: proposals in, evidence out."""

    space: Space
    seed: int
    loop: Loop
    suggest: Searcher
    limit: int | None  #: the most trials to start
    window: int
    workers: int = 1
    first: int = 0  #: trials before this one were of another space, and count where they fit
    evidence: Evidence = field(default_factory=Evidence)
    seconds: float = 0.0  #: spent on proposals

    def __post_init__(self) -> None:
        self.rungs = rungs_of(self.space.most_epochs)
        self.standing: dict[int, Arrival] = {}  # each search trial's latest arrival
        self._order: list[tuple[float, int]] = []  # (value, trial) of those, the best first
        self._spent: dict[int, float] = {}
        self.tally: Counter[Status] = Counter()  # search trials by their latest status
        self.best: Arrival | None = None  # the best standing so far
        self._loaded = 0  # of them, those of an earlier run that ended because all failed alike
        self.starved = False  # whether the last proposal would have taken longer than there was
        self._first_epochs, self._first_seconds = 0, 0.0  # of networks' first legs
        self._sent: dict[int, float] = {}  # of trials at work, or waiting: what they should take
        self.outside: set[int] = set()  # search trials of before that do not lie in the space

    def load(self) -> None:
        """Take up the evidence of the log, and send out again what it left unfinished."""
        searched = [t for t in self.loop.trials.values() if t.purpose is Purpose.SEARCH]
        known = set(self.space.known)
        for trial in searched:
            c = trial.configuration
            if trial.number >= self.first or c in self.space or c in known:
                self.evidence.start(trial.number, c)
            else:
                self.outside.add(trial.number)
        for arrival in self.loop.arrivals:
            self.observe(arrival)
        for leg in self.loop.legs:
            rung = self._rung(leg.trial, leg.job.rung - 1, leg.job.from_epoch)
            if rung is not None and leg.job.from_epoch > 0 and self._counts(leg.trial):
                self.evidence.resume(leg.trial.number, rung)
        self._loaded = len(self.standing) if self.hopeless else 0
        self.loop.resume(self._counts)

    def _counts(self, trial: Trial) -> bool:
        """Whether it is a trial of the search, and lies in the space."""
        return trial.purpose is Purpose.SEARCH and trial.number not in self.outside

    def _rung(self, trial: Trial, rung: int, epoch: int) -> int | None:
        """The rung at which a trial stood at an epoch; None where this space has none there."""
        if trial.number >= self.first:
            return rung
        most = trial.configuration.whole("epochs")
        ends = [min(each, most) for each in self.rungs]
        return ends.index(epoch) if epoch in ends else None

    def run(
        self,
        over: Callable[[], bool],
        tell: Callable[[], None],
        most: Callable[[], float] = lambda: math.inf,
    ) -> None:
        """Search until `over()`, or until there is nothing left to propose.

        `most` is how many seconds a leg may take that is sent out now.
        """
        self._refill([], most())
        while self.loop.outstanding and not over():
            self.follow(self.loop.collect(), most())
            tell()

    def follow(self, seen: Iterable[Arrival], most: float) -> None:
        """See what came back, whatever it was for, and keep the workers busy.

        One by one: each retirement is followed by its own proposals, so that what is proposed does
        not hang on how many legs happened to come back together.
        """
        for arrival in seen:
            self.observe(arrival)
            self._refill([arrival], most)

    def go_on(self, most: float) -> None:
        """Send out what there is room for, though nothing came back."""
        self._refill([], most)

    def _refill(self, seen: Sequence[Arrival], most: float) -> None:
        """Answer these arrivals with as many legs as the window has room for in the log.

        Nothing but the log counts: not what else has come back, and was not answered yet.
        """
        began = time.perf_counter()
        wanted: list[tuple[Trial, int, int, int, float]] = []
        free = self.window - self.loop.outstanding + len(seen)
        while len(wanted) < free:
            proposal = self._proposed(most)
            if proposal is None:
                break
            expected = self._expected(proposal)
            if proposal.configuration is not None:
                wanted.append(self._start(proposal.configuration))
            else:
                wanted.append(self._resume(proposal.trial, proposal.rung))
            self._sent[wanted[-1][0].number] = expected
        self.seconds += time.perf_counter() - began
        self.loop.dispatch(wanted, seen)

    def _proposed(self, most: float) -> Proposal | None:
        """What to send out next, if it can end within `most` seconds, what waits before it too.

        Where a network that is to go on would take longer, a fresh one is looked at.
        """
        for rungs in (len(self.rungs), 1):  # with one rung, nothing goes on
            proposal = self.suggest(
                self.space, self.evidence, self.seed, rungs=rungs, limit=self.limit
            )
            if proposal is None:
                break
            waiting = sum(self._sent.values()) / self.workers if most < math.inf else 0.0
            self.starved = self._expected(proposal) + waiting > most and self.evidence.started > 0
            if not self.starved:
                return proposal
            if proposal.configuration is not None:
                break
        return None

    def _expected(self, proposal: Proposal) -> float:
        """Seconds on one core that what is proposed should take; 0 where nothing tells."""
        if proposal.configuration is not None:
            epochs = self.rungs[self._first_rung(proposal.configuration)]
            return self._first_seconds * epochs / max(self._first_epochs, 1)
        done = self.standing[proposal.trial].outcome.epoch
        epochs = self.rungs[proposal.rung + 1] - done
        return self._spent[proposal.trial] * epochs / max(done, 1)

    def _first_rung(self, configuration: Configuration) -> int:
        return len(self.rungs) - 1 if configuration.word("schedule") in _WHOLE else 0

    def _start(self, configuration: Configuration) -> tuple[Trial, int, int, int, float]:
        seed = trial_seed(self.seed, Purpose.SEARCH, configuration.barcode, SEARCH_SPLIT)
        trial = self.loop.new_trial(configuration, Purpose.SEARCH, SEARCH_SPLIT, seed)
        self.evidence.start(trial.number, configuration)
        rung = self._first_rung(configuration)
        to_epoch = min(self.rungs[rung], configuration.whole("epochs"))
        return trial, rung, 0, to_epoch, self.evidence.hopeless_above(rung)

    def _resume(self, number: int, rung: int) -> tuple[Trial, int, int, int, float]:
        self.evidence.resume(number, rung)
        trial = self.loop.trials[number]
        to_epoch = min(self.rungs[rung + 1], trial.configuration.whole("epochs"))
        from_epoch = self.standing[number].outcome.epoch
        return trial, rung + 1, from_epoch, to_epoch, self.evidence.hopeless_above(rung + 1)

    def observe(self, arrival: Arrival) -> None:
        """Learn from a leg that came back, if it counts."""
        leg = arrival.leg
        if not self._counts(leg.trial):
            return
        number = leg.trial.number
        if number in self.standing:
            before = self.standing[number]
            self.tally[before.outcome.status] -= 1
            self._order.pop(bisect_left(self._order, (before.value, number)))
        insort(self._order, (arrival.value, number))
        self.tally[arrival.outcome.status] += 1
        self.standing[number] = arrival
        if math.isfinite(arrival.value) and (self.best is None or arrival.value < self.best.value):
            self.best = arrival
        self._spent[number] = self._spent.get(number, 0.0) + arrival.outcome.seconds
        self._sent.pop(number, None)
        if leg.job.from_epoch == 0:
            self._first_epochs += arrival.outcome.epoch
            self._first_seconds += arrival.outcome.seconds
        is_open = arrival.outcome.status is Status.PAUSED
        cost = self._spent[number] / max(arrival.outcome.epoch, 1) if self.limit is None else 0.0
        rung = self._rung(leg.trial, leg.job.rung, leg.job.to_epoch)
        halted = is_open and arrival.outcome.epoch < leg.job.to_epoch  # short of its rung
        if rung is not None and not halted:
            self.evidence.observe(Result(number, rung, arrival.value, is_open, cost))

    @property
    def hopeless(self) -> bool:
        """Whether all networks, more than a few, failed for one and the same reason.

        A person who mended that reason goes on: what failed in a run that ended so is passed over.
        """
        arrived = list(self.standing.values())[self._loaded :]
        reasons = {_BY_CHANCE.sub("", each.outcome.reason) for each in arrived}
        return len(arrived) >= _FAILED_ALIKE and len(reasons) == 1 and "" not in reasons

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

    def ranked(self, count: int | None) -> list[tuple[Trial, Arrival]]:
        """The best trials by their latest standing, best first; None: all that have any."""
        best = (self.standing[number] for value, number in self._order[:count] if value < math.inf)
        return [(a.leg.trial, a) for a in best]
