"""A module's study: what it costs over the bare loop, and what it finds beside Optuna.

Digits, ten times with noise (17,970 images of 8 x 8), and a module of one's own.

`--only overhead`: a study in full (the start of its processes, search, re-tests, baselines,
ensemble, shelf) against bare loops in two processes of one thread each, from the first step to the
last, which make as many steps and validate after each epoch. The space holds all that a step's time
hangs on: networks differ in learning rate alone. *Wall* is by the clock; *cores* is by what both
cores were busy, which other programs on them disturb less. *Plain* is what the study's two
baselines take of a core: a bare loop has none, and *without* leaves them out. Runs take turns;
medians of the ratios.

`--only peers`: the same module, space, time and cores; test accuracy of what each recommends, and
how many networks it began. Optuna: TPE and its median pruner, one process of one thread for each
core. Ray Tune was not at hand, and has no row.

`--quick` is too short to quote. `ratio` in the file is to the bare loop, or to the peer.
"""

from __future__ import annotations

import os
import tempfile
import time
from importlib.util import find_spec
from statistics import median
from typing import Any

import torch
from threadpoolctl import threadpool_limits

from common import Table, arguments, finish, machine
from modelshelf import tune
from modelshelf.data.metrics import METRICS
from modelshelf.data.read.given import from_arrays
from modelshelf.data.split import Split
from modelshelf.data.understand import understand
from modelshelf.study.baselines import fitted_on
from modelshelf.study.plain import plain_models
from modelshelf.study.problem import Problem
from modelshelf.study.testing import TestSet
from pytorch_bare import Digits, bare_seconds, rows
from pytorch_optuna import optuna_study
from training import CORES

SHAPES = (("dense", 256, 64), ("conv", 128, 64))
ASKED = 0.05


def overhead(quick: bool) -> list[dict[str, Any]]:
    """Rows of the first table."""
    runs, trials, epochs = (1, 4, 4) if quick else (3, 24, 15)
    table = Table(
        f"Overhead (--only overhead): {CORES} cores, {trials} networks of up to {epochs} epochs; "
        f"medians of {runs} runs",
        "module, width, batch", "steps", "wall s", "bare s", "overhead", "cores s", "bare s",
        "overhead", "plain s", "without", "asked",
    )  # fmt: skip
    found, plain = [], _plain()
    for kind, width, batch in SHAPES:
        rounds = []
        for _ in range(runs):
            wall, cores, result = _studied(kind, width, batch, trials, epochs)
            bare = bare_seconds(kind, width, batch, result.member_steps)
            rounds.append((wall, bare[0], cores, bare[1], result))
        row = _row(kind, width, batch, rounds, plain)
        found.append(row)
        table.row(
            f"{kind}, {width}, {batch}", f"{row['steps']:,}",
            f"{row['wall']:.1f}", f"{row['bare_wall']:.1f}", f"{row['ratio'] - 1:+.1%}",
            f"{row['cores']:.1f}", f"{row['bare_cores']:.1f}", f"{row['cores_ratio'] - 1:+.1%}",
            f"{plain:.1f}", f"{row['without_plain'] - 1:+.1%}", f"{ASKED:+.0%}",
        )  # fmt: skip
    return found


def _row(kind: str, width: int, batch: int, rounds: list[Any], plain: float) -> dict[str, Any]:
    walls, bare_walls, cores, bare_cores, results = zip(*rounds, strict=True)
    return {
        "part": "overhead", "module": kind, "width": width, "batch": batch,
        "steps": results[0].member_steps,
        "wall": median(walls), "bare_wall": median(bare_walls),
        "ratio": median(a / b for a, b in zip(walls, bare_walls, strict=True)),
        "cores": median(cores), "bare_cores": median(bare_cores),
        "cores_ratio": median(a / b for a, b in zip(cores, bare_cores, strict=True)),
        "plain": plain,
        "without_plain": median((a - plain) / b for a, b in zip(cores, bare_cores, strict=True)),
    }  # fmt: skip


