"""The race: modelshelf against tuned-network tools and boosted trees, on the same rows and time.

    MODELSHELF_DATA=../shared/data python bench/race.py --json race.json
    MODELSHELF_DATA=../shared/data python bench/race.py --only gap --seeds 2
    MODELSHELF_DATA=../shared/data python bench/race.py --only random-labels
    MODELSHELF_DATA=../shared/data python bench/race.py --only known --time 20

Every contestant gets the same development rows of each table, both cores and 60 s (RealMLP and the
boosted trees one model, however long it takes), and answers the same test rows once. modelshelf
runs one study, whose single winner and whose ensemble both take part. The *gap* says by how much
the tool's own validation score was better than its test score. The *ratio* is to the best of the
others that are not modelshelf, above 1 where better.

`--only gap` runs modelshelf's studies alone: its printed validation score minus its test score,
beside the same for the best of all validation scores. `--only random-labels` gives it labels in
random order, from which nothing can be learned. `--only known` runs it with its known
configurations and without, on the tables that took no part in choosing them.

    pip install torch==2.13.0 optuna lightgbm catboost pytabkit==1.7.3   # each may be absent
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from common import Table, finish, machine, parser, versions
from contestants import CONTESTANTS
from race_data import SETS, Course, lay_out
from race_gap import gaps, random_labels
from race_known import CHOSEN_ON, known
from race_rank import Heat, mean_ranks, ratio, short, sooner
from race_run import MODELSHELF, contest, installed, shelved, warm

PACKAGES = ("scikit-learn", "torch", "optuna", "pytabkit", "lightgbm", "catboost")
QUICK = ("credit-g", "abalone")

#: Tuned single networks as published, on other splits. arXiv 2203.05556; TabM: arXiv 2410.24210.
PUBLISHED = {
    "adult": "tuned MLP 0.854, with piecewise-linear encoding 0.860; TabM-mini with it 0.870",
    "california": "tuned MLP 49,500, with piecewise-linear encoding 45,300",
}


def race(options: argparse.Namespace) -> list[dict[str, Any]]:
    """A table for each set, then mean ranks, how much sooner, and the gaps of our studies."""
    contestants = installed(options.without)
    heats = [_heat(each, contestants, options) for each in _courses(options, options.seeds or 1)]
    rows = [
        {
            "data": course.name, "seed": course.seed, "metric": course.metric.name, "by": each.by,
            "test": each.test, "validation": each.validation, "seconds": each.seconds,
            "tried": each.tried, "ratio": ratio(course, each, finishes),
        }
        for course, finishes in heats
        for each in finishes
    ]  # fmt: skip
    if not rows:
        return []
    ours = [(course, each[0].more) for course, each in heats if each[0].name == MODELSHELF]
    return rows + mean_ranks(heats) + sooner(heats, options.time) + gaps(ours, options.time)


def _heat(course: Course, contestants: list[str], options: argparse.Namespace) -> Heat:
    """Everybody on one course, one after the other; then their table."""
    finishes = []
    if MODELSHELF not in options.without:
        print(f"{course.name}: {MODELSHELF} …", file=sys.stderr, flush=True)
        finishes += shelved(course, options.time)
        if len(finishes) == 1:
            print(f"{MODELSHELF}, ensemble is left out: this study has none")
    for name in contestants:
        print(f"{course.name}: {name} …", file=sys.stderr, flush=True)
        found = contest(name, course, options.time)
        finishes += [found] if found else []
    table = Table(
        f"{course.name}, seed {course.seed}: {course.metric.name} of {len(course.test):,} test "
        f"rows after {len(course.development):,} to learn from; by chance {short(course.chance())}",
        "by".ljust(25), "test", "own validation", "gap", "seconds", "tried", "ratio",
    )  # fmt: skip
    for each in finishes:
        gap = course.sign * (each.validation - each.test)
        against = ratio(course, each, finishes)
        table.row(
            each.by.ljust(25), short(each.test), short(each.validation),
            f"{gap:+.4f}" if course.classes else f"{gap:+,.4g}", f"{each.seconds:.1f}",
            f"{each.tried:,}", f"{against:.4f}" if against else "",
        )  # fmt: skip
    if course.name in PUBLISHED:
        print(f"\nPublished: {PUBLISHED[course.name]}.", flush=True)
    return course, finishes


def _gap(options: argparse.Namespace) -> list[dict[str, Any]]:
    courses = _courses(options, options.seeds or 2)
    return gaps(((each, shelved(each, options.time)[0].more) for each in courses), options.time)


def _random_labels(options: argparse.Namespace) -> list[dict[str, Any]]:
    return random_labels(_courses(options, options.seeds or 1, shuffled=True), options.time)


def _known(options: argparse.Namespace) -> list[dict[str, Any]]:
    options.data = [each for each in options.data if each not in CHOSEN_ON]
    return known(_courses(options, options.seeds or 1), options.time)


PARTS = {"race": race, "gap": _gap, "random-labels": _random_labels, "known": _known}


def _courses(
    options: argparse.Namespace, seeds: int, *, shuffled: bool = False
) -> Iterator[Course]:
    """Each table with each seed, in a folder of its own; what is absent is left out, by name."""
    for name in options.data:
        for seed in range(options.first_seed, options.first_seed + seeds):
            with tempfile.TemporaryDirectory() as folder:
                try:
                    course = lay_out(name, seed, Path(folder), shuffled=shuffled)
                except FileNotFoundError as error:
                    print(f"{name} is left out: {error}")
                    break
                yield course


def _asked() -> argparse.Namespace:
    shared = parser(__doc__ or "", tuple(PARTS))
    known = (MODELSHELF, *CONTESTANTS)
    shared.add_argument("--data", nargs="+", choices=list(SETS), metavar="NAME",
                        help=f"tables to run on: {', '.join(SETS)}")  # fmt: skip
    shared.add_argument("--time", type=float, help="seconds for each (60; 5 with --quick)")
    shared.add_argument("--seeds", type=int, help="splits and seeds of each table (1; 2 for gap)")
    shared.add_argument("--first-seed", type=int, default=0, help="of those seeds (0)")
    shared.add_argument("--without", action="append", default=[], choices=known, metavar="NAME",
                        help=f"leave out (may be repeated): {', '.join(known)}")  # fmt: skip
    found = shared.parse_args()
    found.time = found.time or (5.0 if found.quick else 60.0)
    found.data = found.data or list(QUICK if found.quick else SETS)
    if found.quick:
        found.without.append("realmlp")  # takes its own time
    return found


def main() -> None:
    options = _asked()
    known = versions(*PACKAGES)
    print(f"{machine()['processor']}, {machine()['cores']} cores;",
          ", ".join(" ".join(each) for each in known.items()))  # fmt: skip
    if MODELSHELF not in options.without:
        warm()
    rows = [
        {"part": name, **row}
        for name, measure in PARTS.items()
        if name in (options.only or (["race"] if options.quick else PARTS))
        for row in measure(options)
    ]
    finish(rows, options.json, *PACKAGES)


if __name__ == "__main__":
    main()
