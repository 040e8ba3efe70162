"""Networks trained beside a study: on its own rows and splits, but not by its search.

They lie in a study of their own, one for each study: what that one found, and how it goes on, does
not change by them. Rows, seed and splits are the same, and so are the test rows that stay unseen.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from modelshelf.core.records import Outcome, Purpose, Status, TrialRecord
from modelshelf.engines.numpy_.compile import single_threaded
from modelshelf.executors import ThreadExecutor
from modelshelf.shelf import Shelf, StudyRecord
from modelshelf.space.configuration import Configuration
from modelshelf.study.engines import Engines
from modelshelf.study.loop import Arrival, Loop
from modelshelf.study.problem import Problem
from modelshelf.study.progress import Stopper
from modelshelf.study.searching import SEARCH_SPLIT
from modelshelf.study.single import Single, Watcher, from_shelf, shelved, train_on
from modelshelf.study.testing import TestSet
from modelshelf.study.trial import Leg, Trial, data_key, trial_seed
from modelshelf.study.work import Trainer, Work, ranking_value

__all__ = ["Seen", "Wanted", "data_key_of", "study_beside", "train_beside", "train_one_beside"]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A network that is to be trained: on the study's search split, with a seed of its own."""

    configuration: Configuration
    seed: int

    @property
    def key(self) -> tuple[str, int]:
        """Its identity among the networks of one study."""
        return self.configuration.barcode, self.seed


#: Called after each network with the outcomes of this run so far, by `Wanted.key`.
Seen = Callable[[Mapping[tuple[str, int], Outcome]], None]

_DONE = (Status.FINISHED, Status.DIVERGED, Status.FAILED)


def data_key_of(record: StudyRecord) -> str:
    """The identity of a study's rows and of how they are split, for copy ids."""
    stored = record.settings.get("data_key")
    if stored is not None:
        return str(stored)
    return data_key(record.fingerprint, TestSet(0.0).key, record.seed)


def study_beside(shelf: Shelf, record: StudyRecord) -> StudyRecord:
    """The study that holds what is trained beside another one; it is begun where there is none."""
    if "beside" in record.settings:
        return record
    key = hashlib.sha256(f"beside {record.key}".encode()).hexdigest()
    found = shelf.find_study(key)
    if found is not None:
        return found
    taken = {each.name for each in shelf.studies()}
    name, count = f"beside-{record.name}", 1
    while name in taken:
        count += 1
        name = f"beside-{record.name}-{count}"
    kept = ("data", "rows", "drawn", "test", "folds")
    shelf.add_study(
        StudyRecord(
            name=name,
            key=key,
            fingerprint=record.fingerprint,
            task=record.task,
            metric=record.metric,
            direction=record.direction,
            seed=record.seed,
            settings={
                **{each: record.settings[each] for each in kept if each in record.settings},
                "data_key": data_key_of(record),
                "beside": record.name,
            },
            understood=record.understood,
            status="done",
            created=datetime.now(UTC).isoformat(timespec="seconds"),
        )
    )
    return shelf.study(name)


def train_beside(
    shelf: Shelf,
    record: StudyRecord,
    problem: Problem,
    wanted: Sequence[Wanted],
    *,
    workers: int,
    seconds: float | None = None,
    stopper: Stopper | None = None,
    seen: Seen = lambda outcomes: None,
) -> dict[tuple[str, int], TrialRecord]:
    """Train networks in this order, a core each; those on the shelf already are read from it.

    `record` is a `study_beside`. After so many `seconds`, or stopped, what has not come back is
    left out; what has is on the shelf. Returns the networks' records by `Wanted.key`.
    """
    asked = {each.key: each for each in wanted}
    known = _trained(shelf, record)
    missing = [each for key, each in asked.items() if key not in known]
    if missing:
        with _looping(shelf, record, problem, workers, stopper or Stopper()) as (loop, over):
            until = None if seconds is None else time.monotonic() + seconds
            _run(loop, missing, workers, lambda: over() or _past(until), seen)
        known = _trained(shelf, record)
    return {key: known[key] for key in asked if key in known}


