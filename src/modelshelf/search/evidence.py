"""What a searcher knows: which trials were started, and what they had reached at each rung."""

from __future__ import annotations

import math
from bisect import insort
from collections.abc import Iterable
from dataclasses import dataclass

from modelshelf.space.configuration import Configuration

__all__ = ["Evidence", "Result"]


@dataclass(frozen=True, slots=True)
class Result:
    """A trial's standing at a rung."""

    trial: int
    rung: int  #: counted from 0
    value: float  #: lower is better; infinite where it diverged or failed
    open: bool = True  #: whether it could go on: not finished, diverged or failed


class Evidence:
    """Started trials and their results, indexed for a searcher.

    What it holds depends on the set of calls made, not on their order, so that evidence loaded
    from a shelf is the evidence of the study that wrote it.
    """

    def __init__(self) -> None:
        self._barcodes: set[str] = set()
        self._started = 0
        self._rungs: list[list[tuple[float, int]]] = []  # (value, trial), ascending, all results
        self._open: set[tuple[int, int]] = set()  # (rung, trial) that may still go on
        self._resumed: set[tuple[int, int]] = set()  # (rung, trial) sent on from this rung

    @property
    def started(self) -> int:
        """How many trials were started."""
        return self._started

    @property
    def rungs(self) -> int:
        """How many rungs have results."""
        return len(self._rungs)

    def __contains__(self, configuration: Configuration) -> bool:
        return configuration.barcode in self._barcodes

    def start(self, barcode: str) -> None:
        """A trial of this configuration was sent to its first rung."""
        self._barcodes.add(barcode)
        self._started += 1

    def resume(self, trial: int, from_rung: int) -> None:
        """A trial was sent on from this rung to the next."""
        self._resumed.add((from_rung, trial))

    def observe(self, result: Result) -> None:
        """A trial reached a rung."""
        while len(self._rungs) <= result.rung:
            self._rungs.append([])
        insort(self._rungs[result.rung], (result.value, result.trial))
        if result.open:
            self._open.add((result.rung, result.trial))

    def ranked(self, rung: int) -> list[tuple[float, int]]:
        """(value, trial) of all results at a rung, best first."""
        return self._rungs[rung] if rung < len(self._rungs) else []

    def hopeless_above(self, rung: int, least: int = 20) -> float:
        """A value beyond which a trial at this rung need not be kept resumable.

        The median of the rung, once it has `least` results: only the best third is ever resumed.
        """
        ranked = self.ranked(rung)
        return ranked[len(ranked) // 2][0] if len(ranked) >= least else math.inf

    def waiting(self, rung: int, among: int) -> Iterable[int]:
        """Trials among the best `among` of a rung that can go on, and were not sent on yet."""
        for _, trial in self.ranked(rung)[:among]:
            if (rung, trial) in self._open and (rung, trial) not in self._resumed:
                yield trial
