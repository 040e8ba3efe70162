"""Importances against planted truths, beside Optuna's; and how long `explain` takes.

    pip install optuna                          # optional; what is missing is left out
    python bench/importance.py --seeds 100 --json importance.json

Parts: `planted` searches objectives of known importances with `search.suggest` (300 trials, four
rungs, halving's preferences), and asks each method for the order of importance. "order" is the
share of seeds in which the planted settings come first, in their order; "irrelevant" what a method
says on average of a setting that has no effect. Optuna has no intervals; modelshelf's "holds 0" is
the share of irrelevant settings whose interval does, "pair" that of seeds in which the planted
interaction leads. Optuna is given what it is best with: all trials, values brought to the last
rung as ours are (`lifted`), and, as a study of its own would have it, only those that reached the
last rung (`complete`). `time` measures `explain` on shelves of 1,000 and 10,000 networks.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from common import Table, arguments, finish, machine, versions

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.insight.planted import PLANTED, RUNGS, in_order, searched, space

from modelshelf.core.records import CurvePoint, Direction, Outcome, Purpose, Status, Task
from modelshelf.insight.importance import importances
from modelshelf.shelf import Completed, Job, NewTrial, Shelf, StudyRecord
from modelshelf.space.space import Space
from modelshelf.study.searching import rungs_of
from modelshelf.understanding.explain import explain

TRIALS = 300
OURS = "modelshelf"

Ranked = tuple[dict[str, float], dict[str, Any]]  # importance by name, and what else is known


def ours(made: Any, seed: int, wanted: Any, irrelevant: Any) -> Ranked:
    """Our own importances."""
    features, values, _, _ = made
    alone, pairs = importances(space(), features, values, seed)
    nothing = [e for e in alone if e.name in irrelevant]
    ends = [i for e in nothing for i in (e.alone_interval, e.total_interval)]
    leads = bool(pairs) and {pairs[0].first, pairs[0].second} == wanted[0] and pairs[0].sure
    told = {"zero": float(np.mean([low <= 0 <= high for low, high in ends])), "pair": leads}
    return {e.name: max(e.alone, e.total) for e in alone}, told


def optuna_of(which: str, complete: bool, made: Any, seed: int, *_: Any) -> Ranked:
    """Optuna's evaluator of the same trials."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    _, values, evidence, results = made
    evaluators: dict[str, Callable[[], Any]] = {
        "fANOVA": lambda: optuna.importance.FanovaImportanceEvaluator(seed=seed),
        "PED-ANOVA": optuna.importance.PedAnovaImportanceEvaluator,
    }
    last = {each.trial: each.rung for each in results}
    study, usual = optuna.create_study(direction="minimize"), space()
    for at, (trial, configuration) in enumerate(evidence.configurations.items()):
        if complete and last[trial] < RUNGS - 1:
            continue
        vector = usual.vector(configuration)
        settings, domains = {}, {}
        for name, (_, first, _) in usual.slots.items():
            if name in usual.named:
                domains[name] = optuna.distributions.CategoricalDistribution(usual.named[name])
                settings[name] = configuration[name]
            else:
                domains[name] = optuna.distributions.FloatDistribution(0.0, 1.0)
                settings[name] = vector[first]
        study.add_trial(
            optuna.trial.create_trial(params=settings, distributions=domains, value=values[at])
        )
    return dict(evaluators[which]().evaluate(study)), {}


def methods() -> dict[str, Callable[..., Ranked]]:
    """Ours, and Optuna's where it is installed."""
    found: dict[str, Callable[..., Ranked]] = {OURS: ours}
    try:
        import optuna  # noqa: F401
    except ImportError:
        print("optuna is not installed: left out")
        return found
    for which in ("fANOVA", "PED-ANOVA"):
        for complete in (False, True):
            name = f"Optuna {which}, {'complete' if complete else 'lifted'}"
            found[name] = partial(optuna_of, which, complete)
    return found


def judged(name: str, seed: int) -> list[tuple[str, bool, float, float, dict[str, Any]]]:
    """(method, right order, what it says of irrelevant settings, seconds, more) of one search."""
    objective, wanted, irrelevant = PLANTED[name]
    made, found = searched(space(), objective, TRIALS, seed), []
    for who, method in methods().items():
        began = time.perf_counter()
        said, told = method(made, seed, wanted, irrelevant)
        seconds = time.perf_counter() - began
        ranked = sorted(said, key=lambda each: -said[each])
        nothing = float(np.mean([said.get(each, 0.0) for each in irrelevant]))
        found.append((who, in_order(wanted, ranked), nothing, seconds, told))
    return found


