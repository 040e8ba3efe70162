"""What is said while the engine is compiled, once on each machine."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from modelshelf.engines import kernels

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["COMPILING", "say_until", "wait_for_engine"]

#: With how many parts are compiled, and how many there are.
COMPILING = "compiling the engine for this processor, once: {} of {} parts"

_MOMENT = 0.2  # seconds between two looks


def wait_for_engine(console: Console) -> None:
    """Until a first network can be trained; says so where that takes longer than a moment."""
    compilation = kernels.begin()
    if compilation is not None:
        say_until(console, compilation.wait, lambda: compilation.progress)


def say_until(
    console: Console, done: Callable[[float], bool], progress: Callable[[], tuple[int, int]]
) -> None:
    """A line for each step of `progress`, until `done`, which waits for so many seconds."""
    told = None
    while not done(_MOMENT):
        now = progress()
        if now != told:
            told = now
            console.print(COMPILING.format(*now))
