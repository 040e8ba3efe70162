"""One trial on the shelf: written as it ended, and read again.

There is no network to keep: an objective keeps its own weights. So a trial's `best_epoch` is 0, its
epochs are its reports in order of their steps, and its score is what the objective returned.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from modelshelf.core.records import CurvePoint, Outcome, Purpose, Status, TrialRecord
from modelshelf.optuna.distributions import Distribution
from modelshelf.optuna.search import configuration_of, labels_of
from modelshelf.optuna.trial import FrozenTrial, TrialState
from modelshelf.shelf import Completed, Job, NewTrial, Shelf, StudyRecord
from modelshelf.space.barcode import crockford
from modelshelf.space.configuration import Configuration
from modelshelf.study.searching import SEARCH_SPLIT

__all__ = ["noted", "read", "write"]

_STATES = {
    Status.FINISHED: TrialState.COMPLETE,
    Status.STOPPED: TrialState.PRUNED,
    Status.FAILED: TrialState.FAIL,
    Status.DIVERGED: TrialState.FAIL,
}


def noted(trial: FrozenTrial) -> dict[str, Any]:
    """What the shelf has no column for."""
    failed = _status(trial) is Status.FAILED  # what it reported is not kept
    steps = [] if failed else sorted(trial.intermediate_values)
    return {
        "began": trial.datetime_start.isoformat() if trial.datetime_start else None,
        "steps": [] if steps == list(range(len(steps))) else steps,
        "attrs": trial.user_attrs,
    }


def write(
    shelf: Shelf,
    record: StudyRecord,
    trial: FrozenTrial,
    objective: str,
    seed: int,
    *,
    job: int,
    spent: float,
) -> None:
    """Configuration, curve and record in one transaction; the trial is given its barcode.

    `job` is its place in the study's log, `spent` the study's seconds with this trial's.
    """
    configuration = configuration_of(objective, trial.labels)
    copy = crockford(json.dumps([configuration.barcode, record.key, trial.number, seed]))
    outcome = _outcome(trial)
    new = NewTrial(
        trial.number, configuration.to_json(), configuration.barcode, copy, Purpose.SEARCH,
        str(SEARCH_SPLIT), seed,
    )  # fmt: skip
    shelf.write(
        record.name,
        trials=[new],
        jobs=[Job(job, trial.number, 0, 0, outcome.epoch)],
        completed=[Completed(job, trial.number, outcome, None)],
        retired=[(job, job)],
        seconds=spent,
    )
    trial.barcode = configuration.barcode


def read(
    record: TrialRecord,
    notes: Mapping[str, Any],
    names: Mapping[str, Distribution],
    curve: Any,
) -> FrozenTrial:
    """A trial as it was; its parameters have the ranges that they have now."""
    labels = labels_of(Configuration.from_json(record.configuration))
    kept = {name: names[name] for name in names if name in labels}
    reported = [float(point[2]) for point in curve]
    nothing = math.isnan(record.score) and record.status is not Status.DIVERGED
    return FrozenTrial(
        number=record.number,
        state=_STATES[record.status],
        value=None if nothing else record.score,
        params={name: kept[name].value(labels[name]) for name in kept},
        distributions=kept,
        intermediate_values=dict(
            zip(notes["steps"] or range(len(reported)), reported, strict=True)
        ),
        user_attrs=notes["attrs"],
        datetime_start=datetime.fromisoformat(notes["began"]) if notes["began"] else None,
        duration=timedelta(seconds=record.seconds),
        reason=record.reason,
        barcode=record.barcode,
    )


def _outcome(trial: FrozenTrial) -> Outcome:
    reported = [trial.intermediate_values[step] for step in sorted(trial.intermediate_values)]
    curve = tuple(
        CurvePoint(epoch, math.nan, math.nan, value) for epoch, value in enumerate(reported, 1)
    )
    return Outcome(
        _status(trial),
        epoch=len(curve),
        best_epoch=0,
        loss=math.nan,
        score=math.nan if trial.value is None else trial.value,
        seconds=trial.duration.total_seconds() if trial.duration else 0.0,
        steps=0,
        curve=curve,
        reason=trial.reason,
    )


def _status(trial: FrozenTrial) -> Status:
    if trial.state is TrialState.COMPLETE:
        return Status.FINISHED
    if trial.state is TrialState.PRUNED:
        return Status.STOPPED
    return Status.FAILED if trial.value is None else Status.DIVERGED
