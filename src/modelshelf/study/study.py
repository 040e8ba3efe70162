"""One study from a data set to a winner on the shelf."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from modelshelf.core.errors import ShelfError
from modelshelf.data.dataset import Dataset
from modelshelf.data.metrics import Metric
from modelshelf.engines.numpy_.compile import single_threaded
from modelshelf.search import suggest
from modelshelf.shelf import Shelf, StudyRecord
from modelshelf.space.configuration import Configuration
from modelshelf.space.defaults import usual_epochs, usual_rows
from modelshelf.space.space import Space
from modelshelf.study.budget import Budget, Clock
from modelshelf.study.course import Course
from modelshelf.study.engines import HANG_SECONDS, OwnModule
from modelshelf.study.naming import study_name
from modelshelf.study.pareto import Prefer
from modelshelf.study.problem import Problem
from modelshelf.study.progress import Observer, Stopper
from modelshelf.study.repair import is_whole
from modelshelf.study.result import StudyResult
from modelshelf.study.rows import (
    found_again,
    has_columns_of,
    learned_from,
    study_of,
    where_rows_are,
)
from modelshelf.study.spaces import go_on_with, logged
from modelshelf.study.testing import TestSet
from modelshelf.study.trial import data_key
from modelshelf.study.warm import profile, warm_start

__all__ = ["Request", "run_study"]


@dataclass(frozen=True, slots=True, eq=False)
class Request:
    """Everything that defines a study, checked and ready: what `run_study` is given."""

    dataset: Dataset  #: all rows, but for a test file's
    metric: Metric
    budget: Budget
    seed: int = 0
    space: Space = field(default_factory=Space)
    test: TestSet = field(default_factory=TestSet)
    folds: int = 0  #: of the re-tests; 0 leaves it to the size of the data
    workers: int = 1
    prefer: Prefer = Prefer.BEST  #: chooses among the finalists; the search is the same
    shelf: str | Path | None = None
    name: str | None = None
    warm_start: bool = False  #: whether a new study begins with what did best on similar data
    command: str = ""  #: what was typed, so that a person can be told how to go on
    device: str = "cpu"
    stacked: bool = False  #: whether dense networks are trained there in populations
    own: OwnModule | None = None  #: what builds networks of kind `module`
    hang_seconds: float = HANG_SECONDS  #: after which a module that shows no batch is ended
    drawn: int | None = None  #: of the rows that are no test rows, how many are learned from

    @property
    def key(self) -> str:
        """The identity of the study: the same key is the same study, and goes on where it was.

        The budget is no part of it: a larger one goes on with the same study. Nor is what is
        preferred: the same networks are chosen among anew.
        """
        space = self.space.for_task(self.dataset.schema.task).to_json()
        # Only where it is asked for, so that a study without one has the key that it always had.
        warm = {"warm_start": True} if self.warm_start else {}
        return _hash({**self._question, "space": space, **warm, **self._left_aside})

    @property
    def question(self) -> str:
        """The identity of what is asked, whatever the space."""
        return _hash({**self._question, **self._left_aside})

    @property
    def before_names(self) -> Request:
        """The same, as it was when the names of columns left aside were no part of a study."""
        columns = self.dataset.schema.inputs
        schema = replace(self.dataset.schema, columns=columns)
        return replace(self, dataset=replace(self.dataset, schema=schema))

    @property
    def _left_aside(self) -> dict[str, Any]:
        names = self.dataset.schema.left_aside
        return {"left_aside": names} if names else {}

    @property
    def _question(self) -> dict[str, Any]:
        schema = self.dataset.schema
        return {
            "data": self.dataset.fingerprint,
            "target": schema.target,
            "task": schema.task.value,
            "metric": self.metric.name,
            "seed": self.seed,
            "test": self.test.key,
            "folds": self.folds,
            # Another module of the same name is another question.
            **({"module": f"{self.own.name} {self.own.mark}"} if self.own else {}),
        }

    @property
    def data_key(self) -> str:
        """The identity of the rows and of how they are split, for copy ids."""
        return data_key(self.dataset.fingerprint, self.test.key, self.seed, self.drawn)


def _hash(parts: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def run_study(
    request: Request,
    *,
    clock: Clock | None = None,
    observer: Observer = lambda progress: None,
    stopper: Stopper | None = None,
) -> StudyResult:
    """Search, re-test, choose, test, and put it all on the shelf.

    A study that is on the shelf and open goes on where it was; one that has had this budget is
    not run again: its result is read. Raises `UserError` for what cannot be trained or stored.
    """
    clock = clock or Clock()
    stopper = stopper or Stopper()
    dataset, test = request.test.part(request.dataset, request.seed)
    try:
        opened = Shelf.open(request.shelf, create=True)
    except ShelfError:
        if (found := _only_read(request)) is None:
            raise
        return found
    with opened as shelf:
        record = _record(request, dataset.rows, shelf)
        with shelf.lock(record.name):
            record = go_on_with(
                request.space,
                shelf,
                shelf.study(record.name),
                key=f"{request.key}/{record.name}",
                command=request.command,
            )
            record = found_again(shelf, record, request.dataset, request.test)
            had = _has_had(record, request.budget)
            found = _stored(request, shelf, record) if had else None
            if found is not None and is_whole(shelf, record):
                return found
            shelf.sweep(record.name)
            shelf.update_study(record.name, status="open")
            known = record.settings.get("warm_start", {}).get("configurations", ())
            space = request.space.with_known(map(Configuration.from_json, known))
            asked = replace(request, space=space, drawn=record.settings.get("drawn"))
            problem = Problem(
                learned_from(dataset, asked.drawn, asked.seed),
                asked.metric,
                asked.seed,
                asked.folds,
                *test,
                dataset.rows,
            )
            with single_threaded():
                course = Course(asked, problem, shelf, record, clock, observer, stopper, suggest)
                return replace(course.run(searched=had), own=request.own)


def _stored(request: Request, shelf: Shelf, record: StudyRecord) -> StudyResult | None:
    """What a finished study found, where its winner was chosen for what is preferred now."""
    if record.result is None or _preferred(record) is not request.prefer:
        return None
    found = StudyResult.from_json({**record.result, "shelf": str(shelf.path)}, reused=True)
    return replace(found, own=request.own, understood=record.understood)


def _only_read(request: Request) -> StudyResult | None:
    """What a finished study found, on a shelf that cannot be written to; None if there is none."""
    keys = request.key, request.before_names.key, f"{request.key}/{request.name}"
    try:
        with Shelf.open(request.shelf) as shelf:
            record = study_of(shelf, keys, request.dataset)
            if record is None or request.name not in (None, record.name):
                return None
            return _stored(request, shelf, record) if _has_had(record, request.budget) else None
    except ShelfError:
        return None


def _has_had(record: StudyRecord, budget: Budget) -> bool:
    """Whether a finished study was given at least this budget."""
    if record.status != "done" or record.result is None:
        return False
    return budget.had(record.result["budget"])


def _preferred(record: StudyRecord) -> Prefer:
    """What the stored winner was chosen for."""
    return Prefer((record.result or {}).get("prefer", Prefer.BEST))


def _record(request: Request, rows: int, shelf: Shelf) -> StudyRecord:
    """The study's record on the shelf: the one of this name or key, or a new one.

    A study that is named goes on with any space; without a name, another space is another study.
    """
    older = request.before_names
    found = study_of(shelf, (request.key, older.key), request.dataset)
    if found is not None and request.name in (None, found.name):
        return found
    taken = {each.name: each for each in shelf.studies()}
    if request.name in taken:
        named = taken[request.name]
        same = named.settings.get("question") in (request.question, older.question)
        if same and has_columns_of(shelf, named, request.dataset):
            return named
        raise ShelfError(
            f"The shelf has a study {request.name!r} of other data or other settings (target, "
            "task, metric, test, folds, seed or the module's code). Give another --study name, or "
            "leave it out."
        )
    name = request.name or study_name(request.dataset, request.key, taken)
    schema = request.dataset.schema
    record = StudyRecord(
        name=name,
        # A second name for the same study is a study of its own, and so needs a key of its own.
        key=request.key if found is None else f"{request.key}/{name}",
        fingerprint=request.dataset.fingerprint,
        task=schema.task,
        metric=request.metric.name,
        direction=request.metric.direction,
        seed=request.seed,
        settings=_settings(request, rows, shelf),
        understood=request.dataset.summary(),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    shelf.add_study(record)
    return record


def _settings(request: Request, rows: int, shelf: Shelf) -> dict[str, Any]:
    schema, seconds = request.dataset.schema, request.budget.seconds
    most, seen = usual_rows(len(schema.inputs), seconds), request.dataset.rows
    if most is not None and rows > most:
        request, seen = replace(request, drawn=most), most
    warm: dict[str, Any] = {}
    if request.warm_start:
        studies, best = warm_start(request.dataset, request.data_key, shelf)
        configurations = [each.to_json() for each in best]
        # Kept with the study, so that it goes on the same whatever the shelf learns meanwhile.
        warm = {"warm_start": {"studies": studies, "configurations": configurations}}
    return {
        **warm,
        "question": request.question,
        "data_key": request.data_key,
        "profile": profile(request.dataset),
        "spaces": [logged(request.space, schema.task, first=0, command=request.command)],
        "space": request.space.to_json(),
        "test": request.test.words,
        "folds": request.folds,
        "epochs": usual_epochs(seen, seconds, schema.image),
        "drawn": request.drawn,
        "data": request.dataset.name,
        "left_aside": schema.left_aside,
        "rows": where_rows_are(request.dataset, request.test),
        "command": request.command,
    }
