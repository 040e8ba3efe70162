"""The course of one study: search, re-tests, the winner, the test, and the time for each."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from modelshelf.engines import kernels
from modelshelf.executors import Executor, InlineExecutor, ThreadExecutor
from modelshelf.search import Searcher
from modelshelf.shelf import Shelf, StudyRecord
from modelshelf.study.baselines import Baselines
from modelshelf.study.budget import Clock
from modelshelf.study.ending import Ending
from modelshelf.study.engines import Engines, kinds_of
from modelshelf.study.ensembling import Ensembling
from modelshelf.study.finals import plan_for
from modelshelf.study.gain import Watch
from modelshelf.study.loop import Arrival, Loop
from modelshelf.study.notes import (
    notes_on_rows,
)
from modelshelf.study.pace import Pace
from modelshelf.study.problem import Problem
from modelshelf.study.progress import Observer, Progress, Stopper
from modelshelf.study.repair import Repair
from modelshelf.study.result import StudyResult
from modelshelf.study.searching import WINDOW, Search
from modelshelf.study.spaces import first_trial
from modelshelf.study.teller import Teller
from modelshelf.study.trial import Leg
from modelshelf.study.winner import Finals
from modelshelf.study.work import Trainer, Work, ranking_value

if TYPE_CHECKING:
    from modelshelf.study.study import Request

__all__ = ["Course"]

_MOMENT = 0.2  # seconds between two looks at what is being compiled
_IDLE = 20  # looks, a tenth of a second each


class Course:
    """Runs one study. Made for one run, and thrown away."""

    def __init__(
        self,
        request: Request,
        problem: Problem,
        shelf: Shelf,
        record: StudyRecord,
        clock: Clock,
        observer: Observer,
        stopper: Stopper,
        suggest: Searcher,
    ) -> None:
        self._request, self._problem, self._shelf = request, problem, shelf
        self._record, self._clock = record, clock
        self._stopper = stopper
        self._limit = request.budget.seconds
        kinds = kinds_of(request.space)
        self._compiled = "dense" in kinds and not request.stacked  # networks of the compiled engine
        self._halts = self._compiled and len(kinds) == 1
        self._engines = Engines(
            request.device,
            request.own,
            stacked=request.stacked,
            hang_seconds=request.hang_seconds,
        )
        trainer = Trainer(
            problem, shelf, record.name, request.data_key, stopper.flag, self._engines
        )
        self._executor: Executor[Leg, Work] = (
            ThreadExecutor(trainer, request.workers)
            if request.workers > 0
            else InlineExecutor(trainer)
        )
        self._loop = Loop(
            shelf,
            record.name,
            request.data_key,
            self._executor,
            self._engines,
            in_order=self._limit is None,
            value=lambda outcome: ranking_value(problem.metric, outcome),
            seconds=lambda: self._pace.total(),
        )
        self._search = Search(
            request.space.for_task(problem.task).for_epochs(record.settings["epochs"]),
            request.seed,
            self._loop,
            suggest,
            request.budget.trials,
            WINDOW if self._limit is None else 3 * self._executor.workers,
            self._executor.workers,
            first_trial(record),
        )
        self._plan = plan_for(problem.dataset.rows, request.folds, problem.refits)
        self._finals = Finals(
            problem,
            request.seed,
            self._loop,
            self._search,
            self._plan,
            request.prefer,
            None if self._limit is None else self._beside,
        )
        self._ensembling = Ensembling(
            problem,
            shelf,
            record.name,
            None if self._limit is None else request.data_key,
            self._engines,
        )
        self._pace = Pace(
            self._limit,
            clock,
            record.seconds,
            self._executor.workers,
            self._plan,
            problem.dataset.rows,
            self._search,
            self._loop,
            self._ensembling,
        )
        self._watch = Watch(problem.metric, request.budget.least_gain)
        self._baselines = Baselines(problem)
        self._ending = Ending(
            request,
            problem,
            shelf,
            record,
            clock,
            self._loop,
            self._search,
            self._pace,
            self._engines,
            self._ensembling,
            self._watch,
            self._baselines,
        )
        told = [note for note in problem.dataset.notes if note not in request.dataset.notes]
        self._teller = Teller(
            observer,
            clock,
            self._search,
            self._baselines,
            lambda: self._executor.running,
            Progress(
                "searching",
                0.0,
                self._limit,
                request.budget.trials,
                at_most=request.budget.least_gain is not None,
                notes=(*told, *notes_on_rows(problem)),
            ),
        )

    # -- the course ---------------------------------------------------------------------------

    def run(self, searched: bool = False) -> StudyResult:
        """Everything, from the first network to the result on the shelf.

        What was `searched` in full before goes on with the choice of a winner.
        """
        try:
            return self._run(searched)
        finally:
            self._baselines.drop()
            self._stopper.interrupt()
            self._executor.close(patience=1.0)
            self._engines.close()
            self._stopper.clear()

    def _run(self, searched: bool) -> StudyResult:
        self._compile()
        self._loop.load()
        self._repair()
        if not self._stopper.requested:
            self._search.load()
            self._baselines.start()
        self._teller.tell()
        if not searched and not self._stopper.requested:
            self._search.run(self._search_over, self._teller.tell, self._most)
            self._insist()
        if self._asked_to_stop():
            return self._ending.unfinished()
        self._finals.plan = self._pace.plan()
        self._teller.tell(phase="re-testing")
        self._finals.run(self._finals_over, self._teller.retests)
        if self._asked_to_stop():
            return self._ending.unfinished()
        self._teller.tell(phase="scoring")
        over = self._time_over if self._pace.can_score(self._finals.plan) else lambda: True
        verdict = self._finals.verdict(over, self._teller.retests)
        if verdict is None:
            raise self._ending.nothing()
        if self._limit is None and self._asked_to_stop():  # what is counted is not cut short
            return self._ending.unfinished()
        self._spend_the_rest()
        self._break_off()
        self._teller.tell(phase="testing")
        baselines = self._baselines.wait(self._pace.wait())
        return self._ending.store(verdict, baselines)

    def _compile(self) -> None:
        """Wait for what the first networks are trained by, where this processor has it not yet.

        It is no part of what a network costs, and nothing else wants the cores meanwhile.
        """
        compilation = kernels.begin() if self._compiled else None
        if compilation is None:
            return
        while not compilation.wait(_MOMENT) and not self._asked_to_stop():
            self._teller.tell(phase="compiling", parts=compilation.progress)
        self._pace.compiled(compilation.claim())
        self._teller.tell(phase="searching", limit=self._pace.limit)

    def _repair(self) -> None:
        """Train again what the shelf names and has no longer: everything else reads it."""
        repair = Repair(self._problem, self._shelf, self._record.name, self._loop, self._executor)

        def tell(done: int, wanted: int) -> None:
            self._teller.tell(phase="repairing", retests=(done, wanted))

        self._ending.repaired = repair.run(lambda: self._stopper.requested, tell)
        self._teller.tell(phase="searching", retests=(0, 0))

    def _insist(self) -> None:
        """There is always an answer: where time is up and no network stands, wait for the first.

        One at work is halted at the end of the epoch that it is in: that is a network too. Engines
        that cannot do that have as long as the promise's grace.
        """
        idle = 0  # looks in a row at which nothing was at work: nothing will come
        while self._limit is not None and self._search.best is None and self._loop.outstanding:
            if self._asked_to_stop() or self._search.hopeless or idle > _IDLE:
                break
            if self._pace.left() <= 0.0 and self._halts:
                self._stopper.halt()
            elif self._pace.late():
                break
            seen = self._loop.collect()
            idle = 0 if seen or self._executor.running else idle + 1
            self._search.follow(seen, -math.inf)  # nothing more is sent out
            self._teller.tell()
        self._stopper.clear()

    def _beside(self, seen: list[Arrival]) -> None:
        """While re-tests are at work, the search goes on where a core is free."""
        if seen:
            self._search.follow(seen, self._pace.filler())
        else:
            self._search.go_on(self._pace.filler())

    def _spend_the_rest(self) -> None:
        """What is left until the margin goes to the search: its networks may join the ensemble."""
        if self._limit is None or self._watch.stopped:
            return
        self._teller.tell(phase="searching on")
        self._search.go_on(self._pace.rest())
        while self._loop.outstanding and not self._time_over() and self._pace.rest() > 0.0:
            self._search.follow(self._loop.collect(), self._pace.rest())
            self._teller.tell()

    def _asked_to_stop(self) -> bool:
        if self._stopper.requested:
            self._break_off()
        return self._stopper.requested

    def _most(self) -> float:
        """The most seconds that a leg of the search may take: re-tests wait for it."""
        return self._pace.until_finals() + self._pace.filler()

    def _search_over(self) -> bool:
        if self._stopper.requested or self._search.hopeless:
            return True
        if self._limit is None:
            return False
        if self._watch.over(len(self._search.standing), self._search.standings):
            return True
        if self._search.best is None:
            return self._pace.left() <= 0.0
        idle = self._search.starved and self._loop.outstanding < self._executor.workers
        return idle or self._pace.until_finals() <= 0.0

    def _finals_over(self) -> bool:
        """Whether only the time to score the winner is left."""
        return self._time_over(self._pace.for_scoring(self._finals.plan))

    def _time_over(self, reserve: float = 0.0) -> bool:
        return self._stopper.requested or self._pace.left() <= reserve

    def _break_off(self) -> None:
        """Bring back what is still at work, and forget it: the log keeps it as not done."""
        if self._loop.outstanding:
            self._stopper.interrupt()
            self._loop.abandon()
            self._stopper.clear()
