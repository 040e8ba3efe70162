"""What a worker does with a leg: thaw, train, judge, freeze to the shelf's files."""

from __future__ import annotations

import json
import math
import threading
import time
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from modelshelf.core.errors import ShelfError
from modelshelf.core.protocols import STOP, Engine
from modelshelf.core.protocols import Leg as EngineLeg
from modelshelf.core.records import CurvePoint, Outcome, Purpose, Status
from modelshelf.core.version import __version__
from modelshelf.data.metrics import Metric
from modelshelf.data.prepare import Preparation
from modelshelf.shelf import Shelf, StoredFile
from modelshelf.space.configuration import Configuration
from modelshelf.study.answers import packed
from modelshelf.study.engines import Engines
from modelshelf.study.problem import Prepared, Problem
from modelshelf.study.trial import Leg, copy_id

__all__ = ["Trainer", "Work", "curve_points", "described", "ranking_value"]


@dataclass(frozen=True, slots=True)
class Work:
    """What came of a leg. `outcome` is None where it was interrupted and is to be done again."""

    outcome: Outcome | None
    value: float = math.inf  #: what trials are ranked by, lower is better
    file: StoredFile | None = None
    preparation: str = ""
    copy: str = ""
    parameters: int = 0
    writing: float = 0.0  #: seconds spent on files
    answering: float = 0.0  #: seconds that the network took to answer the validation rows


class Trainer:
    """Runs legs. Called by many threads at once; touches the shelf's files, never its database."""

    def __init__(
        self,
        problem: Problem,
        shelf: Shelf,
        study: str,
        data_key: str,
        flag: NDArray[np.uint8],
        engines: Engines,
    ) -> None:
        self._problem = problem
        self._shelf = shelf
        self._study = study
        self._data_key = data_key
        self._flag = flag
        self._engines = engines
        self._lock = threading.Lock()
        # The preparation is held beside its name, so that its id is not given to another.
        self._names: dict[int, tuple[str, Preparation]] = {}

    def __call__(self, leg: Leg) -> Work:
        """Train one leg."""
        if self._flag[0] == STOP:
            return Work(None)
        trial = leg.trial
        engine = self._engines.of(trial.configuration)
        prepared = self._problem.prepared(trial.split, trial.configuration)
        data = prepared.data
        if trial.purpose is Purpose.CONFIRM:  # the rows that score it stop and keep nothing
            data = replace(data, validation_x=data.validation_x[:0], validation_y=data.y[:0])
        frozen = self._frozen(leg)
        if frozen is None:
            member = engine.start(trial.configuration, data, trial.seed)
        else:
            member = engine.thaw(trial.configuration, data, trial.seed, frozen)
        done = engine.advance(member, data, leg.job.to_epoch, self._flag)
        if done.interrupted:
            return Work(None)
        return self._judge(leg, engine, member, done, prepared)

    def _frozen(self, leg: Leg) -> dict[str, NDArray[Any]] | None:
        """The member as it stood; None where it starts, or has to start again.

        A file that was damaged on its disk is no reason to lose a study: all that it held comes
        back by training from the first epoch.
        """
        if leg.file is None:
            return None
        try:
            return self._shelf.read_network((self._study, leg.trial.number), leg.file)[0]
        except ShelfError:
            return None

    def _judge(
        self, leg: Leg, engine: Engine[Any], member: Any, done: EngineLeg, prepared: Prepared
    ) -> Work:
        problem, trial = self._problem, leg.trial
        network = engine.network(member, problem.classes)
        began = time.perf_counter()
        judged = done.best_epoch > 0 and len(prepared.target) > 0
        output = problem.answers(network, prepared) if judged else None
        answering = time.perf_counter() - began
        outcome = Outcome(
            status=_status(done, leg),
            epoch=done.epoch,
            best_epoch=done.best_epoch,
            loss=done.loss,
            score=math.nan if output is None else problem.score(output, prepared),
            seconds=done.seconds,
            steps=done.steps,
            curve=tuple(
                point
                for point in curve_points(self._problem, done, prepared)
                if point.epoch > leg.job.from_epoch
            ),
        )
        value = ranking_value(problem.metric, outcome)
        if outcome.status is Status.PAUSED and value > leg.job.keep:
            outcome = replace(outcome, status=Status.STOPPED)
        began = time.perf_counter()
        tensors = network.tensors()
        if outcome.status is Status.PAUSED:
            tensors |= engine.snapshot(member)
        if output is not None and _worth_keeping(outcome, value):
            tensors |= packed(output, problem.classes)
        identity = self._engines.identity(trial.configuration)
        copy = copy_id(trial, self._data_key, done.epoch, identity)
        told = described(trial.configuration, copy)
        file = self._shelf.write_network(self._study, trial.number, done.epoch, tensors, told)
        return Work(
            outcome,
            value,
            file,
            self._preparation(prepared),
            copy,
            network.parameters,
            time.perf_counter() - began,
            answering,
        )

    def _preparation(self, prepared: Prepared) -> str:
        """The name of the preparation on the shelf; written by the first leg that used it."""
        with self._lock:
            key = id(prepared.preparation)
            if key not in self._names:
                name = self._shelf.write_preparation(*prepared.preparation.to_state())
                self._names[key] = (name, prepared.preparation)
            return self._names[key][0]


def described(configuration: Configuration, copy: str) -> dict[str, str]:
    """What a network's file says of itself."""
    return {
        "modelshelf": __version__,
        "barcode": configuration.barcode,
        "copy": copy,
        "configuration": json.dumps(configuration.to_json()),
    }


def curve_points(problem: Problem, done: EngineLeg, prepared: Prepared) -> tuple[CurvePoint, ...]:
    """A leg's epochs, scores in the target's unit."""
    first = done.epoch - len(done.curve) + 1
    scale = prepared.preparation.target_scale
    return tuple(
        CurvePoint(
            first + i,
            train,
            validation,
            right if problem.classes else math.sqrt(validation) * scale,
        )
        for i, (train, validation, right) in enumerate(done.curve.tolist())
    )


def ranking_value(metric: Metric, outcome: Outcome) -> float:
    """Loss where the metric is coarse, else the metric; lower is better, infinite if undefined."""
    if metric.by_loss:
        value = outcome.loss
    else:
        value = outcome.score if metric.direction == "minimize" else -outcome.score
    usable = outcome.status not in (Status.DIVERGED, Status.FAILED) and math.isfinite(value)
    return value if usable else math.inf


def _worth_keeping(outcome: Outcome, value: float) -> bool:
    """Whether a network's answers are kept: not where it is hopeless, to save room."""
    return outcome.status is not Status.STOPPED and math.isfinite(value)


def _status(done: EngineLeg, leg: Leg) -> Status:
    """Only the search pauses trials; a refit, say, ends where it was told to."""
    if done.diverged:
        return Status.DIVERGED
    last = done.epoch >= leg.trial.configuration.whole("epochs")
    if done.ended or last or leg.trial.purpose is not Purpose.SEARCH:
        return Status.FINISHED
    return Status.PAUSED
