"""The connection to a shelf's SQLite: made, opened, brought up to date, closed."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sqlalchemy import Connection, create_engine, insert, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from modelshelf.core.errors import ShelfError
from modelshelf.shelf import schema
from modelshelf.shelf.files import make_folder, write_once
from modelshelf.shelf.place import DATABASE, Found, look, missing, writable
from modelshelf.shelf.problems import told, unwritable

__all__ = ["Database", "connect", "fresh", "open_database"]

_BUSY = 30.0  # seconds to wait for another process's transaction
_PRAGMAS = (
    "foreign_keys=ON",
    "synchronous=FULL",  # what is committed survives a power cut; see `Database.writing`
    "wal_autocheckpoint=4000",  # pages: a checkpoint waits for the disk, so not every 80 writes
    "trusted_schema=OFF",  # a shelf from elsewhere is data: its views and triggers call nothing
    "cell_size_check=ON",
)


class Database:
    """One connection, to be used by the thread that made it."""

    def __init__(self, connection: Connection, path: Path, *, read_only: bool) -> None:
        self.connection = connection
        self.path = path
        self.read_only = read_only

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """The connection, with what SQLite refuses told as `ShelfError`."""
        with told(self.path):
            yield self.connection

    @contextmanager
    def writing(self, *, durable: bool = True) -> Iterator[Connection]:
        """A transaction: all that is written inside is kept, or none of it.

        One that is not `durable` may be lost in a power cut, as long as no durable one follows it.
        """
        if self.read_only:
            raise ShelfError(
                f"The shelf at {self.path} cannot be written: it was opened for reading, "
                "because its folder or its database is read-only."
            )
        with told(self.path), _synced(self.connection, durable), _transaction(self.connection):
            yield self.connection

    def close(self) -> None:
        """Close the connection."""
        self.connection.close()
        self.connection.engine.dispose()


@contextmanager
def _synced(connection: Connection, durable: bool) -> Iterator[None]:
    if durable:
        yield
        return
    connection.exec_driver_sql("PRAGMA synchronous=NORMAL")
    try:
        yield
    finally:
        connection.exec_driver_sql("PRAGMA synchronous=FULL")


@contextmanager
def _transaction(connection: Connection) -> Iterator[None]:
    # IMMEDIATE: a transaction that read first could not wait for another writer, only fail.
    connection.exec_driver_sql("BEGIN IMMEDIATE")
    try:
        yield
        connection.exec_driver_sql("COMMIT")
    except BaseException:
        with suppress(Exception):  # SQLite may have rolled back by itself, as on a full disk
            connection.exec_driver_sql("ROLLBACK")
        raise


def connect(uri: str) -> Connection:
    """A connection that begins and ends its transactions by itself."""

    def raw() -> sqlite3.Connection:
        return sqlite3.connect(uri, uri=True, timeout=_BUSY, isolation_level=None)

    engine = create_engine(
        "sqlite://", creator=raw, poolclass=NullPool, isolation_level="AUTOCOMMIT"
    )
    connection = engine.connect()
    try:
        for pragma in _PRAGMAS:
            connection.exec_driver_sql(f"PRAGMA {pragma}")
    except BaseException:
        connection.close()
        raise
    return connection


def open_database(path: Path, *, create: bool) -> Database:
    """The database of the shelf in a folder; a new one where `create` says so and none is there.

    An existing shelf that cannot be written is opened for reading, unless `create` is given.
    Where it fails, what was there is left as it was.

    Raises `ShelfError`.
    """
    found = look(path)
    if found is Found.SHELF:
        return _open(path, write=create)
    if not create:
        raise missing(path, found)
    with told(path):
        made = _make_folders(path)
        try:
            fresh_here = write_once(path / DATABASE, fresh())
            try:
                return _open(path, write=True)
            except BaseException:
                if fresh_here:
                    for suffix in ("", "-wal", "-shm"):
                        (path / f"{DATABASE}{suffix}").unlink(missing_ok=True)
                raise
        except BaseException:
            for folder in made:
                with suppress(OSError):
                    folder.rmdir()
            raise


def _make_folders(path: Path) -> list[Path]:
    """Make a folder and those above it; returns the ones that were made, innermost first."""
    absent = [path] if not path.exists() else []
    while absent and not absent[-1].parent.exists():
        absent.append(absent[-1].parent)
    made: list[Path] = []
    try:
        for each in reversed(absent):
            if make_folder(each):
                made.insert(0, each)
    except BaseException:
        for each in made:
            each.rmdir()
        raise
    return made


def fresh() -> bytes:
    """A new, empty database at the newest revision.

    Made from the tables themselves, so that Alembic need not be imported. A test holds that the
    migrations make the very same.
    """
    connection = connect("file::memory:")
    try:
        connection.exec_driver_sql(f"PRAGMA application_id={schema.APPLICATION_ID}")
        schema.METADATA.create_all(connection)
        connection.execute(insert(schema.version).values(version_num=schema.HEAD))
        driver = connection.connection.driver_connection
        assert isinstance(driver, sqlite3.Connection)
        data = bytearray(driver.serialize())
    finally:
        connection.close()
    # The versions of the file format: it keeps a write-ahead log from birth, so that two processes
    # that open it at once need not agree on who changes to one.
    data[18:20] = b"\x02\x02"
    return bytes(data)


def _open(path: Path, *, write: bool) -> Database:
    read_only = not writable(path)
    if read_only and write:
        raise ShelfError(unwritable(path))
    with told(path):
        connection = connect(_uri(path, read_only=read_only))
        try:
            _bring_up_to_date(connection, path, read_only=read_only)
            if not read_only:
                connection.exec_driver_sql("PRAGMA journal_mode=WAL")
        except BaseException:
            connection.close()
            raise
    return Database(connection, path, read_only=read_only)


def _uri(path: Path, *, read_only: bool) -> str:
    database = path / DATABASE
    if not read_only:
        return f"{database.as_uri()}?mode=rw"
    if not database.with_name(f"{DATABASE}-wal").exists():
        # Nobody writes it, and SQLite need not make a log and its index only to read.
        return f"{database.as_uri()}?mode=ro&immutable=1"
    if not database.with_name(f"{DATABASE}-shm").exists():
        raise ShelfError(
            f"The shelf at {path} holds writes that were cut off, and is read-only. "
            "Copy it to a folder that can be written, and open the copy."
        )
    return f"{database.as_uri()}?mode=ro"


def _bring_up_to_date(connection: Connection, path: Path, *, read_only: bool) -> None:
    found = _revision(connection, path)
    if found == schema.HEAD:
        return
    if found not in schema.REVISIONS:
        raise ShelfError(
            f"The shelf at {path} was written by a newer modelshelf (its revision is {found!r}; "
            f"this one knows up to {schema.HEAD!r}). Update modelshelf, or use another shelf."
        )
    if read_only:
        raise ShelfError(
            f"The shelf at {path} was written by an older modelshelf and has to be brought up to "
            "date, but cannot be written. Copy it to a folder that can, and open the copy."
        )
    _upgrade(connection, path)


def _upgrade(connection: Connection, path: Path) -> None:
    from modelshelf.shelf.migrate import upgrade

    # SQLite changes a table by making it anew; with keys enforced, dropping the old one would
    # delete what belongs to it.
    connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
    with _transaction(connection):
        # Another process may have been faster.
        if _revision(connection, path) != schema.HEAD:
            upgrade(connection)
    connection.exec_driver_sql("PRAGMA foreign_keys=ON")


def _revision(connection: Connection, path: Path) -> str | None:
    try:
        return connection.execute(select(schema.version.c.version_num)).scalar()
    except OperationalError as error:
        if "no such table" not in str(error):
            raise
        raise ShelfError(
            f"The shelf at {path} is damaged: its database does not say which revision it has. "
            "Put back a copy of it, or use another shelf."
        ) from error