def train_one_beside(
    shelf: Shelf,
    record: StudyRecord,
    problem: Problem,
    configuration: Configuration,
    *,
    seed: int,
    watcher: Watcher,
    stopper: Stopper | None = None,
) -> Single:
    """Train one network on the rows of a study, and put it beside it; the same one only once.

    Raises `SettingError` where its first epoch diverges.
    """
    beside = study_beside(shelf, record)
    made = trial_seed(seed, Purpose.TRAIN, configuration.barcode, SEARCH_SPLIT)
    for each in shelf.trials(beside.name, purpose=Purpose.TRAIN):
        same = each.barcode == configuration.barcode and each.seed == made
        if same and each.status is Status.FINISHED and each.size:
            return from_shelf(shelf, each)
    with shelf.lock(beside.name):
        shelf.sweep(beside.name)
        key = data_key_of(beside)
        single = train_on(problem, key, configuration, seed, watcher, stopper)
        return shelved(shelf, beside.name, single)


def _past(until: float | None) -> bool:
    return until is not None and time.monotonic() >= until


def _trained(shelf: Shelf, record: StudyRecord) -> dict[tuple[str, int], TrialRecord]:
    trials = shelf.trials(record.name, purpose=Purpose.PROBE)
    return {(each.barcode, each.seed): each for each in trials if each.status in _DONE}


@contextmanager
def _looping(
    shelf: Shelf, record: StudyRecord, problem: Problem, workers: int, stopper: Stopper
) -> Iterator[tuple[Loop, Callable[[], bool]]]:
    """A loop over threads, put away at the end whatever happens."""
    began, key = time.monotonic(), data_key_of(record)
    with shelf.lock(record.name), single_threaded():
        shelf.sweep(record.name)
        engines = Engines()
        trainer = Trainer(problem, shelf, record.name, key, stopper.flag, engines)
        executor: ThreadExecutor[Leg, Work] = ThreadExecutor(trainer, workers)
        loop = Loop(
            shelf,
            record.name,
            key,
            executor,
            engines,
            in_order=False,
            value=lambda outcome: ranking_value(problem.metric, outcome),
            seconds=lambda: record.seconds + time.monotonic() - began,
        )
        try:
            loop.load()
            yield loop, lambda: stopper.requested
        finally:
            stopper.interrupt()
            loop.abandon()
            executor.close(patience=1.0)
            engines.close()
            stopper.clear()


def _run(
    loop: Loop, missing: Sequence[Wanted], workers: int, over: Callable[[], bool], seen: Seen
) -> None:
    """Few legs are out at a time: what was begun and not finished stays in the shelf's log."""
    keys = {each.key for each in missing}
    cut_off = {(t.configuration.barcode, t.seed) for t in loop.trials.values()} & keys
    loop.resume(lambda trial: (trial.configuration.barcode, trial.seed) in keys)
    waiting = [each for each in missing if each.key not in cut_off][::-1]
    outcomes: dict[tuple[str, int], Outcome] = {}
    came: list[Arrival] = []
    while not over():
        out: list[tuple[Trial, int, int, int, float]] = []
        while waiting and loop.outstanding - len(came) + len(out) <= workers:
            each = waiting.pop()
            trial = loop.new_trial(each.configuration, Purpose.PROBE, SEARCH_SPLIT, each.seed)
            out.append((trial, 0, 0, each.configuration.whole("epochs"), float("inf")))
        loop.dispatch(out, came)
        if not loop.outstanding:
            return
        came = loop.collect()
        for arrival in came:
            trial = arrival.leg.trial
            outcomes[trial.configuration.barcode, trial.seed] = arrival.outcome
        if came:
            seen(outcomes)
    loop.dispatch((), came)
