"""What the race comes to: ratios, mean ranks, and how much sooner modelshelf was there."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from typing import Any

from scipy.stats import rankdata

from common import Table
from race_data import Course
from race_run import MODELSHELF, Finish

__all__ = ["Heat", "mean_ranks", "ratio", "short", "sooner"]

Heat = tuple[Course, list[Finish]]
PEER = "optuna"  # whose final score is to be reached sooner


def short(value: float | None) -> str:
    """A score in four or five digits."""
    if value is None or not math.isfinite(value):
        return "–"
    return f"{value:.4f}" if abs(value) < 10 else f"{value:,.0f}"


def ratio(course: Course, finish: Finish, finishes: Sequence[Finish]) -> float | None:
    """The test score against the best of the others that are not modelshelf; above 1 is better."""
    others = [each.test for each in finishes if each.name != MODELSHELF and each is not finish]
    if not others:
        return None
    if course.sign > 0:
        return finish.test / max(others)
    return min(others) / finish.test


def mean_ranks(heats: Sequence[Heat]) -> list[dict[str, Any]]:
    """Mean ranks by test score; who did not come in, in a heat that others ran, is last there."""
    networks = [(c, [each for each in found if each.networks]) for c, found in heats]
    ranks = [_ranks(networks), _ranks(heats)]
    table = Table(f"Mean rank by test score over {len(heats)} heats, 1 is best",
                  "by".ljust(25), "among networks", "among all", "best of all in")  # fmt: skip
    rows = []
    for by in sorted(ranks[1], key=lambda each: statistics.fmean(ranks[1][each])):
        among, whole = ranks[0].get(by), ranks[1][by]
        row = {
            "by": by,
            "networks": statistics.fmean(among) if among else None,
            "all": statistics.fmean(whole),
            "first": sum(each == 1 for each in whole),
        }
        rows.append(row)
        told = f"{row['networks']:.2f}" if among else ""
        table.row(by.ljust(25), told, f"{row['all']:.2f}", f"{row['first']} of {len(whole)}")
    return rows


def _ranks(heats: Sequence[Heat]) -> dict[str, list[float]]:
    """By contestant, its rank in each heat; ties share theirs."""
    everybody = list(dict.fromkeys(each.by for _, found in heats for each in found))
    found: dict[str, list[float]] = {by: [] for by in everybody}
    for course, finishes in heats:
        scores = {each.by: course.sign * each.test for each in finishes}
        places = rankdata([-scores.get(by, -math.inf) for by in everybody])
        for by, place in zip(everybody, places, strict=True):
            found[by].append(float(place))
    return found


def sooner(heats: Sequence[Heat], seconds: float) -> list[dict[str, Any]]:
    """When modelshelf had a network as good as the one that Optuna and PyTorch ended with."""
    table = Table(
        "Optuna + PyTorch's final test score, and after how many seconds the network that led "
        "modelshelf's search scored as well on the same test rows: first, and ever after",
        "data".ljust(14), "score", "first, s", "ever after, s", "ratio", "ever after",
    )  # fmt: skip
    rows = []
    for course, finishes in heats:
        peer = next((each for each in finishes if each.name == PEER), None)
        mine = next((each for each in finishes if each.name == MODELSHELF), None)
        if peer is None or mine is None:
            continue
        first, after = _reached(course, mine, peer.test)
        rows.append({"data": course.name, "seed": course.seed, "score": peer.test, "first": first,
                     "after": after, "ratio": _times(seconds, first),
                     "ratio_after": _times(seconds, after)})  # fmt: skip
        told = (f"{each:.2f}" if each else "never" for each in (first, after))
        times = (f"{rows[-1][each]:.1f}×" for each in ("ratio", "ratio_after"))
        table.row(f"{course.name}, {course.seed}".ljust(14), short(peer.test), *told, *times)
    if rows:
        first, after = (statistics.median(row[each] for row in rows)
                        for each in ("ratio", "ratio_after"))  # fmt: skip
        table.row("median".ljust(14), "", "", "", f"{first:.1f}×", f"{after:.1f}×")
    return rows


def _times(seconds: float, at: float | None) -> float:
    """How many times sooner than the end of the time; 0 where never."""
    return seconds / at if at else 0.0


def _reached(course: Course, mine: Finish, wanted: float) -> tuple[float | None, float | None]:
    """Seconds until a leader, or the winner at the end, had this test score: first, and for good.

    The leaders are what the tool would have handed out then: each is the network with the best
    validation score so far, as it was at that second. Its test rows chose nothing.
    """
    course_of = [(at, test) for at, _, test in mine.more["race"]["leaders"]]
    course_of.append((mine.seconds, mine.test))
    enough = [(at, course.sign * test >= course.sign * wanted) for at, test in course_of]
    first = next((at for at, reached in enough if reached), None)
    after = None
    for at, reached in reversed(enough):
        if not reached:
            break
        after = at
    return first, after
