"""What is said while the engine is compiled, once on each machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelshelf.engines import kernels

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["COMPILING", "wait_for_engine"]

#: With how many parts are compiled, and how many there are.
COMPILING = "compiling the engine for this processor, once: {} of {} parts"

_MOMENT = 0.2  # seconds between two looks


def wait_for_engine(console: Console) -> None:
    """Until a first network can be trained; says so where that takes longer than a moment."""
    compilation, told = kernels.begin(), -1
    while compilation is not None and not compilation.wait(_MOMENT):
        done, wanted = compilation.progress
        if done != told:
            told = done
            console.print(COMPILING.format(done, wanted))
