"""The way through a network and back: plain loops around matrix products.

What few networks have (a learned scale for each input, a learned share of activation, widths
divided out, normalised sums, residual connections) is a branch for each layer, so that what is off
costs nothing.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from modelshelf.engines.numpy_.activations import Activation
from modelshelf.engines.numpy_.compile import kernel
from modelshelf.engines.numpy_.elementary import copy
from modelshelf.engines.numpy_.layout import (
    BATCH_NORM,
    BIASED,
    GAIN,
    LAYER_NORM,
    MIX,
    NORM,
    NTK,
    RESIDUAL,
    SCALE,
    STATISTICS,
)
from modelshelf.engines.numpy_.normalise import (
    batch_norm,
    batch_norm_back,
    layer_norm,
    layer_norm_back,
)
from modelshelf.engines.numpy_.random import drop

__all__ = ["DROPOUT", "PARAMETER", "backward", "forward", "make_room"]

#: Of a member's rates (float64), by place: the activation's parameter, and the share of dropout.
PARAMETER, DROPOUT = 0, 1


# Rows of `room`, for what few networks need on the way back: what shares of activation would add;
# the first layer's scaled weights; normalised sums, and by what; gradients that go past a layer.
_MIXED, _SCALED, _NORMED, _FACTORS, _PAST, _ROOMS = range(6)


@kernel
def make_room(
    sizes: NDArray[np.int64], form: NDArray[np.int64], capacity: int, theta: NDArray[Any]
) -> NDArray[Any]:
    """The scratch that `forward` and `backward` share, for up to `capacity` rows."""
    needed = form[MIX] >= 0 or form[SCALE] >= 0 or form[NORM] > 0 or form[RESIDUAL] > 0
    total = 0
    for each in sizes:
        total += capacity * each
    total = max(total, sizes[0] * sizes[1])
    return np.empty((_ROOMS, total if needed else 0), theta.dtype)


@kernel
def _first(
    form: NDArray[np.int64], theta: NDArray[Any], n: int, m: int, scaled: NDArray[Any]
) -> NDArray[Any]:
    """The first layer's weights (n, m): with the inputs' scales in them, where there are any."""
    if form[SCALE] < 0:
        return theta[: n * m].reshape(n, m)
    weights = scaled[: n * m].reshape(n, m)
    for j in range(n):
        scale = theta[form[SCALE] + j]
        for k in range(m):
            weights[j, k] = scale * theta[j * m + k]
    return weights


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


@kernel
def forward(
    activation: Activation,
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

    `room` is `make_room`'s, and keeps what `backward` needs; `spare` is scratch.
    """
    layers = sizes.size - 1
    mixed, factors = room[_MIXED], room[_FACTORS]
    w, a, mix, gain, moments = 0, 0, form[MIX], form[GAIN], form[STATISTICS]
    b = 0
    for layer in range(layers):
        b += sizes[layer] * sizes[layer + 1]
    for layer in range(layers):
        n, m = sizes[layer], sizes[layer + 1]
        below = outputs[a : a + rows * n].reshape(rows, n)
        a += capacity * n
        z = outputs[a : a + rows * m]
        sums = z.reshape(rows, m)
        if layer == 0:
            np.dot(below, _first(form, theta, n, m, room[_SCALED]), sums)
        else:
            np.dot(below, theta[w : w + n * m].reshape(n, m), sums)
        if form[NTK] == 1:
            narrow = theta.dtype.type(1.0 / np.sqrt(n))
            for i in range(z.size):
                z[i] *= narrow
        bias = theta[b : b + m]
        for i in range(rows):
            for k in range(m):
                sums[i, k] += bias[k]
        if layer < layers - 1:
            slope = slopes[a : a + rows * m]
            if form[NORM] > 0:
                both = theta[gain : gain + 2 * m]
                normed = room[_NORMED, a : a + rows * m].reshape(rows, m)
                if form[NORM] == LAYER_NORM:
                    layer_norm(sums, both, normed, factors[a : a + rows])
                else:
                    running = theta[moments : moments + 2 * m]
                    batch_norm(sums, both, running, normed, factors[a : a + m], step > 0)
                    moments += 2 * m
                gain += 2 * m
            if mix >= 0:
                copy(z, 0, mixed, a, z.size)
            activation(z, slope, rates[PARAMETER])
            if mix >= 0:
                _mix(theta[mix : mix + m], z, slope, mixed[a : a + rows * m])
            if step > 0 and rates[DROPOUT] > 0.0:
                drop(z, slope, rates[DROPOUT], key, step, layer)
                if mix >= 0:
                    drop(mixed[a : a + rows * m], spare, rates[DROPOUT], key, step, layer)
            mix += m if mix >= 0 else 0
            if form[RESIDUAL] == 1 and layer > 0 and n == m:
                flat = outputs[a - capacity * n : a - capacity * n + rows * n]
                for i in range(z.size):
                    z[i] += flat[i]
        w += n * m
        b += m


