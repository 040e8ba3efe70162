"""The records that go onto the shelf and come off it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from modelshelf.core.records import Direction, Outcome, Purpose, Task

__all__ = [
    "Completed",
    "Job",
    "JobRecord",
    "NewTrial",
    "StoredFile",
    "StudyRecord",
    "TrialFile",
]


@dataclass(frozen=True, slots=True)
class StudyRecord:
    """One study: what defines it, how far it is, and what came of it."""

    name: str  #: unique on the shelf; any text
    key: str  #: hash of what defines the study
    fingerprint: str  #: of the data
    task: Task
    metric: str
    direction: Direction
    seed: int
    settings: dict[str, Any] = field(hash=False)  #: all that is needed to show it and go on
    understood: tuple[str, ...]  #: what was understood of the data, a line each
    status: str = "open"  #: "open" or "done"
    seconds: float = 0.0  #: used so far, all runs under its present space together
    created: str = ""  #: ISO 8601, UTC; filled in by `Shelf.add_study`
    test_uses: int = 0  #: how often the test rows were looked at
    result: dict[str, Any] | None = field(default=None, hash=False)

    @property
    def winner(self) -> dict[str, Any]:
        """What the result says of its winner; empty where there is none yet."""
        return (self.result or {}).get("winner") or {}

    @property
    def is_objective(self) -> bool:
        """Whether its trials are calls of a person's function, which keeps its own networks."""
        return "optuna" in self.settings


@dataclass(frozen=True, slots=True)
class Job:
    """One leg of one trial, from one rung to the next, as it was dispatched."""

    number: int  #: counted from 0 in its study, in order of dispatch
    trial: int
    rung: int
    from_epoch: int
    to_epoch: int
    keep: float = math.inf  #: a value above this is not worth going on with


@dataclass(frozen=True, slots=True)
class JobRecord:
    """A job in a study's log, and how far it is."""

    job: Job
    outcome: Outcome | None  #: without its curve; None until it is done
    retired: int | None  #: its place in the order of retirement; None until the search saw it


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file of the shelf, as it was written."""

    name: str  #: relative to the shelf, with forward slashes
    size: int  #: bytes
    checksum: str  #: SHA-256, hexadecimal


@dataclass(frozen=True, slots=True)
class TrialFile:
    """What a trial's row says of its files."""

    file: StoredFile
    preparation: str  #: name of the preparation; empty where there is none


@dataclass(frozen=True, slots=True)
class NewTrial:
    """A trial that is about to be started."""

    number: int  #: counted from 0 in its study
    configuration: Mapping[str, object] = field(hash=False)  #: from `Configuration.to_json`
    barcode: str
    copy: str
    purpose: Purpose
    split: str
    seed: int
    parameters: int = 0


@dataclass(frozen=True, slots=True)
class Completed:
    """A job's result.

    Where `file` is None the trial keeps the file that it had. A job that failed without a file
    leaves the trial's epoch, loss and score as they were: its network of the last rung is kept.
    An empty `preparation` or `copy`, and `parameters` of 0, leave what the trial's row says.
    """

    job: int
    trial: int
    outcome: Outcome  #: with the curve of this leg
    file: StoredFile | None
    preparation: str = ""
    copy: str = ""
    parameters: int = 0
