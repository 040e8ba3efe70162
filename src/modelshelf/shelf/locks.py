"""The lock that a study is trained under: one process at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from modelshelf.core.errors import ShelfError
from modelshelf.shelf.problems import told

__all__ = ["locked"]


@contextmanager
def locked(shelf: Path, study: int, name: str) -> Iterator[None]:
    """Hold a study's lock. The operating system gives it back when the process dies.

    Raises `ShelfError` where another process holds it.
    """
    from filelock import FileLock, Timeout

    with told(shelf):
        folder = shelf / "locks"
        folder.mkdir(exist_ok=True)
        lock = FileLock(folder / f"{study}.lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            raise ShelfError(
                f"The study {name!r} is being trained by another process. Wait for it to end, "
                "or train another study: --study NAME."
            ) from None
    try:
        yield
    finally:
        lock.release()
