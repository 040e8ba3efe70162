"""The program `modelshelf`: how it begins, and how errors and signals end it.

Nothing is imported here before Ctrl-C is listened to, so that it ends the program in a word from
the first moment.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False  # `typing` takes as long to import as all else here
if TYPE_CHECKING:
    from typing import Any, NoReturn

__all__ = ["BEGAN", "entry", "main", "tell_program"]

#: When the program was started, on the monotonic clock; empty where it was only imported.
BEGAN: list[float] = []

_GONE = OSError, ValueError, AttributeError  # a stream whose reader went away, or never was
_PATIENCE = 2.0  # seconds in which what is at work may put itself away
_WORKING: list[bool] = []  # whether there is anything to unwind
_PRESSED: list[bool] = []  # whether Ctrl-C was pressed, and no command listened to it


def main() -> None:
    """Run the program. Exit status: 0 done, 1 failed, 2 bad input, 130 stopped by Ctrl-C."""
    try:
        _run()
    except KeyboardInterrupt:
        _end("Stopped.", 130)
    except BrokenPipeError:  # the reader of our output went away, as `head` does
        sys.exit(0)
    except OSError as error:  # a full disk, say
        _end(f"{error}.", 1)


def _run() -> None:
    from modelshelf.cli.encoding import any_encoding

    any_encoding()

    from modelshelf.cli.program import app
    from modelshelf.core.errors import ModelshelfError, StoppedError, UserError

    try:
        app()
    except UserError as error:
        _end(str(error), 2)
    except StoppedError as error:
        _end(str(error), 130)
    except ModelshelfError as error:
        _end(str(error), 1)


def entry() -> None:
    """Run the program, and leave at once when it is done.

    A baseline that is still being fitted when the time is up may be in compiled code, and Python
    would wait for it. Everything that matters was written and flushed by then.
    """
    status: int | str | None = 0
    try:
        try:
            _begin()
            main()
        finally:
            _WORKING.clear()
    except SystemExit as ended:
        status = ended.code
    except BaseException as error:
        # A library may make something else of it: an import that failed, say.
        if not _PRESSED and not isinstance(error, KeyboardInterrupt):
            raise
        _stopped()
    _leave(status if isinstance(status, int) else int(status is not None))


def _begin() -> None:
    """Note the time, and listen to Ctrl-C."""
    import time

    BEGAN.append(time.monotonic())

    import signal

    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # else it is to be ignored
        _WORKING.append(True)
        signal.signal(signal.SIGINT, _interrupted)
        sys.unraisablehook = _unraisable

    import gc

    # What is imported stays: to look through it for garbage after every 700 objects costs a
    # twentieth of the time in which `show` answers.
    gc.set_threshold(20_000)


def _interrupted(*_: Any) -> None:
    """Ctrl-C: once unwinds what is at work, twice leaves now."""
    if _PRESSED or not _WORKING:
        os._exit(130)
    _PRESSED.append(True)
    import signal

    if hasattr(signal, "setitimer"):  # should a library swallow it, as some do in an import
        signal.signal(signal.SIGALRM, lambda *_: _stopped())
        signal.setitimer(signal.ITIMER_REAL, _PATIENCE)
    raise KeyboardInterrupt


def _unraisable(told: Any) -> None:
    """What was raised where nothing can catch it: Ctrl-C leaves from there too."""
    if _PRESSED:
        _stopped()
    sys.__unraisablehook__(told)


def _stopped() -> NoReturn:
    _told("Stopped.", 130)
    _leave(130)


def _leave(status: int) -> NoReturn:
    from contextlib import suppress

    for last in (sys.stdout, sys.stderr):
        with suppress(*_GONE):
            last.flush()
    kernels = sys.modules.get("modelshelf.engines.kernels")
    if kernels is not None:
        with suppress(*_GONE):
            if status == 0 and (note := kernels.untold()):
                sys.stderr.write(f"{_wrapped(note)}\n")
                sys.stderr.flush()
        kernels.tidy()
    os._exit(status)


def _end(message: str, status: int) -> NoReturn:
    """Leave with a message; after Ctrl-C, whatever a library made of it, with that."""
    message, status = ("Stopped.", 130) if _PRESSED else (message, status)
    _told(message, status)
    sys.exit(status)


def _told(message: str, status: int) -> None:
    from contextlib import suppress

    tell_program(message, status)
    with suppress(*_GONE):
        sys.stderr.write(_wrapped(message if status == 130 else f"Error: {message}") + "\n")


def tell_program(message: str, status: int) -> None:
    """With `--json`: an error, as the line that standard output would have held."""
    if "--json" not in sys.argv[1:]:
        return
    import json
    from contextlib import suppress

    with suppress(*_GONE):
        sys.stdout.write(json.dumps({"error": message, "status": status}) + "\n")


def _wrapped(message: str) -> str:
    """The message in lines of whole words, where a terminal would break them."""
    from modelshelf.core.words import printable

    message = printable(message)
    if not sys.stderr.isatty():
        return message
    from shutil import get_terminal_size
    from textwrap import TextWrapper

    wrapper = TextWrapper(
        get_terminal_size().columns, break_long_words=False, break_on_hyphens=False
    )
    return "\n".join(wrapper.fill(line) for line in message.splitlines())
