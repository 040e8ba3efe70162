"""What a proposal costs as trials grow in number: modelshelf's own space, a made-up objective.

Processor seconds of the one thread that searches, so that a busy machine does not count.
"""

from __future__ import annotations

import math
import time
from typing import Any

from common import Table
from modelshelf import Space
from modelshelf.core.seeds import generator
from modelshelf.search import Evidence, Result, suggest
from modelshelf.search.halving import rungs_for

__all__ = ["cost"]

#: Wall-clock seconds of a network on two cores: 60 s of `tune` tried 727 of them on cpu_act, the
#: median of the nine data sets in docs/performance.md, 54 s of which were search and training.
NETWORK = 54.2 / 727
WINDOW = 4  # jobs at work at a time
MOST = 240.0  # processor seconds after which a search is given up


def cost(quick: bool, seeds: int) -> list[dict[str, Any]]:
    """Seconds of searching per trial at 1,000, 10,000 and 100,000 trials; one seed."""
    sizes = (1_000, 10_000) if quick else (1_000, 10_000, 100_000)
    table = Table(
        f"Cost (--only cost): searching per trial, its promotions and evidence included; its share "
        f"of the time where a network takes {NETWORK:.3f} s",
        "trials", "ms, last tenth", "ms, mean", "slowest, ms", "share, last tenth", "share",
    )  # fmt: skip
    found, search = [], _Search(seed=0)
    for size in sizes:
        search.to(size - size // 10)
        spent, search.slowest = search.seconds, 0.0
        search.to(size)
        if search.trials < size:
            print(f"\n{size:,} trials: given up at {search.trials:,}, after {MOST:.0f} s")
            break
        last, mean = (search.seconds - spent) / (size // 10), search.seconds / size
        row = {
            "trials": size, "seconds": mean, "seconds_last_tenth": last,
            "slowest": search.slowest, "share": mean / (mean + NETWORK),
            "share_last_tenth": last / (last + NETWORK), "network_seconds": NETWORK, "ratio": None,
        }  # fmt: skip
        found.append(row)
        table.row(
            f"{size:,}", f"{1e3 * last:.3f}", f"{1e3 * mean:.3f}", f"{1e3 * search.slowest:.1f}",
            f"{row['share_last_tenth']:.2%}", f"{row['share']:.2%}",
        )  # fmt: skip
    return found


class _Search:
    """A search that goes on for as many trials as are asked of it, and is timed."""

    def __init__(self, seed: int) -> None:
        self._space, self._seed, self._evidence = Space(), seed, Evidence()
        self._rungs = rungs_for(1, 81)
        self._rng = generator(seed, "cost")
        self._ends: list[float] = []
        self._at_work: list[tuple[int, int]] = []
        self.seconds = 0.0
        self.slowest = 0.0  #: the longest that one proposal took

    @property
    def trials(self) -> int:
        """How many were started."""
        return len(self._ends)

    def to(self, trials: int) -> None:
        """Go on until so many trials were started, or too much time went by."""
        while len(self._ends) < trials and self.seconds < MOST:
            began = time.thread_time()
            proposal = suggest(
                self._space, self._evidence, self._seed, rungs=len(self._rungs), limit=None
            )
            assert proposal is not None
            if proposal.configuration is not None:
                job = (len(self._ends), 0)
                self._evidence.start(job[0], proposal.configuration)
                self._ends.append(_end(proposal.configuration) + self._rng.normal(0, 0.05))
            else:
                self._evidence.resume(proposal.trial, proposal.rung)
                job = (proposal.trial, proposal.rung + 1)
            self._at_work.append(job)
            if len(self._at_work) >= WINDOW:
                trial, rung = self._at_work.pop(0)
                value = self._ends[trial] + 1 / self._rungs[rung]
                is_open = rung < len(self._rungs) - 1
                self._evidence.observe(Result(trial, rung, value, is_open, cost=0.01))
            took = time.thread_time() - began
            self.seconds += took
            self.slowest = max(self.slowest, took)


def _end(configuration: Any) -> float:
    """Best at a learning rate of 0.003, little dropout and wide layers."""
    rate = math.log10(configuration.number("learning_rate") / 0.003)
    units = sum(configuration["hidden_layers"])
    return rate**2 + configuration.number("dropout") + 1 / math.sqrt(units)
