"""A study of an objective, in Optuna's words: every trial that ends is on the shelf."""

from __future__ import annotations

import copy
import math
import threading
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelshelf.core.errors import nearest
from modelshelf.core.records import Direction as StudyDirection
from modelshelf.core.seeds import derive
from modelshelf.optuna.distributions import Distribution, merged
from modelshelf.optuna.ending import end
from modelshelf.optuna.exceptions import UnfitError
from modelshelf.optuna.frame import frame_of
from modelshelf.optuna.keeping import Kept, begun, found, place_of
from modelshelf.optuna.logging import INFO, WARNING, get_logger
from modelshelf.optuna.pruners import MedianPruner, Pruner, Reports
from modelshelf.optuna.running import Limits, run
from modelshelf.optuna.samplers import Sampler, TPESampler
from modelshelf.optuna.search import Proposer
from modelshelf.optuna.trial import FrozenTrial, Trial, TrialState, plain
from modelshelf.space.domains import Value

if TYPE_CHECKING:
    import pandas

__all__ = ["MaxTrialsCallback", "Study", "StudyDirection", "create_study", "load_study"]

Objective = Callable[[Trial], Any]
Callback = Callable[["Study", FrozenTrial], None]

_LOG = get_logger("modelshelf.optuna")


class Study:
    """A study on the shelf. Made by `create_study` or `load_study`."""

    def __init__(self, kept: Kept, sampler: Sampler | None, pruner: Pruner | None) -> None:
        self.sampler = sampler if sampler is not None else TPESampler()
        self.pruner = pruner if pruner is not None else MedianPruner()
        if not isinstance(self.sampler, Sampler) or not hasattr(self.pruner, "prune"):
            raise UnfitError(
                f"The sampler is {sampler!r}, the pruner {pruner!r}: expected those of "
                "modelshelf.optuna.samplers and modelshelf.optuna.pruners."
            )
        self._kept = kept
        self._told = kept.trials()  # ended trials, in the order in which they ended
        self._reported = [self._reports(each) for each in self._told]
        self._running: dict[int, tuple[FrozenTrial, Mapping[str, Value]]] = {}
        self._queue: list[dict[str, Any]] = []
        self._next = 1 + max((each.number for each in self._told), default=-1)
        self._proposer = Proposer(kept.record.seed, self.direction is StudyDirection.MINIMIZE)
        self._guard = threading.Lock()
        self.stopping = False  #: `stop` was called since `optimize` began

    # ---- what it is

    @property
    def study_name(self) -> str:
        """Its name on the shelf."""
        return self._kept.record.name

    @property
    def direction(self) -> StudyDirection:
        """Whether a lower or a higher value is better."""
        return self._kept.record.direction

    @property
    def directions(self) -> list[StudyDirection]:
        """Its one direction, in a list."""
        return [self.direction]

    @property
    def user_attrs(self) -> dict[str, Any]:
        """What was kept with it."""
        return copy.deepcopy(self._kept.user_attrs)

    def set_user_attr(self, key: str, value: Any) -> None:
        """Keep something with the study: on the shelf at once, or with the next trial that ends."""
        self._kept.user_attrs[key] = plain(value)
        if not self._running:
            self._kept.save()

    # ---- what came of it

    @property
    def trials(self) -> list[FrozenTrial]:
        """All trials, by number."""
        return self.get_trials()

    def get_trials(
        self, deepcopy: bool = True, states: Container[TrialState] | None = None
    ) -> list[FrozenTrial]:
        """All trials by number, or those in these states; copies, unless `deepcopy` is False."""
        with self._guard:
            every = [*self._told, *(record for record, _ in self._running.values())]
        chosen = [each for each in every if states is None or each.state in states]
        chosen.sort(key=lambda each: each.number)
        return [each.snapshot() for each in chosen] if deepcopy else chosen

    @property
    def best_trial(self) -> FrozenTrial:
        """The complete trial with the best value. Raises `UnfitError` where none is complete."""
        complete = [
            each
            for each in self._told
            if each.state is TrialState.COMPLETE and each.value is not None
        ]
        if not complete:
            raise UnfitError(f"No trial of the study {self.study_name!r} is complete yet.")
        return min(complete, key=lambda each: self._signed(each.value)).snapshot()

    @property
    def best_value(self) -> float:
        """The best trial's value."""
        value = self.best_trial.value
        assert value is not None
        return value

    @property
    def best_params(self) -> dict[str, Any]:
        """The best trial's parameters."""
        return self.best_trial.params

    def trials_dataframe(self) -> pandas.DataFrame:
        """A row for each trial. Raises `UnfitError` where pandas is not installed."""
        return frame_of(self.trials)

    # ---- trial by trial

    def enqueue_trial(self, params: Mapping[str, Any]) -> None:
        """Have the next trial take these values; what is not given is proposed as always."""
        self._queue.append(dict(params))

    def ask(self, fixed_distributions: Mapping[str, Distribution] | None = None) -> Trial:
        """A trial to be evaluated, and then told with `tell`."""
        with self._guard:
            number, self._next = self._next, self._next + 1
            proposed: Mapping[str, Value] = {}
            if self.sampler.searched:
                waiting = {n: labels for n, (_, labels) in self._running.items()}
                names = dict(self._kept.names)
                proposed = self._proposer.propose(self._kept.called, names, self._told, waiting)
            record = FrozenTrial(number, datetime_start=datetime.now())
            self._running[number] = record, proposed
        enqueued = self._queue.pop(0) if self._queue else {}
        trial = Trial(self, record, self._seed(number), proposed, enqueued)
        for name, distribution in (fixed_distributions or {}).items():
            trial.suggest(name, distribution)
        return trial

    def tell(
        self,
        trial: Trial | int,
        values: float | Sequence[float] | None = None,
        state: TrialState | None = None,
        skip_if_finished: bool = False,
    ) -> FrozenTrial:
        """End a trial: with a value, or as pruned or failed; it is then on the shelf.

        What is no number fails, and so does NaN. Raises `UnfitError` where it is not running.
        """
        number = trial if isinstance(trial, int) else trial.number
        if number not in self._running:
            ended = next((each for each in self._told if each.number == number), None)
            if ended is not None and skip_if_finished:
                return ended.snapshot()
            raise UnfitError(f"Trial {number} is not running: ask for one, and tell it once.")
        record = self.running(number)
        end(record, values, state)
        self.shelve(record)
        return record.snapshot()

    # ---- all at once

    def optimize(
        self,
        func: Objective,
        n_trials: int | None = None,
        timeout: float | None = None,
        n_jobs: int = 1,
        catch: Iterable[type[Exception]] | type[Exception] = (),
        callbacks: Iterable[Callback] | None = None,
        gc_after_trial: bool = False,
        show_progress_bar: bool = False,
    ) -> None:
        """Run trials of an objective: so many, or for so many seconds, or until Ctrl-C.

        With `n_jobs` threads so many at a time; -1 is one for each core. An exception ends the
        study, unless it is one of `catch`; the trial is on the shelf either way, as failed.
        """
        if not callable(func):
            raise UnfitError(f"The objective is {func!r}: expected a function of a trial.")
        limits = Limits(n_trials, timeout, n_jobs)
        self._kept.objective = self._kept.objective or _name_of(func)
        self.stopping, first = False, self._next

        def ended(record: FrozenTrial) -> None:
            for each in callbacks or ():
                each(self, record.snapshot())

        with self._kept.kept_open():
            self._kept.mark("open")
            try:
                run(
                    self, func, limits, ended=ended, progress=show_progress_bar,
                    catch=(catch,) if isinstance(catch, type) else tuple(catch),
                    collect=gc_after_trial,
                )  # fmt: skip
            finally:
                for number in [each for each in self._running if each >= first]:
                    del self._running[number]  # what Ctrl-C cut off is no result
                self._kept.save()
                self._kept.mark("done")

    def stop(self) -> None:
        """Start no more trials; those that run come to their end."""
        self.stopping = True

    # ---- for trials

    def learn(self, name: str, distribution: Distribution) -> None:
        """A parameter was asked for. Raises `UnfitError` where it was another one before."""
        with self._guard:
            names = self._kept.names
            names[name] = merged(name, names.get(name), distribution)

    def is_hopeless(self, trial: FrozenTrial) -> bool:
        """Whether the pruner would end it at its last report."""
        with self._guard:
            running = [record for record, _ in self._running.values()]
            others = list(self._reported)
        others += (self._reports(each) for each in running if each.number != trial.number)
        return self.pruner.prune(self._reports(trial), others)

    def running(self, number: int) -> FrozenTrial:
        """The record of a trial that was asked for, and has not ended."""
        return self._running[number][0]

    def shelve(self, record: FrozenTrial) -> None:
        """Put a trial that ended on the shelf, and count it."""
        self._kept.end(record, self._seed(record.number))
        with self._guard:
            del self._running[record.number]
            self._told.append(record)
            self._reported.append(self._reports(record))
        told = f"Trial {record.number} ({record.barcode[:9]}) {record.state.name.lower()}"
        told += f": {record.reason}" if record.reason else f" with {record.value}"
        told += f", parameters {record.params}"
        _LOG.log(WARNING if record.reason else INFO, told)

    def _reports(self, trial: FrozenTrial) -> Reports:
        values = dict(trial.intermediate_values)
        signed = {step: self._signed(value) for step, value in values.items()}
        return Reports(signed, trial.state is TrialState.COMPLETE)

    def _signed(self, value: float | None) -> float:
        """Lower is better."""
        if value is None:
            return math.inf
        return value if self.direction is StudyDirection.MINIMIZE else -value

    def _seed(self, number: int) -> int:
        return derive(self._kept.record.seed, "objective", number)


