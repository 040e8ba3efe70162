"""How a study's time is shared out: what is left, what is kept back, and for what."""

from __future__ import annotations

import math
from dataclasses import replace

from modelshelf.core.records import Purpose, Status
from modelshelf.study.budget import Clock
from modelshelf.study.ensembling import Ensembling
from modelshelf.study.finals import Plan, expected_seconds, within
from modelshelf.study.loop import Loop
from modelshelf.study.searching import Search

__all__ = ["Pace"]

_FEW_ROWS = 2_000  # below which one split says little, and re-tests are the larger need
_FINALS, _FINALS_OF_FEW = 0.25, 0.3  # of the time, the most that re-tests and scoring may take
_FOR_ONE = 0.4  # the most where a single scoring takes more than that
_SLACK = 1.1  # times what they are expected to take is kept for them
# What networks have at least, where the engine was compiled first: a share of the time, or seconds.
_NETWORKS, _LEAST = 0.5, 2.0
_FILLER = 0.03  # of the time, the most that a leg may take that fills a core beside re-tests
_ALONE = 0.5  # of what was measured beside other threads, what it takes without them
_GRACE, _MOST_GRACE = 0.5, 1.5  # of the two seconds that a study may take more than was asked
_WRITING = 0.1  # seconds for the result's way to the shelf and to the terminal


class Pace:
    """The clock of one study, and what is kept for each of its parts. Times are in seconds.

    Where trials are counted there is no limit, and always time.
    """

    def __init__(
        self,
        limit: float | None,
        clock: Clock,
        before: float,
        workers: int,
        plan: Plan,
        rows: int,
        search: Search,
        loop: Loop,
        ensembling: Ensembling,
    ) -> None:
        self.asked, self.limit = limit, limit
        self.compiling = 0.0  #: from when it was begun until the first networks could be trained
        self._clock, self._before, self._workers = clock, before, workers
        self._plan, self._search, self._loop = plan, search, loop
        self._ensembling = ensembling
        self._most = _FINALS_OF_FEW if rows < _FEW_ROWS else _FINALS

    def compiled(self, compiling: float) -> None:
        """Compiling is over, and took so long: a short limit moves on, so that networks have some.

        The command's imports and its reading were slower beside it: what counts is the clock.
        """
        self.compiling = compiling
        if self.limit is not None and compiling:
            least = min(_NETWORKS * self.limit, _LEAST)
            self.limit = max(self.limit, self._clock() + least)

    def left(self) -> float:
        """Until only the margin is left."""
        return math.inf if self.limit is None else self.limit - self._margin - self._clock()

    def wait(self) -> float | None:
        """How long what is at work beside may be waited for; None: until it is done."""
        return None if self.limit is None else max(self.left(), 0.0)

    def late(self) -> bool:
        """Whether the promise's grace is over too."""
        return self.limit is not None and self._clock() > self.limit + _MOST_GRACE

    def total(self) -> float:
        """The study's time so far, all its runs together: not by what a short limit moved on."""
        more = 0.0 if self.limit is None or self.asked is None else self.limit - self.asked
        return self._before + max(self._clock() - more, 0.0)

    def rest(self) -> float:
        """Until the study has had its time: what earlier runs of it had counts."""
        return self.left() - self._before

    def until_closing(self) -> float:
        """Until the result must be written: what was planned in time may take a moment more."""
        if self.limit is None:
            return math.inf
        return self.limit + _GRACE - self._closing - self._clock()

    def until_finals(self) -> float:
        """Until re-tests must begin. What earlier runs of this study searched counts."""
        if self.limit is None:
            return math.inf
        most = self._most * self.limit
        costs = self.costs()
        plan = within(self._plan, most, self._workers, *costs)
        reserve = _SLACK * expected_seconds(plan, costs[plan.brief], self._workers)
        return self.rest() - min(reserve, _FOR_ONE * self.limit)

    def filler(self) -> float:
        """The most that a leg may take that fills a core beside re-tests: these are waited for."""
        return math.inf if self.limit is None else min(_FILLER * self.limit, self.left())

    def plan(self) -> Plan:
        """As much of the plan as there is time for now; slack was kept for this moment."""
        if self.limit is None:
            return self._plan
        return within(self._plan, self.left(), self._workers, *self.costs())

    def for_scoring(self, plan: Plan) -> float:
        """What scoring the winner should take."""
        winner = replace(plan, choosing=(), finalists=1)
        return _SLACK * expected_seconds(winner, self.costs()[winner.brief], self._workers)

    def can_score(self, plan: Plan) -> bool:
        """Whether scoring the winner can end in time: else the time is better searched in."""
        return self.for_scoring(plan) / _SLACK <= self.left() + _GRACE

    def for_finals(self) -> float:
        """What the smallest re-test, and scoring after it, should take."""
        least = within(self._plan, 0.0, self._workers, *self.costs())
        least = replace(least, choosing=self._plan.choosing[:1], finalists=2)
        return expected_seconds(least, self.costs()[True], self._workers)

    def costs(self) -> tuple[list[float], list[float]]:
        """On one core, to train each finalist again: to its end, and as far as it came."""
        whole, brief = [], []
        for trial, arrival in self._search.ranked(self._plan.finalists):
            epochs, best = max(arrival.outcome.epoch, 1), arrival.outcome.best_epoch
            most = trial.configuration.whole("epochs")
            patience = trial.configuration.whole("patience") or math.inf
            ended = arrival.outcome.status is Status.FINISHED
            wanted = min(epochs * 1.2 if ended else best * 1.5 + patience, most)
            spent = self._search.seconds_of(trial.number)
            whole.append(spent * wanted / epochs)
            brief.append(spent)
        return whole, brief

    def core_seconds(self, baselines: float) -> dict[str, float]:
        """Of this run: for what cores were at work, and how long they could have been."""
        spent = dict(self._loop.spent)
        search = spent.pop(Purpose.SEARCH, 0.0)
        told = {"search": search, "retests": sum(spent.values()), "baselines": baselines}
        # Baselines have a thread of their own: with few workers they may use more cores than these.
        return {**told, "all": max(self._workers * self._clock(), sum(told.values()))}

    @property
    def _margin(self) -> float:
        """Kept for the ensemble, the test, the writing and the printing."""
        ensemble = self._ensembling.expected_seconds(*self._loop.measured)
        return self._closing + min(_ALONE * ensemble, 0.1 * (self.limit or 0.0))

    @property
    def _closing(self) -> float:
        """Kept for the test, the writing and the printing."""
        test = self._ensembling.test_seconds(self._loop.measured[2])
        return min(_WRITING + test, 0.25 * (self.limit or 0.0))
