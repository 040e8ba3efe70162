"""The compiled engine's kernels: where they lie, and how they get there, once on each machine.

Compiling takes a processor seconds, most of them Python's, in one thread. So each kernel is a part
of its own, and several processes compile parts at the same time; whoever needs a part waits for it
(`wait_for`). Nothing here imports what compiles: a command begins it before anything else, and a
machine where all is ready looks at one file.
"""

from __future__ import annotations

import atexit
import hashlib
import os
import platform
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from contextlib import suppress
from functools import cache
from importlib.metadata import version
from pathlib import Path

from platformdirs import user_cache_path

from modelshelf.core.scratch import private_folder, release, scratch

__all__ = [
    "LATER",
    "PARTS",
    "Compilation",
    "begin",
    "folder",
    "not_kept",
    "ready",
    "tidy",
    "untold",
    "wait_for",
]

#: What the first networks of any study need, the longest first, by the functions' names.
_FIRST = (
    "train", "backward", "encode_back", "encode", "answer", "forward", "cross_entropy",
    "squared_error", "adam", "mish", "silu", "selu", "relu", "tanh", "no_encode", "no_encode_back",
    "no_norm", "no_norm_back", "no_expand", "no_fold",
)  # fmt: skip
#: What the usual space may ask for later: networks are trained meanwhile, and have the cores first.
LATER = ("fold", "expand", "rmsprop", "momentum", "sgd")

#: All that is compiled before it is asked for; the rest of the catalogue is, when it is.
PARTS = _FIRST + LATER

#: What else is compiled, or stands in what is.
_BESIDES = ("core/protocols.py", "engines/torch_/population/rates.py")

_VARIABLE = "MODELSHELF_KERNELS"  # names the folder to processes that this one starts
_MOST = 4  # processes that compile at a time


@cache
def _source_hash() -> str:
    libraries = [f"{name} {version(name)}" for name in ("llvmlite", "numba", "numpy", "scipy")]
    digest = hashlib.sha256(str([sys.version_info[:2], *libraries]).encode())
    package = Path(__file__).parents[1]
    sources = sorted((package / "engines" / "numpy_").glob("*.py"))
    for path in (*sources, *(package / each for each in _BESIDES)):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _wanted() -> Path:
    """Where kernels are to be kept: below NUMBA_CACHE_DIR, or in the user's cache folder."""
    asked = os.environ.get("NUMBA_CACHE_DIR")
    return (Path(asked) if asked else user_cache_path("modelshelf") / "kernels") / _source_hash()


@cache
def folder() -> Path:
    """Where kernels lie. Where nothing can be written there, but all is compiled: there too.

    Else in a folder of this user's among temporary files; else in one that ends with this process.
    Where that cannot be either, a folder that is not there: nothing is kept, and nothing found.
    """
    if _VARIABLE in os.environ:
        return Path(os.environ[_VARIABLE])
    if _can_be_written(_wanted()) or (_wanted() / _mark()).exists():
        return _wanted()
    with suppress(OSError):
        kept = private_folder("kernels") / _source_hash()
        if _can_be_written(kept):
            return kept
    with suppress(OSError):
        _OWN.append(scratch())
        return _OWN[0]
    return _wanted()


def _can_be_written(place: Path) -> bool:
    try:
        place.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=place):
            return True
    except OSError:
        return False


_OWN: list[Path] = []  # the folder of this process's own, if it has one


@atexit.register
def tidy() -> None:
    """Remove the folder of this process's own. Who leaves without Python's own end calls it."""
    while _OWN:
        release(_OWN.pop())


def not_kept() -> str:
    """Why kernels are compiled anew at each start; empty where they are kept."""
    if _VARIABLE in os.environ or (folder() not in _OWN and folder().is_dir()):
        return ""
    _TOLD.append(True)
    return (
        f"Nothing can be written to {_wanted().parent}: the compiled engine is not kept, and each "
        "start compiles it anew. NUMBA_CACHE_DIR names another folder."
    )


def untold() -> str:
    """The same, where this process used kernels and nobody has asked yet: to be said at its end."""
    return not_kept() if folder.cache_info().currsize and not _TOLD else ""


_TOLD: list[bool] = []


