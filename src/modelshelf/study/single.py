"""One network, without a search: trained by stretches, watched, and put on the shelf if asked."""

from __future__ import annotations

import hashlib
import json
import math
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from modelshelf.core.errors import SettingError, ShelfError
from modelshelf.core.protocols import Engine, Leg
from modelshelf.core.records import CurvePoint, Outcome, Purpose, Status, TrialRecord
from modelshelf.data.dataset import Dataset
from modelshelf.data.metrics import Metric
from modelshelf.engines.numpy_.compile import single_threaded
from modelshelf.shelf import Completed, Job, NewTrial, Shelf, StoredFile, StudyRecord
from modelshelf.space.configuration import Configuration
from modelshelf.study.engines import Engines, torch_network
from modelshelf.study.model import Model, NetworkOf
from modelshelf.study.naming import study_name
from modelshelf.study.problem import Prepared, Problem
from modelshelf.study.progress import Stopper
from modelshelf.study.rows import found_again, study_of, where_rows_are
from modelshelf.study.searching import SEARCH_SPLIT
from modelshelf.study.testing import TestSet
from modelshelf.study.trial import Trial, copy_id, trial_seed
from modelshelf.study.work import curve_points, described

__all__ = [
    "Single",
    "Watcher",
    "from_shelf",
    "shelved",
    "train_and_shelve",
    "train_on",
    "train_one",
]

#: Called after each stretch with the curve so far and the epochs that are planned.
Watcher = Callable[[list[CurvePoint], int], None]

_GLANCE = 0.2  # seconds of training between two calls of the watcher


@dataclass(frozen=True, slots=True, eq=False)
class Single:
    """A network that was asked for by name, and where it lies, if it was put on a shelf."""

    model: Model
    record: TrialRecord
    points: list[CurvePoint]
    reused: bool = False  #: it was on the shelf before, and nothing was trained
    complete: bool = True  #: it was not stopped before its time
    shelf: Path | None = None


def train_one(
    dataset: Dataset,
    metric: Metric,
    configuration: Configuration,
    *,
    seed: int = 0,
    watcher: Watcher = lambda points, epochs: None,
    stopper: Stopper | None = None,
    engines: Engines | None = None,
) -> Single:
    """Train one network; a fifth of the rows validates it.

    Stopped by `stopper`, it is what it was at the end of that stretch. Raises `SettingError`
    where the configuration does not fit, and where its first epoch diverges.
    """
    problem = Problem(dataset, metric, seed, 0)
    key = dataset.fingerprint
    return train_on(problem, key, configuration, seed, watcher, stopper, engines)


def train_on(
    problem: Problem,
    data_key: str,
    configuration: Configuration,
    seed: int,
    watcher: Watcher,
    stopper: Stopper | None,
    engines: Engines | None = None,
) -> Single:
    """`train_one`, on rows and a split that are given; `data_key` is their identity."""
    trial = _trial(problem, configuration, seed)
    prepared = problem.prepared(SEARCH_SPLIT, trial.configuration)
    with _opened(engines) as every, single_threaded():
        engine = every.of(trial.configuration)
        member = engine.start(trial.configuration, prepared.data, trial.seed)
        outcome = _train(problem, trial, engine, member, prepared, watcher, stopper or Stopper())
        if outcome.best_epoch == 0:
            rate = trial.configuration.number("learning_rate")
            raise SettingError(
                f"Training diverged in its first epoch: lower learning_rate (it is {rate:g})."
            )
        trained = engine.network(member, problem.classes)
        answered = problem.answers(trained, prepared)
        outcome = replace(outcome, score=problem.score(answered, prepared))
        identity = every.identity(trial.configuration)
        tensors = trained.tensors()
        network = every.here(trial.configuration, prepared.preparation, tensors)
    copy = copy_id(trial, data_key, outcome.epoch, identity)
    record = TrialRecord(
        study="",
        number=0,
        barcode=trial.configuration.barcode,
        copy=copy,
        purpose=Purpose.TRAIN,
        split=str(trial.split),
        seed=trial.seed,
        status=outcome.status,
        epoch=outcome.epoch,
        best_epoch=outcome.best_epoch,
        loss=outcome.loss,
        score=outcome.score,
        seconds=outcome.seconds,
        steps=outcome.steps,
        parameters=network.parameters,
        size=sum(each.nbytes for each in tensors.values()),
        configuration=trial.configuration.to_json(),
    )
    model = Model(trial.configuration, copy, network, prepared.preparation, record)
    complete = outcome.status is not Status.STOPPED
    return Single(model, record, list(outcome.curve), complete=complete)


