"""Readers: from a file, a bundled set or memory to a `Table`."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from modelshelf.core.errors import DataError
from modelshelf.data.dataset import Table
from modelshelf.data.read.arff import read_arff
from modelshelf.data.read.arrays import read_npz
from modelshelf.data.read.binary import read_arrow, read_parquet
from modelshelf.data.read.bundled import EXAMPLE, bundled
from modelshelf.data.read.delimited import read_delimited
from modelshelf.data.read.frames import from_memory
from modelshelf.data.read.idx import is_idx, read_idx
from modelshelf.data.read.images import FILE, named_images, read_folder, usual_target

__all__ = ["FILE", "bundled", "from_memory", "read_again", "read_table", "usual_target"]

_READERS: dict[str, Callable[[Path], Table]] = {
    ".parquet": read_parquet,
    ".pq": read_parquet,
    ".arrow": read_arrow,
    ".feather": read_arrow,
    ".ipc": read_arrow,
    ".arff": read_arff,
    ".npz": read_npz,
    ".csv": read_delimited,
    ".tsv": read_delimited,
    ".txt": read_delimited,
    ".data": read_delimited,
}
_NAMELESS = {"train", "training", "data", "dataset", "test"}  # told by their folder
_MAGIC = {b"PAR1": read_parquet, b"ARROW1": read_arrow, b"PK\x03\x04": read_npz}


def read_table(source: str | Path) -> Table:
    """Read a file by its ending, or by how it begins where the ending says nothing.

    A folder is one of images, and so is a table whose column names image files. Raises `DataError`
    where it is missing, empty, or not a table.
    """
    path = Path(source)
    if path.is_dir():
        return _told_apart(read_folder(path), path)
    if not path.exists():
        raise DataError(f"There is no file {str(path)!r}{_near(path)}.")
    try:
        with path.open("rb") as file:
            begin = file.read(8)
    except OSError as error:
        raise DataError(f"{str(path)!r} cannot be read: {error.strerror}.") from None
    if not begin:
        raise DataError(f"{str(path)!r} is empty: expected a table with a header row.")
    reader = read_idx if is_idx(path) else _READERS.get(path.suffix.lower())
    if reader is None:
        found = (each for magic, each in _MAGIC.items() if begin.startswith(magic))
        reader = next(found, read_delimited)
    table = reader(path)
    if table.tensor is None:
        table = named_images(table, path) or table
    return _told_apart(table, path)


def _told_apart(table: Table, path: Path) -> Table:
    """The table with where it lies, and a name that tells it from others."""
    whole = path.resolve()
    name = table.name or whole.name
    if path.stem.lower() in _NAMELESS and whole.parent.name:
        name = f"{whole.parent.name}/{name}"
    return replace(table, source=str(whole), name=name)


def read_again(source: str) -> Table:
    """The table whose `source` this is. Raises `DataError` where it is no longer there."""
    if source.startswith(EXAMPLE):
        return bundled(source.removeprefix(EXAMPLE))[0]
    return read_table(source)


def _near(path: Path) -> str:
    """A clause that offers the file nearest in name."""
    try:
        names = [each.name for each in path.parent.iterdir() if each.is_file()]
    except OSError:
        return f", nor a folder {str(path.parent)!r}"
    close = difflib.get_close_matches(path.name, names, n=1)
    return f": did you mean {str(path.parent / close[0])!r}" if close else ""
