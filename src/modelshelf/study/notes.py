"""What a reader should know about how a result came about."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from modelshelf.core.errors import SettingError
from modelshelf.core.records import Baseline, Direction
from modelshelf.data.metrics import score
from modelshelf.engines import kernels
from modelshelf.study.baselines import fitted_on
from modelshelf.study.gain import Watch
from modelshelf.study.pace import Pace
from modelshelf.study.problem import Problem
from modelshelf.study.winner import Verdict

__all__ = ["constant_score", "notes_on_result", "notes_on_rows", "notes_on_time", "nothing_found"]

_CLEARLY = 2.0  # standard errors


def notes_on_rows(problem: Problem) -> list[str]:
    """That not all rows are learned from, where it is so."""
    if problem.drawn_from <= problem.dataset.rows:
        return []
    return [
        f"Of {problem.drawn_from:,} rows to learn from, {problem.dataset.rows:,} were drawn: as "
        "many as networks can be shown in this time. A new study (--study NAME) with more time "
        "uses more."
    ]


def notes_on_result(
    problem: Problem,
    verdict: Verdict,
    baselines: tuple[Baseline, ...],
    watch: Watch,
    test_uses: int,
) -> list[str]:
    """Sentences, each a warning or an admission; none where there is nothing to say."""
    notes = notes_on_rows(problem)
    if verdict.confirmed == 0:
        notes.append(
            "There was no time to re-test the winner: its validation score is the best of "
            "many, and so too good."
        )
    elif not _better_than_constant(problem, verdict):
        answer = "the commonest class" if problem.classes else "the mean"
        notes.append(
            f"Nothing was found: always answering {answer} scores "
            f"{constant_score(problem):.4g} in {problem.metric.name}, and on rows that chose "
            "nothing the winner is not clearly better. The inputs may not tell of this target."
        )
    if test_uses > 1:
        notes.append(f"The test rows have now been used {test_uses} times in this study.")
    if not fitted_on(problem):
        notes.append(
            "The rows are large: they were read where they lie, a few at a time. Plain models need "
            "all of them at once, and so none stands beside the winner."
        )
    if len(baselines) < len(fitted_on(problem)):
        notes.append("Not every baseline was fitted in the time.")
    if watch.stopped:
        notes.append(
            "The search ended before its time was up: twice as much was expected to bring less "
            f"than the least gain of {watch.least}."
        )
    return notes


def notes_on_time(pace: Pace, verdict: Verdict) -> list[str]:
    """What compiling took from the time, and what a little more of it would have bought."""
    notes = [note for note in (kernels.not_kept(),) if note and pace.compiling]
    if pace.limit is not None and pace.asked is not None and pace.limit > pace.asked:
        notes.append(
            f"The engine was compiled for this processor, which took {pace.compiling:.0f} s, once: "
            f"the study had {pace.limit - pace.asked:.0f} s more than was asked for."
        )
    if pace.limit is not None and verdict.confirmed == 0:
        notes.append(f"About {max(pace.for_finals(), 1.0):.0f} s more would re-test it.")
    return notes


def nothing_found(
    counts: Mapping[str, int], reasons: Sequence[str], limit: float | None
) -> SettingError:
    """Why a study has no winner: trials by what became of them, and what failed ones said."""
    if counts["diverged"] + counts["failed"] == 0:
        return SettingError(
            f"No network came to be compared in {limit or 0:g} s, and this kind cannot be halted "
            "before: give more time."
        )
    common = f" The commonest reason: {Counter(reasons).most_common(1)[0][0]}" if reasons else ""
    common += "." if common and not common.endswith(".") else ""
    advice = " Narrow the space to lower learning rates." if counts["diverged"] else ""
    return SettingError(
        f"None of {counts['started']} networks could be trained: {counts['diverged']} "
        f"diverged, {counts['failed']} failed.{common}{advice}"
    )


def constant_score(problem: Problem) -> float:
    """The metric of one answer for all rows: the shares of the classes, or the mean."""
    target = problem.dataset.target
    if problem.classes:
        counts = np.bincount(target, minlength=len(problem.dataset.schema.classes))
        return score(problem.metric, target, np.tile(counts / len(target), (len(target), 1)))
    return score(problem.metric, target, np.full(len(target), np.mean(target, dtype=np.float64)))


def _better_than_constant(problem: Problem, verdict: Verdict) -> bool:
    """Whether the winner's score is further from a constant's than chance would have it.

    Scores on several splits tell their own error; where one score is all there is, the rows do.
    """
    constant = constant_score(problem)
    if not math.isfinite(constant) or not math.isfinite(verdict.validation):
        return True  # nothing to hold it against
    sign = 1.0 if problem.metric.direction is Direction.MAXIMIZE else -1.0
    error = verdict.validation_std / math.sqrt(verdict.confirmed)
    if not math.isfinite(error):
        error = abs(constant) / math.sqrt(problem.dataset.rows)
    return sign * (verdict.validation - constant) > _CLEARLY * error
