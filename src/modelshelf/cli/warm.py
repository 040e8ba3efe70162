"""`modelshelf warm`: compile the engine for this machine."""

from __future__ import annotations

import json
import sys
import time
from typing import Annotated

import typer

from modelshelf.cli.compiling import say_until
from modelshelf.cli.options import make_console

__all__ = ["warm"]


def warm(
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object on the last line.")
    ] = False,
) -> None:
    """Compile the engine for this processor, once: for an image, a classroom, or before a race.

    `tune` and `train` do so by themselves. NUMBA_CACHE_DIR names another folder.
    """
    from modelshelf.engines import kernels

    console = make_console(stderr=as_json)
    began = time.monotonic()
    compilation = kernels.begin()
    if compilation is not None:
        say_until(console, compilation.join, lambda: compilation.all_parts)
    seconds = time.monotonic() - began
    where, note = str(kernels.folder()), kernels.not_kept()
    after = f" after {seconds:.1f} s" if compilation else ""
    console.print(note or f"The engine is ready{after}, in {where}.", markup=False)
    if as_json:
        found = {"compiled": compilation is not None, "kept": not note, "folder": where}
        sys.stdout.write(json.dumps({**found, "seconds": seconds}) + "\n")
