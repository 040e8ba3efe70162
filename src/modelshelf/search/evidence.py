"""What a searcher knows: which trials were started, and what they had reached at each rung."""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import Any, Protocol

__all__ = ["Candidate", "Evidence", "Result"]


class Candidate(Protocol):
    """What is proposed: a `Configuration`, or a row of a recorded benchmark."""

    @property
    def barcode(self) -> str:
        """Its identity: what has been started is not started again."""


@dataclass(frozen=True, slots=True)
class Result:
    """A trial's standing at a rung."""

    trial: int
    rung: int  #: counted from 0
    value: float  #: lower is better; infinite where it diverged or failed
    open: bool = True  #: whether it could go on: not finished, diverged or failed
    cost: float = 0.0  #: of one of its epochs, in any unit; 0 where cost is not to count


class Evidence:
    """Started trials and their results, indexed for a searcher.

    Results keep the order in which they were observed. A searcher may learn from the first so many
    of them, and so goes on as if never interrupted when evidence is loaded from a shelf.
    """

    def __init__(self) -> None:
        self._barcodes: set[str] = set()
        self.configurations: dict[int, Any] = {}  #: what each trial is, in order of start
        self.results: list[Result] = []  #: in order of observation
        self._rungs: list[list[tuple[float, int]]] = []  # (value, trial), ascending, all results
        self._waiting: list[list[tuple[float, int]]] = []  # heaps of those that may go on
        self._resumed: set[tuple[int, int]] = set()  # (rung, trial) sent on from this rung
        self.memo: dict[str, Any] = {}  #: a searcher's own, derived from all of the above

    @property
    def started(self) -> int:
        """How many trials were started."""
        return len(self.configurations)

    @property
    def rungs(self) -> int:
        """How many rungs have results."""
        return len(self._rungs)

    def __contains__(self, configuration: Candidate) -> bool:
        return configuration.barcode in self._barcodes

    def start(self, trial: int, configuration: Candidate) -> None:
        """A trial of this configuration was sent to its first rung."""
        self._barcodes.add(configuration.barcode)
        self.configurations[trial] = configuration

    def resume(self, trial: int, from_rung: int) -> None:
        """A trial was sent on from this rung to the next."""
        self._resumed.add((from_rung, trial))

    def observe(self, result: Result) -> None:
        """A trial reached a rung."""
        while len(self._rungs) <= result.rung:
            self._rungs.append([])
            self._waiting.append([])
        self.results.append(result)
        insort(self._rungs[result.rung], (result.value, result.trial))
        if result.open:
            heappush(self._waiting[result.rung], (result.value, result.trial))

    def ranked(self, rung: int) -> list[tuple[float, int]]:
        """(value, trial) of all results at a rung, best first."""
        return self._rungs[rung] if rung < len(self._rungs) else []

    def hopeless_above(self, rung: int, least: int = 20) -> float:
        """A value beyond which a trial at this rung need not be kept resumable.

        The median of the rung, once it has `least` results: only the best third is ever resumed.
        """
        ranked = self.ranked(rung)
        return ranked[len(ranked) // 2][0] if len(ranked) >= least else math.inf

    def next_waiting(self, rung: int) -> tuple[int, int] | None:
        """(trial, place in the rung) of the best that can go on and was not sent on yet."""
        heap = self._waiting[rung]
        while heap and (rung, heap[0][1]) in self._resumed:
            heappop(heap)
        if not heap:
            return None
        return heap[0][1], bisect_left(self._rungs[rung], heap[0])
