"""The known configurations: do they carry over to data that took no part in choosing them?

    MODELSHELF_DATA=../shared/data python bench/portfolio.py --json portfolio.json

Each known configuration, some further candidates and random ones of the usual space are trained
whole on each table of bench/datasets.py: on the search's rows, for as many epochs as a study of
60 s has, without early stopping; the best epoch's validation loss counts. Regret: 0 is the best
of all on that table, 1 the median of the random ones, worse counts as 1.

Told for each table: the regret of the best of the known; of the best of as many random ones
(expected); and of a portfolio as large that was chosen greedily by the *other* tables. *ratio* is
the second over the first, above 1 where the known are better.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from math import comb
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from common import Table, finish, machine, parser
from modelshelf import Configuration, Space
from modelshelf.core.seeds import generator
from modelshelf.data.metrics import metric_for
from modelshelf.data.read import read_table
from modelshelf.data.understand import understand
from modelshelf.engines.numpy_ import NumpyEngine
from modelshelf.engines.numpy_.compile import single_threaded
from modelshelf.space.defaults import usual_epochs
from modelshelf.study.problem import Problem
from modelshelf.study.searching import SEARCH_SPLIT
from race_data import DATA, SETS
from race_known import CHOSEN_ON

_CHOICES = ("known", "random", "greedy")

_PLAIN: dict[str, Any] = {"optimizer": "adamw", "initialisation": "pytorch"}
_BINS: dict[str, Any] = {"numeric_encoding": "piecewise", "encoding_size": 8}

#: Of other kinds than the known ones.
FURTHER: tuple[dict[str, Any], ...] = (
    {**_PLAIN, **_BINS, "hidden_layers": (128, 128, 128), "ensemble_size": 8, "dropout": 0.1,
     "learning_rate": 2e-3, "weight_decay": 3e-3, "batch_size": 256, "encoding_bins": 48,
     "scaling": "quantile"},
    {**_PLAIN, **_BINS, "hidden_layers": (64, 64), "ensemble_size": 8, "dropout": 0.1,
     "learning_rate": 3e-3, "weight_decay": 1e-2, "batch_size": 128, "encoding_bins": 16,
     "scaling": "standard"},
    {**_PLAIN, "hidden_layers": (64,), "learning_rate": 2e-3, "weight_decay": 5e-2, "dropout": 0.3,
     "batch_size": 32, "activation": "relu", "scaling": "quantile"},
    {**_PLAIN, "hidden_layers": (32,), "learning_rate": 1e-3, "weight_decay": 1e-1, "dropout": 0.5,
     "batch_size": 32, "activation": "tanh", "scaling": "quantile"},
    {**_PLAIN, "hidden_layers": (128, 128), "ensemble_size": 4, "learning_rate": 2e-3,
     "weight_decay": 1e-2, "dropout": 0.2, "batch_size": 128, "activation": "silu",
     "scaling": "standard", "numeric_encoding": "periodic", "encoding_size": 8,
     "periodic_sigma": 0.1},
    {**_PLAIN, "hidden_layers": (256, 256, 256), "learning_rate": 1e-3, "weight_decay": 2e-2,
     "dropout": 0.1, "batch_size": 64, "activation": "mish", "scaling": "robust"},
)  # fmt: skip


def main() -> None:
    shared = parser(__doc__ or "")
    shared.add_argument("--random", type=int, default=100, help="random configurations (100)")
    asked = shared.parse_args()
    quick = ("titanic", "credit-g")
    sets, count = (quick, 6) if asked.quick else (tuple(SETS), asked.random)
    print(f"{machine()['processor']}, {machine()['cores']} cores")
    names, kinds, losses, spent = [], [], [], []
    for name in sets:
        file, target, _ = SETS[name]
        if not (DATA / file).exists():
            print(f"{file} is not in {DATA}: left out")
            continue
        names.append(name)
        candidates, found, seconds = _trained(DATA / file, target, count)
        kinds = [kind for kind, _ in candidates]
        losses.append(found)
        spent.append(seconds)
        print(f"{names[-1]}: {len(found)} configurations trained", flush=True)
    values = np.array(losses)
    rows, taken = _told(names, np.array([_regrets(v, kinds) for v in values]), kinds)
    cost = np.array(spent) / np.median(spent, axis=1, keepdims=True)
    print("\nGreedy by all tables, and its cost in median trainings:")
    for at in taken:
        settings = candidates[at][1].to_json()
        print(f"{kinds[at]} {at}: {np.median(cost[:, at]):.1f}", settings)
    finish(rows, asked.json)


def _trained(
    path: Path, target: str, count: int
) -> tuple[list[tuple[str, Configuration]], NDArray[np.float64], NDArray[np.float64]]:
    """Kinds and configurations of all candidates on a table; validation losses; seconds."""
    dataset = understand(read_table(path), target, "auto", {})
    problem = Problem(dataset, metric_for(None, dataset.schema.task), 0, 0)
    epochs = usual_epochs(dataset.rows, 60.0)
    space = Space().for_task(problem.task).for_epochs(epochs)
    rng = generator(0, "portfolio")
    candidates = [("known", each) for each in space.known]
    candidates += [("further", _of_space(space, each)) for each in FURTHER]
    candidates += [
        ("random", space.configuration(rng.random(space.dimensions))) for _ in range(count)
    ]
    with single_threaded(), ThreadPoolExecutor(os.cpu_count()) as pool:
        found = list(pool.map(lambda each: _loss(problem, each[1]), candidates))
    losses, seconds = np.array(found).T
    return candidates, losses, seconds


def _of_space(space: Space, settings: dict[str, Any]) -> Configuration:
    """These settings, with what the space fixes."""
    configuration = space.restrict(Configuration(**settings))
    assert configuration is not None, settings
    return configuration


def _loss(problem: Problem, configuration: Configuration) -> tuple[float, float]:
    """The best epoch's validation loss, infinite where it diverged at once; and seconds."""
    data, engine = problem.prepared(SEARCH_SPLIT, configuration).data, NumpyEngine()
    member = engine.start(configuration, data, 0)
    done = engine.advance(member, data, configuration.whole("epochs"), np.zeros(1, np.uint8))
    return done.loss if done.best_epoch > 0 else np.inf, done.seconds