def train_and_shelve(
    dataset: Dataset,
    metric: Metric,
    configuration: Configuration,
    *,
    shelf: str | Path | None = None,
    study: str | None = None,
    command: str = "",
    seed: int = 0,
    watcher: Watcher = lambda points, epochs: None,
    stopper: Stopper | None = None,
    engines: Engines | None = None,
) -> Single:
    """`train_one`, and the network on a shelf; one that lies there already is not trained again.

    All networks asked for by name on the same data, target, metric and seed are one study.
    """
    with Shelf.open(shelf, create=True) as opened:
        code = "" if engines is None else engines.code
        name = _study(opened, dataset, metric, seed, study, command, code)
        wanted = configuration.for_task(dataset.schema.task)
        barcode = wanted.for_text(dataset.schema.texts).barcode
        lost = None  # its number, where its file is
        for each in opened.trials(name):
            if each.barcode == barcode and each.status is Status.FINISHED and each.size:
                here = torch_network if engines is None else engines.here
                try:
                    return from_shelf(opened, each, here)
                except ShelfError:
                    lost = each.number
        with opened.lock(name):
            opened.sweep(name)
            single = train_one(
                dataset, metric, configuration, seed=seed, watcher=watcher, stopper=stopper,
                engines=engines,
            )  # fmt: skip
            if lost is None or not single.complete:
                return shelved(opened, name, single)
            file, _ = _written(opened, name, lost, single)
            opened.restore(name, lost, file, single.record.copy)
            return replace(single, record=opened.trial(name, lost), shelf=opened.path)


def from_shelf(shelf: Shelf, record: TrialRecord, network_of: NetworkOf = torch_network) -> Single:
    """A network that lies on the shelf already."""
    points = list(shelf.curve(record.study, record.number))
    model = Model.from_record(shelf, record, network_of)
    return Single(model, record, points, reused=True, shelf=shelf.path)


def shelved(shelf: Shelf, study: str, single: Single) -> Single:
    """The network, put into a study whose lock is held."""
    record = _shelve(shelf, study, single)
    model = replace(single.model, record=record)
    return replace(single, model=model, record=record, shelf=shelf.path)


def _trial(problem: Problem, configuration: Configuration, seed: int) -> Trial:
    configuration = configuration.for_task(problem.task).for_text(problem.dataset.schema.texts)
    made = trial_seed(seed, Purpose.TRAIN, configuration.barcode, SEARCH_SPLIT)
    return Trial(0, configuration, Purpose.TRAIN, SEARCH_SPLIT, made)


@contextmanager
def _opened(engines: Engines | None) -> Iterator[Engines]:
    """Engines that are given, or some that are closed in the end."""
    if engines is not None:
        yield engines
        return
    with closing(Engines()) as found:
        yield found


def _train(
    problem: Problem,
    trial: Trial,
    engine: Engine[Any],
    member: Any,
    prepared: Prepared,
    watcher: Watcher,
    stopper: Stopper,
) -> Outcome:
    """Stretches of epochs, each about as long as a glance, until an end or a wish to stop."""
    epochs = trial.configuration.whole("epochs")
    points: list[CurvePoint] = []
    done, seconds, steps, stretch = 0, 0.0, 0, 1
    while True:
        began = time.perf_counter()
        leg = _advance(engine, member, prepared, min(done + stretch, epochs))
        took = time.perf_counter() - began
        seconds, steps = seconds + leg.seconds, steps + leg.steps
        points += curve_points(problem, leg, prepared)
        stretch = max(1, int(_GLANCE * (leg.epoch - done) / max(took, 1e-6)))
        done = leg.epoch
        watcher(points, epochs)
        status = Status.FINISHED
        if leg.diverged:
            status = Status.DIVERGED
        elif not leg.ended and done < epochs:
            if not stopper.requested:
                continue
            status = Status.STOPPED
        return Outcome(
            status, done, leg.best_epoch, leg.loss, math.nan, seconds, steps, tuple(points)
        )


