"""The networks of a search, side by side: what each was, and what became of it."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from modelshelf.core.records import Direction, Status
from modelshelf.space.configuration import Configuration
from modelshelf.space.space import Space

__all__ = ["Studied"]

Floats = NDArray[np.float64]

_COMPARED = 0.25  # of the networks must have come to an epoch for curves to be compared there


@dataclass(frozen=True, eq=False)
class Studied:
    """A search's networks, in rows of arrays. All have been compared with others at least once."""

    space: Space
    metric: str
    direction: Direction
    numbers: NDArray[np.int64]  #: of the trials
    copies: tuple[str, ...]  #: copy ids
    configurations: tuple[Configuration, ...]
    statuses: tuple[Status, ...]
    values: (
        Floats  #: what they are ranked by, brought to one budget; infinite where none was finite
    )
    scores: Floats  #: the metric on validation rows
    epochs: NDArray[np.int64]  #: trained
    best_epochs: NDArray[np.int64]
    seconds: Floats  #: on one core
    parameters: NDArray[np.int64]
    #: By number: training loss, validation loss and score of each epoch, (epochs, 3).
    curves: Mapping[int, Floats]

    def __len__(self) -> int:
        return len(self.numbers)

    @property
    def diverged(self) -> NDArray[np.bool_]:
        """Which left the finite numbers."""
        return np.array([each is Status.DIVERGED for each in self.statuses], bool)

    def setting(self, name: str) -> NDArray[np.object_]:
        """What each has of a hyperparameter, or of `depth` or `width`; None where it is not active.

        Width is the geometric mean of the hidden layers' widths.
        """
        return np.array([_setting(each, name) for each in self.configurations], object)

    def number(self, name: str) -> Floats:
        """`setting` as a number; NaN where it is not active."""
        found = [math.nan if v is None else float(v) for v in self.setting(name)]
        return np.array(found)

    @cached_property
    def compared_at(self) -> int:
        """The last epoch to which a fair part of the networks came; 0 where there are no curves."""
        lengths = np.sort([len(self.curves.get(int(n), ())) for n in self.numbers])[::-1]
        if not len(lengths):
            return 0
        return int(lengths[min(int(len(lengths) * _COMPARED), len(lengths) - 1)])

    def at_epoch(self, epoch: int) -> Floats:
        """Each network's training loss, validation loss and score then: (networks, 3).

        NaN where it did not come so far.
        """
        found = np.full((len(self), 3), np.nan)
        for row, number in enumerate(self.numbers):
            curve = self.curves.get(int(number))
            if curve is not None and len(curve) >= epoch > 0:
                found[row] = curve[epoch - 1]
        return found

    def kept(self, rows: NDArray[np.generic]) -> Studied:
        """These rows alone."""
        at = np.arange(len(self))[rows]
        return replace(
            self,
            numbers=self.numbers[at],
            copies=tuple(self.copies[i] for i in at),
            configurations=tuple(self.configurations[i] for i in at),
            statuses=tuple(self.statuses[i] for i in at),
            values=self.values[at],
            scores=self.scores[at],
            epochs=self.epochs[at],
            best_epochs=self.best_epochs[at],
            seconds=self.seconds[at],
            parameters=self.parameters[at],
        )

    def permuted(self, rng: np.random.Generator) -> Studied:
        """The same networks with each other's fates: whatever is found in it is chance."""
        order = rng.permutation(len(self))
        fates = self.kept(order)
        curves = {
            int(own): self.curves[int(other)]
            for own, other in zip(self.numbers, fates.numbers, strict=True)
            if int(other) in self.curves
        }
        return replace(
            fates,
            numbers=self.numbers,
            copies=self.copies,
            configurations=self.configurations,
            parameters=self.parameters,
            curves=curves,
        )


def _setting(configuration: Configuration, name: str) -> object:
    if name == "depth":
        return len(configuration.hidden_layers)
    if name == "width":
        widths = configuration.hidden_layers
        return statistics.geometric_mean(widths) if widths else None
    return configuration.get(name)
