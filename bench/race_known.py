"""Do the known configurations carry over to data that took no part in choosing them?"""

from __future__ import annotations

import statistics
from collections.abc import Iterable
from typing import Any

from common import Table
from race_data import Course
from race_rank import short
from race_run import Finish, shelved

__all__ = ["CHOSEN_ON", "known"]

#: The data on which space/portfolio.py was chosen.
CHOSEN_ON = ("adult", "california", "letter")


def known(courses: Iterable[Course], seconds: float) -> list[dict[str, Any]]:
    """Test scores of studies with the known configurations, and of the same without them.

    The gain is in points of 100 for a share, in per cent for an error; above 0 they helped.
    """
    table = Table(
        f"The known configurations, {seconds:g} s each: test scores with them and without",
        "data".ljust(14), "winner, with", "without", "gain", "ensemble, with", "without", "gain",
    )  # fmt: skip
    rows = []
    for course in courses:
        pair = [_scores(shelved(course, seconds, known=each)) for each in (True, False)]
        gains = [_gain(course, *scores) for scores in zip(*pair, strict=True)]
        rows.append({
            "data": course.name, "seed": course.seed, "metric": course.metric.name,
            "with": pair[0], "without": pair[1], "gain": gains, "ratio": None,
        })  # fmt: skip
        cells = []
        for with_them, without, gain in zip(*pair, gains, strict=True):
            cells += [short(with_them), short(without), f"{gain:+.2f}"]
        table.row(f"{course.name}, {course.seed}".ljust(14), *cells)
    if len(rows) > 1:
        for at, who in enumerate(("winner", "ensemble")):
            found = [row["gain"][at] for row in rows]
            error = statistics.stdev(found) / len(found) ** 0.5
            print(f"\nMean gain of the {who}: {statistics.fmean(found):+.2f} ± {error:.2f} "
                  f"(standard error, {len(found)} pairs).")  # fmt: skip
    return rows


def _scores(finishes: list[Finish]) -> tuple[float, float]:
    """Of the winner and of the ensemble; the winner's where there is no ensemble."""
    return finishes[0].test, finishes[-1].test


def _gain(course: Course, with_them: float, without: float) -> float:
    if course.sign > 0:
        return 100 * (with_them - without)
    return 100 * (without - with_them) / without
