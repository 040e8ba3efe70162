"""Folders for what a process needs while it lives, in the system's folder for temporary files.

Each holds a file that its process has locked. A process that is killed leaves its folder behind and
loses its lock: who next makes such a folder sweeps it. Nothing is imported before it is needed:
most commands need none of this.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

__all__ = ["private_folder", "release", "scratch", "sweep"]

_PREFIX = "modelshelf-"
_HELD = ".held"

_LOCKS: dict[Path, int] = {}  # of this process's folders, by their file's handle


def scratch() -> Path:
    """A new folder of this process alone. Raises `OSError` where none can be made."""
    sweep()
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
    handle = _locked(folder, os.O_CREAT)
    if handle is not None:
        _LOCKS[folder] = handle
    return folder


def release(folder: Path) -> None:
    """Remove a folder that `scratch` made."""
    shutil.rmtree(folder, ignore_errors=True)
    handle = _LOCKS.pop(folder, None)
    if handle is not None:
        os.close(handle)


def sweep() -> None:
    """Remove folders of this user whose processes are gone."""
    if not hasattr(os, "getuid"):
        return
    with suppress(OSError):
        for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
            with suppress(OSError):
                if folder not in _LOCKS and _owned(folder):
                    _remove_if_dead(folder)


def private_folder(name: str) -> Path:
    """A folder that lasts, among temporary files, which no other user can write to or read.

    Raises `OSError` where there is one that is not so, and where users have no numbers.
    """
    if not hasattr(os, "getuid"):
        raise OSError("Temporary files lie in the user's own folders here.")
    folder = Path(tempfile.gettempdir()) / f"{_PREFIX}{name}-{os.getuid()}"
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    if not _owned(folder) or folder.lstat().st_mode & 0o077:
        raise PermissionError(f"{folder} is not this user's alone.")
    return folder


def _owned(folder: Path) -> bool:
    """Whether it is a folder, no link, and this user's."""
    import stat

    told = folder.lstat()
    return stat.S_ISDIR(told.st_mode) and told.st_uid == os.getuid()


def _remove_if_dead(folder: Path) -> None:
    # Only what holds such a file was made here; one that is just being made has none yet.
    handle = _locked(folder, 0)
    if handle is not None:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(handle)


def _locked(folder: Path, flags: int) -> int | None:
    """The handle of the folder's file, locked; None where another process has it."""
    if sys.platform == "win32":
        return None
    import fcntl

    handle = os.open(folder / _HELD, os.O_RDWR | os.O_NOFOLLOW | flags, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        return None
    return handle
