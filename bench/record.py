"""Records learning curves of the engine for bench/search.py: every point of a grid, trained twice.

    MODELSHELF_DATA=../shared/data python bench/record.py --data digits --data phoneme

Writes bench/recorded/NAME.npz: validation losses of the kept (best) weights at some epochs, for
each of two seeds, and processor seconds of the whole training. A search that is simulated on such
a table meets what it would meet in earnest: noise, slow starters, rates that diverge. A fifth of
the rows is held out, the same rows for all.
"""

from __future__ import annotations

import argparse
import itertools
import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from modelshelf import Configuration
from modelshelf.data.metrics import metric_for
from modelshelf.data.read import read_table
from modelshelf.data.read.bundled import bundled
from modelshelf.data.understand import understand
from modelshelf.engines.numpy_ import NumpyEngine
from modelshelf.engines.numpy_.compile import single_threaded
from modelshelf.study.problem import Problem
from modelshelf.study.searching import SEARCH_SPLIT

__all__ = ["EPOCHS", "GRID", "PLACE", "RUNS"]

PLACE = Path(__file__).parent / "recorded"
RUNS = 2  #: trainings of each configuration, from seeds 0, 1, ...
EPOCHS = (*range(1, 10), *range(12, 28, 3), *range(33, 82, 6))
GRID: dict[str, tuple[Any, ...]] = {
    "learning_rate": (1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 0.1, 0.3),
    "width": (16, 64, 256),
    "depth": (1, 2, 3),
    "batch_size": (32, 128),
    "dropout": (0.0, 0.2, 0.5),
    "optimizer": ("adam", "momentum"),
}
DATA = {
    "digits": None,
    "breast_cancer": None,
    "diabetes": None,
    "phoneme": ("phoneme.csv", "nasal"),
}


def problem_of(name: str) -> Problem:
    """A bundled data set, or one of the folder MODELSHELF_DATA."""
    if DATA[name] is None:
        table, target = bundled(name)
    else:
        file, target = DATA[name]
        table = read_table(Path(os.environ.get("MODELSHELF_DATA", "../shared/data")) / file)
    dataset = understand(table, target, "auto", {})
    return Problem(dataset, metric_for(None, dataset.schema.task), 0, 0)


def curve(problem: Problem, point: dict[str, Any], seed: int) -> tuple[np.ndarray, float]:
    """Losses of the best weights so far at each of EPOCHS, and processor seconds.

    Once it has diverged the loss is infinite; its seconds are not known (NaN).
    """
    settings = {name: value for name, value in point.items() if name not in ("width", "depth")}
    layers = (point["width"],) * point["depth"]
    told = {"hidden_layers": layers, "patience": 0, "epochs": EPOCHS[-1], **settings}
    configuration = Configuration(**told).for_task(problem.task)
    data, engine = problem.prepared(SEARCH_SPLIT, configuration).data, NumpyEngine()
    began = time.thread_time()
    leg = engine.advance(
        engine.start(configuration, data, seed), data, EPOCHS[-1], np.zeros(1, np.uint8)
    )
    seconds = time.thread_time() - began
    losses = np.full(EPOCHS[-1], np.inf)
    losses[: len(leg.curve)] = leg.curve[:, 1]
    best = np.minimum.accumulate(np.where(np.isfinite(losses), losses, np.inf))
    if leg.diverged:
        best[len(leg.curve) - 1 :] = np.inf
        seconds = np.nan
    return best[np.array(EPOCHS) - 1].astype(np.float32), seconds


def record(name: str, workers: int) -> None:
    """Train the grid, and write its table."""
    problem, began = problem_of(name), time.perf_counter()
    points = [dict(zip(GRID, each, strict=True)) for each in itertools.product(*GRID.values())]
    jobs = [(point, seed) for point in points for seed in range(RUNS)]
    with single_threaded(), ThreadPoolExecutor(workers) as pool:
        curve(problem, points[0], 0)  # compiles
        found = list(pool.map(lambda job: curve(problem, *job), jobs))
    shape = (len(points), RUNS)
    curves = np.stack([each for each, _ in found]).reshape(*shape, len(EPOCHS))
    taken = np.array([each for _, each in found], np.float32)
    PLACE.mkdir(exist_ok=True)
    np.savez_compressed(PLACE / f"{name}.npz", curves=curves, seconds=_smooth(taken))
    print(f"{name}: {len(jobs)} trainings in {time.perf_counter() - began:.0f} s", flush=True)


def _smooth(seconds: np.ndarray) -> np.ndarray:
    """(configurations,): medians over learning rates and runs, which cost nothing of their own."""
    rates = len(GRID["learning_rate"])  # the slowest to vary in the grid
    usual = np.nanmedian(seconds.reshape(rates, -1, RUNS), axis=(0, 2))
    return np.tile(usual, rates)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", action="append", choices=list(DATA))
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    asked = parser.parse_args()
    for name in asked.data or DATA:
        record(name, asked.workers)


if __name__ == "__main__":
    main()
