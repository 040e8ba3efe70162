"""An objective's study on the shelf: found, begun, written trial by trial, read again."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from modelshelf.core.errors import ShelfError
from modelshelf.core.records import Direction, Task
from modelshelf.optuna.distributions import Distribution, from_json, to_json
from modelshelf.optuna.exceptions import DuplicatedStudyError, UnfitError
from modelshelf.optuna.search import space_of
from modelshelf.optuna.shelved import noted, read, write
from modelshelf.optuna.trial import FrozenTrial
from modelshelf.shelf import Shelf, StudyRecord
from modelshelf.space.catalogue import CATALOGUE

__all__ = ["Kept", "begun", "found", "place_of"]


def place_of(storage: str | Path | None) -> Path:
    """The shelf that a `storage` means: a folder; None is the usual shelf.

    A script's own `sqlite:///NAME.db` is the folder `NAME.shelf` beside where that file would be.

    >>> place_of("sqlite:////data/mine.db").as_posix()
    '/data/mine.shelf'

    Raises `UnfitError` for another database.
    """
    if storage is not None and not isinstance(storage, (str, Path)):
        raise UnfitError(f"storage is {storage!r}: expected the folder of a shelf, or None.")
    text = "" if storage is None else str(storage)
    if text.startswith("sqlite:///"):
        return Shelf.locate(Path(text.removeprefix("sqlite:///")).with_suffix(".shelf"))
    if "://" in text:
        kind = text.split("://")[0]
        raise UnfitError(
            f"storage is a database ({kind}://…): expected the folder of a shelf, or None."
        )
    return Shelf.locate(storage)


class Kept:
    """A study on the shelf, and what the shelf's columns do not hold of it."""

    def __init__(self, place: Path, record: StudyRecord) -> None:
        self.place, self.record = place, record
        notes = record.settings["optuna"]
        self.objective: str = notes["objective"]  #: name of the function; empty until it is known
        self.user_attrs: dict[str, Any] = notes["attrs"]
        #: Every parameter that was asked for, in that order.
        self.names: dict[str, Distribution] = {n: from_json(d) for n, d in notes["names"].items()}
        self._trials: dict[str, Any] = notes["trials"]  # what is noted of each, by number
        self._shelf: Shelf | None = None
        self._thread = 0  # that opened it
        self._turn = threading.RLock()  # threads tell of their trials one after the other
        self._ended = 0  # trials on the shelf, as far as is known here
        self._seconds = record.seconds

    @property
    def called(self) -> str:
        """The function's name; `objective` where trials are asked for and told one by one."""
        return self.objective or "objective"

    @contextmanager
    def held(self) -> Iterator[Shelf]:
        """The open shelf, with the study's lock, for one thread at a time; once for calls inside.

        Raises `ShelfError` where another process has the study, or went on with it since, and
        `UnfitError` where `optimize` has it in another thread: a shelf's connection is a thread's.
        """
        with self._turn:
            if self._shelf is not None:
                if self._thread != threading.get_ident():
                    raise UnfitError(
                        f"The study {self.record.name!r} is in the hands of optimize in another "
                        "thread: tell of trials there, or with n_jobs=1, or to another study."
                    )
                yield self._shelf
            else:
                with self._opened() as shelf:
                    yield shelf

    @contextmanager
    def kept_open(self) -> Iterator[None]:
        """The same for a while, in which other threads need not wait: they are refused."""
        with ExitStack() as later:
            with self._turn:
                if self._shelf is None:
                    opened = ExitStack()
                    opened.enter_context(self._opened())
                    later.callback(self._close, opened)
            yield

    def _close(self, opened: ExitStack) -> None:
        with self._turn:
            opened.close()

    @contextmanager
    def _opened(self) -> Iterator[Shelf]:
        with Shelf.open(self.place, create=True) as shelf, shelf.lock(self.record.name):
            if sum(shelf.counts(self.record.name).values()) != self._ended:
                raise ShelfError(
                    f"Another process went on with the study {self.record.name!r}: load it again."
                )
            self._shelf, self._thread = shelf, threading.get_ident()
            try:
                yield shelf
            finally:
                self._shelf = None

    def save(self) -> None:
        """Write what is noted."""
        settings = {
            **self.record.settings,
            "space": space_of(self.called, dict(self.names)).to_json(),
            "optuna": {
                "objective": self.objective,
                "attrs": dict(self.user_attrs),
                "names": {name: to_json(each) for name, each in dict(self.names).items()},
                "trials": self._trials,
            },
        }
        with self.held() as shelf:
            shelf.update_study(self.record.name, settings=settings)

    def end(self, trial: FrozenTrial, seed: int) -> None:
        """Put a trial that ended on the shelf."""
        with self.held() as shelf:
            self._trials[str(trial.number)] = noted(trial)
            self.save()
            self._seconds += trial.duration.total_seconds() if trial.duration else 0.0
            write(
                shelf, self.record, trial, self.called, seed, job=self._ended,
                spent=self._seconds,
            )  # fmt: skip
            self._ended += 1

    def mark(self, status: str) -> None:
        """Say whether the study is `"open"` or `"done"`."""
        with self.held() as shelf:
            shelf.update_study(self.record.name, status=status)

    def trials(self) -> list[FrozenTrial]:
        """Every trial on the shelf, in the order in which they ended."""
        with Shelf.open(self.place) as shelf:
            name = self.record.name
            records = {each.number: each for each in shelf.trials(name)}
            ended = [each.job.trial for each in shelf.jobs(name)]
            curves = shelf.curves(name)
        self._ended = len(ended)
        return [
            read(records[n], self._trials[str(n)], self.names, curves.get(n, ())) for n in ended
        ]


