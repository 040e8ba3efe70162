"""What a shelf has lost, and what was left behind on it."""

from __future__ import annotations

from contextlib import suppress

from sqlalchemy import select

from modelshelf.shelf.database import Database
from modelshelf.shelf.files import Files
from modelshelf.shelf.problems import told
from modelshelf.shelf.reading import files as files_of
from modelshelf.shelf.records import StoredFile
from modelshelf.shelf.schema import trial

__all__ = ["lost", "sweep"]


def lost(database: Database, files: Files, study_id: int) -> tuple[int, ...]:
    """Numbers of a study's trials whose file is missing, or of another size than was written.

    No file is read: one that is damaged and of the right size is found by `check`.
    """
    named = files_of(database, study_id)
    with told(files.root):
        return tuple(sorted(n for n, each in named.items() if not _is_there(files, each.file)))


def _is_there(files: Files, file: StoredFile) -> bool:
    with suppress(FileNotFoundError, NotADirectoryError, ValueError):  # no name of a file at all
        return (files.root / file.name).stat().st_size == file.size
    return False


def sweep(database: Database, files: Files, study_id: int) -> int:
    """Delete the files in a study's folder that no row names; returns how many."""
    query = select(trial.c.file).where(trial.c.study_id == study_id)
    with database.reading() as connection:
        named = set(connection.execute(query).scalars())
    swept = 0
    with told(files.root):
        for name in files.networks(study_id):
            if name not in named:
                with suppress(FileNotFoundError):
                    (files.root / name).unlink()
                    swept += 1
    return swept
