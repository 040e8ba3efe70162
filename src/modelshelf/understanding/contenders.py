"""What a network is held against: a constant, plain models, and its study's ensemble."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from modelshelf.core.errors import BarcodeError
from modelshelf.core.records import TrialRecord
from modelshelf.data.tensor import Frame
from modelshelf.executors import Done, ThreadExecutor
from modelshelf.insight.worth import CONSTANT
from modelshelf.shelf import Shelf, StudyRecord
from modelshelf.study.ensemble_model import EnsembleModel
from modelshelf.study.model import Model
from modelshelf.study.plain import Fit, load, plain_models
from modelshelf.study.problem import Problem

__all__ = ["ENSEMBLE", "NETWORK", "Answered", "deep", "plain"]

NETWORK, ENSEMBLE = "network", "ensemble"

_TIMED = 1_000  # rows that answers are timed on
_TRIES = 3
_LEAST = 0.1  # seconds: nothing is begun in less

Predict = Callable[[Frame], NDArray[np.float64]]


@dataclass(frozen=True, slots=True, eq=False)
class Answered:
    """What a contender answered to the rows that all are judged by, and what it cost."""

    name: str
    output: NDArray[np.float64]  #: (rows, classes), or (rows,)
    fit_seconds: float  #: on one core
    answer_seconds: float  #: for 1,000 rows, preparation included, on one core
    parameters: int
    bytes: int
    note: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class _Ready:
    """A contender that is ready to answer."""

    name: str
    predict: Predict
    fit_seconds: float
    parameters: int
    bytes: int
    note: str = ""

    def answered(self, frame: Frame) -> Answered:
        """Its answers to these rows; a thousand of them are timed, the best of three times."""
        rows = frame[np.resize(np.arange(frame.height), _TIMED)]
        found = []
        with threadpool_limits(limits=1):
            for _ in range(_TRIES):
                began = time.perf_counter()
                self.predict(rows)
                found.append(time.perf_counter() - began)
            output = self.predict(frame)
        return Answered(
            self.name, output, self.fit_seconds, min(found), self.parameters, self.bytes, self.note
        )


def deep(
    shelf: Shelf,
    record: StudyRecord,
    trial: TrialRecord,
    frame: Frame,
    left: Callable[[], float],
) -> Iterator[Answered | str]:
    """The network, and the study's ensemble where it has one of several networks."""
    model = Model.from_record(shelf, trial)
    yield _Ready(
        NETWORK,
        lambda rows: model.answer(model.preparation.transform(rows)),
        trial.seconds,
        model.network.parameters,
        sum(each.nbytes for each in model.network.tensors().values()),
    ).answered(frame)
    found = (record.result or {}).get("ensemble")
    if not found or found["size"] < 2:
        return
    # Its study measured what it takes to answer 1,000 rows.
    if (frame.height / 1_000 + _TRIES) * (found["seconds"] or 0.0) > left() / 2:
        yield f"{ENSEMBLE} (its {found['size']} networks take too long to answer)"
        return
    ensemble = EnsembleModel.from_file(found["file"], shelf.path)
    yield _Ready(
        ENSEMBLE,
        ensemble.answer,
        sum(_trained(shelf, each["copy"]) for each in found["members"]),
        ensemble.parameters,
        ensemble.bytes,
        f"{found['size']} networks",
    ).answered(frame)


def _trained(shelf: Shelf, copy: str) -> float:
    """Seconds that a network was trained for; NaN where it is no longer on the shelf."""
    try:
        return shelf.resolve(copy)[0].seconds
    except BarcodeError:
        return float("nan")


def plain(
    problem: Problem,
    rows: NDArray[np.int64],
    frame: Frame,
    left: Callable[[], float],
    tell: Callable[[str], None],
) -> Iterator[Answered | str]:
    """The constant, and each plain model fitted on `rows`; a sentence where one was left out.

    Each is given half of the time that is `left()`, to fit and to answer `frame`. A fit cannot be
    interrupted: one that takes longer goes on by itself, and its result is not used.
    """
    yield _constant(problem, rows).answered(frame)
    if left() > 0.0:
        load()
    for name, fit in plain_models().items():
        allowed = left() / 2 if left() > _LEAST else 0.0
        tell(f"fitting {name}")
        done = _within(partial(_fitted, name, fit, problem, rows, frame), allowed)
        if done is None:
            yield (
                f"{name} (not done in {allowed:.1f} s)" if allowed > 0.0 else f"{name} (not begun)"
            )
        elif done.result is None:
            yield f"{name} (it could not be fitted: {done.error})"
        else:
            yield done.result


def _fitted(
    name: str, fit: Fit, problem: Problem, rows: NDArray[np.int64], frame: Frame
) -> Answered:
    with threadpool_limits(limits=1):
        began = time.perf_counter()
        model = fit(problem, rows)
        seconds = time.perf_counter() - began
    ready = _Ready(name, model.predict, seconds, model.parameters, model.bytes, model.note)
    return ready.answered(frame)


Work = Callable[[], Answered]


def _within(work: Work, seconds: float) -> Done[Work, Answered] | None:
    """The work, done within a time; None where it was not."""
    if seconds <= 0.0:
        return None
    executor: ThreadExecutor[Work, Answered] = ThreadExecutor(lambda job: job(), 1)
    executor.submit(work)
    done = executor.next(seconds)
    executor.close(patience=0.0)
    return done


def _constant(problem: Problem, rows: NDArray[np.int64]) -> _Ready:
    """The shares of the classes, or the mean, whatever the row."""
    target = problem.dataset.target[rows]
    if not problem.classes:
        mean = float(np.mean(target, dtype=np.float64))
        return _Ready(CONSTANT, lambda frame: np.full(frame.height, mean), 0.0, 1, 8)
    shares = np.bincount(target, minlength=len(problem.dataset.schema.classes)) / len(target)
    size = len(shares)
    return _Ready(CONSTANT, lambda frame: np.tile(shares, (frame.height, 1)), 0.0, size, 8 * size)
