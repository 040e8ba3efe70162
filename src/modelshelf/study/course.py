"""The course of one study: search, re-tests, the winner, the test, and the time for each."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from modelshelf.core.errors import MemberError, StoppedError
from modelshelf.core.records import Baseline, Purpose, Status, Winner
from modelshelf.executors import Executor, InlineExecutor, ThreadExecutor
from modelshelf.search import Searcher
from modelshelf.shelf import Shelf, StudyRecord
from modelshelf.study.baselines import Baselines
from modelshelf.study.budget import Clock
from modelshelf.study.engines import Engines
from modelshelf.study.ensembling import Ensembling
from modelshelf.study.finals import expected_seconds, plan_for, within
from modelshelf.study.gain import Watch, more_time
from modelshelf.study.loop import Loop
from modelshelf.study.model import Model
from modelshelf.study.notes import notes_on_result, notes_on_rows, nothing_found
from modelshelf.study.problem import Problem
from modelshelf.study.progress import Observer, Progress, Stopper
from modelshelf.study.result import StudyResult
from modelshelf.study.searching import WINDOW, Search
from modelshelf.study.spaces import first_trial, notes_on_space
from modelshelf.study.trial import Leg
from modelshelf.study.winner import Finals, Verdict
from modelshelf.study.work import Trainer, Work, ranking_value

if TYPE_CHECKING:
    from modelshelf.study.study import Request

__all__ = ["Course"]

_FINALS = 0.4  # of the time, the most that re-tests and the winner's scoring may take
_SLACK = 1.2  # times what they are expected to take is kept for them
_LESS_SLACK = 1.1  # once the search has ended: no plan is given up for a moment's delay


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
        self._observer, self._stopper = observer, stopper
        self._limit = request.budget.seconds
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
            seconds=lambda: record.seconds + clock(),
        )
        self._search = Search(
            request.space.for_task(problem.task).for_epochs(record.settings["epochs"]),
            request.seed,
            self._loop,
            suggest,
            request.budget.trials,
            WINDOW if self._limit is None else 3 * self._executor.workers,
            first_trial(record),
        )
        self._plan = plan_for(problem.dataset.rows, request.folds, problem.refits)
        self._finals = Finals(
            problem, request.seed, self._loop, self._search, self._plan, request.prefer
        )
        self._ensembling = Ensembling(
            problem,
            shelf,
            record.name,
            None if self._limit is None else request.data_key,
            self._engines,
        )
        self._watch = Watch(problem.metric, request.budget.least_gain)
        self._baselines = Baselines(problem)
        self._untested: tuple[str, ...] = ()  # why there is no test score, where there should be
        told = [note for note in problem.dataset.notes if note not in request.dataset.notes]
        self._progress = Progress(
            "searching",
            0.0,
            self._limit,
            request.budget.trials,
            at_most=request.budget.least_gain is not None,
            notes=(*told, *notes_on_rows(problem)),
        )

    # -- the course ---------------------------------------------------------------------------

    def run(self, searched: bool = False) -> StudyResult:
        """Everything, from the first network to the result on the shelf.

        What was `searched` in full before goes on with the choice of a winner.
        """
        self._baselines.start()
        try:
            return self._run(searched)
        finally:
            self._baselines.drop()
            self._stopper.interrupt()
            self._executor.close(patience=1.0)
            self._engines.close()
            self._stopper.clear()

    def _run(self, searched: bool) -> StudyResult:
        self._loop.load()
        self._search.load()
        self._tell()
        if not searched:
            self._search.run(self._search_over, self._tell)
        self._break_off()
        if self._asked_to_stop():
            return self._unfinished()
        if self._limit is not None:  # as much of the plan as there is time for
            seconds = self._left() * self._executor.workers / _LESS_SLACK
            self._finals.plan = within(self._plan, seconds, *self._costs())
        self._phase("re-testing")
        self._finals.run(self._finals_over, self._tell_retests)
        self._break_off()
        if self._asked_to_stop():
            return self._unfinished()
        self._phase("scoring")
        verdict = self._finals.verdict(self._time_over, self._tell_retests)
        self._break_off()
        if verdict is None:
            reasons = [t.reason for t in self._shelf.trials(self._record.name) if t.reason]
            raise nothing_found(self._counts(), reasons, self._limit)
        self._phase("testing")
        baselines = self._baselines.wait(None if self._limit is None else self._left())
        return self._store(self._tested(verdict), verdict, baselines)

    def _asked_to_stop(self) -> bool:
        return self._stopper.requested

    def _search_over(self) -> bool:
        if self._asked_to_stop() or self._search.hopeless:
            return True
        if self._limit is None:
            return False
        if self._watch.over(len(self._search.standing), self._search.standings):
            return True
        most = _FINALS * self._limit
        costs = self._costs()
        plan = within(self._plan, most * self._executor.workers, *costs)
        reserve = _SLACK * expected_seconds(plan, costs[plan.brief]) / self._executor.workers
        reserve = min(max(reserve, 0.08 * self._limit), most)
        # What earlier runs of this study searched counts; what is left to do gets its time anyway.
        return self._record.seconds + self._clock() >= self._limit - self._margin - reserve

    def _costs(self) -> tuple[list[float], list[float]]:
        """Seconds on one core to train each finalist again: to its end, and as far as it came."""
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

    def _finals_over(self) -> bool:
        """Whether only the time to score the winner is left."""
        winner = replace(self._finals.plan, choosing=(), finalists=1)
        expected = expected_seconds(winner, self._costs()[winner.brief])
        return self._time_over(_SLACK * expected / self._executor.workers)

    def _time_over(self, reserve: float = 0.0) -> bool:
        if self._asked_to_stop():
            return True
        return self._limit is not None and self._left() <= reserve

    def _left(self) -> float:
        """Seconds until only the margin is left."""
        return math.inf if self._limit is None else self._limit - self._margin - self._clock()

    def _until_closing(self) -> float:
        return math.inf if self._limit is None else self._limit - self._closing - self._clock()

    @property
    def _margin(self) -> float:
        """Seconds kept for the ensemble, the test, the writing and the printing."""
        ensemble = self._ensembling.expected_seconds(*self._loop.measured)
        return self._closing + min(ensemble, 0.1 * (self._limit or 0.0))

    @property
    def _closing(self) -> float:
        """Seconds kept for the test, the writing and the printing."""
        test = 2.0 * self._ensembling.test_seconds(self._loop.measured[2])
        return min(0.35 + 0.01 * (self._limit or 0.0) + test, 0.25 * (self._limit or 0.0))

    def _break_off(self) -> None:
        """Bring back what is still at work, and forget it: the log keeps it as not done."""
        if self._loop.outstanding:
            self._stopper.interrupt()
            self._loop.abandon()
            self._stopper.clear()

    # -- the end ------------------------------------------------------------------------------

    def _tested(self, verdict: Verdict) -> Winner:
        """The winner, scored on the test rows: the one place where they are looked at."""
        problem, number = self._problem, verdict.trial.number
        record = self._shelf.trial(self._record.name, number)
        test, between = None, None
        if problem.test_frame is not None and problem.test_target is not None:
            uses = self._shelf.study(self._record.name).test_uses
            self._shelf.update_study(self._record.name, test_uses=uses + 1)
            try:
                model = Model.from_record(self._shelf, record, self._engines.network)
                inputs = model.preparation.transform(problem.test_frame)
                test, between = problem.on_test(model.answer(inputs))
            except MemberError as error:  # a person's own module, on rows of another number
                self._untested = (f"The winner could not answer the test rows. {error}",)
        return Winner(
            barcode=verdict.configuration.barcode,
            copy=record.copy,
            configuration=verdict.configuration.to_json(),
            validation=verdict.validation,
            validation_std=verdict.validation_std,
            test=test,
            test_interval=between,
            retests=verdict.confirmed,
            refitted=verdict.refitted,
        )

    def _store(
        self, winner: Winner, verdict: Verdict, baselines: tuple[Baseline, ...]
    ) -> StudyResult:
        counted = self._shelf.trials(self._record.name, purpose=Purpose.SEARCH)
        waiting = [t.number for t in counted if t.status in (Status.RUNNING, Status.PAUSED)]
        self._shelf.mark(self._record.name, waiting, Status.STOPPED)
        ensemble, said = self._ensembling.run(verdict.trial.number, self._until_closing)
        noise = winner.validation_std / math.sqrt(max(winner.retests, 1))
        standings, metric = self._search.standings(), self._problem.metric
        result = replace(
            self._result(winner, baselines),
            ensemble=ensemble,
            notes=(*self._notes(verdict, baselines), *([said] if said else [])),
            traded=verdict.traded,
            more_time=more_time(standings, metric, winner.validation, noise),
        )
        seconds = self._record.seconds + self._clock()
        before = (self._record.result or {}).get("budget")
        stopped = seconds if self._watch.stopped else None
        budget = self._request.budget.to_json(before, stopped)
        self._shelf.update_study(
            self._record.name,
            status="done",
            seconds=seconds,
            result={**result.to_json(), "budget": budget},
        )
        return result

    def _notes(self, verdict: Verdict, baselines: tuple[Baseline, ...]) -> tuple[str, ...]:
        uses = self._shelf.study(self._record.name).test_uses
        return (
            *self._untested,
            *self._engines.notes,
            *notes_on_space(self._record, len(self._search.outside)),
            *notes_on_result(self._problem, verdict, baselines, self._watch, uses),
        )

    def _result(self, winner: Winner, baselines: tuple[Baseline, ...]) -> StudyResult:
        return StudyResult(
            study=self._record.name,
            task=self._problem.task,
            metric=self._problem.metric.name,
            direction=self._problem.metric.direction,
            winner=winner,
            ensemble=None,
            baselines=baselines,
            trials=self._counts(),
            member_steps=self._loop.steps_done,
            seconds={
                "total": self._clock(),
                "training": self._loop.training_seconds,
                "search": self._search.seconds,
                "shelf": self._loop.writing_seconds,
            },
            shelf=self._shelf.path,
            understood=self._record.understood,
            prefer=self._request.prefer,
            timed=self._limit is not None,
        )

    def _counts(self) -> dict[str, int]:
        found = self._shelf.counts(self._record.name)
        kept = (Status.FINISHED, Status.DIVERGED, Status.FAILED)
        counts = {status.value: found.get(status, 0) for status in kept}
        started = sum(found.values())
        return {"started": started, **counts, "stopped": started - sum(counts.values())}

    def _unfinished(self) -> StudyResult:
        """What there is when a person asked to stop: the best so far, without re-test or test."""
        ranked = self._search.ranked(1)
        if not ranked:
            raise StoppedError(
                "Stopped before the first network was trained. The same command goes on."
            )
        trial, arrival = ranked[0]
        record = self._shelf.trial(self._record.name, trial.number)
        winner = Winner(
            barcode=trial.configuration.barcode,
            copy=record.copy,
            configuration=trial.configuration.to_json(),
            validation=arrival.outcome.score,
            validation_std=math.nan,
            test=None,
        )
        self._shelf.update_study(self._record.name, seconds=self._record.seconds + self._clock())
        return replace(self._result(winner, self._baselines.found), complete=False)

    # -- what is told -------------------------------------------------------------------------

    def _phase(self, phase: str) -> None:
        self._progress = replace(self._progress, phase=phase)
        self._tell()

    def _tell_retests(self, done: int, wanted: int) -> None:
        self._progress = replace(self._progress, retests=(done, wanted))
        self._tell()

    def _tell(self) -> None:
        tally, progress = self._search.tally, self._progress
        best = self._search.best
        if best is not None and best.leg.trial.configuration.barcode != progress.best_barcode:
            point = (self._clock(), best.outcome.score)
            progress = replace(progress, improvements=(*progress.improvements, point))
        if best is not None:
            progress = replace(
                progress,
                best_barcode=best.leg.trial.configuration.barcode,
                best_score=best.outcome.score,
                best_configuration=best.leg.trial.configuration,
            )
        self._progress = replace(
            progress,
            elapsed=self._clock(),
            started=self._search.evidence.started,
            finished=tally[Status.FINISHED],
            paused=tally[Status.PAUSED] + tally[Status.STOPPED],
            diverged=tally[Status.DIVERGED],
            failed=tally[Status.FAILED],
            running=tuple(
                (leg.trial.configuration, leg.job.from_epoch, leg.job.to_epoch)
                for leg in self._executor.running
            ),
            baselines=self._baselines.found,
        )
        self._observer(self._progress)
