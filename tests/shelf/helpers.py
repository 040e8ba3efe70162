"""What the tests of the shelf put on it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from modelshelf.core.records import CurvePoint, Direction, Outcome, Purpose, Status, Task
from modelshelf.shelf import Completed, Job, NewTrial, Shelf, StudyRecord
from modelshelf.space.barcode import crockford
from modelshelf.space.configuration import Configuration


def study(name: str = "a", **changes: Any) -> StudyRecord:
    fields: dict[str, Any] = {
        "key": f"key of {name}",
        "fingerprint": "rows",
        "task": Task.MULTICLASS,
        "metric": "accuracy",
        "direction": Direction.MAXIMIZE,
        "seed": 7,
        "settings": {"space": {"learning_rate": [0.001, 0.1]}, "nothing": None},
        "understood": ("1797 rows", "10 classes"),
    }
    return StudyRecord(name, **{**fields, **changes})


def configuration(number: int = 0) -> Configuration:
    return Configuration(learning_rate=0.001 * (number + 1))


def new_trial(number: int, **changes: Any) -> NewTrial:
    made = configuration(changes.pop("of", number))
    fields: dict[str, Any] = {
        "configuration": made.to_json(),
        "barcode": made.barcode,
        "copy": crockford(f"copy {number}"),
        "purpose": Purpose.SEARCH,
        "split": "holdout",
        "seed": 2**63 - 1 - number,
    }
    return NewTrial(number, **{**fields, **changes})


def outcome(first: int, last: int, status: Status = Status.PAUSED, **changes: Any) -> Outcome:
    fields: dict[str, Any] = {
        "epoch": last,
        "best_epoch": last,
        "loss": 1 / (last + 1),
        "score": 0.1 * 3 + last / 1000,
        "seconds": 0.1,
        "steps": 10,
        "curve": tuple(
            CurvePoint(e, 1 / e, math.inf if e == 2 else 1 / 3, math.nan if e == 3 else 0.7)
            for e in range(first, last + 1)
        ),
    }
    return Outcome(status, **{**fields, **changes})


def tensors(seed: int = 0) -> dict[str, np.ndarray]:
    draw = np.random.default_rng(seed)
    return {"weights": draw.normal(size=(4, 3)).astype(np.float32), "step": np.array(seed)}


def leg(
    shelf: Shelf,
    job: int,
    trial: int,
    first: int,
    last: int,
    status: Status = Status.PAUSED,
    *,
    name: str = "a",
    **changes: Any,
) -> Completed:
    """A completed job with its file written."""
    file = shelf.write_network(name, trial, last, tensors(100 * trial + last), {"n": str(trial)})
    preparation = shelf.write_preparation({"columns": ["x"]}, {"mean": np.arange(3.0)})
    return Completed(job, trial, outcome(first, last, status, **changes), file, preparation)


def fill(shelf: Shelf, trials: int = 3, name: str = "a") -> None:
    """A study of finished trials, each of one job."""
    shelf.add_study(study(name))
    for n in range(trials):
        shelf.write(name, trials=[new_trial(n)], jobs=[Job(n, n, 0, 0, 4)])
        done = leg(shelf, n, n, 1, 4, Status.FINISHED, name=name, score=n / 10)
        shelf.write(name, completed=[done], retired=[(n, n)], seconds=float(n))
