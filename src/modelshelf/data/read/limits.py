"""What a table may take: of the memory that is free, and of a stream that may have no end."""

from __future__ import annotations

from pathlib import Path

from modelshelf.core.errors import DataError
from modelshelf.core.memory import available

__all__ = ["GIB", "LONGEST", "MOST_STREAMED", "PACKED", "check_memory", "size_of"]

GIB = 1 << 30

#: Bytes of a pipe or device that are read, and of a packed file whatever its size.
MOST_STREAMED = 4 * GIB

#: How many times its size a packed file may unpack to, where that is more.
PACKED = 100

#: Bytes of one line, or of one quoted record.
LONGEST = GIB // 4

_WORK = 150_000_000  # bytes that reading needs beside what comes of it


def check_memory(path: Path, needed: float, helps: str) -> None:
    """Raise `DataError` where so many bytes are not free; `helps` says what would take fewer."""
    needed += min(_WORK, 2 * needed)
    free = max(available(), 0)
    if needed > free:
        raise DataError(
            f"{str(path)!r} needs about {_words(needed)} of memory as a table, and {_words(free)} "
            f"are free. What helps: {helps}, or a machine with more."
        )


def size_of(path: Path) -> int:
    """Its bytes on disk."""
    return path.stat().st_size


def _words(size: float) -> str:
    """So many bytes, for a person.

    >>> _words(3.21e9), _words(4.5e7)
    ('3.2 GB', '45 MB')
    """
    return f"{size / 1e9:,.1f} GB" if size >= 1e9 else f"{size / 1e6:,.0f} MB"