def _regrets(losses: NDArray[np.float64], kinds: list[str]) -> NDArray[np.float64]:
    best = losses.min()
    middle = np.median(losses[[kind == "random" for kind in kinds]])
    return np.minimum((losses - best) / max(middle - best, 1e-12), 1.0)


def greedy(regrets: NDArray[np.float64], size: int) -> list[int]:
    """So many columns of (tables, candidates) whose best has the least regret on average."""
    taken: list[int] = []
    standing = np.ones(len(regrets))
    for _ in range(size):
        gains = np.minimum(standing[:, None], regrets).mean(axis=0)
        gains[taken] = np.inf
        taken.append(int(gains.argmin()))
        standing = np.minimum(standing, regrets[:, taken[-1]])
    return taken


def _expected_best(values: NDArray[np.float64], size: int) -> float:
    """Of the best of so many, drawn without replacement."""
    n = len(values)
    chances = np.array([comb(n - 1 - i, size - 1) for i in range(n)], float) / comb(n, size)
    return float(np.sort(values) @ chances)


def _told(
    names: list[str], regrets: NDArray[np.float64], kinds: list[str]
) -> tuple[list[dict[str, Any]], list[int]]:
    """Print the table: its rows, and what is chosen by all tables."""
    known = [i for i, kind in enumerate(kinds) if kind == "known"]
    random = [i for i, kind in enumerate(kinds) if kind == "random"]
    size = min(len(known), len(random))
    table = Table(
        f"Regret of the best of {len(known)} configurations", "data".ljust(14), "known ones",
        "random ones, expected", "greedy by other tables", "part in the choice",
    )  # fmt: skip
    rows = []
    for at, name in enumerate(names):
        others = np.delete(regrets, at, axis=0)
        row = {
            "data": name, "known": float(regrets[at, known].min()),
            "random": _expected_best(regrets[at, random], size),
            "greedy": float(regrets[at, greedy(others, len(known))].min()) if len(others) else None,
            "chosen_on": name in CHOSEN_ON,
        }  # fmt: skip
        row["ratio"] = row["random"] / max(row["known"], 1e-3)
        rows.append(row)
        shown = [f"{row[each]:.3f}" if row[each] is not None else "" for each in _CHOICES]
        table.row(name.ljust(14), *shown, "yes" if row["chosen_on"] else "no")
    held = [row for row in rows if not row["chosen_on"]]
    for words, these in (("all", rows), ("those that took no part", held)):
        if these:
            means = {k: np.mean([r[k] for r in these if r[k] is not None]) for k in _CHOICES}
            told = ", ".join(f"{name} {mean:.3f}" for name, mean in means.items())
            print(f"Mean regret over {words}: {told}")
    taken = greedy(regrets, len(known))
    rows.append({"part": "greedy", "taken": taken, "kinds": kinds, "regrets": regrets.tolist(),
                 "ratio": None})  # fmt: skip
    return rows, taken


if __name__ == "__main__":
    main()
