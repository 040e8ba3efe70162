"""The one transaction that puts what happened in a study onto the shelf."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, func, insert, select, update
from sqlalchemy.dialects import sqlite

from modelshelf.core.errors import ShelfError
from modelshelf.core.records import Outcome, Status
from modelshelf.shelf.records import Completed, Job, NewTrial
from modelshelf.shelf.schema import configuration, curve, job, study, trial
from modelshelf.space.barcode import VERSION

__all__ = ["Batch", "mark", "write"]

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Batch:
    """All that is written at once. `retired` holds (job number, place in the order)."""

    trials: Sequence[NewTrial] = ()
    jobs: Sequence[Job] = ()
    completed: Sequence[Completed] = ()
    retired: Sequence[tuple[int, int]] = ()
    seconds: float | None = None


# Statements are made once: SQLAlchemy then finds their SQL in its cache.
_ADD_CONFIGURATION = sqlite.insert(configuration).on_conflict_do_nothing()
_ADD_TRIAL = insert(trial)
_ADD_JOB = insert(job)
# One whose network was removed is trained from its first epoch again, where its study goes on.
_ADD_CURVE = sqlite.insert(curve).on_conflict_do_nothing()
_THIS_TRIAL = (trial.c.study_id == bindparam("of_study"), trial.c.number == bindparam("of_trial"))
_THIS_JOB = (job.c.study_id == bindparam("of_study"), job.c.number == bindparam("of_job"))
_SET_STATUS = update(trial).where(*_THIS_TRIAL).values(status=bindparam("new_status"))
_SET_SECONDS = (
    update(study).where(study.c.id == bindparam("of_study")).values(seconds=bindparam("used"))
)
_FILE_OF = select(trial.c.file).where(*_THIS_TRIAL)
_RETIRE = (
    update(job)
    .where(*_THIS_JOB, job.c.done, job.c.retired.is_(None))
    .values(retired=bindparam("place"))
)
_OUTCOME = ("status", "epoch", "best_epoch", "loss", "score", "reason")
_COMPLETE = (
    update(job)
    .where(*_THIS_JOB, job.c.trial == bindparam("of_trial"), ~job.c.done)
    .values(
        done=True,
        seconds=bindparam("leg_seconds"),
        steps=bindparam("leg_steps"),
        **{name: bindparam(f"new_{name}") for name in _OUTCOME},
    )
)
_SPENT = {
    "seconds": trial.c.seconds + bindparam("leg_seconds"),
    "steps": trial.c.steps + bindparam("leg_steps"),
}
_ADVANCE = (
    update(trial)
    .where(*_THIS_TRIAL)
    .values(
        **{name: bindparam(f"new_{name}") for name in _OUTCOME},
        **_SPENT,
        file=func.coalesce(bindparam("new_file"), trial.c.file),
        size=func.coalesce(bindparam("new_size"), trial.c.size),
        checksum=func.coalesce(bindparam("new_checksum"), trial.c.checksum),
        preparation=func.coalesce(bindparam("new_preparation"), trial.c.preparation),
        copy=func.coalesce(bindparam("new_copy"), trial.c.copy),
        parameters=func.coalesce(bindparam("new_parameters"), trial.c.parameters),
    )
)
_FAIL = (
    update(trial)
    .where(*_THIS_TRIAL)
    .values(status=bindparam("new_status"), reason=bindparam("new_reason"), **_SPENT)
)


def write(connection: Connection, study_id: int, batch: Batch) -> list[str]:
    """Write a batch inside a transaction; returns the files that nothing names afterwards.

    Raises `ShelfError` where a job was done before, or retires without being done.
    """
    _add_trials(connection, study_id, batch.trials)
    _add_jobs(connection, study_id, batch.jobs)
    superseded = [
        name
        for each in batch.completed
        if (name := _complete(connection, study_id, each)) is not None
    ]
    for number, place in batch.retired:
        values = {"of_study": study_id, "of_job": number, "place": place}
        if connection.execute(_RETIRE, values).rowcount != 1:
            raise ShelfError(
                f"Job {number} cannot retire: expected a job that is done and has not retired yet. "
                "Another process may have gone on with the same study; run the command again."
            )
    if batch.seconds is not None:
        connection.execute(_SET_SECONDS, {"of_study": study_id, "used": float(batch.seconds)})
    return superseded


def mark(connection: Connection, study_id: int, numbers: Sequence[int], status: Status) -> None:
    """Set the status of trials."""
    if numbers:
        connection.execute(
            _SET_STATUS,
            [
                {"of_study": study_id, "of_trial": number, "new_status": status.value}
                for number in numbers
            ],
        )


def _add_trials(connection: Connection, study_id: int, trials: Sequence[NewTrial]) -> None:
    if not trials:
        return
    connection.execute(
        _ADD_CONFIGURATION,
        [
            {
                "barcode": each.barcode,
                "version": VERSION,
                "settings": json.dumps(each.configuration, sort_keys=True),
            }
            for each in trials
        ],
    )
    connection.execute(_ADD_TRIAL, [_trial_row(study_id, each) for each in trials])


def _trial_row(study_id: int, new: NewTrial) -> Row:
    return {
        "study_id": study_id,
        "number": new.number,
        "barcode": new.barcode,
        "copy": new.copy,
        "purpose": new.purpose.value,
        "split": new.split,
        "seed": new.seed,
        "status": Status.RUNNING.value,
        "epoch": 0,
        "best_epoch": 0,
        "loss": None,
        "score": None,
        "seconds": 0.0,
        "steps": 0,
        "parameters": new.parameters,
        "size": 0,
        "file": "",
        "checksum": "",
        "preparation": "",
        "reason": "",
    }


def _add_jobs(connection: Connection, study_id: int, jobs: Sequence[Job]) -> None:
    if not jobs:
        return
    connection.execute(
        _ADD_JOB,
        [
            {
                "study_id": study_id,
                "number": each.number,
                "trial": each.trial,
                "rung": each.rung,
                "from_epoch": each.from_epoch,
                "to_epoch": each.to_epoch,
                "keep": float(each.keep),
                "done": False,
            }
            for each in jobs
        ],
    )
    mark(connection, study_id, [each.trial for each in jobs if each.from_epoch], Status.RUNNING)


def _complete(connection: Connection, study_id: int, done: Completed) -> str | None:
    """Store a job's result; returns the file that the trial had before, if it has another now."""
    where = {"of_study": study_id, "of_trial": done.trial}
    values = {**where, **_outcome_values(done.outcome)}
    if connection.execute(_COMPLETE, {**values, "of_job": done.job}).rowcount != 1:
        raise ShelfError(
            f"Job {done.job} of trial {done.trial} cannot be completed: expected a job of this "
            "trial that is not done yet. Another process may have gone on with the same study; "
            "run the command again."
        )
    if done.file is None and done.outcome.status is Status.FAILED:
        connection.execute(_FAIL, values)
        return None
    before = connection.execute(_FILE_OF, where).scalar_one()
    connection.execute(_ADVANCE, {**values, **_file_values(done)})
    if done.outcome.curve:
        connection.execute(_ADD_CURVE, _curve_rows(study_id, done))
    return before if before and done.file is not None and before != done.file.name else None


def _outcome_values(outcome: Outcome) -> Row:
    return {
        "new_status": outcome.status.value,
        "new_epoch": int(outcome.epoch),
        "new_best_epoch": int(outcome.best_epoch),
        "new_loss": float(outcome.loss),
        "new_score": float(outcome.score),
        "new_reason": outcome.reason,
        "leg_seconds": float(outcome.seconds),
        "leg_steps": int(outcome.steps),
    }


def _file_values(done: Completed) -> Row:
    file = done.file
    return {
        "new_file": None if file is None else file.name,
        "new_size": None if file is None else file.size,
        "new_checksum": None if file is None else file.checksum,
        "new_preparation": done.preparation or None,
        "new_copy": done.copy or None,
        "new_parameters": int(done.parameters) or None,
    }


def _curve_rows(study_id: int, done: Completed) -> list[Row]:
    return [
        {
            "study_id": study_id,
            "trial": done.trial,
            "epoch": int(point.epoch),
            "train_loss": float(point.train_loss),
            "validation_loss": float(point.validation_loss),
            "validation_score": float(point.validation_score),
        }
        for point in done.outcome.curve
    ]
