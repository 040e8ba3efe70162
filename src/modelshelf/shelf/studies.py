"""Studies on the shelf: listed, found by name or key, added, updated."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Row, Select, func, insert, select, update

from modelshelf.core.errors import ShelfError, nearest
from modelshelf.core.records import Direction, Task
from modelshelf.shelf.database import Database
from modelshelf.shelf.fitting import rows_of, undamaged
from modelshelf.shelf.records import StudyRecord
from modelshelf.shelf.schema import study
from modelshelf.shelf.shapes import RESULT, SETTINGS, UNDERSTOOD, parsed

__all__ = ["Studies"]


class Studies:
    """The table of studies. Knows each name's number, so that worker threads need not ask."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._ids: dict[str, int] = {}
        self.learn()

    def __contains__(self, name: str) -> bool:
        return name in self._ids

    def learn(self) -> None:
        """Look which studies there are: other processes add and remove them."""
        query = select(study.c.name, study.c.id)
        with self._database.reading() as connection, undamaged(self._database.path):
            rows = rows_of(connection, query)
        self._ids = {row.name: row.id for row in rows}

    def id(self, name: str) -> int:
        """A study's number. Raises `ShelfError` where there is none of this very name."""
        if name not in self._ids:
            self.learn()
        if name not in self._ids:
            raise self._unknown(name)
        return self._ids[name]

    def all(self) -> tuple[StudyRecord, ...]:
        """Every study, oldest first."""
        return self._records(select(study).order_by(study.c.id))

    def named(self, name: str) -> StudyRecord:
        """The study of this name, or the one whose name begins so."""
        found = self._records(select(study).where(study.c.name == name))
        if found:
            return found[0]
        begins = func.substr(study.c.name, 1, len(name)) == name
        found = self._records(select(study).where(begins).order_by(study.c.id)) if name else ()
        if not found:
            raise self._unknown(name)
        if len(found) > 1:
            shown = ", ".join(repr(each.name) for each in found[:5])
            more = f" and {len(found) - 5} more" if len(found) > 5 else ""
            raise ShelfError(
                f"{name!r} is the beginning of {len(found)} studies: {shown}{more}. Say more of it."
            )
        return found[0]

    def keyed(self, key: str) -> StudyRecord | None:
        """The newest study that is defined so, if there is one."""
        found = self._records(
            select(study).where(study.c.key == key).order_by(study.c.id.desc()).limit(1)
        )
        return found[0] if found else None

    def add(self, record: StudyRecord) -> None:
        """Put a new study on the shelf."""
        record = replace(record, created=record.created or datetime.now(UTC).isoformat())
        with self._database.writing() as connection:
            query = select(study.c.id).where(study.c.name == record.name)
            if connection.execute(query).first():
                raise ShelfError(
                    f"There is a study {record.name!r} on the shelf at {self._database.path} "
                    "already: choose another name with --study."
                )
            connection.execute(insert(study).values(_row(record)))
        self.learn()

    def update(self, name: str, changes: dict[str, Any]) -> None:
        """Change columns of a study; those that are None stay as they are."""
        given = {column: value for column, value in changes.items() if value is not None}
        for column in ("result", "settings", "understood"):
            if column in given:
                given[column] = json.dumps(given[column])
        if not given:
            return
        number = self.id(name)
        with self._database.writing() as connection:
            connection.execute(update(study).where(study.c.id == number).values(given))

    def _records(self, query: Select[Any]) -> tuple[StudyRecord, ...]:
        path = self._database.path
        with self._database.reading() as connection, undamaged(path):
            return tuple(_record(row) for row in rows_of(connection, query))

    def _unknown(self, name: str) -> ShelfError:
        return ShelfError(
            f"There is no study {name!r} on the shelf at {self._database.path}: "
            f"{nearest(name, reversed(self._ids))}"
        )


def _row(record: StudyRecord) -> dict[str, Any]:
    return {
        "name": record.name,
        "key": record.key,
        "created": record.created,
        "seconds": record.seconds,
        "status": record.status,
        "fingerprint": record.fingerprint,
        "task": record.task.value,
        "metric": record.metric,
        "direction": record.direction.value,
        "seed": record.seed,
        "test_uses": record.test_uses,
        "settings": json.dumps(record.settings),
        "understood": json.dumps(record.understood),
        "result": None if record.result is None else json.dumps(record.result),
    }


def _record(row: Row[Any]) -> StudyRecord:
    return StudyRecord(
        name=row.name,
        key=row.key,
        fingerprint=row.fingerprint,
        task=Task(row.task),
        metric=row.metric,
        direction=Direction(row.direction),
        seed=row.seed,
        settings=parsed(row.settings, SETTINGS),
        understood=tuple(parsed(row.understood, UNDERSTOOD)),
        status=row.status,
        seconds=row.seconds,
        created=row.created,
        test_uses=row.test_uses,
        result=parsed(row.result, RESULT),
    )
