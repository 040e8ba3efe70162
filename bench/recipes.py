"""Published recipes beside their own implementations: test scores and seconds on the same rows.

    pip install pytabkit==1.7.3        # in an environment of its own; brings PyTorch and Lightning
    MODELSHELF_DATA=../shared/data python bench/recipes.py --seeds 3
    MODELSHELF_DATA=../shared/data python bench/recipes.py --seeds 1 --recipe tabm

Each seed is its own split into training and validation rows. Both train on the same training rows,
choose their best epoch on the same validation rows, and are tested once on the same test rows. Ours
has one core, pytabkit both, which is how each trains one network by itself.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import numpy as np
import polars as pl

from modelshelf import Configuration
from modelshelf.data.dataset import Table
from modelshelf.data.metrics import metric_for
from modelshelf.data.read import read_table
from modelshelf.data.understand import conform, understand
from modelshelf.engines.numpy_ import NumpyEngine
from modelshelf.engines.numpy_.compile import single_threaded
from modelshelf.study.problem import Problem
from modelshelf.study.searching import SEARCH_SPLIT

DATA = Path(os.environ.get("MODELSHELF_DATA", "../shared/data"))
TARGETS = {"adult": "income", "california": "medianHouseValue"}


def tables(name: str) -> tuple[Table, Table]:
    """Development and test rows."""
    if name == "adult":
        return read_table(DATA / "adult" / "train.csv"), read_table(DATA / "adult" / "test.csv")
    table = read_table(DATA / "california.arff")
    order = np.random.default_rng(0).permutation(table.frame.height)
    fifth = len(order) // 5
    return tuple(  # type: ignore[return-value]
        Table(table.name, table.frame[np.sort(rows)]) for rows in (order[fifth:], order[:fifth])
    )


def ours(
    problem: Problem, test: pl.DataFrame, seed: int, epochs: int, recipe: str
) -> tuple[Any, float]:
    """Predictions for the test rows, and seconds from rows to network."""
    began = time.perf_counter()
    settings = {"epochs": epochs} if epochs else {}
    configuration = Configuration(recipe=recipe, **settings).for_task(problem.task)
    prepared, engine = problem.prepared(SEARCH_SPLIT, configuration), NumpyEngine()
    with single_threaded():
        member = engine.start(configuration, prepared.data, seed)
        engine.advance(member, prepared.data, configuration.whole("epochs"), np.zeros(1, np.uint8))
    seconds = time.perf_counter() - began
    output = engine.network(member, problem.classes).predict(prepared.preparation.transform(test))
    if problem.classes:
        return output.argmax(axis=1), seconds
    return prepared.preparation.unscale_target(output), seconds


def theirs(
    problem: Problem, test: pl.DataFrame, seed: int, epochs: int, recipe: str
) -> tuple[Any, float]:
    """The same from pytabkit, by its defaults."""
    import pytabkit

    name = {"realmlp": "RealMLP_TD", "tabm": "TabM_D"}[recipe]
    kind = getattr(pytabkit, f"{name}_{'Classifier' if problem.classes else 'Regressor'}")
    settings = {"n_epochs": epochs} if epochs else {}
    model = kind(device="cpu", random_state=seed, n_threads=os.cpu_count(), verbosity=0, **settings)
    x, x_test = _pandas(problem.dataset.frame), _pandas(test)
    y = problem.dataset.target
    began = time.perf_counter()
    model.fit(x, y, val_idxs=problem.rows(SEARCH_SPLIT)[1])
    seconds = time.perf_counter() - began
    return model.predict(x_test), seconds


def _pandas(frame: pl.DataFrame) -> Any:
    found = frame.to_pandas()
    for column in found.select_dtypes(exclude="number"):
        found[column] = found[column].astype("category")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", nargs="*", default=list(TARGETS), choices=list(TARGETS))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--epochs", type=int, default=0, help="in place of the recipe's")
    parser.add_argument("--recipe", default="realmlp", choices=["realmlp", "tabm"])
    parser.add_argument("--only", choices=["ours", "theirs"])
    asked = parser.parse_args()
    sides = {"ours": ours, "theirs": theirs}
    for name in asked.data:
        development, test = tables(name)
        dataset = understand(development, TARGETS[name], "auto", {})
        frame, target, _ = conform(dataset.schema, test, need_target=True)
        found: dict[str, list[tuple[float, float]]] = {}
        for seed in range(asked.first, asked.first + asked.seeds):
            problem = Problem(dataset, metric_for(None, dataset.schema.task), seed, 0)
            for side, run in sides.items():
                if asked.only in (None, side):
                    answer, seconds = run(problem, frame, seed, asked.epochs, asked.recipe)
                    found.setdefault(side, []).append((_score(problem, target, answer), seconds))
                    told = {"data": name, "seed": seed, "by": side, "score": found[side][-1][0]}
                    print(json.dumps({**told, "seconds": seconds}), flush=True)
        for side, several in found.items():
            scores, seconds = zip(*several, strict=True)
            spread = stdev(scores) if len(scores) > 1 else 0.0
            print(
                f"{name:12}{side:8}{mean(scores):12.5g} ± {spread:.2g}  {np.median(seconds):7.1f} s"
            )


def _score(problem: Problem, target: Any, answer: Any) -> float:
    """Accuracy, or the root of the mean squared error."""
    if problem.classes:
        return float((answer == target).mean())
    return float(np.sqrt(((answer - target) ** 2).mean()))


if __name__ == "__main__":
    main()
