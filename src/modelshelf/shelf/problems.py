"""What goes wrong below the shelf, told as one clear `ShelfError`."""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.exc import DBAPIError, StatementError

from modelshelf.core.errors import ShelfError

__all__ = ["told", "unwritable"]

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_READ_ONLY = {errno.EROFS, errno.EACCES, errno.EPERM}


@contextmanager
def told(shelf: Path) -> Iterator[None]:
    """Raise what SQLite or the file system refuses inside as a `ShelfError` about this shelf.

    A defect in the calling code (the wrong thread, SQL that does not parse) is raised as it is.
    """
    try:
        yield
    except sqlite3.ProgrammingError:
        raise
    except (sqlite3.Error, OSError, OverflowError, UnicodeError) as error:
        raise ShelfError(_words(shelf, error)) from error
    except StatementError as error:
        cause = error.orig
        if isinstance(cause, sqlite3.ProgrammingError) or cause is None:
            raise
        if isinstance(error, DBAPIError) or isinstance(cause, (OverflowError, UnicodeError)):
            raise ShelfError(_words(shelf, cause)) from error
        raise


def _words(shelf: Path, error: BaseException) -> str:
    if isinstance(error, sqlite3.Error):
        return _sqlite_words(shelf, error)
    if isinstance(error, OSError):
        return _system_words(shelf, error)
    return f"The shelf at {shelf} cannot hold what was to be written: {error}."


def _system_words(shelf: Path, error: OSError) -> str:
    if error.errno in _FULL:
        return _full(shelf)
    if error.errno in _READ_ONLY:
        return _forbidden(shelf, error.filename)
    return f"The shelf at {shelf} cannot be read or written: {error.strerror or error}."


def _sqlite_words(shelf: Path, error: sqlite3.Error) -> str:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_FULL:
        return _full(shelf)
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_CANTOPEN):
        return _forbidden(shelf)
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return (
            f"The shelf at {shelf} has been busy for too long: another process is writing to it. "
            "Wait for it to end, or use another shelf."
        )
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return (
            f"The shelf at {shelf} is damaged ({error}): its shelf.sqlite is not what was written. "
            "Put back a copy of it, or use another shelf."
        )
    if code == sqlite3.SQLITE_CONSTRAINT:
        return (
            f"The shelf at {shelf} refused what does not fit to what is on it ({error}): another "
            "process may have written to the same study. Run the command again."
        )
    if code == sqlite3.SQLITE_IOERR:
        return (
            f"The shelf at {shelf} cannot be read or written ({error}). "
            "See that its disk is there, sound, and not full."
        )
    return f"The shelf at {shelf} cannot be read or written: {error}."


def _full(shelf: Path) -> str:
    return (
        f"The disk is full: the shelf at {shelf} cannot be written. What was on it is kept. "
        "Make room and run the same command again, or use another shelf."
    )


def _forbidden(shelf: Path, what: str | None = None) -> str:
    """What is not allowed: to read, if that is not, or to write."""
    files = [shelf, *(shelf / f"shelf.sqlite{suffix}" for suffix in ("", "-wal", "-shm"))]
    for file in [*files, Path(what or shelf)]:
        for path in (*reversed(file.parents), file):
            wanted = os.X_OK if path != file else os.R_OK
            if os.path.lexists(path) and not os.access(path, wanted):
                return (
                    f"The shelf at {shelf} cannot be read: you have no permission to read {path}. "
                    "Allow reading there, or use another shelf (--shelf, or MODELSHELF_SHELF)."
                )
    return unwritable(shelf)


def unwritable(shelf: Path) -> str:
    """The message that a shelf cannot be written."""
    return (
        f"The shelf at {shelf} cannot be written: its folder or a file in it is read-only. "
        "Allow writing there, or use another shelf (--shelf, or MODELSHELF_SHELF)."
    )
