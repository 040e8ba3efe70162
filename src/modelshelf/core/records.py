"""The frozen records that cross layers. They hold results, and do nothing."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import StrEnum

__all__ = [
    "Baseline",
    "CurvePoint",
    "Direction",
    "Ensemble",
    "Member",
    "Outcome",
    "Purpose",
    "Status",
    "Task",
    "TrialRecord",
    "Winner",
]


class Task(StrEnum):
    """What is asked of a network."""

    BINARY = "binary"
    MULTICLASS = "multiclass"
    REGRESSION = "regression"

    @property
    def is_classification(self) -> bool:
        """Whether the answer is a class."""
        return self is not Task.REGRESSION


class Direction(StrEnum):
    """Whether a higher or a lower score is better."""

    MAXIMIZE = "maximize"
    MINIMIZE = "minimize"


class Status(StrEnum):
    """Where a trial stands. The last five are the counts that a study reports."""

    RUNNING = "running"  # at work, or cut off: goes on from its last rung
    PAUSED = "paused"  # at a rung, waiting to be resumed or not
    FINISHED = "finished"  # reached its last epoch, or stopped early by its own patience
    STOPPED = "stopped"  # left at a rung, because others promised more
    DIVERGED = "diverged"  # left the finite numbers; kept with its last finite state
    FAILED = "failed"  # could not be trained; the reason is kept


class Purpose(StrEnum):
    """Why a trial was trained."""

    SEARCH = "search"  # on the study's own split, to be compared
    RETEST = "retest"  # a finalist again, on a fresh split and seed, to choose the winner
    CONFIRM = "confirm"  # the winner again, to be scored on rows that chose nothing
    REFIT = "refit"  # the winner on all training rows
    TRAIN = "train"  # asked for by name, without a search
    PROBE = "probe"  # beside others that differ from it in one setting, to be compared with them


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """One epoch of one network."""

    epoch: int  #: counted from 1
    train_loss: float  #: mean over the epoch of the loss that was trained, with penalties
    validation_loss: float  #: log loss, or squared error of the standardised target
    validation_score: float  #: accuracy, or root mean squared error in the target's unit


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a trial had reached when it came back from the engine at a rung."""

    status: Status
    epoch: int  #: epochs trained so far
    best_epoch: int  #: the epoch whose weights are kept; 0 where none was finite
    loss: float  #: validation loss of the kept weights
    score: float  #: the study's metric on validation rows, for the kept weights
    seconds: float  #: spent training on this leg, on one core
    steps: int  #: updates of the weights on this leg
    curve: tuple[CurvePoint, ...] = ()  #: the epochs of this leg
    reason: str = ""  #: why it failed, where it failed


@dataclass(frozen=True, slots=True)
class TrialRecord:
    """One network on the shelf: a configuration trained on one data set, split and seed."""

    study: str  #: name of the study
    number: int  #: counted from 0 in its study
    barcode: str
    copy: str  #: identity of this very network, to the bit
    purpose: Purpose
    split: str
    seed: int
    status: Status
    epoch: int
    best_epoch: int
    loss: float
    score: float
    seconds: float
    steps: int
    parameters: int
    size: int  #: bytes of its file
    configuration: dict[str, object] = field(hash=False)
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Winner:
    """The network that a study recommends."""

    barcode: str
    copy: str
    configuration: dict[str, object] = field(hash=False)
    validation: float  #: mean of the metric over the re-tests
    validation_std: float  #: their standard deviation; NaN where there was one
    test: float | None  #: the metric on the test rows, which were used for nothing else
    test_interval: tuple[float, float] | None = None  #: 95 %
    retests: int = 0
    refitted: bool = False  #: trained again on all training rows


@dataclass(frozen=True, slots=True)
class Baseline:
    """What a plain model reaches on the same rows."""

    name: str
    validation: float
    test: float | None
    fit_seconds: float


@dataclass(frozen=True, slots=True)
class Member:
    """One network of an ensemble."""

    copy: str
    weight: float  #: its share of the mean; all shares come to 1


@dataclass(frozen=True, slots=True)
class Ensemble:
    """The mean prediction of several networks; of one, where no ensemble was better.

    `validation` and `single` were judged by rows that chose neither.
    """

    size: int  #: distinct networks
    validation: float
    test: float | None
    test_interval: tuple[float, float] | None = None  #: 95 %
    single: float = math.nan  #: the metric of the best network alone, judged as `validation` is
    candidates: int = 0  #: networks that it was chosen from
    configurations: int = 0  #: of its networks; more networks are those of re-tests
    members: tuple[Member, ...] = ()  #: the heaviest first
    parameters: int = 0  #: of all members
    winner_parameters: int = 0
    bytes: int = 0  #: of all members' arrays
    seconds: float = math.nan  #: to answer 1,000 rows, preparation included, on one core
    winner_seconds: float = math.nan  #: the winner's
    file: str = ""  #: on the shelf, with all its networks
