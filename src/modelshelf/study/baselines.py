"""What plain models reach on the same rows: a linear model, and gradient-boosted trees."""

from __future__ import annotations

import atexit
import ctypes
import threading
import time

import numpy as np
from threadpoolctl import threadpool_limits

from modelshelf.core.errors import DataError
from modelshelf.core.records import Baseline
from modelshelf.data.metrics import score
from modelshelf.data.split import Split
from modelshelf.data.tensor import Tensor
from modelshelf.study.plain import BOOSTING, LINEAR, Fit, load, plain_models
from modelshelf.study.problem import Problem

__all__ = ["Baselines", "fitted_on"]

_PATIENCE = 1.0  # seconds that Python's end waits for a fit to stop


def fitted_on(problem: Problem) -> tuple[str, ...]:
    """The baselines of a problem. Trees look at one pixel at a time: on images there are none.

    Nor are there any on arrays that stay where they lie: they would have to be read at once.
    """
    frame = problem.dataset.frame
    if isinstance(frame, Tensor) and frame.is_large:
        return ()
    return (LINEAR,) if problem.dataset.schema.image else (LINEAR, BOOSTING)


class Baselines:
    """Fits the baselines in a thread of its own, beside the search.

    A fit that is not done when the time is up goes on until it is, and its result is not used; it
    does not keep Python from ending.

    Each is fitted on the search's training rows and scored on its validation rows. It has the
    rows that the winner has: where the winner is trained again on all development rows, the
    baselines are too, before they are scored on the test rows.
    """

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        self._found: list[Baseline] = []
        self._dropped = False
        self.seconds = 0.0  #: that its thread was at work on a core, for fits that are done
        self._thread = threading.Thread(target=self._run, name="modelshelf-baselines", daemon=True)

    def start(self) -> None:
        """Begin."""
        _AT_WORK.add(self)
        self._thread.start()

    @property
    def found(self) -> tuple[Baseline, ...]:
        """What is known so far; a baseline that failed is left out."""
        return tuple(self._found)

    def wait(self, seconds: float | None) -> tuple[Baseline, ...]:
        """What is known once all are fitted, or after this many seconds."""
        self._thread.join(seconds)
        return self.found

    def drop(self) -> None:
        """Begin no other fit."""
        self._dropped = True

    def _run(self) -> None:
        # One core at most: the others train, and threads that wait for a taken core only spin.
        try:
            with threadpool_limits(limits=1):
                self._fit_all()
        finally:
            _AT_WORK.discard(self)

    def end(self, patience: float) -> None:
        """End the fit at its next line of Python; after so many seconds leave it as it is."""
        self.drop()
        until = time.monotonic() + patience
        while self._thread.is_alive() and time.monotonic() < until:
            thread = ctypes.c_ulong(self._thread.ident or 0)
            ctypes.pythonapi.PyThreadState_SetAsyncExc(thread, ctypes.py_object(SystemExit))
            self._thread.join(0.05)

    def _fit_all(self) -> None:
        load()
        models = plain_models()
        for name in fitted_on(self._problem):
            self.seconds = time.thread_time()
            if self._dropped:
                return
            try:
                self._found.append(_measured(name, models[name], self._problem))
            except (ValueError, MemoryError, ArithmeticError, DataError):
                continue
        self.seconds = time.thread_time()


#: Those that fit now.
_AT_WORK: set[Baselines] = set()


@atexit.register
def _end_all() -> None:
    # A daemon that is cut off inside compiled code while Python ends can abort the process, so each
    # is ended before that, but for one that does not come back from compiled code.
    for each in tuple(_AT_WORK):
        each.end(_PATIENCE)


def _measured(name: str, fit: Fit, problem: Problem) -> Baseline:
    train, validation = problem.rows(Split("search"))
    began = time.perf_counter()
    model = fit(problem, train)
    seconds = time.perf_counter() - began
    output = model.predict(problem.dataset.frame[validation])
    found = score(problem.metric, problem.dataset.target[validation], output)
    test = None
    if problem.test_frame is not None and problem.test_target is not None:
        if problem.refits:
            model = fit(problem, np.arange(problem.dataset.rows))
        test = score(problem.metric, problem.test_target, model.predict(problem.test_frame))
    return Baseline(f"{name} ({model.note})" if model.note else name, found, test, seconds)
