"""`modelshelf warm`: compile the engine for this machine."""

from __future__ import annotations

import json
import sys
import time
from typing import Annotated

import typer

from modelshelf.cli.options import make_console

__all__ = ["warm"]


def warm(
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object on the last line.")
    ] = False,
) -> None:
    """Compile the engine for this processor, once: for an image, a classroom, or before a race.

    Any command does so by itself where it is needed. NUMBA_CACHE_DIR names another folder.
    """
    from modelshelf.engines import kernels

    console = make_console(stderr=as_json)
    began = time.monotonic()
    compilation = kernels.begin()
    told = -1
    while compilation is not None and not compilation.join(0.2):
        done, wanted = compilation.all_parts
        if done != told:
            console.print(
                f"compiling the engine for this processor, once: {done} of {wanted} parts"
            )
            told = done
    seconds = time.monotonic() - began
    if compilation is None:
        console.print(f"The engine is ready, in {kernels.folder()}.", markup=False)
    elif note := kernels.not_kept():
        console.print(note, style="yellow", markup=False)
    else:
        console.print(f"The engine is ready after {seconds:.1f} s, in {kernels.folder()}.",
                      markup=False)  # fmt: skip
    if as_json:
        told_json = {"compiled": compilation is not None, "kept": not kernels.not_kept(),
                     "folder": str(kernels.folder()), "seconds": seconds}  # fmt: skip
        sys.stdout.write(json.dumps(told_json) + "\n")
