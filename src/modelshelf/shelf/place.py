"""Where a shelf is, and whether what is there is one. Looking changes nothing."""

from __future__ import annotations

import os
from enum import Enum
from pathlib import Path

from modelshelf.core.errors import ShelfError
from modelshelf.shelf.problems import told
from modelshelf.shelf.schema import APPLICATION_ID

__all__ = ["DATABASE", "Found", "locate", "look", "missing", "writable"]

DATABASE = "shelf.sqlite"
DEFAULT = ".modelshelf"
VARIABLE = "MODELSHELF_SHELF"

_MAGIC = b"SQLite format 3\0"
_HARMLESS = {".DS_Store", ".gitignore", ".gitkeep", "lost+found"}


class Found(Enum):
    """What is at the place of a shelf."""

    SHELF = "shelf"
    NOTHING = "nothing"
    EMPTY_FOLDER = "empty folder"


def locate(where: str | Path | None = None) -> Path:
    """The folder of the shelf: the one given, else `MODELSHELF_SHELF`, else `./.modelshelf`.

    >>> locate("/data/shelf").as_posix()
    '/data/shelf'

    Raises `ShelfError` where the name cannot be a folder's.
    """
    given = str(where) if where is not None else os.environ.get(VARIABLE, "").strip()
    if "\0" in given:
        raise ShelfError(f"{given!r} cannot be the folder of a shelf: it has a null character.")
    try:
        return Path(given or DEFAULT).expanduser().absolute()
    except RuntimeError as error:  # "~nobody": there is no such home
        raise ShelfError(f"{given!r} cannot be the folder of a shelf: {error}") from None


def look(path: Path) -> Found:
    """What is at a path. Raises `ShelfError` where it is something else than a shelf to be."""
    with told(path):
        try:
            path.lstat()
        except FileNotFoundError:
            return Found.NOTHING
        if not path.is_dir():
            raise ShelfError(f"{path} is not a shelf: it is no folder. {_advice()}")
        # One listing: another process may be making a shelf here at this moment.
        names = sorted(each.name for each in path.iterdir())
        if DATABASE in names and (path / DATABASE).is_file():
            _recognise(path / DATABASE)
            return Found.SHELF
    others = [name for name in names if not _may_be_there(name)]
    if not others:
        return Found.EMPTY_FOLDER
    shown = ", ".join(others[:3]) + (", …" if len(others) > 3 else "")
    raise ShelfError(
        f"{path} is not a shelf: it holds other things ({shown}) and no {DATABASE}. {_advice()}"
    )


def missing(path: Path, found: Found) -> ShelfError:
    """The error that says that there is no shelf yet, and how to make one."""
    there = "" if found is Found.NOTHING else " (the folder is empty)"
    return ShelfError(
        f"There is no shelf at {path}{there}. Make one with `modelshelf tune --example digits`, "
        f"or say where yours is with --shelf, or {VARIABLE}."
    )


def writable(path: Path) -> bool:
    """Whether the shelf in this folder can be written, as far as can be seen."""
    return os.access(path, os.W_OK | os.X_OK) and os.access(path / DATABASE, os.W_OK)


def _advice() -> str:
    return f"Name another folder with --shelf, or {VARIABLE}."


def _may_be_there(name: str) -> bool:
    """Whether a folder with only this in it is as good as empty.

    A process killed while it made a shelf leaves a temporary file.
    """
    return name in _HARMLESS or (name.startswith(f".{DATABASE}.") and name.endswith(".tmp"))


def _recognise(database: Path) -> None:
    with database.open("rb") as file:
        header = file.read(100)
    marked = int.from_bytes(header[68:72], "big") == APPLICATION_ID
    if not (header.startswith(_MAGIC) and marked):
        raise ShelfError(
            f"{database.parent} is not a shelf, or is damaged: its {DATABASE} was not written by "
            f"modelshelf. Put back a copy of the shelf, or: {_advice()}"
        )
