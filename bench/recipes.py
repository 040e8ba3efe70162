"""Published recipes beside their own implementations: test scores and seconds on the same rows.

    pip install pytabkit==1.7.3        # in an environment of its own; brings PyTorch and Lightning
    MODELSHELF_DATA=../shared/data python bench/recipes.py --seeds 3
    MODELSHELF_DATA=../shared/data python bench/recipes.py --seeds 1 --recipe tabm

`--quick` trains both for a few epochs on california, which says nothing about their best. The
ratio is ours to theirs, by test score, above 1 where ours is better.

Each seed is its own split into training and validation rows. Both train on the same training rows,
choose their best epoch on the same validation rows, and are tested once on the same test rows. Ours
has one core, pytabkit both, which is how each trains one network by itself.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from statistics import mean, median, stdev
from typing import Any

import numpy as np
import polars as pl

from common import Table as Printed
from common import finish, parser
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
FILES = {"adult": "adult/train.csv", "california": "california.arff"}


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
    settings: dict[str, Any] = {"epochs": epochs} if epochs else {}
    if recipe == "tabm-small":
        recipe, settings = "tabm", {**settings, "hidden_layers": (128,) * 3, "ensemble_size": 8}
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

    name = "RealMLP_TD" if recipe == "realmlp" else "TabM_D"
    kind = getattr(pytabkit, f"{name}_{'Classifier' if problem.classes else 'Regressor'}")
    settings: dict[str, Any] = {"n_epochs": epochs} if epochs else {}
    if recipe == "tabm-small":
        settings |= {"d_block": 128, "n_blocks": 3, "tabm_k": 8}
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


SIDES = {"ours": ours, "theirs": theirs}


def main() -> None:
    asked = _asked()
    sides = {side: run for side, run in SIDES.items() if side in (asked.only or SIDES)}
    if "theirs" in sides and find_spec("pytabkit") is None:
        print("theirs is left out: pytabkit is not installed")
        del sides["theirs"]
    table = Printed(
        f"{asked.recipe}, {asked.seeds} seeds; the ratio is ours to theirs",
        "data".ljust(12), "by", "test".rjust(20), "median s", "ratio",
    )  # fmt: skip
    rows: list[dict[str, Any]] = []
    for name in asked.data:
        if not (DATA / FILES[name]).exists():
            print(f"{name} is left out: {FILES[name]} is not in {DATA}")
            continue
        classes, found = _measured(name, asked, sides)
        for side, several in found.items():
            scores, seconds = zip(*several, strict=True)
            ratio = _ratio(classes, found) if side == "ours" else None
            spread = stdev(scores) if len(scores) > 1 else 0.0
            rows.append({
                "data": name, "recipe": asked.recipe, "by": side, "test": mean(scores),
                "spread": spread, "seconds": median(seconds), "scores": scores, "ratio": ratio,
            })  # fmt: skip
            table.row(name.ljust(12), side, f"{mean(scores):.5g} ± {spread:.2g}",
                      f"{median(seconds):.1f}", f"{ratio:.4f}" if ratio else "")  # fmt: skip
    finish(rows, asked.json, "pytabkit", "torch")


def _measured(
    name: str, asked: argparse.Namespace, sides: dict[str, Any]
) -> tuple[bool, dict[str, list[tuple[float, float]]]]:
    """Whether the target is a class; and (test score, seconds) of each side with each seed."""
    development, test = tables(name)
    dataset = understand(development, TARGETS[name], "auto", {})
    frame, target, _ = conform(dataset.schema, test, need_target=True)
    found: dict[str, list[tuple[float, float]]] = {}
    for seed in range(asked.first, asked.first + asked.seeds):
        problem = Problem(dataset, metric_for(None, dataset.schema.task), seed, 0)
        for side, run in sides.items():
            answer, seconds = run(problem, frame, seed, asked.epochs, asked.recipe)
            found.setdefault(side, []).append((_score(problem, target, answer), seconds))
            told = {"data": name, "seed": seed, "by": side, "score": found[side][-1][0]}
            print(json.dumps({**told, "seconds": seconds}), file=sys.stderr, flush=True)
    return dataset.schema.task.is_classification, found


def _ratio(classes: bool, found: dict[str, list[tuple[float, float]]]) -> float | None:
    """Our mean score to theirs; the other way round for an error."""
    if "theirs" not in found:
        return None
    mine, peer = (mean(score for score, _ in found[side]) for side in SIDES)
    return mine / peer if classes else peer / mine


def _asked() -> argparse.Namespace:
    shared = parser(__doc__ or "", tuple(SIDES))
    shared.add_argument("--data", nargs="*", choices=list(TARGETS))
    shared.add_argument("--seeds", type=int)
    shared.add_argument("--first", type=int, default=0, help="the first seed")
    shared.add_argument("--epochs", type=int, help="in place of the recipe's")
    shared.add_argument("--recipe", default="realmlp", choices=["realmlp", "tabm", "tabm-small"])
    found = shared.parse_args()
    found.data = found.data or (["california"] if found.quick else list(TARGETS))
    found.seeds = found.seeds or (1 if found.quick else 3)
    found.epochs = found.epochs or (8 if found.quick else 0)
    return found


def _score(problem: Problem, target: Any, answer: Any) -> float:
    """Accuracy, or the root of the mean squared error."""
    if problem.classes:
        return float((answer == target).mean())
    return float(np.sqrt(((answer - target) ** 2).mean()))


if __name__ == "__main__":
    main()
