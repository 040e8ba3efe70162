"""Whether a shelf is sound: its database, its files, and whether they agree."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterator
from typing import Any

from sqlalchemy import Connection, Row, func, select

from modelshelf.core.errors import ShelfError, UserError
from modelshelf.core.records import Status
from modelshelf.core.words import counted
from modelshelf.shelf.database import Database
from modelshelf.shelf.files import Files
from modelshelf.shelf.fitting import rows_of, undamaged
from modelshelf.shelf.problems import told
from modelshelf.shelf.reading import TRIALS, jobs, named, trials
from modelshelf.shelf.records import StoredFile
from modelshelf.shelf.schema import REMOVED, configuration, curve, job, study, trial
from modelshelf.shelf.shapes import settings_in
from modelshelf.shelf.studies import Studies
from modelshelf.shelf.tensors import decode
from modelshelf.space.barcode import VERSION
from modelshelf.space.configuration import Configuration

__all__ = ["damage", "fault", "orphans", "problems"]

_KEPT = {Status.PAUSED.value, Status.FINISHED.value, Status.STOPPED.value}


def problems(database: Database, files: Files) -> Iterator[str]:
    """Every problem, a sentence each."""
    broken = list(damage(database))
    yield from broken
    if broken:
        return  # what a broken database says of its files is not worth telling
    with database.reading() as connection:
        # One reading of all tables: a study at work must not change them in between.
        connection.exec_driver_sql("BEGIN")
        try:
            for look in (_barcodes, _curves, _log):
                yield from _looked(database, look)
            rows = rows_of(connection, _FILED)
        finally:
            connection.exec_driver_sql("COMMIT")
        for row in rows:
            yield from _network(connection, files, row)
    for name in sorted({row.preparation for row in rows} - {""}):
        try:
            files.read_described("preparation", name)
        except ShelfError as error:
            yield str(error)
    for name in sorted(n for n in named(database) if n.startswith("ensembles/")):
        try:
            files.read_described("ensemble", name)
        except ShelfError as error:
            yield str(error)


_FILED = (
    select(study.c.name.label("study"), *trial.c)
    .join(study, study.c.id == trial.c.study_id)
    .order_by(trial.c.study_id, trial.c.number)
)


def damage(database: Database) -> Iterator[str]:
    """What makes the database itself unreadable, a sentence each."""
    with database.reading() as connection:
        for (line,) in connection.exec_driver_sql("PRAGMA integrity_check(20)").all():
            if line != "ok":
                yield f"The database is damaged: {line}."
        for table, row, parent, _ in connection.exec_driver_sql("PRAGMA foreign_key_check").all():
            where = "a row" if row is None else f"row {row}"
            yield f"In the database, {where} of {table} belongs to a {parent} that is not there."
    try:
        trials(database, TRIALS)
        with database.reading() as connection, undamaged(database.path):
            rows_of(connection, _FILED)
        studies = Studies(database)
        for each in studies.all():
            jobs(database, studies.id(each.name))
    except ShelfError as error:
        yield str(error)


def _looked(database: Database, look: Callable[[Connection], Iterator[str]]) -> list[str]:
    try:
        with undamaged(database.path):
            return list(look(database.connection))
    except ShelfError as error:
        return [str(error)]


def _barcodes(connection: Connection) -> Iterator[str]:
    for row in rows_of(connection, select(configuration)):
        if row.version != VERSION:
            continue  # an old barcode is the hash of an old form
        try:
            found = Configuration.from_json(settings_in(row.settings)).barcode
        except (UserError, ValueError, TypeError) as error:
            yield f"The configuration {row.barcode} cannot be read: {error}"
            continue
        if found != row.barcode:
            yield f"The configuration stored as {row.barcode} has the barcode {found}."


def _curves(connection: Connection) -> Iterator[str]:
    points = (
        select(
            curve.c.study_id,
            curve.c.trial,
            func.count().label("points"),
            func.min(curve.c.epoch).label("first"),
            func.max(curve.c.epoch).label("last"),
        )
        .group_by(curve.c.study_id, curve.c.trial)
        .subquery()
    )
    query = (
        select(study.c.name, trial.c.number, trial.c.epoch, *points.c["points", "first", "last"])
        .join(study, study.c.id == trial.c.study_id)
        .outerjoin(
            points,
            (points.c.study_id == trial.c.study_id) & (points.c.trial == trial.c.number),
        )
        .order_by(trial.c.study_id, trial.c.number)
    )
    for row in rows_of(connection, query):
        found = (row.points or 0, row.first or 0, row.last or 0)
        if found != (row.epoch, min(row.epoch, 1), row.epoch):
            yield (
                f"Trial {row.number} of study {row.name!r} was trained for "
                f"{counted(row.epoch, 'epoch')}, and its curve has {counted(found[0], 'point')}, "
                f"from epoch {found[1]} to {found[2]}."
            )


def _log(connection: Connection) -> Iterator[str]:
    done = job.c.done & (job.c.status != Status.FAILED.value)
    legs = (
        select(
            job.c.study_id,
            job.c.trial,
            func.max(job.c.epoch).filter(done).label("epoch"),
            func.sum(job.c.steps).filter(job.c.done).label("steps"),
            func.sum(job.c.seconds).filter(job.c.done).label("seconds"),
        )
        .group_by(job.c.study_id, job.c.trial)
        .subquery()
    )
    query = (
        select(study.c.name, *trial.c["number", "epoch", "steps", "seconds"])
        .add_columns(*(legs.c[each].label(f"log_{each}") for each in ("epoch", "steps", "seconds")))
        .join(study, study.c.id == trial.c.study_id)
        .join(legs, (legs.c.study_id == trial.c.study_id) & (legs.c.trial == trial.c.number))
        .order_by(trial.c.study_id, trial.c.number)
    )
    for row in rows_of(connection, query):
        agree = (row.epoch, row.steps) == (row.log_epoch or 0, row.log_steps or 0)
        if not agree or not math.isclose(row.seconds, row.log_seconds or 0.0, abs_tol=1e-9):
            yield (
                f"Trial {row.number} of study {row.name!r} is at epoch {row.epoch} after "
                f"{counted(row.steps, 'step')} in {row.seconds:g} s, and its jobs come to epoch "
                f"{row.log_epoch or 0}, {counted(row.log_steps or 0, 'step')}, "
                f"{row.log_seconds or 0:g} s."
            )
    early = (
        select(study.c.name, job.c.number)
        .join(study, study.c.id == job.c.study_id)
        .where(job.c.retired.is_not(None), ~job.c.done)
    )
    for row in rows_of(connection, early):
        yield f"Job {row.number} of study {row.name!r} has retired, and is not done."


def _network(connection: Connection, files: Files, row: Row[Any]) -> Iterator[str]:
    whose = f"of trial {row.number} of study {row.study!r}"
    if not row.file:
        if row.status in _KEPT and row.best_epoch > 0 and row.checksum != REMOVED:
            yield f"The network {whose} is not on the shelf, though the trial is {row.status}."
        return
    try:
        wrong = fault(files, StoredFile(row.file, row.size, row.checksum))
    except ShelfError as error:
        yield str(error)
        return
    if wrong and not (wrong.startswith("missing") and _moved_on(connection, row)):
        yield f"The network {whose} is {wrong}."


def fault(files: Files, file: StoredFile) -> str:
    """What is wrong with a network's file, in words; nothing where it is what was written.

    Raises `ShelfError` where it cannot be looked at.
    """
    try:
        data = files.bytes_of(file.name)
    except FileNotFoundError:
        return f"missing: there is no file {file.name}"
    except ShelfError as error:
        if error.__cause__ is not None:  # the disk, or who may read it
            raise
        return f"damaged: it names a file {file.name!r}"
    if len(data) != file.size or hashlib.sha256(data).hexdigest() != file.checksum:
        return f"damaged: {file.name} is not what was written"
    try:
        decode(data)
    except ValueError as error:
        return f"damaged: {file.name} cannot be read ({error})"
    return ""


def _moved_on(connection: Connection, row: Row[Any]) -> bool:
    """Whether a study at work gave the trial another file since its row was read."""
    query = select(trial.c.file).where(
        trial.c.study_id == row.study_id, trial.c.number == row.number
    )
    return bool(connection.execute(query).scalar() != row.file)


def orphans(database: Database, files: Files) -> Iterator[str]:
    """Files of networks, preparations and ensembles that nothing names."""
    with told(files.root):
        found = list(files.every())
    kept = named(database)
    yield from (name for name in found if name not in kept)
