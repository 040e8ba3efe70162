"""A network taken apart: the records, and what is measured of each layer's arrays."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from modelshelf.insight.attribution import Attribution
from modelshelf.insight.permutation import PermutationImportance

__all__ = ["Dissection", "Flow", "Layer", "RowLayer", "RowLook", "flow", "row_layer"]

_BOUNDED = {"tanh": 1.0, "sigmoid": 0.25}  # activations with two ends, and their steepest slope
_FLAT = 0.02  # of the steepest slope: tanh beyond ±0.99
_DEAD = 1e-6  # a slope below this passes nothing back
_STRONGEST = 5  # units named for a row
_MANY = 0.2  # a share of saturated outputs that is worth a word
_FAR = 30.0  # times less or more, between the first layer's gradients and the last's
_LARGE, _SMALL = 0.1, 1e-6  # of the weights, in one step


@dataclass(frozen=True, slots=True)
class Flow:
    """What goes through one layer, there and back, with the weights as they are at one time.

    Of a network with several members, over all of them. NaN where a layer has no weights.
    """

    mean: float  #: of its outputs, over rows and units
    std: float
    zeros: float  #: share of outputs that are exactly 0
    saturated: float | None  #: share whose slope is below 2 % of the steepest; tanh, sigmoid only
    dead: int | None  #: units with a slope of 0 for every row; None where there is no activation
    #: Norm of the gradient of a row's loss by the layer's sums (before norm and activation; for
    #: what enters the first layer: by that), root of the mean square over rows.
    gradient: float
    weight: float  #: norm of its weights, without biases
    weight_gradient: float  #: norm of the gradient of the mean loss by them
    update: float  #: norm of what one step of training changes in them

    @property
    def ratio(self) -> float:
        """The update as a share of the weights."""
        return self.update / self.weight if self.weight > 0 else math.nan


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer, as it was drawn and as it was trained."""

    name: str  #: inputs, encoding, hidden 1 …, output
    inputs: int
    units: int  #: of one member
    members: int
    parameters: int  #: with those of its activation, normalisation and adapters
    initial: Flow
    trained: Flow


@dataclass(frozen=True, slots=True)
class RowLayer:
    """What one row makes of a layer, in the first member where there are several."""

    name: str
    mean: float
    std: float
    zeros: float  #: share of its units
    strongest: tuple[tuple[int, float], ...]  #: units, counted from 1, and their outputs


@dataclass(frozen=True, slots=True)
class RowLook:
    """One row on its way through the network."""

    row: int  #: counted from 1, in the table as it was given
    part: str  #: what the row was to this network: training, validation, test …
    values: tuple[tuple[str, str], ...]  #: each column as it was read
    #: Each input as the network takes it: the column that it comes from, its name, its value.
    prepared: tuple[tuple[str, str, float], ...]
    layers: tuple[RowLayer, ...]
    answer: str  #: the likeliest class, or the value
    probabilities: tuple[tuple[str, float], ...]  #: of each class; empty for numbers
    truth: str | None  #: None where the table does not say
    loss: float  #: what training minimises, of this row; NaN without the truth
    attribution: Attribution


@dataclass(frozen=True, slots=True)
class Dissection:
    """A network taken apart, on rows of its own study."""

    barcode: str
    copy: str
    study: str
    activation: str
    members: int
    rows: int  #: that were sent through it
    of: int  #: drawn from so many
    part: str  #: validation or training rows
    optimizer: str
    layers: tuple[Layer, ...]
    importance: PermutationImportance
    row: RowLook | None = None
    notes: tuple[str, ...] = ()

    @property
    def parameters(self) -> int:
        """How many numbers are learned."""
        return sum(each.parameters for each in self.layers)

    @property
    def sentences(self) -> tuple[str, ...]:
        """What the layers say, in words; each of them rests on numbers of `layers`."""
        told = [*_idle(self), *_flowing(self), *_moving(self)]
        if len(self.layers) == 2:
            told.append("It has no hidden layer: it is a linear model.")
        return tuple(told or ["No unit is dead, and gradients reach the first layer."])


