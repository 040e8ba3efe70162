"""Is a deep network worth it? Contenders on the same rows, and which of them to use."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from modelshelf.core.records import Direction, Task
from modelshelf.data.metrics import Metric, score
from modelshelf.insight.more_rows import MoreRows, SharePoint
from modelshelf.insight.paired import Difference, difference

__all__ = ["CONSTANT", "Choice", "Contender", "CurveOverRows", "Worth", "choose"]

Outputs = Mapping[str, NDArray[np.float64]]

CONSTANT = "constant"  #: the name of the contender that answers the same to all rows

_CHANCE = 0.99  # level against a constant: several contenders look, and one by chance is enough
_LEAST_SECONDS = 0.1  # what is below this costs nothing, and is timed too roughly to decide
_LEAST_BYTES = 102_400


@dataclass(frozen=True, slots=True)
class Contender:
    """One way to answer, judged on rows that it was not fitted on."""

    name: str
    deep: bool  #: whether it is the network, or the ensemble of networks
    score: float
    interval: tuple[float, float]  #: 95 %
    to_network: Difference | None  #: its score less the network's; None for the network itself
    fit_seconds: float  #: on one core; NaN where it is not known
    answer_seconds: float  #: for 1,000 rows, preparation included, on one core
    parameters: int  #: weights, coefficients, leaves, or numbers that are kept
    bytes: int  #: of what it must keep in order to answer
    note: str = ""

    @property
    def plain(self) -> bool:
        """Whether it is a model that learns, and is no network."""
        return not self.deep and self.name != CONSTANT

    @property
    def cost(self) -> tuple[float, int]:
        """Time to fit × time to answer × bytes; what is under 100 ms or 100 KiB counts as that.

        Infinite where a time is not known. Then how many numbers it keeps: of two that cost the
        same, the simpler is the cheaper.
        """
        fit, answer = (
            max(each, _LEAST_SECONDS) for each in (self.fit_seconds, self.answer_seconds)
        )
        cost = fit * answer * max(self.bytes, _LEAST_BYTES)
        return math.inf if math.isnan(cost) else cost, self.parameters


@dataclass(frozen=True, slots=True)
class Choice:
    """Which contender to use, and why."""

    name: str
    best: str  #: the one with the best score
    alike: tuple[str, ...]  #: those that the best one does not beat by more than chance, itself too
    learned: tuple[str, ...]  #: those that beat the constant answer by more than chance
    behind: Difference | None  #: the chosen one's score less the best one's; None for itself


@dataclass(frozen=True, slots=True)
class CurveOverRows:
    """One contender's scores when it is fitted on growing shares of the training rows."""

    name: str
    points: tuple[SharePoint, ...]  #: the smallest share first
    more: MoreRows | None  #: what twice the rows should bring; None where it cannot be said


@dataclass(frozen=True, slots=True)
class Worth:
    """Whether a deep network is worth it for a study's data, and whether more rows would help."""

    study: str
    task: Task
    metric: str
    direction: Direction
    barcode: str  #: the network's
    copy: str
    rows: str  #: which rows all contenders answered: "test" or "validation"
    row_count: int
    drawn_from: int
    fitted_on: int  #: rows that the plain models were fitted on
    method: str  #: how the intervals of differences are made
    contenders: tuple[Contender, ...]  #: the best score first
    choice: Choice
    advice: tuple[str, ...]  #: sentences: what to use, and why
    curves: tuple[CurveOverRows, ...]
    search_seconds: float  #: that the study took to find the network
    test_uses: int  #: how often the test rows were looked at, this time among them; 0 if never
    seconds: float
    left_out: tuple[str, ...]  #: what there was no time for
    notes: tuple[str, ...]

    @property
    def told(self) -> bool:
        """Whether any plain model was fitted: without one, nothing can be said."""
        return any(each.plain for each in self.contenders)

    @property
    def deep(self) -> bool:
        """Whether a deep network, or an ensemble of them, is what to use, rather than another."""
        chosen = [each for each in self.contenders if each.name == self.choice.name]
        return self.told and any(each.deep for each in chosen)


def choose(
    contenders: Mapping[str, tuple[float, int]],
    outputs: Outputs,
    target: NDArray[Any],
    metric: Metric,
    seed: int,
) -> Choice:
    """Which of several contenders to use. `contenders` holds what each costs, by name.

    The rule, in this order:

    1. Only a contender that is better than the constant answer by more than chance (a paired 99 %
       interval) has learned anything. Where none has, the constant is what to use.
    2. Of those that have, the best by score stands for what can be reached here. Those that it
       does not beat by more than chance (a paired 95 % interval) are as good.
    3. Of those that are as good, the cheapest is what to use: the least product of time to fit,
       time to answer and bytes; of those that cost the same, the one that keeps fewest numbers.
    """
    sign = 1.0 if metric.direction is Direction.MAXIMIZE else -1.0
    learned = [
        name
        for name in contenders
        if name != CONSTANT
        and difference(metric, target, outputs[name], outputs[CONSTANT], seed, _CHANCE).is_better
    ]
    if not learned:
        return Choice(CONSTANT, CONSTANT, (CONSTANT,), (), None)
    scores = {name: sign * score(metric, target, outputs[name]) for name in learned}
    best = max(learned, key=lambda name: scores[name])
    behind = {
        name: difference(metric, target, outputs[name], outputs[best], seed) for name in learned
    }
    alike = [name for name in learned if name == best or not behind[name].is_worse]
    chosen = min(alike, key=lambda name: (contenders[name], -scores[name]))
    apart = None if chosen == best else behind[chosen]
    return Choice(chosen, best, tuple(alike), tuple(learned), apart)
