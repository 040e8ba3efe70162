"""What a shelf has lost, and what was left behind on it: found, swept, mended."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from sqlalchemy import select, update

from modelshelf.core.words import counted
from modelshelf.shelf.check import fault
from modelshelf.shelf.database import Database
from modelshelf.shelf.files import Files
from modelshelf.shelf.locks import all_locked
from modelshelf.shelf.place import DATABASE
from modelshelf.shelf.problems import told
from modelshelf.shelf.reading import files as files_of
from modelshelf.shelf.reading import named
from modelshelf.shelf.records import StoredFile, StudyRecord
from modelshelf.shelf.schema import study, trial
from modelshelf.shelf.studies import Studies

__all__ = ["lost", "repaired", "restore", "sweep", "sweep_shared"]

_DAY = 86_400.0  # seconds after which nobody is still writing a file
_TEMPORARY = re.compile(r"\..*\.(\d+)-[0-9a-f]+\.tmp")  # its process's number is in its name


def lost(database: Database, files: Files, study_id: int) -> tuple[int, ...]:
    """Numbers of a study's trials whose file is missing, or of another size than was written.

    No file is read: one that is damaged and of the right size is found by `check`.
    """
    kept = files_of(database, study_id)
    with told(files.root):
        return tuple(sorted(n for n, each in kept.items() if not _is_there(files, each.file)))


def restore(database: Database, study_id: int, number: int, file: StoredFile, copy: str) -> None:
    """Name a trial's file anew."""
    where = trial.c.study_id == study_id, trial.c.number == number
    row = {"file": file.name, "size": file.size, "checksum": file.checksum, "copy": copy}
    with database.writing() as connection:
        connection.execute(update(trial).where(*where).values(row))


def _is_there(files: Files, file: StoredFile) -> bool:
    with suppress(FileNotFoundError, NotADirectoryError, ValueError):  # no name of a file at all
        return (files.root / file.name).stat().st_size == file.size
    return False


def sweep(database: Database, files: Files, study_id: int) -> list[str]:
    """Delete what is no row's in a study's folder, and what the dead were writing elsewhere.

    One that was cut off is nobody's either: with it gone, its network can be written again. The
    study's lock is held. Returns the names of what was deleted.
    """
    kept = {each.file.name: each.file for each in files_of(database, study_id).values()}
    with told(files.root):
        every = files.networks(study_id)
        behind = [n for n in every if n not in kept or not _is_there(files, kept[n])]
        half = [name for name in _shared(files) if _abandoned(files.root / name)]
        return _deleted(files.root, behind + half)


def sweep_shared(database: Database, files: Files, held: Collection[int]) -> list[str] | None:
    """Delete all that belongs to no study: files of removed ones, preparations, ensembles.

    A study at work may have written, or found there, what its next row will name: so nothing is
    deleted, and None returned, while another process holds one. Those `held` are our own.
    """
    with database.writing() as connection:  # no study can be added meanwhile
        ids = set(connection.execute(select(study.c.id)).scalars())
        with all_locked(files.root, ids - set(held)) as idle:
            if not idle:
                return None
            kept = named(database)
            with told(files.root):
                every = [name for name in files.every() if name not in kept]
                return _deleted(files.root, [name for name in every if _study_of(name) not in ids])


def repaired(
    database: Database, files: Files, studies: Studies, held: Collection[int]
) -> Iterator[str]:
    """Mend what can be mended, a sentence for each thing that was done."""
    for each in studies.all():
        number = studies.id(each.name)
        with all_locked(files.root, {number} - set(held)) as idle:
            if not idle:
                yield f"The study {each.name!r} is being trained: it was left alone."
                continue
            yield from _mended(database, files, each, number)
            yield from _swept(sweep(database, files, number), f"of study {each.name!r}")
    swept = sweep_shared(database, files, held)
    if swept is None:
        yield "A study is being trained: preparations and ensembles were left alone."
    else:
        yield from _swept(swept, "of no study")
    with told(files.root):
        half = [each for each in files.root.glob(f".{DATABASE}.*.tmp") if _abandoned(each)]
        yield from _swept(_deleted(files.root, [each.name for each in half]), "of the database")


def _swept(names: Sequence[str], whose: str) -> Iterator[str]:
    if names:
        yield f"Deleted {counted(len(names), 'file')} {whose}, left behind: {_first(names)}."


def _mended(database: Database, files: Files, record: StudyRecord, study_id: int) -> Iterator[str]:
    """Delete the damaged networks of a study, so that they are lost, and say what becomes of it."""
    gone: list[str] = []
    for number, each in sorted(files_of(database, study_id).items()):
        wrong = fault(files, each.file)
        if wrong:
            files.remove([each.file.name])
            gone.append(f"{number} ({wrong})")
    if gone:
        yield (
            f"Of study {record.name!r}, the networks of these trials are lost: {_first(gone)}. "
            "The same command that began the study trains them again."
        )


def _first(names: Sequence[str], most: int = 5) -> str:
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def _shared(files: Files) -> Iterator[str]:
    return (name for name in files.every() if not name.startswith("networks/"))


def _study_of(name: str) -> int | None:
    """The number of the study in whose folder a file lies."""
    kind, folder, *_ = name.split("/")
    return int(folder) if kind == "networks" and folder.isdecimal() else None


def _deleted(root: Path, names: Iterable[str]) -> list[str]:
    done = []
    for name in names:
        with suppress(FileNotFoundError):
            (root / name).unlink()
            done.append(name)
    return done


def _abandoned(path: Path) -> bool:
    """Whether a file is half-written, and whoever wrote it is dead."""
    written = _TEMPORARY.fullmatch(path.name)
    if written is None:
        return False
    with suppress(FileNotFoundError):
        if time.time() - path.stat().st_mtime > _DAY:
            return True
    return not _alive(int(written[1]))


def _alive(process: int) -> bool:
    """Whether there is a process of this number; where it cannot be asked, there may be."""
    if os.name == "nt":  # to ask is to send it Ctrl-C
        return True
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True