@kernel
def backward(
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
    """Fill `gradient`; `deltas[0]` holds the loss's gradient by the outputs.

    Where `inputs` is true, that by the first layer's inputs ends in the row of `deltas` returned.
    """
    layers = sizes.size - 1
    mixed, factors, past = room[_MIXED], room[_FACTORS], room[_PAST]
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
        delta = deltas[here, : rows * m].reshape(rows, m)
        below = outputs[a : a + rows * n].reshape(rows, n)
        bias = gradient[b : b + m]
        bias[:] = 0
        if form[BIASED] == 1:
            for i in range(rows):
                for k in range(m):
                    bias[k] += delta[i, k]
        if form[NTK] == 1:
            narrow = theta.dtype.type(1.0 / np.sqrt(n))
            for i in range(rows):
                for k in range(m):
                    delta[i, k] *= narrow
        np.dot(below.T, delta, gradient[w : w + n * m].reshape(n, m))
        if layer > 0:
            flat = deltas[1 - here, : rows * n]
            np.dot(delta, theta[w : w + n * m].reshape(n, m).T, flat.reshape(rows, n))
            if form[RESIDUAL] == 1:
                if layer < layers - 1 and n == m:
                    for i in range(flat.size):
                        flat[i] += past[i]
                copy(flat, 0, past, 0, flat.size)
            if mix >= 0:
                mix -= n
                part, more = gradient[mix : mix + n], mixed[a : a + rows * n]
                part[:] = 0
                for begin in range(0, flat.size, n):
                    for k in range(n):
                        part[k] += flat[begin + k] * more[begin + k]
            slope = slopes[a : a + rows * n]
            for i in range(flat.size):
                flat[i] *= slope[i]
            if form[NORM] > 0:
                gain -= 2 * n
                both, back = theta[gain : gain + 2 * n], gradient[gain : gain + 2 * n]
                normed = room[_NORMED, a : a + rows * n].reshape(rows, n)
                if form[NORM] == BATCH_NORM:
                    batch_norm_back(
                        flat.reshape(rows, n), both, normed, factors[a : a + n], back
                    )  # fmt: skip
                else:
                    layer_norm_back(
                        flat.reshape(rows, n), both, normed, factors[a : a + rows], back
                    )  # fmt: skip
            here = 1 - here
        elif form[SCALE] >= 0 or inputs:
            if inputs:
                weights = _first(form, theta, n, m, room[_SCALED])
                np.dot(delta, weights.T, deltas[1 - here, : rows * n].reshape(rows, n))
                here = 1 - here
            if form[SCALE] >= 0:
                for j in range(n):
                    scale, total = theta[form[SCALE] + j], theta.dtype.type(0.0)
                    for k in range(m):
                        total += gradient[j * m + k] * theta[j * m + k]
                        gradient[j * m + k] *= scale
                    gradient[form[SCALE] + j] = total
    return here