def planted(quick: bool, seeds: int) -> list[dict[str, Any]]:
    """The table of orders."""
    table = Table(
        f"Planted importances: {TRIALS} trials, {seeds} seeds",
        "objective".ljust(10), "method".ljust(28), "order", "irrelevant", "holds 0", "pair",
        "s/study",
    )  # fmt: skip
    rows = []
    with ProcessPoolExecutor(2, initializer=partial(threadpool_limits, 1)) as pool:
        for name in PLANTED:
            told = [e for found in pool.map(partial(judged, name), range(seeds)) for e in found]
            own: list[float] = []
            for who in dict.fromkeys(each[0] for each in told):
                those = [each for each in told if each[0] == who]
                order, nothing, seconds = (
                    float(np.mean([each[i] for each in those])) for i in (1, 2, 3)
                )
                mine = [each[4] for each in those if each[4]]
                zero = float(np.mean([e["zero"] for e in mine])) if mine else None
                interacts = bool(mine) and isinstance(PLANTED[name][1][0], set)
                pair = float(np.mean([e["pair"] for e in mine])) if interacts else None
                own.append(seconds)
                table.row(
                    name.ljust(10), who.ljust(28), f"{order:.2f}", f"{nothing:+.3f}",
                    "" if zero is None else f"{zero:.3f}", "" if pair is None else f"{pair:.2f}",
                    f"{seconds:.2f}",
                )  # fmt: skip
                rows.append({
                    "objective": name, "method": who, "order": order, "irrelevant": nothing,
                    "holds_zero": zero, "pair": pair, "seconds": seconds, "ratio": None,
                })  # fmt: skip
    return rows


def taken(quick: bool, seeds: int) -> list[dict[str, Any]]:
    """Seconds of `explain`, medians of five."""
    table = Table("explain", "networks".rjust(10), "seconds".rjust(10))
    rows = []
    for count in (1_000,) if quick else (1_000, 10_000):
        with tempfile.TemporaryDirectory() as folder:
            written(Path(folder), count)
            took = []
            for _ in range(5):
                began = time.perf_counter()
                found = explain("made", folder)
                took.append(time.perf_counter() - began)
        assert found.networks == count
        seconds = float(np.median(took))
        table.row(f"{count:,}".rjust(10), f"{seconds:.2f}".rjust(10))
        rows.append({"networks": count, "seconds": seconds, "ratio": None})
    return rows


def written(folder: Path, count: int) -> None:
    """A shelf with so many networks of the usual space, a ninth of them trained to the end."""
    usual, rng = Space().for_task(Task.BINARY).for_epochs(15), np.random.default_rng(0)
    rungs = rungs_of(15)
    with Shelf.open(folder, create=True) as shelf:
        shelf.add_study(
            StudyRecord(
                "made", "key", "rows", Task.BINARY, "accuracy", Direction.MAXIMIZE, 0,
                {"space": usual.to_json(), "epochs": 15}, (), status="done", created="2026",
            )
        )  # fmt: skip
        for begin in range(0, count, 500):
            new, jobs, completed = [], [], []
            for number in range(begin, min(begin + 500, count)):
                configuration = usual.configuration(rng.random(usual.dimensions).tolist())
                loss = 0.4 + 0.1 * configuration.number("dropout") + 0.02 * rng.normal()
                reached = rungs[: 1 + (number % 3 == 0) + 2 * (number % 9 == 0)]
                new.append(NewTrial(
                    number, configuration.to_json(), configuration.barcode, f"C{number:05}",
                    Purpose.SEARCH, "search", number, 1000 + number,
                ))  # fmt: skip
                for rung, (first, end) in enumerate(zip((0, *reached), reached, strict=False)):
                    status = Status.FINISHED if end == 15 else Status.STOPPED
                    points = tuple(
                        CurvePoint(e, loss + 1 / e, loss + 1 / e + 0.05, 0.8)
                        for e in range(first + 1, end + 1)
                    )
                    at = len(jobs) + begin * 4
                    jobs.append(Job(at, number, rung, first, end))
                    outcome = Outcome(status, end, end, loss + 1 / end, 0.8, 0.1, 10, points)
                    completed.append(Completed(at, number, outcome, None))
            shelf.write("made", trials=new, jobs=jobs, completed=completed)


PARTS: dict[str, Callable[[bool, int], list[dict[str, Any]]]] = {"planted": planted, "time": taken}


def main() -> None:
    asked = arguments(__doc__ or "", tuple(PARTS), seeds=100)
    print(f"{machine()['processor']}, {os.cpu_count()} cores; optuna", versions("optuna"))
    seeds = min(asked.seeds, 2) if asked.quick else asked.seeds
    rows = [
        {"part": name, **row}
        for name, measure in PARTS.items()
        if name in (asked.only or PARTS)
        for row in measure(asked.quick, seeds)
    ]
    finish(rows, asked.json, "optuna")


if __name__ == "__main__":
    main()
