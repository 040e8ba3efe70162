"""Parquet and Arrow, through polars."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl

from modelshelf.core.errors import DataError
from modelshelf.data.dataset import Table
from modelshelf.data.read.series import settled

__all__ = ["read_arrow", "read_parquet"]


def read_parquet(path: Path) -> Table:
    """Read a Parquet file."""
    return _read(path, "Parquet", pl.read_parquet)


def read_arrow(path: Path) -> Table:
    """Read an Arrow file: the file format (Feather), or the stream format."""
    with path.open("rb") as file:
        stream = file.read(6) != b"ARROW1"
    return _read(path, "Arrow", pl.read_ipc_stream if stream else pl.read_ipc)


def _read(path: Path, word: str, reader: Callable[[Any], pl.DataFrame]) -> Table:
    try:
        frame = reader(path.read_bytes())
    except Exception as error:  # the readers raise many kinds, some of them not polars' own
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataError(f"{str(path)!r} cannot be read as {word}: {first}.") from None
    if frame.height == 0:
        raise DataError(f"{str(path)!r} has no rows.")
    return Table(path.name, settled(frame))
