"""The program `modelshelf`: how it begins, and how errors and signals end it.

Nothing is imported here but Python itself, so that Ctrl-C ends it in a word from the first moment.
"""

from __future__ import annotations

import gc
import os
import sys
import time
from contextlib import suppress
from typing import NoReturn

__all__ = ["BEGAN", "entry", "main"]

#: When the program was started, on the monotonic clock; empty where it was only imported.
BEGAN: list[float] = []


def main() -> None:
    """Run the program. Exit status: 0 done, 1 failed, 2 bad input, 130 stopped by Ctrl-C."""
    try:
        _run()
    except KeyboardInterrupt:
        _end("Stopped.", 130)
    except BrokenPipeError:  # the reader of our output went away, as `head` does
        sys.stderr.close()
        sys.exit(0)
    except OSError as error:  # a full disk, say
        _end(f"Error: {error}.", 1)


def _run() -> None:
    from modelshelf.cli.encoding import any_encoding

    any_encoding()

    from modelshelf.cli.program import app
    from modelshelf.core.errors import ModelshelfError, StoppedError, UserError

    try:
        app()
    except UserError as error:
        _end(f"Error: {error}", 2)
    except StoppedError as error:
        _end(str(error), 130)
    except ModelshelfError as error:
        _end(f"Error: {error}", 1)


def entry() -> None:
    """Run the program, and leave at once when it is done.

    A baseline that is still being fitted when the time is up may be in compiled code, and Python
    would wait for it. Everything that matters was written and flushed by then.
    """
    BEGAN.append(time.monotonic())
    # What is imported stays: to look through it for garbage after every 700 objects costs a
    # twentieth of the time in which `show` answers.
    gc.set_threshold(20_000)
    status: int | str | None = 0
    try:
        main()
    except SystemExit as ended:
        status = ended.code
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (OSError, ValueError, AttributeError):  # the reader went away, or there never was one
        pass
    kernels = sys.modules.get("modelshelf.engines.kernels")
    if kernels is not None:
        kernels.tidy()
    os._exit(status if isinstance(status, int) else int(status is not None))


def _end(message: str, status: int) -> NoReturn:
    with suppress(OSError, AttributeError):  # its reader went away, or there never was one
        sys.stderr.write(f"{_wrapped(message)}\n")
    sys.exit(status)


def _wrapped(message: str) -> str:
    """The message in lines of whole words, where a terminal would break them."""
    if not sys.stderr.isatty():
        return message
    from shutil import get_terminal_size
    from textwrap import TextWrapper

    wrapper = TextWrapper(
        get_terminal_size().columns, break_long_words=False, break_on_hyphens=False
    )
    return "\n".join(wrapper.fill(line) for line in message.splitlines())
