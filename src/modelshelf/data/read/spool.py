"""What can be read but once, a pipe or standard input, kept in a file for as long as it is read."""

from __future__ import annotations

import io
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from modelshelf.core.errors import DataError
from modelshelf.data.read.limits import GIB, MOST_STREAMED

__all__ = ["STANDARD_INPUT", "spooled"]

STANDARD_INPUT = "-"

_PIECE = 1 << 20


@contextmanager
def spooled(path: Path | None) -> Iterator[Path]:
    """A file of the same name that holds all that a stream gives; None is standard input.

    It is gone afterwards. Raises `DataError` where the stream gives more than `MOST_STREAMED`, or
    than half of what is free in the temporary folder; any other names the stream, not the file.
    """
    name = "standard input" if path is None else str(path)
    with tempfile.TemporaryDirectory(prefix="modelshelf-") as folder:
        kept = Path(folder) / (name if path is None else path.name)
        try:
            with _opened(path) as stream, kept.open("wb") as file:
                _copy(stream, file, name, min(MOST_STREAMED, shutil.disk_usage(folder).free // 2))
        except OSError as error:
            raise DataError(f"{name!r} cannot be read: {error.strerror}.") from None
        try:
            yield kept
        except DataError as error:
            raise DataError(str(error).replace(repr(str(kept)), repr(name))) from None


@contextmanager
def _opened(path: Path | None) -> Iterator[IO[bytes]]:
    if path is None:
        yield getattr(sys.stdin, "buffer", io.BytesIO())  # none where it was closed
        return
    with path.open("rb") as stream:
        yield stream


def _copy(stream: IO[bytes], file: IO[bytes], name: str, most: int) -> None:
    size = 0
    while piece := stream.read(_PIECE):
        size += len(piece)
        if size > most:
            raise DataError(
                f"{name!r} was cut off: it gave more than {most / GIB:.1f} GiB, which is the most "
                "that is read of a stream. If it has an end, write it to a file, and give that."
            )
        file.write(piece)
