"""What a study tells while it runs, and how it is told to stop."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

import numpy as np
from numpy.typing import NDArray

from modelshelf.core.errors import StoppedError
from modelshelf.core.protocols import HALT, STOP
from modelshelf.core.records import Baseline
from modelshelf.space.configuration import Configuration

__all__ = ["Observer", "Progress", "Stopper", "interruptible"]


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a study stands: one record, drawn by every face alike."""

    #: "compiling", "repairing", "searching", "re-testing", "scoring", "searching on", "testing"
    phase: str
    elapsed: float  #: seconds of this run
    limit: float | None  #: seconds this run may take; None where trials are counted
    trials_limit: int | None
    at_most: bool = False  #: whether the search may end before its limit, for want of gain
    started: int = 0  #: networks started by the search
    finished: int = 0
    paused: int = 0
    diverged: int = 0
    failed: int = 0
    running: tuple[tuple[Configuration, int, int], ...] = ()  #: at work: (what, from, to epoch)
    best_barcode: str = ""
    best_score: float = float("nan")  #: on validation rows; the best of many, so too good
    best_configuration: Configuration | None = None
    improvements: tuple[tuple[float, float], ...] = ()  #: (elapsed, score) each time it improved
    retests: tuple[int, int] = (0, 0)  #: done, wanted; of lost networks while repairing
    parts: tuple[int, int] = (0, 0)  #: of the engine: compiled for this processor, and wanted
    baselines: tuple[Baseline, ...] = ()
    notes: tuple[str, ...] = ()


Observer = Callable[[Progress], None]


class Stopper:
    """Asks a study to stop. Safe to call from a signal handler or another thread.

    `flag` is what kernels poll, so that a member at work comes back within one batch.
    """

    def __init__(self) -> None:
        self.requested = False
        self.flag: NDArray[np.uint8] = np.zeros(1, np.uint8)

    def stop(self) -> None:
        """Finish tidily, as soon as may be."""
        self.requested = True
        self.flag[0] = STOP

    def halt(self) -> None:
        """Bring back the members at work at the end of the epoch that they are in."""
        if not self.requested:
            self.flag[0] = HALT

    def interrupt(self) -> None:
        """Bring back the members at work, without stopping the study."""
        self.flag[0] = STOP

    def clear(self) -> None:
        """Let members work again, unless the study is to stop."""
        if not self.requested:
            self.flag[0] = 0


@contextmanager
def interruptible(stopper: Stopper) -> Iterator[None]:
    """Ctrl-C stops the study, and is raised as `KeyboardInterrupt` once that is done.

    Raised in the midst of a library's compiled code it may be swallowed there, and what the
    library then returns is wrong without a word. A second one is raised at once. Where somebody
    else handles the signal, or in another thread than the main one, nothing is changed.
    """
    usual = signal.default_int_handler
    in_main = threading.current_thread() is threading.main_thread()
    if not in_main or signal.getsignal(signal.SIGINT) is not usual:
        yield
        return
    interrupted = False

    def stop(number: int, frame: FrameType | None) -> None:
        nonlocal interrupted
        interrupted = True
        signal.signal(signal.SIGINT, usual)
        stopper.stop()

    signal.signal(signal.SIGINT, stop)
    try:
        yield
    except StoppedError:
        if not interrupted:
            raise
    finally:
        signal.signal(signal.SIGINT, usual)
    if interrupted:
        raise KeyboardInterrupt
