"""Is the printed score what a person gets? And what is found where there is nothing to find?"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from typing import Any

from common import Table
from race_data import Course
from race_rank import short
from race_run import shelved

__all__ = ["gaps", "mean_error", "points", "random_labels"]

_KINDS = {"accuracy": "accuracy, points of 100", "rmse": "RMSE, per cent of the test score"}


def gaps(studies: Iterable[tuple[Course, dict[str, Any]]], seconds: float) -> list[dict[str, Any]]:
    """Validation minus test score: of the winner as printed, and of the best of all validations.

    Above 0 where the score on validation rows was too good, for RMSE too. `studies` has each
    course with what modelshelf's study of it told.
    """
    table = Table(
        f"Gap: validation minus test score, {seconds:g} s each; above 0 is too good",
        "data".ljust(14), "winner, validation", "test", "gap", "best of all, validation", "test",
        "gap",
    )  # fmt: skip
    rows = []
    for course, told in studies:
        winner, best = told["winner"], told["race"]["best_of_all"]
        row = {
            "data": course.name, "seed": course.seed, "metric": course.metric.name,
            "retests": winner["retests"], "winner": _pair(winner), "best": _pair(best),
            "gap": _gap(course, winner), "best_gap": _gap(course, best),
        }  # fmt: skip
        rows.append(row)
        table.row(
            f"{course.name}, {course.seed}".ljust(14), short(winner["validation"]),
            short(winner["test"]), f"{row['gap']:+.2f}", short(best["validation"]),
            short(best["test"]), f"{row['best_gap']:+.2f}",
        )  # fmt: skip
    return rows + _summary(rows)


def _pair(scores: dict[str, Any]) -> dict[str, float]:
    return {"validation": scores["validation"], "test": scores["test"]}


def _gap(course: Course, scores: dict[str, Any]) -> float:
    return points(course, scores["validation"], scores["test"])


def points(course: Course, score: float, against: float) -> float:
    """By how much a score is better: in points of 100 for a share, in per cent for an error."""
    difference = course.sign * (score - against)
    return 100 * difference / (1.0 if course.sign > 0 else against)


def mean_error(values: Sequence[float]) -> tuple[float, float]:
    """The mean, and its standard error."""
    return statistics.fmean(values), statistics.stdev(values) / len(values) ** 0.5


def _summary(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Means with standard errors, for each metric and for both together."""
    table = Table("Mean gap ± its standard error", "over".ljust(34), "pairs", "winner",
                  "in standard errors", "best of all", "in standard errors")  # fmt: skip
    found = []
    for metric, words in (*_KINDS.items(), ("both", "both")):
        these = [row for row in rows if metric in (row["metric"], "both")]
        if len(these) < 2:
            continue
        row: dict[str, Any] = {"metric": metric, "pairs": len(these)}
        cells = []
        for name in ("gap", "best_gap"):
            mean, error = mean_error([each[name] for each in these])
            row |= {name: mean, f"{name}_error": error}
            cells += [f"{mean:+.2f} ± {error:.2f}", f"{mean / error:+.1f}" if error else "–"]
        found.append(row)
        table.row(words.ljust(34), str(len(these)), *cells)
    return found


def random_labels(courses: Iterable[Course], seconds: float) -> list[dict[str, Any]]:
    """Labels in random order: the winner beside the commonest class, or the mean."""
    table = Table(
        f"Random labels, {seconds:g} s each: test scores; nothing can be learned",
        "data".ljust(14), "winner, validation", "test", "95 %".rjust(18), "chance",
        "best of all, validation", "networks",
    )  # fmt: skip
    rows, words = [], []
    for course in courses:
        told = shelved(course, seconds)[0].more
        winner, best, chance = told["winner"], told["race"]["best_of_all"], course.chance()
        low, high = winner["test_interval"]
        edge = low if course.sign > 0 else high
        rows.append({
            "data": course.name, "seed": course.seed, "winner": _pair(winner), "chance": chance,
            "interval": [low, high], "best": _pair(best), "notes": told["notes"],
            "found": course.sign * edge > course.sign * chance,
            "ratio": (winner["test"] / chance) ** course.sign,
        })  # fmt: skip
        table.row(
            f"{course.name}, {course.seed}".ljust(14), short(winner["validation"]),
            short(winner["test"]), f"{short(low)} to {short(high)}", short(chance),
            short(best["validation"]), f"{told['trials']['started']:,}",
        )  # fmt: skip
        words.append(f"{course.name}: {' '.join(told['notes']) or 'nothing'}")
    found = sum(row["found"] for row in rows)
    print(f"\nBetter than chance by its 95 % interval: {found} of {len(rows)}.")
    print("What is said of it:", *words, sep="\n- ")
    return rows