def _plain() -> float:
    """Seconds of a core that the baselines of such a study take."""
    table, target = from_arrays(*rows()) or (None, "")
    assert table is not None
    dataset, _ = TestSet().part(understand(table, target), 0)
    problem = Problem(dataset, METRICS["accuracy"], 0, 0)
    train, validation = problem.rows(Split("search"))
    began, models = time.process_time(), plain_models()
    with threadpool_limits(limits=1):
        for name in fitted_on(problem):
            models[name](problem, train).predict(dataset.frame[validation])
    return time.process_time() - began


def _busy() -> float:
    """Seconds of cores that this process and those that it waited for have taken."""
    return sum(os.times()[:4])


def _studied(
    kind: str, width: int, batch: int, trials: int, epochs: int
) -> tuple[float, float, Any]:
    space = {
        "module.kind": kind, "module.width": width, "module.drop": 0.1, "batch_size": batch,
        "epochs": epochs, "optimizer": "adamw", "weight_decay": 0.01, "loss": "cross_entropy",
        "learning_rate": (1e-3, 2e-3),
    }  # fmt: skip
    with tempfile.TemporaryDirectory() as shelf:
        x, y = rows()
        began, busy = time.perf_counter(), _busy()
        result = tune(x, y, module=Digits, space=space, trials=trials, workers=CORES, shelf=shelf)
        return time.perf_counter() - began, _busy() - busy, result


def peers(quick: bool) -> list[dict[str, Any]]:
    """Rows of the second table."""
    seconds, seeds = (20.0, 1) if quick else (60.0, 3)
    copies = 2 if quick else 10
    table = Table(
        f"Peers (--only peers): {seconds:g} s, {CORES} cores, seeds 0 to {seeds - 1}",
        "what", "test accuracy", "networks", "seconds",
    )  # fmt: skip
    players = {"modelshelf": _ours}
    if find_spec("optuna"):
        players["Optuna"] = optuna_study
    else:
        print("optuna is not installed: left out")
    found = []
    for name, play in players.items():
        told = [play(*rows(copies), seconds, seed) for seed in range(seeds)]
        row = {
            "part": "peers", "what": name,
            "test": [each[0] for each in told], "networks": [each[1] for each in told],
            "seconds": [each[2] for each in told],
        }  # fmt: skip
        found.append(row)
        middle = [median(row[key]) for key in ("test", "networks", "seconds")]
        table.row(name, f"{middle[0]:.4f}", f"{middle[1]:g}", f"{middle[2]:.1f}")
    for row in found[1:]:
        found[0]["ratio"] = (1 - median(row["test"])) / max(1 - median(found[0]["test"]), 1e-9)
    return found


def _ours(x: Any, y: Any, seconds: float, seed: int) -> tuple[float, int, float]:
    space = {
        "optimizer": "adamw", "learning_rate": (1e-4, 1e-2), "weight_decay": (1e-3, 1e-1),
        "batch_size": [32, 64, 128], "epochs": 15,
    }  # fmt: skip
    with tempfile.TemporaryDirectory() as shelf:
        result = tune(
            x, y, module=Digits, space=space, time_limit=seconds, seed=seed, workers=CORES,
            shelf=shelf,
        )  # fmt: skip
    return result.winner.test or 0.0, result.trials["started"], result.seconds["total"]


def main() -> None:
    """Measure what was asked for."""
    parts = {"overhead": overhead, "peers": peers}
    given = arguments(__doc__ or "", tuple(parts))
    told = machine()
    print(f"{told['processor']}, {told['cores']} cores")
    torch.set_num_threads(1)
    found: list[dict[str, Any]] = []
    for name in given.only or parts:
        found += parts[name](given.quick)
    finish(found, given.json, "torch", "optuna")


if __name__ == "__main__":
    main()
