"""The lock that a study is trained under: one process at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from modelshelf.core.errors import ShelfError
from modelshelf.shelf.problems import told

__all__ = ["all_locked", "locked"]


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


@contextmanager
def all_locked(shelf: Path, studies: Iterable[int]) -> Iterator[bool]:
    """Hold the locks of all these studies, or of none; whether they are held.

    They are not where another process holds one.
    """
    from filelock import FileLock, Timeout

    with ExitStack() as held:
        with told(shelf):
            folder = shelf / "locks"
            folder.mkdir(exist_ok=True)
            try:
                for each in sorted(studies):
                    held.enter_context(FileLock(folder / f"{each}.lock").acquire(timeout=0))
            except Timeout:
                held.close()
                idle = False
            else:
                idle = True
        yield idle
