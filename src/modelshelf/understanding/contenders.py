"""What a network is held against: a constant, plain models, and its study's ensemble."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from modelshelf.core.errors import BarcodeError
from modelshelf.core.records import TrialRecord
from modelshelf.executors import Done, ThreadExecutor
from modelshelf.shelf import Shelf, StudyRecord
from modelshelf.study.ensemble_model import EnsembleModel
from modelshelf.study.model import Model
from modelshelf.study.plain import Fit, Plain, load, plain_models
from modelshelf.study.problem import Problem

__all__ = ["CONSTANT", "ENSEMBLE", "NETWORK", "Fitted", "deep", "plain"]

CONSTANT, NETWORK, ENSEMBLE = "constant", "network", "ensemble"

_TIMED = 1_000  # rows that answers are timed on
_TRIES = 3

Predict = Callable[[pl.DataFrame], NDArray[np.float64]]


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """A contender that is ready to answer, and what it took."""

    name: str
    predict: Predict
    fit_seconds: float
    parameters: int
    bytes: int
    note: str = ""

    def timed(self, frame: pl.DataFrame) -> float:
        """Seconds to answer 1,000 rows on one core, preparation included: the best of three."""
        rows = pl.concat([frame] * -(-_TIMED // frame.height)).head(_TIMED)
        found = []
        with threadpool_limits(limits=1):
            for _ in range(_TRIES):
                began = time.perf_counter()
                self.predict(rows)
                found.append(time.perf_counter() - began)
        return min(found)


def deep(shelf: Shelf, record: StudyRecord, trial: TrialRecord) -> Iterator[Fitted]:
    """The network, and the study's ensemble where it has one of several networks."""
    model = Model.from_record(shelf, trial)
    yield Fitted(
        NETWORK,
        lambda frame: model.answer(model.preparation.transform(frame)),
        trial.seconds,
        model.network.layout.parameters,
        model.network.theta.nbytes,
    )
    found = (record.result or {}).get("ensemble")
    if found and found["size"] > 1:
        ensemble = EnsembleModel.from_file(found["file"], shelf.path)
        seconds = sum(_trained(shelf, each["copy"]) for each in found["members"])
        note = f"{found['size']} networks"
        yield Fitted(ENSEMBLE, ensemble.answer, seconds, ensemble.parameters, ensemble.bytes, note)


def _trained(shelf: Shelf, copy: str) -> float:
    """Seconds that a network was trained for; NaN where it is no longer on the shelf."""
    try:
        return shelf.resolve(copy)[0].seconds
    except BarcodeError:
        return float("nan")


def plain(
    problem: Problem,
    rows: NDArray[np.int64],
    left: Callable[[], float],
    tell: Callable[[str], None],
) -> Iterator[Fitted | str]:
    """The constant, and each plain model fitted on these rows; a sentence where one was not.

    Each is given half of the time that is `left()`. A fit cannot be interrupted: one that takes
    longer goes on by itself, and its result is not used.
    """
    yield _constant(problem, rows)
    load()
    for name, fit in plain_models().items():
        allowed = left() / 2
        tell(f"fitting {name}")
        done = _within(lambda fit=fit: _measured(fit, problem, rows), allowed)  # type: ignore[misc]
        if done is None:
            yield f"{name}: it was not fitted within {max(allowed, 0.0):.0f} s"
        elif done.result is None:
            yield f"{name}: it could not be fitted ({done.error})"
        else:
            model, seconds = done.result
            yield Fitted(name, model.predict, seconds, model.parameters, model.bytes, model.note)


def _constant(problem: Problem, rows: NDArray[np.int64]) -> Fitted:
    """The shares of the classes, or the mean, whatever the row."""
    target = problem.dataset.target[rows]
    if not problem.classes:
        mean = float(np.mean(target, dtype=np.float64))
        return Fitted(CONSTANT, lambda frame: np.full(frame.height, mean), 0.0, 1, 8)
    shares = np.bincount(target, minlength=len(problem.dataset.schema.classes)) / len(target)
    size = len(shares)
    return Fitted(CONSTANT, lambda frame: np.tile(shares, (frame.height, 1)), 0.0, size, 8 * size)


Measured = tuple[Plain, float]


def _measured(fit: Fit, problem: Problem, rows: NDArray[np.int64]) -> Measured:
    with threadpool_limits(limits=1):
        began = time.perf_counter()
        model = fit(problem, rows)
        return model, time.perf_counter() - began


def _within(
    work: Callable[[], Measured], seconds: float
) -> Done[Callable[[], Measured], Measured] | None:
    """The work, done within a time; None where it was not."""
    if seconds <= 0.0:
        return None
    executor: ThreadExecutor[Callable[[], Measured], Measured] = ThreadExecutor(
        lambda job: job(), 1
    )
    executor.submit(work)
    done = executor.next(seconds)
    executor.close(patience=0.0)
    return done
