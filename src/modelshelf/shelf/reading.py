"""Rows of the shelf as records: trials, curves, jobs, files."""

from __future__ import annotations

import math
from dataclasses import fields
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Row, Select, case, func, select

from modelshelf.core.errors import ShelfError, nearest
from modelshelf.core.garbage import uncollected
from modelshelf.core.records import CurvePoint, Outcome, Purpose, Status, TrialRecord
from modelshelf.shelf.database import Database
from modelshelf.shelf.fitting import column_of, rows_of, undamaged
from modelshelf.shelf.records import Job, JobRecord, StoredFile, TrialFile
from modelshelf.shelf.schema import configuration, curve, job, study, trial
from modelshelf.shelf.shapes import RESULT, parsed, settings_in

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = [
    "SORTS",
    "TRIALS",
    "counts",
    "curve_of",
    "curves_of",
    "files",
    "jobs",
    "named",
    "sorted_by",
    "trials",
]

#: Trials with all that their records hold, column by field.
TRIALS = (
    select(
        study.c.name,
        *trial.c["number", "barcode", "copy", "purpose", "split", "seed", "status", "epoch"],
        *trial.c["best_epoch", "loss", "score", "seconds", "steps", "parameters", "size"],
        configuration.c.settings,
        trial.c.reason,
    )
    .join(study, study.c.id == trial.c.study_id)
    .join(configuration, configuration.c.barcode == trial.c.barcode)
)
_FIELDS = tuple(each.name for each in fields(TrialRecord))

_BETTER = case((study.c.direction == "maximize", -trial.c.score), else_=trial.c.score)

#: What trials can be sorted by.
SORTS: dict[str, tuple[ColumnElement[Any], ...]] = {
    "score": (_BETTER.asc().nulls_last(),),
    "number": (),
    "newest": (trial.c.study_id.desc(), trial.c.number.desc()),
    "loss": (trial.c.loss.asc().nulls_last(),),
    "seconds": (trial.c.seconds.asc(),),
    "size": (trial.c.size.asc(),),
    "parameters": (trial.c.parameters.asc(),),
    "epoch": (trial.c.epoch.asc(),),
}


def sorted_by(query: Select[Any], sort: str) -> Select[Any]:
    """The query in this order, ties in the order in which trials were made."""
    if sort not in SORTS:
        raise ShelfError(f"Trials cannot be sorted by {sort!r}: {nearest(sort, SORTS)}")
    return query.order_by(*SORTS[sort], trial.c.study_id, trial.c.number)


@uncollected()
def trials(database: Database, query: Select[Any]) -> tuple[TrialRecord, ...]:
    """The records of a query on `TRIALS`."""
    with database.reading() as connection, undamaged(database.path):
        return tuple(_trial(row) for row in rows_of(connection, query))


def curve_of(database: Database, study_id: int, number: int) -> tuple[CurvePoint, ...]:
    """A trial's learning curve, first epoch first."""
    query = (
        select(curve.c.epoch, curve.c.train_loss, curve.c.validation_loss, curve.c.validation_score)
        .where(curve.c.study_id == study_id, curve.c.trial == number)
        .order_by(curve.c.epoch)
    )
    with database.reading() as connection, undamaged(database.path):
        rows = rows_of(connection, query)
    return tuple(CurvePoint(epoch, *map(_number, numbers)) for epoch, *numbers in rows)


@uncollected()
def curves_of(database: Database, study_id: int) -> dict[int, NDArray[np.float64]]:
    """Every trial's curve, by number: training loss, validation loss and score, (epochs, 3)."""
    import numpy as np

    query = (
        select(curve.c.trial, curve.c.train_loss, curve.c.validation_loss, curve.c.validation_score)
        .where(curve.c.study_id == study_id)
        .order_by(curve.c.trial, curve.c.epoch)
    )
    with database.reading() as connection, undamaged(database.path):
        # The driver's own tuples: there are as many as epochs in a study, and NumPy looks at each.
        with connection.execute(query) as result:
            found = result.cursor.fetchall()
        rows = np.array(found, np.float64).reshape(-1, 4)
        if not np.isfinite(rows[:, 0]).all():
            raise ValueError("a curve is of a trial that has no number")
    if not len(rows):
        return {}
    numbers, first = np.unique(rows[:, 0], return_index=True)
    parts = np.split(rows[:, 1:], first[1:])
    return {int(number): part for number, part in zip(numbers, parts, strict=True)}