def _name_of(function: Objective) -> str:
    """The objective's qualified name, or its class's; the end of a long one."""
    name = getattr(function, "__qualname__", type(function).__qualname__)
    return str(name)[-200:]


class MaxTrialsCallback:
    """Stops a study that has so many trials in these states, those of earlier runs among them."""

    def __init__(
        self, n_trials: int, states: Container[TrialState] | None = (TrialState.COMPLETE,)
    ) -> None:
        self._trials, self._states = n_trials, states

    def __call__(self, study: Study, trial: FrozenTrial) -> None:
        """Look after each trial."""
        if len(study.get_trials(deepcopy=False, states=self._states)) >= self._trials:
            study.stop()


def create_study(
    *,
    storage: str | Path | None = None,
    sampler: Sampler | None = None,
    pruner: Pruner | None = None,
    study_name: str | None = None,
    direction: str | StudyDirection | None = None,
    load_if_exists: bool = False,
    directions: Sequence[str | StudyDirection] | None = None,
) -> Study:
    """A study on the shelf, to minimize or to maximize.

    `storage` is the shelf's folder: None is the usual one, and `sqlite:///NAME.db` is `NAME.shelf`.
    With `load_if_exists` a study of this name goes on, with the seed that it began with.

    Raises `UnfitError` for more than one direction, and `DuplicatedStudyError`.
    """
    given = list(directions) if directions is not None else [direction or StudyDirection.MINIMIZE]
    if len(given) != 1 or (direction is not None and directions is not None):
        raise UnfitError(
            f"There are {len(given)} directions here: a study has one objective. Return one number "
            "that weighs them, or keep the others with trial.set_user_attr."
        )
    names = [each.value for each in StudyDirection]
    if str(given[0]) not in names:
        raise UnfitError(f"The direction is {given[0]!r}: {nearest(str(given[0]), names)}")
    seed = sampler.seed if isinstance(sampler, Sampler) else 0
    where, way = place_of(storage), StudyDirection(given[0])
    kept = begun(where, study_name, way, seed, load_if_exists=load_if_exists)
    return Study(kept, sampler, pruner)


def load_study(
    *,
    study_name: str,
    storage: str | Path | None = None,
    sampler: Sampler | None = None,
    pruner: Pruner | None = None,
) -> Study:
    """A study that is on the shelf. Raises `ShelfError` where there is none of this name."""
    return Study(found(place_of(storage), study_name), sampler, pruner)
