"""Normalisation of a hidden layer's sums: of each row's (layer) or of each unit's (batch).

Each keeps the normalised sums and what they were multiplied by, for the way back. Sources: Ba,
Kiros, Hinton 2016; Ioffe, Szegedy 2015; torch.nn.LayerNorm and BatchNorm1d, with their defaults.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from modelshelf.engines.numpy_.elementary import fill
from modelshelf.engines.numpy_.views import vector

__all__ = [
    "EPSILON",
    "NORMS",
    "Normalise",
    "NormaliseBack",
    "batch_norm",
    "batch_norm_back",
    "layer_norm",
    "layer_norm_back",
    "no_norm",
    "no_norm_back",
]

_F: TypeAlias = NDArray[Any]
Normalise = Callable[[_F, _F, _F, _F, _F, bool], None]
NormaliseBack = Callable[[_F, _F, _F, _F, _F], None]

EPSILON = 1e-5
_MOMENTUM = 0.1  # the share of a batch in the running statistics


def layer_norm(
    sums: NDArray[Any],
    gain: NDArray[Any],
    statistics: NDArray[Any],
    normed: NDArray[Any],
    factors: NDArray[Any],
    training: bool,
) -> None:
    """`sums` (rows, units) in place; `gain` (2 · units,) holds gains, then shifts.

    `normed` (rows, units) and `factors` (rows,) are what `layer_norm_back` needs.
    """
    rows, units = sums.shape
    share, epsilon = sums.dtype.type(1.0 / units), sums.dtype.type(EPSILON)
    one, zero = sums.dtype.type(1.0), sums.dtype.type(0.0)
    for i in range(rows):
        total = zero
        for k in range(units):
            total += sums[i, k]
        mean, square = total * share, zero
        for k in range(units):
            square += (sums[i, k] - mean) * (sums[i, k] - mean)
        factor = one / np.sqrt(square * share + epsilon)
        factors[i] = factor
        for k in range(units):
            normed[i, k] = (sums[i, k] - mean) * factor
            sums[i, k] = normed[i, k] * gain[k] + gain[units + k]


def layer_norm_back(
    delta: NDArray[Any],
    gain: NDArray[Any],
    normed: NDArray[Any],
    factors: NDArray[Any],
    gradient: NDArray[Any],
) -> None:
    """`delta` (rows, units) in place, from the normalised sums' to the sums'; fills `gradient`."""
    rows, units = delta.shape
    share, zero = delta.dtype.type(1.0 / units), delta.dtype.type(0.0)
    fill(gradient, 0, 2 * units, 0.0)
    for i in range(rows):
        total, along = zero, zero
        for k in range(units):
            gradient[k] += delta[i, k] * normed[i, k]
            gradient[units + k] += delta[i, k]
            delta[i, k] *= gain[k]
            total += delta[i, k]
            along += delta[i, k] * normed[i, k]
        for k in range(units):
            delta[i, k] = (delta[i, k] - share * (total + normed[i, k] * along)) * factors[i]


def batch_norm(
    sums: NDArray[Any],
    gain: NDArray[Any],
    statistics: NDArray[Any],
    normed: NDArray[Any],
    factors: NDArray[Any],
    training: bool,
) -> None:
    """As `layer_norm`, by each unit's mean and variance over the rows; `factors` is (units,).

    `statistics` (2 · units,) holds running means and variances: moved in training, used
    otherwise. A batch of one row has no variance: it becomes the shifts, and moves nothing.
    """
    rows, units = sums.shape
    share, epsilon = sums.dtype.type(1.0 / rows), sums.dtype.type(EPSILON)
    one = sums.dtype.type(1.0)
    unbiased = sums.dtype.type(1.0 / max(rows - 1, 1))
    step = sums.dtype.type(_MOMENTUM if rows > 1 else 0.0)
    mean, variance = vector(normed, 0, units), factors  # `normed` is free until its last loop
    if training:
        fill(mean, 0, units, 0.0)
        fill(variance, 0, units, 0.0)
        for i in range(rows):
            for k in range(units):
                mean[k] += sums[i, k]
        for k in range(units):
            mean[k] *= share
        for i in range(rows):
            for k in range(units):
                variance[k] += (sums[i, k] - mean[k]) * (sums[i, k] - mean[k])
        for k in range(units):
            statistics[k] += step * (mean[k] - statistics[k])
            variance_now = statistics[units + k]
            statistics[units + k] += step * (variance[k] * unbiased - variance_now)
            variance[k] *= share
    else:
        for k in range(units):
            mean[k], variance[k] = statistics[k], statistics[units + k]
    for k in range(units):
        factors[k] = one / np.sqrt(variance[k] + epsilon)
    for i in range(rows - 1, -1, -1):
        for k in range(units):
            normed[i, k] = (sums[i, k] - mean[k]) * factors[k]
            sums[i, k] = normed[i, k] * gain[k] + gain[units + k]


def batch_norm_back(
    delta: NDArray[Any],
    gain: NDArray[Any],
    normed: NDArray[Any],
    factors: NDArray[Any],
    gradient: NDArray[Any],
) -> None:
    """`delta` (rows, units) in place, from the normalised sums' to the sums'; fills `gradient`."""
    rows, units = delta.shape
    share = delta.dtype.type(1.0 / rows)
    fill(gradient, 0, 2 * units, 0.0)
    along, total = vector(gradient, 0, units), vector(gradient, units, units)
    for i in range(rows):
        for k in range(units):
            along[k] += delta[i, k] * normed[i, k]
            total[k] += delta[i, k]
    for i in range(rows):
        for k in range(units):
            rest = delta[i, k] - share * (total[k] + normed[i, k] * along[k])
            delta[i, k] = rest * gain[k] * factors[k]


def no_norm(sums: _F, gain: _F, statistics: _F, normed: _F, factors: _F, training: bool) -> None:
    """What stands in a norm's place where nothing is normalised."""


def no_norm_back(delta: _F, gain: _F, normed: _F, factors: _F, gradient: _F) -> None:
    """What stands in its way back's place."""


#: By a layout's `norm`: the way there, and the way back.
NORMS: dict[str, tuple[Normalise, NormaliseBack]] = {
    "": (no_norm, no_norm_back),
    "layer": (layer_norm, layer_norm_back),
    "batch": (batch_norm, batch_norm_back),
}