@cache
def _mark() -> str:
    """The name of the file that says that what first networks need is ready for this processor."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        told = [line for line in lines if line.startswith(("model name", "flags", "Features"))][:2]
    except OSError:  # not Linux
        told = [platform.machine(), platform.processor()]
    return f"ready-{hashlib.sha256(str([told, PARTS]).encode()).hexdigest()[:12]}"


def ready() -> bool:
    """Whether this machine has compiled what first networks need."""
    return (
        os.environ.get("NUMBA_DISABLE_JIT", "0") not in ("", "0") or (folder() / _mark()).exists()
    )


class Compilation:
    """Parts that are being compiled, by processes of their own."""

    def __init__(self, processes: int) -> None:
        self._began = time.monotonic()
        self.seconds = 0.0  #: until the first networks could be trained; 0 before
        self._queue = deque(PARTS)
        self._done = {name: threading.Event() for name in PARTS}
        self._failed, self._claimed = False, False
        self._at_work, self._lock = processes, threading.Lock()
        self._threads = [
            threading.Thread(target=self._work, name=f"compiling {i}", daemon=True)
            for i in range(processes)
        ]
        for each in self._threads:
            each.start()

    def _work(self) -> None:
        """Hand parts to one process, one after the other."""
        try:
            with _child() as child:
                while (name := self._next()) is not None:
                    self._hand(child, name)
        except (OSError, ValueError):
            self._failed = True
        finally:
            self._close()

    def _next(self) -> str | None:
        with self._lock:
            return self._queue.popleft() if self._queue else None

    def _hand(self, child: subprocess.Popen[str], name: str) -> None:
        done = False
        try:
            done = _ask(child, name)
        finally:
            self._failed |= not done
            self._done[name].set()  # who waits compiles it for itself if that failed
            self._note()

    def _note(self) -> None:
        with self._lock:
            if self.seconds or not self.wait(0.0):
                return
            self.seconds = time.monotonic() - self._began
        if not self._failed:  # what is left is soon compiled when it is asked for
            with suppress(OSError):
                (folder() / _mark()).touch()

    def _close(self) -> None:
        """By the last thread: nothing is to come any more."""
        with self._lock:
            self._at_work -= 1
            if self._at_work:
                return
        for each in self._done.values():
            each.set()
        self._note()

    def wait_for(self, name: str) -> None:
        """Until a part is compiled; at once where it is none of these."""
        if name in self._done:
            self._done[name].wait()

    def claim(self) -> float:
        """Seconds until the first networks could be trained, for the first who asks; then 0."""
        self._note()
        with self._lock:
            claimed, self._claimed = self._claimed, True
        return 0.0 if claimed else self.seconds

    @property
    def progress(self) -> tuple[int, int]:
        """Parts that the first networks need: how many are compiled, and how many there are."""
        return sum(self._done[name].is_set() for name in _FIRST), len(_FIRST)

    def wait(self, seconds: float) -> bool:
        """Whether the first networks can be trained; waits so long for it."""
        until = time.monotonic() + seconds
        return all(self._done[name].wait(max(until - time.monotonic(), 0.0)) for name in _FIRST)

    @property
    def all_parts(self) -> tuple[int, int]:
        """The same of all parts."""
        return sum(each.is_set() for each in self._done.values()), len(self._done)

    def join(self, seconds: float | None = None) -> bool:
        """Whether nothing is to come any more; waits so long for it, or until then."""
        until = None if seconds is None else time.monotonic() + seconds
        for each in self._threads:
            each.join(None if until is None else max(until - time.monotonic(), 0.0))
        return not any(each.is_alive() for each in self._threads)


def _child() -> subprocess.Popen[str]:
    """A process that compiles what it is asked for; it ends when this one does."""
    # -P, and no empty path: nothing that lies in the folder of a person's data is imported.
    command = [sys.executable, "-P", "-m", "modelshelf.engines.numpy_.parts"]
    path = os.pathsep.join(filter(None, sys.path))
    there = {**os.environ, _VARIABLE: str(folder()), "PYTHONPATH": path}
    return subprocess.Popen(  # noqa: S603  (it is our own code, and no shell)
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        text=True, env=there, start_new_session=True,
    )  # fmt: skip


def _ask(child: subprocess.Popen[str], name: str) -> bool:
    assert child.stdin is not None
    assert child.stdout is not None
    child.stdin.write(name + "\n")
    child.stdin.flush()
    return child.stdout.readline().strip() == name


_UNDER_WAY: list[Compilation] = []  # at most one in a process
_LOCK = threading.Lock()
if hasattr(os, "register_at_fork"):  # the threads that would set its events are not in a fork
    os.register_at_fork(after_in_child=_UNDER_WAY.clear)


def begin() -> Compilation | None:
    """Begin to compile what is missing, beside whatever else this process does; None if nothing."""
    with _LOCK:
        if _UNDER_WAY:
            return _UNDER_WAY[0]
        if _VARIABLE in os.environ or ready() or not sys.executable or not folder().is_dir():
            return None
        _UNDER_WAY.append(Compilation(max(1, min(_cores(), _MOST))))
        return _UNDER_WAY[0]


def wait_for(name: str) -> None:
    """Until a part that is being compiled is there; at once where none is."""
    for each in _UNDER_WAY:
        each.wait_for(name)


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
