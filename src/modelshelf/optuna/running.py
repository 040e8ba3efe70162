"""Trials, one after the other or in threads, until a limit is reached."""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Protocol

from modelshelf.optuna.ending import end
from modelshelf.optuna.exceptions import TrialPruned, UnfitError
from modelshelf.optuna.trial import FrozenTrial, Trial, TrialState

__all__ = ["Limits", "Running", "run"]


class Running(Protocol):
    """What is run: a study."""

    stopping: bool

    def ask(self) -> Trial:
        """The next trial."""

    def running(self, number: int) -> FrozenTrial:
        """The record of a trial that was asked for."""

    def shelve(self, record: FrozenTrial) -> None:
        """It ended."""


@dataclass(frozen=True)
class Limits:
    """When no further trial is started, and how many run at a time. Raises `UnfitError`."""

    trials: int | None
    seconds: float | None
    jobs: int

    def __post_init__(self) -> None:
        for name, value, least in (("n_trials", self.trials, 0), ("n_jobs", self.jobs, -1)):
            whole = isinstance(value, int) and not isinstance(value, bool)
            if value is not None and not (
                whole and value >= least and (name, value) != ("n_jobs", 0)
            ):
                raise UnfitError(f"{name} is {value!r}: expected a whole number, 1 or above.")
        if self.seconds is not None and not self.seconds >= 0:
            raise UnfitError(f"timeout is {self.seconds!r}: expected seconds.")

    @property
    def workers(self) -> int:
        """Threads."""
        return (os.cpu_count() or 1) if self.jobs == -1 else self.jobs


@dataclass(frozen=True)
class _Came:
    """What came of one call of the objective."""

    number: int
    returned: Any = None
    state: TrialState | None = None
    error: Exception | None = None


def run(
    study: Running,
    objective: Callable[[Trial], Any],
    limits: Limits,
    *,
    catch: tuple[type[Exception], ...],
    ended: Callable[[FrozenTrial], None],
    progress: bool,
    collect: bool,
) -> None:
    """Run trials; `ended` is called after each, in the thread that called this.

    An exception that is not in `catch` is raised again once its trial is on the shelf, and so is
    Ctrl-C once the trials in other threads have ended.
    """
    began, started = time.monotonic(), 0

    def over() -> bool:
        late = limits.seconds is not None and time.monotonic() - began >= limits.seconds
        return late or study.stopping or (limits.trials is not None and started >= limits.trials)

    with _bar(progress, limits.trials) as advance:

        def settle(came: _Came) -> None:
            record = study.running(came.number)
            reason = f"{type(came.error).__name__}: {came.error}" if came.error else ""
            end(record, came.returned, came.state, reason)
            study.shelve(record)
            advance()
            if collect:
                gc.collect()
            if came.error is not None and not isinstance(came.error, catch):
                raise came.error
            ended(record)

        if limits.workers == 1:
            while not over():
                started += 1
                settle(_called(objective, study.ask()))
            return
        with _threads(limits.workers, settle) as (pool, out):
            while not over() or out:
                while len(out) < limits.workers and not over():
                    started += 1
                    out.add(pool.submit(_called, objective, study.ask()))
                for each in wait(out, return_when=FIRST_COMPLETED).done:
                    out.discard(each)
                    settle(each.result())


def _called(objective: Callable[[Trial], Any], trial: Trial) -> _Came:
    try:
        return _Came(trial.number, objective(trial))
    except TrialPruned:
        return _Came(trial.number, state=TrialState.PRUNED)
    except Exception as error:
        return _Came(trial.number, state=TrialState.FAIL, error=error)


@contextmanager
def _threads(
    workers: int, settle: Callable[[_Came], None]
) -> Iterator[tuple[ThreadPoolExecutor, set[Future[_Came]]]]:
    """A pool, and the set of what is out; if something goes wrong, that still comes to its end."""
    out: set[Future[_Came]] = set()
    with ThreadPoolExecutor(workers) as pool:
        try:
            yield pool, out
        except BaseException:
            for each in wait(out).done:
                if each.exception() is None:
                    with suppress(Exception):  # the first is raised; others are on the shelf
                        settle(each.result())
            raise


@contextmanager
def _bar(wanted: bool, total: int | None) -> Iterator[Callable[[], None]]:
    """What to call after each trial; it draws a bar on standard error, if that is wanted."""
    if not wanted:
        yield lambda: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True)) as bar:
        task = bar.add_task("trials", total=total)
        yield lambda: bar.advance(task)
