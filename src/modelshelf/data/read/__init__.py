"""Readers: from a file, a stream, a bundled set or memory to a `Table`."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection
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
from modelshelf.data.read.sample import Sample
from modelshelf.data.read.spool import STANDARD_INPUT, spooled

__all__ = ["FILE", "Sample", "bundled", "from_memory", "read_again", "read_table", "usual_target"]

_READERS: dict[str, Callable[[Path], Table]] = {
    ".arrow": read_arrow,
    ".feather": read_arrow,
    ".ipc": read_arrow,
    ".arff": read_arff,
    ".npz": read_npz,
}
_PARQUET = (".parquet", ".pq")
_DELIMITED = (".csv", ".tsv", ".txt", ".data")
_NAMELESS = {"train", "training", "data", "dataset", "test"}  # told by their folder
_MAGIC = {b"ARROW1": read_arrow, b"PK\x03\x04": read_npz}


def read_table(
    source: str | Path, sample: Sample | None = None, text: Collection[str] | None = None
) -> Table:
    """Read a file by its ending, or by how it begins where the ending says nothing.

    A folder is one of images, and so is a table whose column names image files; `-` is standard
    input, which is read once, as pipes are. Of text, `text` names the columns whose words are
    needed, as they stand, if not all are: others are held as numbers where they are numbers.

    Raises `DataError` where it is missing, empty, or not a table, and where it would not fit into
    the memory that is free.
    """
    path = Path(source)
    piped = str(source) == STANDARD_INPUT
    try:
        if path.is_dir():
            table = read_folder(path)
            table = table if sample is None else sample.drawn(table)
        elif not piped and not path.exists():
            raise DataError(f"There is no file {str(path)!r}{_near(path)}.")
        elif piped or not path.is_file():
            with spooled(None if piped else path) as kept:
                table = _read(kept, path, sample, text)
                source = "" if sample is None else sample.source("")
                return replace(table, name=kept.name, source=source)
        else:
            table = _read(path, path, sample, text)
    except OSError as error:
        raise DataError(f"{str(path)!r} cannot be read: {error.strerror or error}.") from None
    except MemoryError:
        raise DataError(
            f"{str(path)!r} is too large for the memory that is free. What helps: --rows N, which "
            "samples so many rows, or fewer columns."
        ) from None
    return _told_apart(table, path, sample)


def _read(path: Path, given: Path, sample: Sample | None, text: Collection[str] | None) -> Table:
    """The table in a file that holds what was given."""
    with path.open("rb") as file:
        begin = file.read(8)
    if not begin:
        raise DataError(f"{str(path)!r} is empty: expected a table with a header row.")
    ending = path.suffix.lower()
    reader = read_idx if is_idx(path) else _READERS.get(ending)
    if reader is None and ending not in (*_PARQUET, *_DELIMITED):
        found = (each for magic, each in _MAGIC.items() if begin.startswith(magic))
        reader = next(found, None)
    if reader is not None:
        whole = reader(path)
        table = whole if sample is None else sample.drawn(whole)
    elif ending in _PARQUET or (ending not in _DELIMITED and begin.startswith(b"PAR1")):
        table = read_parquet(path, sample)
    else:
        table = read_delimited(path, sample, text)
    return table if table.tensor is not None else named_images(table, given) or table


def _told_apart(table: Table, path: Path, sample: Sample | None) -> Table:
    """The table with where it lies, and a name that tells it from others."""
    whole = path.resolve()
    name = table.name or whole.name
    if path.stem.lower() in _NAMELESS and whole.parent.name:
        name = f"{whole.parent.name}/{name}"
    source = str(whole) if sample is None else sample.source(str(whole))
    return replace(table, source=source, name=name)


def read_again(source: str, text: Collection[str] | None = None) -> Table:
    """The table whose `source` this is; `text` as in `read_table`.

    Raises `DataError` where it is no longer there.
    """
    sample, whole = Sample.at(source)
    if not whole:
        raise DataError("It came from memory or a stream, which cannot be read again.")
    if whole.startswith(EXAMPLE):
        table = bundled(whole.removeprefix(EXAMPLE))[0]
        return table if sample is None else sample.drawn(table)
    return read_table(whole, sample, text)


def _near(path: Path) -> str:
    """A clause that offers the file nearest in name."""
    try:
        names = [each.name for each in path.parent.iterdir() if each.is_file()]
    except OSError:
        return f", nor a folder {str(path.parent)!r}"
    close = difflib.get_close_matches(path.name, names, n=1)
    return f": did you mean {str(path.parent / close[0])!r}" if close else ""