def flow(
    outputs: NDArray[np.floating],
    slopes: NDArray[np.floating] | None,
    back: NDArray[np.floating],
    activation: str,
    weights: NDArray[np.floating],
    gradient: NDArray[np.floating],
    update: NDArray[np.floating],
) -> Flow:
    """What is measured of a layer.

    `outputs`, `slopes` (None without an activation) and `back`, the gradient of each row's own loss
    by the layer's sums, are (rows, units); of several members one beside the other. `weights`,
    `gradient` (of the mean loss) and `update` have one shape, and may be empty.

    >>> ones = np.ones((2, 3))
    >>> found = flow(ones * [0, 1, 2], ones * [0, 1, 1], ones, "relu", ones, ones, 0.1 * ones)
    >>> found.dead, round(found.zeros, 3), round(found.ratio, 3)
    (1, 0.333, 0.1)
    """
    saturated = None
    if slopes is not None and activation in _BOUNDED:
        saturated = float((np.abs(slopes) < _FLAT * _BOUNDED[activation]).mean())
    dead = None if slopes is None else int((np.abs(slopes) < _DEAD).all(axis=0).sum())
    square = np.square(back, dtype=np.float64).sum(axis=1)
    return Flow(
        mean=float(outputs.mean(dtype=np.float64)),
        std=float(outputs.std(dtype=np.float64)),
        zeros=float((outputs == 0).mean()),
        saturated=saturated,
        dead=dead,
        gradient=float(np.sqrt(square.mean())),
        weight=_norm(weights),
        weight_gradient=_norm(gradient),
        update=_norm(update),
    )


def row_layer(name: str, outputs: NDArray[np.floating]) -> RowLayer:
    """What one row makes of a layer, from its outputs (units,)."""
    strongest = np.argsort(-np.abs(outputs), kind="stable")[:_STRONGEST]
    return RowLayer(
        name,
        float(outputs.mean(dtype=np.float64)),
        float(outputs.std(dtype=np.float64)),
        float((outputs == 0).mean()),
        tuple((int(k) + 1, float(outputs[k])) for k in strongest),
    )


def _idle(found: Dissection) -> Iterator[str]:
    for each in found.layers:
        units = each.units * each.members
        dead, before = each.trained.dead, each.initial.dead
        if dead:
            yield (
                f"{dead} of {units} units of {each.name} {'is' if dead == 1 else 'are'} dead: "
                f"nothing flows back through {'it' if dead == 1 else 'them'} for any of the "
                f"{found.rows} rows. As drawn there were {before or 'none'}."
            )
        now, then = each.trained.saturated or 0.0, each.initial.saturated or 0.0
        if now > _MANY:
            yield (
                f"{100 * now:.0f} % of what {each.name} gives is saturated: its slope is below 2 % "
                f"of the steepest, and such units hardly learn. As drawn it was {100 * then:.0f} %."
            )


def _flowing(found: Dissection) -> Iterator[str]:
    """Whether what flows back to the first layer's sums is much less, or more, than the last's."""
    for name in ("initial", "trained"):
        flows: list[Flow] = [getattr(each, name) for each in found.layers[1:]]
        last, first = flows[-1].gradient, flows[0].gradient
        if last > 0 and not 1 / _FAR < first / last < _FAR:
            when = "As drawn" if name == "initial" else "As trained"
            what = "vanish" if first < last else "explode"
            yield (
                f"{when}, gradients {what}: those by {found.layers[1].name}'s sums are "
                f"{first / last:.2g} times those by the output's."
            )


def _moving(found: Dissection) -> Iterator[str]:
    """Updates that are large, or next to nothing, beside the weights that they change."""
    for each in found.layers:
        ratio = each.trained.ratio
        if ratio > _LARGE:
            yield (
                f"One more step at the full learning rate would change the weights of {each.name} "
                f"by {100 * ratio:,.0f} % of their norm: it would lead far away from here."
            )
        elif 0 <= ratio < _SMALL:
            yield (
                f"One more step at the full learning rate would change the weights of {each.name} "
                f"by {ratio:.1e} of their norm, next to nothing."
            )


def _norm(values: NDArray[np.floating]) -> float:
    return float(np.linalg.norm(values.astype(np.float64))) if values.size else math.nan
