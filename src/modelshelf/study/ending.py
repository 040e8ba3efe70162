"""How a study ends: the winner tested, the ensemble named, the result on the shelf."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from modelshelf.core.errors import MemberError, SettingError, StoppedError
from modelshelf.core.records import Baseline, Purpose, Status, Winner
from modelshelf.shelf import Shelf, StudyRecord
from modelshelf.study.baselines import Baselines
from modelshelf.study.budget import Clock
from modelshelf.study.engines import Engines
from modelshelf.study.ensembling import Ensembling
from modelshelf.study.gain import Watch, more_time
from modelshelf.study.loop import Loop
from modelshelf.study.model import Model
from modelshelf.study.notes import notes_on_result, notes_on_time, nothing_found
from modelshelf.study.pace import Pace
from modelshelf.study.problem import Problem
from modelshelf.study.result import StudyResult
from modelshelf.study.searching import Search
from modelshelf.study.spaces import notes_on_space
from modelshelf.study.winner import Verdict

if TYPE_CHECKING:
    from modelshelf.study.study import Request

__all__ = ["Ending"]


@dataclass(eq=False)
class Ending:
    """What becomes of a study once its networks are trained, or once it was stopped."""

    request: Request
    problem: Problem
    shelf: Shelf
    record: StudyRecord
    clock: Clock
    loop: Loop
    search: Search
    pace: Pace
    engines: Engines
    ensembling: Ensembling
    watch: Watch
    baselines: Baselines
    repaired: tuple[str, ...] = ()  #: what is to be said of networks that were lost
    _looked: int = field(default=0, init=False)  # times that this run looked at the test rows
    #: Why there is no test score, where there should be.
    _untested: tuple[str, ...] = field(default=(), init=False)

    def _tested(self, verdict: Verdict) -> Winner:
        """The winner, scored on the test rows: the one place where they are looked at."""
        problem, number = self.problem, verdict.trial.number
        record = self.shelf.trial(self.record.name, number)
        test, between = None, None
        if problem.test_frame is not None and problem.test_target is not None:
            self._looked = 1  # on the shelf with what came of it, which nobody saw before
            try:
                model = Model.from_record(self.shelf, record, self.engines.network)
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

    @property
    def _uses(self) -> int:
        """How often the test rows were looked at, this run among them."""
        return self.shelf.study(self.record.name).test_uses + self._looked

    def store(self, verdict: Verdict, baselines: tuple[Baseline, ...]) -> StudyResult:
        """Test the winner, name the ensemble, and put the result on the shelf as a whole."""
        winner = self._tested(verdict)
        counted = self.shelf.trials(self.record.name, purpose=Purpose.SEARCH)
        waiting = [t.number for t in counted if t.status in (Status.RUNNING, Status.PAUSED)]
        self.shelf.mark(self.record.name, waiting, Status.STOPPED)
        ensemble, bag, said = self.ensembling.run(verdict.trial.number, self.pace.until_closing)
        noise = winner.validation_std / math.sqrt(max(winner.retests, 1))
        standings, metric = self.search.standings(), self.problem.metric
        result = replace(
            self._result(winner, baselines),
            ensemble=ensemble,
            bag=bag,
            notes=(*self._notes(verdict, baselines), *([said] if said else [])),
            traded=verdict.traded,
            more_time=more_time(standings, metric, winner.validation, noise),
        )
        seconds = self.pace.total()
        before = (self.record.result or {}).get("budget")
        stopped = seconds if self.watch.stopped else None
        budget = self.request.budget.to_json(before, stopped)
        self.shelf.update_study(
            self.record.name,
            status="done",
            seconds=seconds,
            result={**result.to_json(), "budget": budget},
            test_uses=self._uses,
        )
        return result

    def _notes(self, verdict: Verdict, baselines: tuple[Baseline, ...]) -> tuple[str, ...]:
        return (
            *self.repaired,
            *self._untested,
            *self.engines.notes,
            *notes_on_space(self.record, len(self.search.outside)),
            *notes_on_result(self.problem, verdict, baselines, self.watch, self._uses),
            *notes_on_time(self.pace, verdict),
        )

    def _result(self, winner: Winner, baselines: tuple[Baseline, ...]) -> StudyResult:
        return StudyResult(
            study=self.record.name,
            task=self.problem.task,
            metric=self.problem.metric.name,
            direction=self.problem.metric.direction,
            winner=winner,
            ensemble=None,
            baselines=baselines,
            trials=self._counts(),
            member_steps=self.loop.steps_done,
            seconds={
                "total": self.clock(),
                "compiling": self.pace.compiling,
                "training": self.loop.training_seconds,
                "search": self.search.seconds,
                "shelf": self.loop.writing_seconds,
            },
            shelf=self.shelf.path,
            understood=self.record.understood,
            prefer=self.request.prefer,
            timed=self.request.budget.seconds is not None,
            core_seconds=self.pace.core_seconds(self.baselines.seconds),
        )

    def nothing(self) -> SettingError:
        """Why there is no winner."""
        reasons = [t.reason for t in self.shelf.trials(self.record.name) if t.reason]
        return nothing_found(self._counts(), reasons, self.pace.limit)

    def _counts(self) -> dict[str, int]:
        """Networks of the search, by what became of them."""
        found = self.shelf.counts(self.record.name)
        kept = (Status.FINISHED, Status.DIVERGED, Status.FAILED)
        counts = {status.value: found.get(status, 0) for status in kept}
        started = sum(found.values())
        return {"started": started, **counts, "stopped": started - sum(counts.values())}

    def unfinished(self) -> StudyResult:
        """What there is when a person asked to stop: the best so far, without re-test or test."""
        ranked = self.search.ranked(1)
        if not ranked:
            raise StoppedError(
                "Stopped before the first network was trained. The same command goes on."
            )
        trial, arrival = ranked[0]
        record = self.shelf.trial(self.record.name, trial.number)
        winner = Winner(
            barcode=trial.configuration.barcode,
            copy=record.copy,
            configuration=trial.configuration.to_json(),
            validation=arrival.outcome.score,
            validation_std=math.nan,
            test=None,
        )
        self.shelf.update_study(self.record.name, seconds=self.pace.total())
        return replace(self._result(winner, self.baselines.found), complete=False)
