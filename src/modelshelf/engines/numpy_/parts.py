"""Compiles kernels by name, in a process of its own: `python -m modelshelf.engines.numpy_.parts`.

Names come on standard input, one a line, and go back on standard output when they are compiled and
kept. All is for float32, in which networks are trained.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
from typing import Any

import numpy as np

from modelshelf.engines.kernels import LATER
from modelshelf.engines.numpy_.compile import INTERPRETED, pointer
from modelshelf.engines.numpy_.pointers import by_name

__all__ = ["compile_part", "main"]


def compile_part(name: str) -> bool:
    """Compile a function by its name, or load it; whether it is kept on disk."""
    function, signature = by_name()[name]
    compiled: Any = pointer(function, signature(np.dtype("float32")))
    return INTERPRETED or not compiled._cache.lost


def main() -> None:
    """Until the input ends."""
    gc.disable()  # compiling makes little that is not needed until the end: 6 % less time
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for who asked
    polite = False
    for line in sys.stdin:
        if line.strip() in LATER and not polite and hasattr(os, "nice"):
            polite = bool(os.nice(10))
        kept = compile_part(line.strip())
        print(line.strip() if kept else "", flush=True)  # noqa: T201  (it is the protocol)


if __name__ == "__main__":
    main()
