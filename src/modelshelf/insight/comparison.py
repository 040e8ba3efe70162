"""Networks side by side: what differs in their settings, scores and answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from modelshelf.core.records import CurvePoint, Direction, Task
from modelshelf.data.dataset import Label
from modelshelf.insight.paired import Difference
from modelshelf.space.catalogue import in_order

__all__ = [
    "Comparison",
    "Disagreement",
    "Scored",
    "Setting",
    "Side",
    "TellingRow",
    "disagreement",
    "settings_of",
    "telling_rows",
]

Output = NDArray[np.float64]

_APART = 0.1  # standard deviations of the target: numbers that far apart are different answers


@dataclass(frozen=True, slots=True)
class Scored:
    """How one network answered the rows that all of them answered."""

    score: float
    interval: tuple[float, float]  #: 95 %
    difference: Difference | None  #: to the first network; None for itself


@dataclass(frozen=True, slots=True)
class Side:
    """One of the networks that are compared."""

    barcode: str
    copy: str
    study: str
    purpose: str
    split: str  #: which rows trained it
    status: str
    configuration: dict[str, object] = field(hash=False)
    epoch: int
    best_epoch: int
    metric: str  #: its study's
    validation: float  #: its score as it stands on the shelf, on its own validation rows
    parameters: int
    bytes: int  #: of its file on the shelf
    multiply_adds: int  #: for one row's answer
    training_seconds: float  #: on one core
    answer_seconds: float | None  #: for 1,000 prepared rows on one core; None where it cannot
    curve: tuple[CurvePoint, ...]
    scored: Scored | None  #: None where it has no score on common rows


@dataclass(frozen=True, slots=True)
class Setting:
    """One hyperparameter, with its value for each network; None where it is not active."""

    name: str
    values: tuple[object, ...] = field(hash=False)
    differs: bool


@dataclass(frozen=True, slots=True)
class Disagreement:
    """How often two networks answer the same row differently, and who is right then.

    For numbers: where the answers are more than a tenth of the target's standard deviation apart,
    and whose is closer.
    """

    first: int  #: their places among the networks compared, from 0
    second: int
    rows: int
    first_right: int
    second_right: int
    neither: int


@dataclass(frozen=True, slots=True)
class TellingRow:
    """A row that the networks answer differently."""

    row: int  #: its number in its table, from 1, as it stands below the header
    table: str  #: the table's name: the study's, or that of its test rows
    values: dict[str, object] = field(hash=False)  #: of the input columns
    target: Label
    answers: tuple[Label, ...]  #: one for each network
    chances: tuple[float, ...]  #: that each gave to the true class; empty for numbers


@dataclass(frozen=True, slots=True)
class Comparison:
    """Networks side by side. The first is the one that the others are held against."""

    task: Task
    metric: str
    direction: Direction
    networks: tuple[Side, ...]
    settings: tuple[Setting, ...]  #: all that are active in any of them
    rows: str  #: which rows all of them answered: "validation", "test", or "" for none
    row_count: int
    drawn_from: int  #: of so many rows these were drawn, where they are fewer
    method: str  #: how the intervals of differences are made
    test_uses: int  #: how often the test rows were looked at, this time among them; 0 if not now
    disagreements: tuple[Disagreement, ...]
    telling: tuple[TellingRow, ...]
    notes: tuple[str, ...]


def settings_of(configurations: Sequence[Mapping[str, object]]) -> tuple[Setting, ...]:
    """Every hyperparameter that is active in any configuration, in the catalogue's order.

    >>> [each.name for each in settings_of([{"l2": 0.1}, {"l2": 0.2, "l1": 0.1}])]
    ['l1', 'l2']
    """
    found = []
    for name in in_order(name for each in configurations for name in each):
        values = tuple(_plain(each.get(name)) for each in configurations)
        found.append(Setting(name, values, any(value != values[0] for value in values)))
    return tuple(found)


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


def disagreement(
    first: int, second: int, target: NDArray[Any], outputs: Sequence[Output]
) -> Disagreement:
    """Where two of several outputs differ. Outputs are (rows, classes), or values (rows,)."""
    mine, its = outputs[first], outputs[second]
    if mine.ndim == 2:
        answers, others = mine.argmax(axis=1), its.argmax(axis=1)
        differ = answers != others
        right, also = differ & (answers == target), differ & (others == target)
    else:
        differ = np.abs(mine - its) > _APART * float(np.std(target))
        closer = np.abs(mine - target) < np.abs(its - target)
        right, also = differ & closer, differ & ~closer
    rows, both = int(differ.sum()), (int(right.sum()), int(also.sum()))
    return Disagreement(first, second, rows, *both, rows - sum(both))


def telling_rows(outputs: Sequence[Output], count: int) -> NDArray[np.int64]:
    """The rows (indices) on which outputs are furthest apart; different answers come first."""
    apart = np.maximum.reduce(outputs) - np.minimum.reduce(outputs)
    if apart.ndim == 2:
        answers = [each.argmax(axis=1) for each in outputs]
        differ = np.maximum.reduce(answers) != np.minimum.reduce(answers)
        apart = apart.max(axis=1) + differ
    order = np.argsort(-apart, kind="stable")
    return np.asarray(order[apart[order] > 0][:count])
