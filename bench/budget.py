"""Where the seconds of a budget go: nine tables, several budgets, this checkout beside another.

Each run is the command as a person types it, on a shelf of its own. *Used* is the share of the
budget that passed until the command was done, *cores* that of the cores' time in which they were at
work for it (children too). *Search*, *re-tests* and *baselines* are shares of the cores' time, as
the study tells. The first run of each checkout begins on an empty cache and is marked so; after it
a study that is not measured fills the cache, however far the first one came.

`--against SRC` runs another checkout's `src` in the same turns. `MODELSHELF_DATA` names the folder
of the tables (../shared/data).
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from common import Table, finish, parser

__all__ = ["main"]

HERE = Path(__file__).resolve().parents[1] / "src"
DATA = Path(os.environ.get("MODELSHELF_DATA", Path(__file__).resolve().parents[2] / "shared/data"))

#: What is typed after `modelshelf tune`, by the table's name.
TABLES = {
    "iris": ["--example", "iris"],
    "digits": ["--example", "digits"],
    "titanic": [str(DATA / "titanic/train.csv"), "--target", "Survived"],
    "credit-g": [str(DATA / "credit-g.arff"), "--target", "class"],
    "phoneme": [str(DATA / "phoneme.csv"), "--target", "nasal"],
    "cpu_act": [str(DATA / "cpu_act.arff"), "--target", "usr"],
    "california": [str(DATA / "california.arff"), "--target", "medianHouseValue"],
    "adult": [str(DATA / "adult/train.csv"), "--target", "income",
              "--test", str(DATA / "adult/test.csv")],
    "letter": [str(DATA / "letter.arff"), "--target", "class"],
}  # fmt: skip

_PROGRAM = "from modelshelf.cli.app import entry; entry()"


def _run(
    source: Path, cache: str, typed: list[str], limit: float | None, seed: int
) -> dict[str, Any]:
    """One run of the command, and what it took."""
    there = {k: v for k, v in os.environ.items() if k != "NUMBA_CACHE_DIR"}
    there |= {"PYTHONPATH": str(source), "XDG_CACHE_HOME": cache, "HOME": cache}
    with tempfile.TemporaryDirectory() as shelf:
        command = [sys.executable, "-c", _PROGRAM, "tune", *typed]
        command += ["--time", f"{limit:g}s"] if limit else []
        command += ["--seed", str(seed), "--shelf", shelf, "--json"]
        before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.time()
        done = subprocess.run(command, capture_output=True, text=True, env=there, check=False)
        wall, after = time.time() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    if limit is None:
        return {}
    cores = os.cpu_count() or 1
    row: dict[str, Any] = {"seconds": wall, "used": wall / limit, "cores": cpu / (cores * limit)}
    if done.returncode:
        return {**row, "failed": (done.stderr.strip().splitlines() or ["?"])[-1][:200]}
    told = json.loads(done.stdout.splitlines()[-1])
    ensemble = told["ensemble"] or {}
    row |= {
        "networks": told["trials"]["started"],
        "validation": told["winner"]["validation"], "retests": told["winner"]["retests"],
        "test": told["winner"]["test"], "ensemble": ensemble.get("test", told["winner"]["test"]),
        "bag": (told.get("bag") or {}).get("test"),
        "direction": told["direction"], "training": told["seconds"]["training"],
        "compiling": told["seconds"].get("compiling"),
    }  # fmt: skip
    spent = told.get("core_seconds") or {}
    if spent.get("all"):
        row |= {f"share_{name}": spent[name] / (cores * limit)
                for name in ("search", "retests", "baselines")}  # fmt: skip
    return row


def _shown(row: dict[str, Any], name: str, form: str) -> str:
    return "–" if row.get(name) is None else format(row[name], form)


def _gains(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """By table and budget, over the seeds: how much better this checkout's test scores are.

    In the test score's own unit for shares, in per cent of it for errors; higher is better.
    """
    found = []
    for name, limit in dict.fromkeys((row["table"], row["limit"]) for row in rows):
        each = [r for r in rows if (r["table"], r["limit"]) == (name, limit)]
        told: dict[str, Any] = {"table": name, "limit": limit}
        for what in ("test", "ensemble"):
            gains = []
            for mine in (r for r in each if r["checkout"] == "this" and r.get(what) is not None):
                other = next((r for r in each if r["checkout"] == "other"
                              and r["seed"] == mine["seed"]), None)  # fmt: skip
                if other is None or other.get(what) is None:
                    continue
                gain = 100.0 * (mine[what] - other[what])
                if mine["direction"] == "minimize":
                    gain = -gain / other[what]
                gains.append(gain)
            told[what] = statistics.fmean(gains) if gains else None
            several = len(gains) > 1
            told[f"{what}_error"] = statistics.stdev(gains) / len(gains) ** 0.5 if several else None
        found.append(told)
    return found


def main() -> None:
    """All tables, budgets and seeds, the checkouts in turns."""
    asked = parser(__doc__ or "", tuple(TABLES))
    asked.add_argument("--against", type=Path, help="the src folder of another checkout")
    asked.add_argument("--seconds", type=float, nargs="+", default=[3.0, 10.0, 30.0, 60.0])
    asked.add_argument("--seeds", type=int, default=1, help="how many (default 1)")
    arguments = asked.parse_args()
    names = arguments.only or list(TABLES)
    limits = [3.0, 10.0] if arguments.quick else arguments.seconds
    names = names[:2] if arguments.quick and not arguments.only else names
    sources = {"this": HERE, **({"other": arguments.against} if arguments.against else {})}
    caches = {name: tempfile.mkdtemp() for name in sources}
    columns = ("used", "cores", "search", "re-tests", "baselines", "networks", "validation", "test",
               "ensemble", "bag")  # fmt: skip
    table = Table("Budgets: shares of the budget, and what came of it",
                  "table, seconds, seed, checkout".ljust(34), *columns)  # fmt: skip
    rows: list[dict[str, Any]] = []
    cold = set(sources)
    warm = ["--example", "iris", "--trials", "12"]
    for seed in range(arguments.seeds):
        for name in names:
            for limit in limits:
                for checkout, source in sources.items():
                    row = _run(source, caches[checkout], TABLES[name], limit, seed)
                    row = {"table": name, "limit": limit, "seed": seed, "checkout": checkout,
                           "cold": checkout in cold, **row}  # fmt: skip
                    if checkout in cold:
                        _run(source, caches[checkout], warm, None, 0)
                        cold.discard(checkout)
                    rows.append(row)
                    told = f"{name}, {limit:g}, {seed}, {checkout}{' cold' if row['cold'] else ''}"
                    forms = {"used": ".1%", "cores": ".1%", "share_search": ".1%",
                             "share_retests": ".1%", "share_baselines": ".1%", "networks": "d",
                             "validation": ".5g", "test": ".5g", "ensemble": ".5g",
                             "bag": ".5g"}  # fmt: skip
                    told += f" FAILED {row['failed'][:30]}" if "failed" in row else ""
                    table.row(told.ljust(34), *(_shown(row, n, f) for n, f in forms.items()))
    for folder in caches.values():
        shutil.rmtree(folder, ignore_errors=True)
    if arguments.against:
        gained = _gains(rows)
        better = Table("Better than the other by (points of a score, per cent of an error)",
                       "table, seconds".ljust(20), "winner", "ensemble")  # fmt: skip
        for row in gained:
            told = (
                "–" if row[w] is None else f"{row[w]:+.2f}"
                + ("" if row[f"{w}_error"] is None else f" ± {row[f'{w}_error']:.2f}")
                for w in ("test", "ensemble")
            )  # fmt: skip
            better.row(f"{row['table']}, {row['limit']:g}".ljust(20), *told)
        rows += [{"gain": True, **row} for row in gained]
    finish(rows, arguments.json)


if __name__ == "__main__":
    main()