_WHOLE = select(trial.c.number).join(configuration, configuration.c.barcode == trial.c.barcode)


@uncollected()
def jobs(database: Database, study_id: int) -> tuple[JobRecord, ...]:
    """A study's log, in order of dispatch."""
    query = select(job).where(job.c.study_id == study_id).order_by(job.c.number)
    with database.reading() as connection, undamaged(database.path):
        log = tuple(_job(row) for row in rows_of(connection, query))
        known = column_of(connection, _WHOLE.where(trial.c.study_id == study_id))
        if [each.job.number for each in log] != list(range(len(log))):
            raise ValueError("a job is missing in a study's log")
        if not {each.job.trial for each in log} <= set(known):
            raise ValueError("a job is of a trial that is not there")
    return log


def files(database: Database, study_id: int, number: int | None = None) -> dict[int, TrialFile]:
    """The files of a study's trials (or of one), by number; a trial without one is left out."""
    query = select(
        trial.c.number, trial.c.file, trial.c.size, trial.c.checksum, trial.c.preparation
    ).where(trial.c.study_id == study_id, trial.c.file != "")
    if number is not None:
        query = query.where(trial.c.number == number)
    with database.reading() as connection, undamaged(database.path):
        rows = rows_of(connection, query)
    return {
        number: TrialFile(StoredFile(name, size, checksum), preparation)
        for number, name, size, checksum, preparation in rows
    }


def named(database: Database, but: int | None = None) -> set[str]:
    """Every file that a row names, those of one study left out where it is given."""
    of, result = trial.c.study_id, study.c.result
    queries = (
        select(trial.c.file).where(of.is_distinct_from(but)),
        select(trial.c.preparation).where(of.is_distinct_from(but)).distinct(),
    )
    with database.reading() as connection, undamaged(database.path):
        found = {name for query in queries for name in column_of(connection, query)}
        query = select(result).where(result.is_not(None), study.c.id.is_distinct_from(but))
        results = [parsed(each, RESULT) for each in column_of(connection, query)]
    ensembles = [each.get(kind) or {} for each in results for kind in ("ensemble", "bag")]
    return (found | {each.get("file", "") for each in ensembles}) - {""}


def counts(database: Database, study_id: int) -> dict[Status, int]:
    """How many search trials stand where; every status is there."""
    query = (
        select(trial.c.status, func.count())
        .where(trial.c.study_id == study_id, trial.c.purpose == Purpose.SEARCH.value)
        .group_by(trial.c.status)
    )
    with database.reading() as connection, undamaged(database.path):
        found = {Status(status): count for status, count in rows_of(connection, query)}
    return {status: found.get(status, 0) for status in Status}


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)


@lru_cache(maxsize=4096)
def _settings(text: str) -> dict[str, Any]:
    """A configuration; networks of re-tests share it."""
    return settings_in(text)


def _trial(row: Row[Any]) -> TrialRecord:
    values = dict(zip(_FIELDS, row, strict=True))
    values["purpose"] = Purpose(values["purpose"])
    values["status"] = Status(values["status"])
    values["loss"] = _number(values["loss"])
    values["score"] = _number(values["score"])
    values["configuration"] = dict(_settings(values["configuration"]))
    return TrialRecord(**values)


def _job(row: Row[Any]) -> JobRecord:
    outcome = None
    if row.done:
        if None in (row.epoch, row.best_epoch, row.seconds, row.steps, row.reason):
            raise ValueError("a job is done, and does not say what came of it")
        outcome = Outcome(
            status=Status(row.status),
            epoch=row.epoch,
            best_epoch=row.best_epoch,
            loss=_number(row.loss),
            score=_number(row.score),
            seconds=row.seconds,
            steps=row.steps,
            reason=row.reason,
        )
    of = Job(row.number, row.trial, row.rung, row.from_epoch, row.to_epoch, row.keep)
    return JobRecord(of, outcome, row.retired)