def _advance(engine: Engine[Any], member: Any, prepared: Prepared, to_epoch: int) -> Leg:
    """In a thread of its own, so that signals are heard in the midst of a long epoch."""
    abandon = np.zeros(1, np.uint8)
    with ThreadPoolExecutor(1) as pool:
        try:
            return pool.submit(engine.advance, member, prepared.data, to_epoch, abandon).result()
        except BaseException:  # Ctrl-C from Python: what is stopped in mid-epoch is lost
            abandon[0] = 1
            raise


def _study(
    shelf: Shelf,
    dataset: Dataset,
    metric: Metric,
    seed: int,
    name: str | None,
    command: str,
    code: str,
) -> str:
    """The name of the study that holds such networks; it is begun where there is none."""
    schema = dataset.schema
    parts = ["train", dataset.fingerprint, schema.target, schema.task.value, metric.name, seed]
    parts += [code] if code else []
    older = key = hashlib.sha256(json.dumps(parts).encode()).hexdigest()
    if schema.left_aside:
        key = hashlib.sha256(json.dumps([*parts, schema.left_aside]).encode()).hexdigest()
    found = study_of(shelf, (key, older), dataset)
    if found is not None and name in (None, found.name):
        return found_again(shelf, found, dataset, TestSet(0.0)).name
    taken = {each.name for each in shelf.studies()}
    if name in taken:
        raise ShelfError(f"The shelf has another study {name!r}: give another --study name.")
    name = name or study_name(dataset, key, taken)
    shelf.add_study(
        StudyRecord(
            name=name,
            key=key if found is None else f"{key}/{name}",
            fingerprint=dataset.fingerprint,
            task=schema.task,
            metric=metric.name,
            direction=metric.direction,
            seed=seed,
            settings={
                "data": dataset.name,
                "left_aside": schema.left_aside,
                "rows": where_rows_are(dataset, TestSet(0.0)),
                "command": command,
                "single": True,
            },
            understood=dataset.summary(),
            created=datetime.now(UTC).isoformat(timespec="seconds"),
        )
    )
    return name


def _shelve(shelf: Shelf, study: str, single: Single) -> TrialRecord:
    """Network, preparation, curve and record in one transaction: all of it lies there, or none."""
    record = single.record
    number, log = len(shelf.trials(study)), shelf.jobs(study)
    job, place = len(log), sum(each.retired is not None for each in log)
    file, preparation = _written(shelf, study, number, single)
    new = NewTrial(
        number, record.configuration, record.barcode, record.copy, record.purpose, record.split,
        record.seed, record.parameters,
    )  # fmt: skip
    outcome = Outcome(
        record.status, record.epoch, record.best_epoch, record.loss, record.score, record.seconds,
        record.steps, tuple(single.points),
    )  # fmt: skip
    completed = Completed(job, number, outcome, file, preparation, record.copy, record.parameters)
    shelf.write(
        study,
        trials=[new],
        jobs=[Job(job, number, 0, 0, record.epoch)],
        completed=[completed],
        retired=[(job, place)],
    )
    shelf.update_study(study, status="done")
    return shelf.trial(study, number)


def _written(shelf: Shelf, study: str, number: int, single: Single) -> tuple[StoredFile, str]:
    """The network's file and its preparation's name, written."""
    model, record = single.model, single.record
    told = described(model.configuration, record.copy)
    file = shelf.write_network(study, number, record.epoch, model.network.tensors(), told)
    return file, shelf.write_preparation(*model.preparation.to_state())
