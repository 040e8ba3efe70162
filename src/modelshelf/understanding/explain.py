"""`explain`: which settings mattered in a study, which way, and what each traded for what."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np

from modelshelf.core.errors import ShelfError
from modelshelf.core.garbage import uncollected
from modelshelf.core.records import Direction, Purpose, Status, TrialRecord
from modelshelf.core.words import counted
from modelshelf.data.metrics import metric_for
from modelshelf.insight.explanation import Explanation, explained
from modelshelf.insight.studied import Studied
from modelshelf.search import Result
from modelshelf.search.model import lifted
from modelshelf.shelf import Shelf, StudyRecord
from modelshelf.space.again import space_from_json
from modelshelf.space.configuration import Configuration
from modelshelf.space.space import Space
from modelshelf.study.searching import rungs_of
from modelshelf.study.spaces import first_trial
from modelshelf.study.work import ranking_value

__all__ = ["explain", "studied"]


def explain(study: str, shelf: str | Path | None = None, *, seed: int = 0) -> Explanation:
    """What a study says of its settings: its name, or how it begins.

    Nothing is trained, and no rows are read: it rests on what the shelf holds of the search. The
    same study and seed give the same answer.

    Raises `ShelfError` where there is no such study, or none of its networks was searched for.
    """
    with Shelf.open(shelf) as opened:
        record = opened.study(study)
        found = studied(opened, record)
    notes = []
    outside = first_trial(record)
    if outside:
        notes.append(
            f"The first {counted(outside, 'network')} of the search had another space: what lies "
            "in the present one counts."
        )
    if record.status != "done":
        notes.append("The study is not finished: it may say more when it is.")
    told = explained(record.name, found, seed, tuple(notes))
    # What an objective trains, and how, is its own: the course's rows would be of nothing.
    return replace(told, rows=()) if record.is_objective else told


@uncollected()
def studied(shelf: Shelf, record: StudyRecord) -> Studied:
    """The networks of a study's search that were compared with others, and their curves."""
    if "space" not in record.settings:
        raise ShelfError(
            f"The study {record.name} has no search to explain: its networks were trained by name. "
            "Try `modelshelf probe` with one of them, or `modelshelf tune` on the same rows."
        )
    space = space_from_json(record.settings["space"]).for_epochs(record.settings["epochs"])
    first = first_trial(record)
    trials = {
        each.number: each
        for each in shelf.trials(record.name, sort="number")
        if each.purpose is Purpose.SEARCH and (each.number >= first or _lies_in(each, space))
    }
    values = lifted(_results(shelf, record, space, trials))
    rows = [trials[number] for number in sorted(values)]
    if not rows:
        raise ShelfError(
            f"No network of the study {record.name} has been compared with others yet."
        )
    return Studied(
        space,
        record.metric,
        record.direction,
        np.array([each.number for each in rows]),
        tuple(each.copy for each in rows),
        tuple(Configuration.from_json(each.configuration) for each in rows),
        tuple(each.status for each in rows),
        np.array([values[each.number] for each in rows]),
        np.array([each.score for each in rows]),
        np.array([each.epoch for each in rows]),
        np.array([each.best_epoch for each in rows]),
        np.array([each.seconds for each in rows]),
        np.array([each.parameters for each in rows]),
        shelf.curves(record.name),
    )


def _lies_in(trial: TrialRecord, space: Space) -> bool:
    return Configuration.from_json(trial.configuration) in space


def _results(
    shelf: Shelf, record: StudyRecord, space: Space, trials: dict[int, TrialRecord]
) -> list[Result]:
    """What each network had reached at each rung."""
    if record.is_objective:
        return _valued(record, trials)
    rungs, metric, found = rungs_of(space.most_epochs), metric_for(record.metric, record.task), []
    for each in shelf.jobs(record.name):
        if each.outcome is None or each.job.trial not in trials:
            continue
        planned = trials[each.job.trial].configuration.get("epochs", rungs[-1])
        ends = [min(rung, int(str(planned))) for rung in rungs]
        if each.job.to_epoch in ends and each.outcome.status is not Status.FAILED:
            value = ranking_value(metric, each.outcome)
            found.append(Result(each.job.trial, ends.index(each.job.to_epoch), value))
    return found


def _valued(record: StudyRecord, trials: dict[int, TrialRecord]) -> list[Result]:
    """What an objective returned, or reported last; lower is better."""
    sign = 1.0 if record.direction is Direction.MINIMIZE else -1.0
    return [
        Result(number, 0, sign * each.score if math.isfinite(each.score) else math.inf)
        for number, each in trials.items()
        if each.status is not Status.FAILED
    ]
