"""A child process and the line to it: started, asked, watched, and ended."""

from __future__ import annotations

import os
import pickle
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from modelshelf.core.errors import EngineError, MemberError
from modelshelf.engines.torch_.failure import ended
from modelshelf.engines.torch_.pulse import Pulse

__all__ = ["Child"]

_LOOK = 0.05  # seconds between two looks at the flag and the pulse
_STARTING = 120.0  # seconds that imports and a builder may take, before the first batch
_STOPPING = 1.0  # seconds that a batch may take to end once the flag is set
_SAID = 4096  # bytes of what it prints that are remembered
_QUOTED = 400  # and characters of them that are quoted


class Child:
    """One process, at work for one thread at a time."""

    def __init__(self, build: bytes, device: str, folder: Path, memory_limit: int) -> None:
        name = tempfile.mkstemp(dir=folder, suffix=".pulse")
        os.write(name[0], bytes(24))
        os.close(name[0])
        self._pulse = Pulse(Path(name[1]))
        here, there = socket.socketpair()
        with there:
            self._process = subprocess.Popen(  # noqa: S603 - this interpreter, this package
                [
                    *(sys.executable, "-P", "-m", "modelshelf.engines.torch_.child"),
                    *(str(there.fileno()), name[1], device, str(memory_limit)),
                ],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                pass_fds=[there.fileno()],
                start_new_session=True,
                env=_environment(),
            )
        self._line = Connection(here.detach())
        self._said = b""
        self._reader = threading.Thread(target=self._listen, daemon=True)
        self._reader.start()
        self._unsent: bytes | None = build

    def ask(
        self, task: bytes, stop: NDArray[np.uint8] | None = None, hang_seconds: float = 60.0
    ) -> Any:
        """Its answer to a task; None where `stop[0]` was set and it did not come back at once.

        Raises `MemberError` where the task failed, the process ended, or nothing moved any more for
        `hang_seconds`. The process is of no further use then, nor after None.
        """
        self._said = b""
        self._pulse.reset()
        try:
            if self._unsent is not None:
                self._line.send_bytes(self._unsent)
                self._unsent = None
            self._line.send_bytes(task)
            if not self._waited(stop, hang_seconds):
                return None
            word, answer = pickle.loads(self._line.recv_bytes())  # noqa: S301 - our own child's
        except (EOFError, OSError):
            raise self._end_of_process() from None
        if word == "failed":
            self.close()
            raise MemberError(f"{answer.removesuffix('.')}.{self._last_words()}")
        return answer

    def _waited(self, stop: NDArray[np.uint8] | None, hang_seconds: float) -> bool:
        """Whether there is an answer, or the end of the line."""
        beats, moved, told = self._pulse.beats, time.monotonic(), 0.0
        while not self._line.poll(_LOOK):
            now = time.monotonic()
            if self._pulse.beats != beats:
                beats, moved = self._pulse.beats, now
            if stop is not None and stop[0] and not told:
                self._pulse.stop[0], told = 1, now
            if told and now - told > _STOPPING:
                return False
            patience = hang_seconds if self._pulse.epoch else max(hang_seconds, _STARTING)
            if now - moved > patience:
                raise self._hanging(patience)
        return True

    def _hanging(self, patience: float) -> MemberError:
        at = f" in epoch {self._pulse.epoch}" if self._pulse.epoch else ""
        self.close()
        return MemberError(
            f"The module gave no sign of life for {patience:g} s{at}, and its process was ended. "
            "A batch that needs longer needs a larger hang_seconds." + self._last_words()
        )

    def _end_of_process(self) -> EngineError | MemberError:
        try:
            status = self._process.wait(5.0)
        except subprocess.TimeoutExpired:
            status = -signal.SIGKILL  # it hung up, but is not gone
        self.close()
        if not self._pulse.beats and status >= 0:
            return EngineError("The process for PyTorch did not start." + self._last_words())
        at = f" (in epoch {self._pulse.epoch})" if self._pulse.epoch else ""
        if not self._pulse.beats:  # others may start where memory ran out for this one
            at = " while it started"
        return MemberError(f"{ended(status)}{at}.{self._last_words()}")

    def _listen(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as pipe:
            while block := os.read(pipe.fileno(), 65536):
                self._said = (self._said + block)[-_SAID:]

    def _last_words(self) -> str:
        """What it printed last; it has ended, so that this is all of it."""
        text = self._said.decode("utf-8", "replace").strip()
        return f" It printed last: {text[-_QUOTED:]}" if text else ""

    def close(self) -> None:
        """End it, and whatever it started. Does nothing where it was ended before."""
        if self._line.closed:
            return
        with suppress(ProcessLookupError):  # before it sees the end of the line, and tells of it
            os.killpg(self._process.pid, signal.SIGKILL)
        self._line.close()
        self._process.wait()
        self._reader.join(1.0)
        self._pulse.path.unlink(missing_ok=True)


def _environment() -> dict[str, str]:
    """Modules are found where they are found here, and each process keeps to its core."""
    found = [each or str(Path.cwd()) for each in sys.path]
    threads = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    return {**os.environ, **threads, "PYTHONPATH": os.pathsep.join(found), "PYTHONUNBUFFERED": "1"}
