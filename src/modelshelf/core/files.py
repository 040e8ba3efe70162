"""Files written as a whole or not at all; those that a person names, over nobody else's work."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from modelshelf.core.errors import DataError

__all__ = ["MADE", "is_made_by_us", "refuse", "sync", "write", "write_text"]

#: Stands in every page of ours, as a comment, so that it may be written anew.
MADE = "made by modelshelf"

#: What tells our pages, the reports of version 0.1 and our drawings from another's.
_MARKS = (MADE.encode(), b"a modelshelf report</title>", b'aria-label="barcode ')
_HEAD = 8192  # bytes in which one of them stands


def is_made_by_us(path: Path) -> bool:
    """Whether a page or a drawing is one of ours."""
    with path.open("rb") as file:
        head = file.read(_HEAD)
    return any(mark in head for mark in _MARKS)


def refuse(
    path: Path,
    option: str = "--out",
    *,
    inputs: Iterable[str | Path | None] = (),
    ours: Callable[[Path], bool] = is_made_by_us,
    force: bool = False,
) -> None:
    """Raise `DataError` where a file cannot be written so, or would cost someone another.

    A link is what it leads to. A file that is there is replaced where it is empty or `ours`, and
    with `force`; never what was read (`inputs`), a folder or a device.
    """
    named = f"{option} {str(path)!r}"
    place = Path(os.path.realpath(path))
    if not place.parent.is_dir():
        raise DataError(
            f"{named} cannot be written: there is no folder {str(place.parent)!r}. Make it first."
        )
    if not os.access(place.parent, os.W_OK):
        raise DataError(
            f"{named} cannot be written: the folder {str(place.parent)!r} is read-only."
        )
    if place.is_dir():
        raise DataError(f"{named} is a folder: expected a file's name.")
    if not place.exists():
        return
    if not place.is_file():
        raise DataError(f"{named} is a device or a pipe: expected a file that can be replaced.")
    for each in inputs:
        if each is not None and Path(each).exists() and place.samefile(each):
            raise DataError(f"{named} is the file that is read: give another name.")
    if not os.access(place, os.W_OK):
        raise DataError(f"{named} is read-only: give another name.")
    try:
        free = force or not place.stat().st_size or ours(place)
    except OSError:  # it cannot be read
        free = False
    if not free:
        raise DataError(
            f"{named} is there already, and is not what this command wrote before: --force "
            "replaces it; or give another name."
        )


def write(path: Path, put: Callable[[BinaryIO], object]) -> None:
    """Write what `put` writes, so that the file is there as a whole, and stays, or is as it was.

    Raises `DataError` where it cannot be.
    """
    place = Path(os.path.realpath(path))
    temporary = place.with_name(f".modelshelf-{secrets.token_hex(8)}.tmp")
    try:
        with temporary.open("xb") as file:
            put(file)
            file.flush()
            os.fsync(file.fileno())
        before = place.exists()
        if before:
            shutil.copymode(place, temporary)
        temporary.replace(place)
        sync(place.parent)
    except OSError as error:
        kept = " What was there is as it was." if place.exists() else ""
        raise DataError(
            f"{str(path)!r} cannot be written: {error.strerror or error}.{kept}"
        ) from None
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """`write` a text, in UTF-8."""
    write(path, lambda file: file.write(text.encode()))


def sync(path: Path) -> None:
    """Wait until a file's content, or the names in a folder, are on the disk.

    Windows keeps the names in a folder by itself, and cannot be asked.
    """
    if os.name == "nt" and path.is_dir():
        return
    try:
        descriptor = os.open(path, os.O_RDONLY if os.name != "nt" else os.O_RDWR)
    except PermissionError:
        if path.is_dir():  # one that may be written to, and not be listed
            return
        raise
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # a file system that knows no sync
            raise
    finally:
        os.close(descriptor)
