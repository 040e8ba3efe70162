"""The way through a network and back: plain loops around matrix products.

What few networks have (a learned scale for each input, a learned share of activation, widths
divided out, normalised sums, residual connections) is a branch for each layer, so that what is off
costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from modelshelf.engines.numpy_.activations import Activation
from modelshelf.engines.numpy_.compile import kernel
from modelshelf.engines.numpy_.elementary import copy, fill
from modelshelf.engines.numpy_.layout import (
    BATCH_NORM,
    BIASED,
    GAIN,
    MIX,
    NORM,
    NTK,
    RESIDUAL,
    SCALE,
    STATISTICS,
)
from modelshelf.engines.numpy_.normalise import Normalise, NormaliseBack
from modelshelf.engines.numpy_.random import drop
from modelshelf.engines.numpy_.views import (
    matrix,
    multiply,
    multiply_back,
    multiply_by_transposed,
    vector,
)

__all__ = ["DROPOUT", "PARAMETER", "ROOMS", "Backward", "Forward", "backward", "forward"]

Forward = Callable[..., None]
Backward = Callable[..., int]

#: Of a member's rates (float64), by place: the activation's parameter, and the share of dropout.
PARAMETER, DROPOUT = 0, 1


# Parts of `room`, for what few networks need on the way back: what shares of activation would add;
# the first layer's scaled weights; normalised sums, and by what; gradients that go past a layer.
_MIXED, _SCALED, _NORMED, _FACTORS, _PAST, ROOMS = range(6)


@kernel
def _scale(scales: NDArray[Any], theta: NDArray[Any], into: NDArray[Any]) -> None:
    """`into` (inputs, units) ← the first layer's weights, with the inputs' scales in them."""
    n, m = into.shape
    for j in range(n):
        scale = scales[j]
        for k in range(m):
            into[j, k] = scale * theta[j * m + k]


@kernel
def _mix(share: NDArray[Any], z: NDArray[Any], slope: NDArray[Any], mixed: NDArray[Any]) -> None:
    """A unit's output is its sum z plus its share of (activation - z).

    `z` holds activations and `mixed` the sums; they become outputs, and what a share would add.
    """
    one, m = z.dtype.type(1.0), share.size
    for begin in range(0, z.size, m):  # unit by unit inside, so that vectors can be used
        for k in range(m):
            part, i = share[k], begin + k
            more = z[i] - mixed[i]
            z[i] = mixed[i] + part * more
            slope[i] = one + part * (slope[i] - one)
            mixed[i] = more


def forward(
    activation: Activation,
    normalise: Normalise,
    sizes: NDArray[np.int64],
    form: NDArray[np.int64],
    rates: NDArray[np.float64],
    theta: NDArray[Any],
    outputs: NDArray[Any],
    slopes: NDArray[Any],
    room: NDArray[Any],
    spare: NDArray[Any],
    rows: int,
    capacity: int,
    key: np.uint64,
    step: int,
) -> None:
    """Fill `outputs` layer by layer; its first layer holds the inputs. Dropout where step > 0.

    `room` keeps what `backward` needs; `spare` is scratch.
    """
    layers, wide = sizes.size - 1, room.size // ROOMS
    w, a, mix, gain, moments = 0, 0, form[MIX], form[GAIN], form[STATISTICS]
    b = 0
    for layer in range(layers):
        b += sizes[layer] * sizes[layer + 1]
    for layer in range(layers):
        n, m = sizes[layer], sizes[layer + 1]
        below = matrix(outputs, a, rows, n)
        a += capacity * n
        z, sums = vector(outputs, a, rows * m), matrix(outputs, a, rows, m)
        weights = matrix(theta, w, n, m)
        if layer == 0 and form[SCALE] >= 0:
            weights = matrix(room, _SCALED * wide, n, m)
            _scale(vector(theta, form[SCALE], n), theta, weights)
        multiply(below, weights, sums)
        if form[NTK] == 1:
            narrow = theta.dtype.type(1.0 / np.sqrt(n))
            for i in range(z.size):
                z[i] *= narrow
        bias = vector(theta, b, m)
        for i in range(rows):
            for k in range(m):
                sums[i, k] += bias[k]
        if layer < layers - 1:
            slope = vector(slopes, a, rows * m)
            if form[NORM] > 0:
                normalise(
                    sums,
                    vector(theta, gain, 2 * m),
                    vector(theta, moments, 2 * m),
                    matrix(room, _NORMED * wide + a, rows, m),
                    vector(room, _FACTORS * wide + a, rows * m),
                    step > 0,
                )
                moments += 2 * m if form[NORM] == BATCH_NORM else 0
                gain += 2 * m
            mixed = vector(room, _MIXED * wide + a, rows * m)
            if mix >= 0:
                copy(z, 0, mixed, 0, z.size)
            activation(z, slope, rates[PARAMETER])
            if mix >= 0:
                _mix(vector(theta, mix, m), z, slope, mixed)
            if step > 0 and rates[DROPOUT] > 0.0:
                drop(z, slope, rates[DROPOUT], key, step, layer)
                if mix >= 0:
                    drop(mixed, spare, rates[DROPOUT], key, step, layer)
            mix += m if mix >= 0 else 0
            if form[RESIDUAL] == 1 and layer > 0 and n == m:
                flat = vector(outputs, a - capacity * n, rows * n)
                for i in range(z.size):
                    z[i] += flat[i]
        w += n * m
        b += m


def backward(
    normalise_back: NormaliseBack,
    sizes: NDArray[np.int64],
    form: NDArray[np.int64],
    theta: NDArray[Any],
    outputs: NDArray[Any],
    slopes: NDArray[Any],
    room: NDArray[Any],
    deltas: NDArray[Any],
    gradient: NDArray[Any],
    rows: int,
    capacity: int,
    inputs: bool,
) -> int:
    """Fill `gradient`; the first half of `deltas` begins with the loss's gradient by the outputs.

    Where `inputs` is true, that by the first layer's inputs ends in the half that is returned.
    """
    layers, wide, half = sizes.size - 1, room.size // ROOMS, deltas.size // 2
    w, a, mix, gain = 0, 0, form[MIX], form[GAIN]
    for layer in range(layers):
        w += sizes[layer] * sizes[layer + 1]
        a += capacity * sizes[layer]
    b = w
    for layer in range(1, layers + 1):
        b += sizes[layer]
        mix += sizes[layer] if mix >= 0 and layer < layers else 0
        gain += 2 * sizes[layer] if layer < layers else 0
    here = 0
    for layer in range(layers - 1, -1, -1):
        n, m = sizes[layer], sizes[layer + 1]
        w -= n * m
        b -= m
        a -= capacity * n
        delta = matrix(deltas, here * half, rows, m)
        bias = vector(gradient, b, m)
        fill(bias, 0, m, 0.0)
        if form[BIASED] == 1:
            for i in range(rows):
                for k in range(m):
                    bias[k] += delta[i, k]
        if form[NTK] == 1:
            narrow = theta.dtype.type(1.0 / np.sqrt(n))
            for i in range(rows):
                for k in range(m):
                    delta[i, k] *= narrow
        multiply_back(matrix(outputs, a, rows, n), delta, matrix(gradient, w, n, m))
        if layer > 0:
            flat = vector(deltas, (1 - here) * half, rows * n)
            below = matrix(deltas, (1 - here) * half, rows, n)
            multiply_by_transposed(delta, matrix(theta, w, n, m), below)
            if form[RESIDUAL] == 1:
                past = vector(room, _PAST * wide, rows * n)
                if layer < layers - 1 and n == m:
                    for i in range(flat.size):
                        flat[i] += past[i]
                copy(flat, 0, past, 0, flat.size)
            if mix >= 0:
                mix -= n
                part, more = vector(gradient, mix, n), vector(room, _MIXED * wide + a, rows * n)
                fill(part, 0, n, 0.0)
                for begin in range(0, flat.size, n):
                    for k in range(n):
                        part[k] += flat[begin + k] * more[begin + k]
            slope = vector(slopes, a, rows * n)
            for i in range(flat.size):
                flat[i] *= slope[i]
            if form[NORM] > 0:
                gain -= 2 * n
                normalise_back(
                    below,
                    vector(theta, gain, 2 * n),
                    matrix(room, _NORMED * wide + a, rows, n),
                    vector(room, _FACTORS * wide + a, rows * n),
                    vector(gradient, gain, 2 * n),
                )
            here = 1 - here
        elif form[SCALE] >= 0 or inputs:
            if inputs:
                weights = matrix(theta, 0, n, m)
                if form[SCALE] >= 0:
                    weights = matrix(room, _SCALED * wide, n, m)
                    _scale(vector(theta, form[SCALE], n), theta, weights)
                below = matrix(deltas, (1 - here) * half, rows, n)
                multiply_by_transposed(delta, weights, below)
                here = 1 - here
            if form[SCALE] >= 0:
                for j in range(n):
                    scale, total = theta[form[SCALE] + j], theta.dtype.type(0.0)
                    for k in range(m):
                        total += gradient[j * m + k] * theta[j * m + k]
                        gradient[j * m + k] *= scale
                    gradient[form[SCALE] + j] = total
    return here
