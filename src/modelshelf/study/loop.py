"""The loop: keep the workers busy, put what comes back on the shelf, and learn from it.

Two orders matter. A leg is *completed* when it is on the shelf. It is *retired* when the search
has seen it. What the search proposes is a function of the retired legs alone; so where the budget
is a number of trials, legs retire in the order of their dispatch, and any number of workers gives
the same study. Where the budget is time, they retire as they come.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from modelshelf.core.errors import MemberError, ModelshelfError
from modelshelf.core.garbage import uncollected
from modelshelf.core.records import Outcome, Purpose, Status
from modelshelf.data.split import Split
from modelshelf.executors import Done, Executor
from modelshelf.shelf import Completed, Job, JobRecord, NewTrial, Shelf, StoredFile, TrialFile
from modelshelf.space.configuration import Configuration
from modelshelf.study.engines import Engines
from modelshelf.study.trial import Leg, Trial, copy_id
from modelshelf.study.work import Work

__all__ = ["Arrival", "Loop"]

_PATIENCE = 0.1  # seconds that the loop waits for a leg before it looks at the clock again
_LEFT_BEHIND = 1.0  # seconds after which a member that does not come back is left behind


@dataclass(frozen=True, slots=True)
class Arrival:
    """A retired leg, and what came of it."""

    leg: Leg
    outcome: Outcome
    value: float  #: what trials are ranked by; lower is better


class Loop:
    """Dispatches legs to an executor, and keeps the shelf's log of them."""

    def __init__(
        self,
        shelf: Shelf,
        study: str,
        data_key: str,
        executor: Executor[Leg, Work],
        engines: Engines,
        *,
        in_order: bool,
        value: Callable[[Outcome], float],
        seconds: Callable[[], float],
    ) -> None:
        self._shelf = shelf
        self._study = study
        self._data_key = data_key
        self._executor = executor
        self._engines = engines
        self._in_order = in_order
        self._value = value
        self._seconds = seconds
        self._waiting: dict[int, Leg] = {}  # dispatched, not retired; by job number, in order
        self._ready: dict[int, Arrival] = {}  # completed, not retired
        self._cut_off: dict[int, Leg] = {}  # left unretired by the log, and not taken up again yet
        self.trials: dict[int, Trial] = {}
        self.files: dict[int, StoredFile] = {}
        self.arrivals: list[Arrival] = []  # every retired leg, in order of retirement
        self.steps_done = 0
        self.training_seconds = 0.0  # on one core
        self.spent: dict[Purpose, float] = defaultdict(float)  # of this run, by purpose
        self.writing_seconds = 0.0
        self._shelved, self._shelving, self._answering = 0, 0.0, 0.0  # legs of this run
        self._next_job = 0
        self._retired = 0
        self.legs: list[Leg] = []  # every leg that the log held when it was taken up

    @property
    def outstanding(self) -> int:
        """How many legs were dispatched and did not retire yet, as the log has it.

        One that `collect` gave back retires by the `dispatch` that answers it.
        """
        return len(self._waiting)

    @property
    def measured(self) -> tuple[int, float, float]:
        """Trials, and mean seconds to write a network's file and for it to answer, in this run."""
        legs = max(self._shelved, 1)
        return len(self.trials), self._shelving / legs, self._answering / legs

    def parameters(self, number: int) -> int:
        """How many numbers a trial's network learned; 0 before it came back from the engine."""
        return self._shelf.trial(self._study, number).parameters

    @uncollected()
    def load(self) -> None:
        """Take up the log where it ends. Legs that were cut off are dispatched again."""
        for record in self._shelf.trials(self._study):
            self.trials[record.number] = Trial(
                record.number,
                Configuration.from_json(record.configuration),
                record.purpose,
                Split.parse(record.split),
                record.seed,
            )
            self.steps_done += record.steps
            self.training_seconds += record.seconds
        stored: dict[int, TrialFile] = self._shelf.files(self._study)
        self.files = {number: each.file for number, each in stored.items()}
        log = self._shelf.jobs(self._study)
        self._next_job = len(log)
        for each in sorted(log, key=_by_retirement):
            self._take_up(each)

    def _take_up(self, record: JobRecord) -> None:
        leg = self._leg(record.job)
        self.legs.append(leg)
        arrival = None
        if record.outcome is not None:
            arrival = Arrival(leg, record.outcome, self._value(record.outcome))
        if record.retired is not None and arrival is not None:
            self.arrivals.append(arrival)
            self._retired += 1
            return
        self._cut_off[record.job.number] = leg
        if arrival is not None:
            self._ready[record.job.number] = arrival

    def waiting_for(self, wanted: Callable[[Trial], bool]) -> int:
        """How many legs of these trials were dispatched and did not retire yet."""
        return sum(wanted(leg.trial) for leg in self._waiting.values())

    def resume(self, wanted: Callable[[Trial], bool], urgency: int = 0) -> None:
        """Take up again the legs of these trials that the log left unfinished."""
        for number, leg in sorted(self._cut_off.items()):
            if wanted(leg.trial):
                self._waiting[number] = self._cut_off.pop(number)
                if number not in self._ready:
                    self._executor.submit(leg, urgency)

    def _leg(self, job: Job) -> Leg:
        file = self.files.get(job.trial) if job.from_epoch else None
        return Leg(job, self.trials[job.trial], file)

    def new_trial(
        self, configuration: Configuration, purpose: Purpose, split: Split, seed: int
    ) -> Trial:
        """A trial with the next number. It is on the shelf once its first leg is dispatched."""
        trial = Trial(len(self.trials), configuration, purpose, split, seed)
        self.trials[trial.number] = trial
        return trial

    def dispatch(
        self,
        wanted: Iterable[tuple[Trial, int, int, int, float]],
        seen: Iterable[Arrival] = (),
        urgency: int = 0,
    ) -> None:
        """Send out legs: (trial, rung, from epoch, to epoch, keep), after these retirements.

        One transaction holds both, so that the log is always one that the search could have made.
        """
        legs, fresh = [], []
        for trial, rung, from_epoch, to_epoch, keep in wanted:
            job = Job(self._next_job, trial.number, rung, from_epoch, to_epoch, keep)
            self._next_job += 1
            legs.append(self._leg(job))
            if from_epoch == 0:
                fresh.append(self._described(trial))
        seen = tuple(seen)
        retired = [(arrival.leg.job.number, self._retired + i) for i, arrival in enumerate(seen)]
        if not legs and not retired:
            return
        self._write(trials=fresh, jobs=[leg.job for leg in legs], retired=retired)
        self._retired += len(retired)
        self.arrivals.extend(seen)
        for arrival in seen:
            del self._waiting[arrival.leg.job.number]
        for leg in legs:
            self._waiting[leg.job.number] = leg
            self._executor.submit(leg, urgency)

    def _described(self, trial: Trial) -> NewTrial:
        return NewTrial(
            number=trial.number,
            configuration=trial.configuration.to_json(),
            barcode=trial.configuration.barcode,
            copy=copy_id(trial, self._data_key, 0, self._engines.identity(trial.configuration)),
            purpose=trial.purpose,
            split=str(trial.split),
            seed=trial.seed,
            parameters=0,
        )

    def collect(self, timeout: float = _PATIENCE) -> list[Arrival]:
        """Wait for a leg, put all that came back on the shelf, and say what is to be seen next.

        What is returned counts as outstanding until it is answered by `dispatch`.
        """
        done = self._executor.next(timeout)
        completed: list[Completed] = []
        try:
            while done is not None:
                completed += self._completed(done)
                done = self._executor.next(0.0)
        finally:  # what came back before an error is kept
            if completed:
                self._write(completed=completed)
        seen = []
        for number in self._waiting:
            if number in self._ready:
                seen.append(self._ready.pop(number))
            elif self._in_order:
                break
        return seen

    def _completed(self, done: Done[Leg, Work]) -> list[Completed]:
        """What the shelf is to be told of a leg: nothing where it was interrupted."""
        leg, work = done.job, done.result
        if done.error is not None:
            ends = isinstance(done.error, ModelshelfError)
            if ends and not isinstance(done.error, MemberError):
                raise done.error
            if not isinstance(done.error, Exception):
                raise done.error
            work = _failed(done.error)
        if work is None or work.outcome is None:
            return []  # interrupted: it stays in the log as not done, and is done again
        outcome = work.outcome
        if work.file is not None:
            self.files[leg.trial.number] = work.file
        self.steps_done += outcome.steps
        self.training_seconds += outcome.seconds
        self.spent[leg.trial.purpose] += outcome.seconds
        self.writing_seconds += work.writing
        self._shelved += 1
        self._shelving += work.writing
        self._answering += work.answering
        self._ready[leg.job.number] = Arrival(leg, replace(outcome, curve=()), work.value)
        return [
            Completed(
                job=leg.job.number,
                trial=leg.trial.number,
                outcome=outcome,
                file=work.file,
                preparation=work.preparation,
                copy=work.copy,
                parameters=work.parameters,
            )
        ]

    def _write(self, **changes: Any) -> None:
        began = time.perf_counter()
        self._shelf.write(self._study, **changes, seconds=self._seconds())
        self.writing_seconds += time.perf_counter() - began

    def abandon(self) -> None:
        """Forget the legs that have not come back; in the log they stay as not done.

        Members at work were told to stop, and do so within a batch. What does not (a kernel that
        is still being compiled) is left behind: its thread ends with the process.
        """
        self._executor.drop()
        patience = time.monotonic() + _LEFT_BEHIND
        while self._executor.running and time.monotonic() < patience:
            self._executor.next(_PATIENCE)
        while self._executor.next(0.0) is not None:
            pass
        self._waiting.clear()
        self._ready.clear()


def _by_retirement(record: JobRecord) -> tuple[float, int]:
    order = float("inf") if record.retired is None else record.retired
    return order, record.job.number


def _failed(error: Exception) -> Work:
    if isinstance(error, MemoryError):
        reason = f"not enough memory: {error}" if str(error) else "not enough memory"
    elif isinstance(error, MemberError):
        reason = str(error)
    else:
        reason = f"{type(error).__name__}: {error}"
    nothing = float("nan")
    return Work(Outcome(Status.FAILED, 0, 0, float("inf"), nothing, 0.0, 0, reason=reason))
