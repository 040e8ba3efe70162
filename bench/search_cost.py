"""What search and shelf cost as trials grow in number: the real ones, about made-up trainings.

A study's own search, loop and shelf run with its usual space, as in a study whose budget is time.
A network is not trained, but its file is written. One thread does it all; its wall-clock seconds
are told.
"""

from __future__ import annotations

import math
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from common import Table
from modelshelf import Shelf, Space
from modelshelf.core.records import Direction, Outcome, Status, Task
from modelshelf.core.seeds import generator
from modelshelf.executors import SimulatedExecutor
from modelshelf.search import suggest
from modelshelf.shelf import StudyRecord
from modelshelf.study.engines import Engines
from modelshelf.study.loop import Loop
from modelshelf.study.searching import Search
from modelshelf.study.trial import Leg, copy_id
from modelshelf.study.work import Work, described

__all__ = ["cost"]

#: Wall-clock seconds of a network on two cores, in studies of 60 s (bench/race.py): on adult, the
#: median of nine tables, and on titanic, where networks were quickest.
USUAL, QUICKEST = 56.9 / 270, 55.6 / 1_099
WINDOW = 6  # legs on their way at a time: three for each of two workers
MOST = 900.0  # seconds after which a search is given up
WEIGHTS = 5_000  # of a network's file, and as many numbers of its optimizer
KEY = "0" * 64


def cost(quick: bool, seeds: int) -> list[dict[str, Any]]:
    """Seconds of search and shelf per trial at 1,000, 10,000 and 100,000 trials; one seed."""
    sizes = (1_000, 10_000) if quick else (1_000, 10_000, 100_000)
    table = Table(
        f"Cost (--only cost): search and shelf per trial, its later legs included; their share of "
        f"the time where a network takes {USUAL:.3f} s, and where it takes {QUICKEST:.3f} s",
        "trials", "ms, last tenth", "of it, proposals", "ms, mean", "share", "share, quick ones",
    )  # fmt: skip
    found = []
    with tempfile.TemporaryDirectory() as place:
        study = _Study(Path(place), seed=0)
        for size in sizes:
            study.to(size - size // 10)
            spent, proposing = study.seconds, study.search.seconds
            study.to(size)
            if study.trials < size:
                print(f"\n{size:,} trials: given up at {study.trials:,}, after {MOST:.0f} s")
                break
            last, mean = (study.seconds - spent) / (size // 10), study.seconds / size
            proposals = (study.search.seconds - proposing) / (size // 10)
            row = {
                "trials": size, "seconds": mean, "seconds_last_tenth": last,
                "proposals_last_tenth": proposals, "share": mean / (mean + USUAL),
                "share_quickest": mean / (mean + QUICKEST), "ratio": None,
            }  # fmt: skip
            found.append(row)
            table.row(
                f"{size:,}", f"{1e3 * last:.3f}", f"{1e3 * proposals:.3f}", f"{1e3 * mean:.3f}",
                f"{row['share']:.2%}", f"{row['share_quickest']:.2%}",
            )  # fmt: skip
        study.close()
    return found


class _Study:
    """A search that goes on for as many trials as are asked of it, and is timed."""

    def __init__(self, place: Path, seed: int) -> None:
        self._rng = generator(seed, "cost")
        self._ends: dict[int, float] = {}
        self._weights = np.zeros(WEIGHTS, np.float32)
        self.shelf = Shelf.open(place, create=True)
        self.shelf.add_study(
            StudyRecord(
                "cost", KEY, KEY, Task.BINARY, "accuracy", Direction.MAXIMIZE, seed, {}, ()
            )
        )  # fmt: skip
        self.engines = Engines()
        executor = SimulatedExecutor(self._train, WINDOW, lambda leg: 1.0)
        loop = Loop(
            self.shelf, "cost", KEY, executor, self.engines, in_order=False,
            value=lambda outcome: outcome.loss, seconds=lambda: 0.0,
        )  # fmt: skip
        space = Space().for_task(Task.BINARY).for_epochs(60)
        self.search = Search(space, seed, loop, suggest, None, WINDOW)
        self.seconds = 0.0

    @property
    def trials(self) -> int:
        """How many were started."""
        return self.search.evidence.started

    def to(self, trials: int) -> None:
        """Go on until so many trials were started, or too much time went by."""
        began, before = time.perf_counter(), self.seconds

        def over() -> bool:
            self.seconds = before + time.perf_counter() - began
            return self.trials >= trials or self.seconds > MOST

        self.search.run(over, lambda: None)

    def close(self) -> None:
        """Close the shelf."""
        self.shelf.close()

    def _train(self, leg: Leg) -> Work:
        trial, epoch = leg.trial, leg.job.to_epoch
        if trial.number not in self._ends:
            self._ends[trial.number] = _end(trial.configuration) + self._rng.normal(0, 0.05)
        loss = self._ends[trial.number] + 1 / epoch
        whole = epoch >= trial.configuration.whole("epochs")
        status = Status.FINISHED if whole else Status.PAUSED
        outcome = Outcome(status, epoch, epoch, loss, 1 - loss, 0.01 * epoch, 100)
        copy = copy_id(trial, KEY, epoch, self.engines.identity(trial.configuration))
        tensors = {"weights": self._weights, "optimizer": self._weights}
        told = described(trial.configuration, copy)
        file = self.shelf.write_network("cost", trial.number, epoch, tensors, told)
        return Work(outcome, loss, file, "", copy, WEIGHTS)


def _end(configuration: Any) -> float:
    """Best at a learning rate of 0.003, little dropout and wide layers."""
    rate = math.log10(configuration.number("learning_rate") / 0.003)
    units = sum(configuration["hidden_layers"])
    return rate**2 + configuration.number("dropout") + 1 / math.sqrt(units)
