"""Parquet and Arrow, through polars."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from modelshelf.core.errors import DataError
from modelshelf.data.dataset import Table
from modelshelf.data.read.delimited import unique_names
from modelshelf.data.read.limits import check_memory, size_of
from modelshelf.data.read.sample import Sample
from modelshelf.data.read.series import settled

__all__ = ["read_arrow", "read_parquet"]

_UNDERSTOOD = 16  # bytes that a value takes once it is understood, and drawn into training rows
_AT_A_TIME = 1 << 18  # rows of which a sample is taken
_HELPS = "--rows N, which samples so many rows, or fewer columns"


def read_parquet(path: Path, sample: Sample | None = None) -> Table:
    """Read a Parquet file, or a sample of its rows, of which no others are held."""
    check_memory(path, size_of(path), _HELPS)
    with _told(path, "Parquet"):
        data = pl.scan_parquet(path)
        width, total = len(data.collect_schema()), data.select(pl.len()).collect().item()
        chosen = None if sample is None else sample.of(total)
        rows = total if chosen is None else len(chosen)
        check_memory(path, rows * width * (8 + _UNDERSTOOD) + size_of(path), _HELPS)
        if sample is None or chosen is None:
            return _table(path, pl.read_parquet(path.read_bytes()))
        parts = []
        for begin in range(0, total, _AT_A_TIME):
            low, high = np.searchsorted(chosen, [begin, begin + _AT_A_TIME])
            part = data.slice(begin, _AT_A_TIME).collect()
            parts.append(part[chosen[low:high] - begin].rechunk())
        return sample.noted(_table(path, pl.concat(parts)), total)


def read_arrow(path: Path) -> Table:
    """Read an Arrow file: the file format (Feather), or the stream format."""
    check_memory(path, 3 * size_of(path), "the table as Parquet, or fewer columns")
    with path.open("rb") as file:
        stream = file.read(6) != b"ARROW1"
    reader: Callable[[Any], pl.DataFrame] = pl.read_ipc_stream if stream else pl.read_ipc
    with _told(path, "Arrow"):
        return _table(path, reader(path.read_bytes()))


def _table(path: Path, frame: pl.DataFrame) -> Table:
    if frame.height == 0:
        raise DataError(f"{str(path)!r} has no rows.")
    unique_names(frame.columns, str(path))
    return Table(path.name, settled(frame))


@contextmanager
def _told(path: Path, word: str) -> Iterator[None]:
    """Whatever goes wrong as a `DataError`: the readers raise many kinds, some not polars' own."""
    try:
        yield
    except (DataError, MemoryError):
        raise
    except (Exception, pl.exceptions.PanicException) as error:
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataError(f"{str(path)!r} cannot be read as {word}: {first}.") from None