def found(place: Path, name: str) -> Kept:
    """The study of this very name. Raises `ShelfError` where there is none, or no objective's."""
    with Shelf.open(place) as shelf:
        return _own(shelf, shelf.study(name))


def begun(
    place: Path, name: str | None, direction: Direction, seed: int, *, load_if_exists: bool
) -> Kept:
    """A new study; without a name it is `objective`, `objective-2`, and so on.

    Raises `DuplicatedStudyError` where there is one of this name that is not to be gone on with.
    """
    with Shelf.open(place, create=True) as shelf:
        there = {each.name: each for each in shelf.studies()}
        if name in there and load_if_exists:
            return _same(_own(shelf, there[name]), direction)
        if name in there:
            raise DuplicatedStudyError(
                f"The shelf at {place} has a study {name!r}: give load_if_exists=True to go on "
                "with it, or another study_name."
            )
        name, count = name or "objective", 1
        while name in there:
            count += 1
            name = f"objective-{count}"
        shelf.add_study(_new(name, direction, seed))
        return Kept(place, shelf.study(name))


def _own(shelf: Shelf, record: StudyRecord) -> Kept:
    if "optuna" not in record.settings:
        raise UnfitError(
            f"The study {record.name!r} on the shelf at {shelf.path} is not an objective's: "
            "give another study_name."
        )
    return Kept(shelf.path, record)


def _same(kept: Kept, direction: Direction) -> Kept:
    if kept.record.direction is not direction:
        raise UnfitError(
            f"The study {kept.record.name!r} is there to {kept.record.direction.value}, not to "
            f"{direction.value}: give direction={kept.record.direction.value!r}."
        )
    return kept


def _new(name: str, direction: Direction, seed: int) -> StudyRecord:
    began = datetime.now(UTC).isoformat()
    key = hashlib.sha256(json.dumps(["objective", name, began]).encode()).hexdigest()
    return StudyRecord(
        name=name,
        key=key,
        fingerprint=key,  # of its data nothing is known: they are like no other study's
        task=Task.REGRESSION,
        metric="objective",
        direction=direction,
        seed=seed,
        settings={
            "data": "an objective",
            "epochs": CATALOGUE["epochs"].default,
            "optuna": {"objective": "", "names": {}, "trials": {}, "attrs": {}},
        },
        understood=(f"An objective function, to {direction.value}.",),
        created=began[:19] + began[-6:],
    )
