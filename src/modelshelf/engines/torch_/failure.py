"""Why a member failed, in words for the shelf."""

from __future__ import annotations

import signal
import sysconfig
import traceback
from pathlib import Path

from modelshelf.core.errors import ModelshelfError

__all__ = ["ended", "told"]

_LONGEST = 600  # characters of an exception's message that are kept
_LIBRARIES = (
    str(Path(__file__).parents[2]),  # modelshelf itself
    *(sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib")),
    "<frozen",
)


def told(error: BaseException, epoch: int) -> str:
    """What was raised, where in the user's own code, and in which epoch (0: before the first).

    >>> told(ValueError("no such column"), epoch=3)
    'ValueError: no such column (in epoch 3)'
    """
    if isinstance(error, ModelshelfError):
        return str(error)
    where = [*_own_frame(error), *([f"in epoch {epoch}"] if epoch else [])]
    text = str(error).strip()
    if len(text) > _LONGEST:
        text = text[:_LONGEST] + " …"
    what = f"{type(error).__name__}: {text}" if text else type(error).__name__
    if isinstance(error, SystemExit):
        what = f"The module called exit({'' if error.code is None else error.code})"
    elif _is_of_memory(error):
        what = f"Out of memory ({what}): lower batch_size, or what makes the module large"
    return what + (f" ({', '.join(where)})" if where else "")


def _is_of_memory(error: BaseException) -> bool:
    kinds = {each.__name__ for each in type(error).__mro__}
    return "MemoryError" in kinds or "OutOfMemoryError" in kinds or "allocate memory" in str(error)


def _own_frame(error: BaseException) -> list[str]:
    """The innermost frame that belongs to no library."""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if not frame.filename.startswith(_LIBRARIES):
            return [f"{Path(frame.filename).name}:{frame.lineno} in {frame.name}"]
    return []


def ended(status: int) -> str:
    """What a process's exit status says of it.

    >>> ended(3)
    'The module ended its process with status 3'
    >>> ended(-9)
    'The process was killed (SIGKILL), most likely because memory ran out'
    >>> ended(-11)
    'The process crashed (SIGSEGV)'
    """
    if status >= 0:
        return f"The module ended its process with status {status}"
    try:
        name = signal.Signals(-status).name
    except ValueError:
        name = f"signal {-status}"
    if name == "SIGKILL":
        return "The process was killed (SIGKILL), most likely because memory ran out"
    return f"The process crashed ({name})"
