"""Do the known configurations carry over to data that took no part in choosing them?"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from common import Table
from race_data import Course
from race_gap import mean_error, points
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
        gains = [points(course, *scores) for scores in zip(*pair, strict=True)]
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
            mean, error = mean_error([row["gain"][at] for row in rows])
            print(f"\nMean gain of the {who}: {mean:+.2f} ± {error:.2f} "
                  f"(standard error, {len(rows)} pairs).")  # fmt: skip
    return rows


def _scores(finishes: list[Finish]) -> tuple[float, float]:
    """Of the winner and of the ensemble; the winner's where there is no ensemble."""
    return finishes[0].test, finishes[-1].test
