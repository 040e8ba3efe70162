"""The protocols between layers, and the arrays that cross them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

__all__ = ["HALT", "STOP", "Engine", "Leg", "Network", "TrainingData"]

#: What an engine reads in `stop[0]`: come back at once; come back at the end of an epoch.
STOP, HALT = 1, 2

M = TypeVar("M")


@dataclass(frozen=True, slots=True, eq=False)
class TrainingData:
    """What a member is trained on. Arrays are C-contiguous, shared by members, never written.

    `x` (rows, inputs), `y` (rows, outputs): one-hot for classes, else the standardised target.
    """

    x: NDArray[Any]
    y: NDArray[Any]
    validation_x: NDArray[Any]  #: (rows, inputs); no rows where nothing is held out
    validation_y: NDArray[Any]
    classes: bool  #: whether the target is a class
    #: What each input is: 0 a switch, -1 a number, n > 0 a code below n. Empty: not known.
    columns: tuple[int, ...] = ()
    #: Of one row, where its numbers are an image's (channels, height, width); else empty.
    shape: tuple[int, ...] = ()

    @property
    def inputs(self) -> int:
        """How many numbers describe a row."""
        return int(self.x.shape[1])

    @property
    def outputs(self) -> int:
        """How many numbers a network answers with."""
        return int(self.y.shape[1])


@dataclass(frozen=True, slots=True, eq=False)
class Leg:
    """What one call of `Engine.advance` did."""

    epoch: int  #: epochs trained so far, all legs together
    best_epoch: int  #: the epoch whose weights are kept; 0 where none was finite
    loss: float  #: validation loss of the kept weights; infinite where none was finite
    steps: int  #: updates on this leg
    seconds: float  #: on this leg
    curve: NDArray[np.float64]  #: (epochs of this leg, 3): training and validation loss, accuracy
    ended: bool  #: patience ran out
    diverged: bool
    interrupted: bool  #: `stop` was set: the member is in mid-epoch, and is to be thrown away


class Network(Protocol):
    """A trained network, ready to answer."""

    @property
    def parameters(self) -> int:
        """How many numbers were learned."""

    def tensors(self) -> dict[str, NDArray[Any]]:
        """All its parameters by name, as they lie on the shelf."""

    def predict(self, x: NDArray[Any]) -> NDArray[np.float64]:
        """Class probabilities (rows, classes), or the standardised target (rows,)."""


class Engine(Protocol[M]):
    """What trains members. A member's bits depend on nothing but its own arguments."""

    def start(self, settings: Mapping[str, Any], data: TrainingData, seed: int) -> M:
        """A member at epoch 0."""

    def advance(self, member: M, data: TrainingData, to_epoch: int, stop: NDArray[np.uint8]) -> Leg:
        """Train up to an epoch. Polls `stop[0]`, and comes back at once when it is `STOP`.

        At `HALT` it comes back at the end of an epoch; or at once, if it cannot do that.
        """

    def network(self, member: M, classes: bool) -> Network:
        """The member's kept weights, as a network of their own."""

    def snapshot(self, member: M) -> dict[str, NDArray[Any]]:
        """The member frozen: all that `thaw` needs, the kept weights among it."""

    def thaw(
        self,
        settings: Mapping[str, Any],
        data: TrainingData,
        seed: int,
        tensors: Mapping[str, NDArray[Any]],
    ) -> M:
        """The member that was frozen; it goes on to the same bits as if it had never stopped."""
