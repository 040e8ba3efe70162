"""What a diagnosis is made from: everything that was measured of one network."""

from __future__ import annotations

import math
from dataclasses import dataclass

from modelshelf.core.records import CurvePoint, Status
from modelshelf.insight.dissection import Layer
from modelshelf.insight.suspicion import Labels, Lone
from modelshelf.space.configuration import Configuration

__all__ = ["Again", "Evidence"]


@dataclass(frozen=True, slots=True)
class Again:
    """The same network trained once more, with the same seed, but longer or faster."""

    epochs: int  #: trained
    best_epoch: int
    loss: float  #: validation loss of its kept weights; infinite where it diverged
    learning_rate: float


@dataclass(frozen=True, slots=True)
class Evidence:
    """One network, as it was trained. Losses are in the curve's measure, whatever the metric is.

    Errors are shares of a constant's: 0 is perfect, 1 is no better than the best constant answer.
    """

    configuration: Configuration
    status: Status
    epoch: int
    best_epoch: int
    curve: tuple[CurvePoint, ...]
    loss: float  #: validation loss of its kept weights, on all validation rows, as the curve has it
    chance: float  #: validation loss of the best constant answer
    train_loss: float  #: of its kept weights on training rows, without dropout and penalties
    validation_loss: float
    train_error: float
    validation_error: float
    training_rows: int
    forest_error: float  #: of a random forest, on rows that its trees have not seen
    layers: tuple[Layer, ...] = ()
    longer: Again | None = None  #: for four times as many epochs
    faster: Again | None = None  #: at ten times the learning rate, for a tenth of the epochs
    others: tuple[float, ...] = ()  #: validation losses of copies with other seeds
    lone: Lone | None = None
    labels: Labels | None = None
    searched: bool = False  #: a search trained it, and may have left it early

    @property
    def last(self) -> CurvePoint | None:
        """The last epoch; None where none was finished."""
        return self.curve[-1] if self.curve else None

    @property
    def ended_itself(self) -> bool:
        """Whether its patience ended it."""
        return self.status is Status.FINISHED and self.epoch < self.configuration.whole("epochs")

    @property
    def halted(self) -> bool:
        """Whether it was ended from outside, with epochs left and without its patience's doing."""
        return self.status not in (Status.FINISHED, Status.DIVERGED)

    @property
    def left(self) -> float:
        """The kept weights' training loss, as a share of a constant's."""
        return self.train_loss / self.chance if self.chance > 0 else math.nan

    @property
    def may_gain(self) -> bool:
        """Whether more training might help: the best epoch was among the last, or patience short.

        Only where this holds is it trained longer and faster, to see.
        """
        if self.status is Status.DIVERGED or self.best_epoch == 0:
            return False
        patience = self.configuration.whole("patience")
        hasty = self.ended_itself and (patience <= _HASTY or "min_delta" in self.configuration)
        return hasty or self.best_epoch >= 0.85 * self.epoch


_HASTY = 5  # epochs of patience that may end training at a bump
