"""The way through a network and back: plain loops around matrix products.

What few networks have (a learned scale for each input, a learned share of activation, widths
divided out) is a branch for each layer, so that what is off costs nothing.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from modelshelf.engines.numpy_.activations import Activation
from modelshelf.engines.numpy_.compile import kernel
from modelshelf.engines.numpy_.layout import BIASED, MIX, NTK, SCALE
from modelshelf.engines.numpy_.random import drop

__all__ = ["DROPOUT", "PARAMETER", "backward", "forward"]

#: Of a member's rates (float64), by place: the activation's parameter, and the share of dropout.
PARAMETER, DROPOUT = 0, 1


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
    for i in range(z.size):
        part = share[i % m]
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
    mixed: NDArray[Any],
    scaled: NDArray[Any],
    spare: NDArray[Any],
    rows: int,
    capacity: int,
    key: np.uint64,
    step: int,
) -> None:
    """Fill `outputs` layer by layer; its first layer holds the inputs. Dropout where step > 0.

    `scaled` gets the first layer's scaled weights, `mixed` what shares of activation need on the
    way back; `spare` is scratch.
    """
    layers = sizes.size - 1
    w, a, mix = 0, 0, form[MIX]
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
            np.dot(below, _first(form, theta, n, m, scaled), sums)
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
            if mix >= 0:
                mixed[a : a + rows * m] = z
            activation(z, slope, rates[PARAMETER])
            if mix >= 0:
                _mix(theta[mix : mix + m], z, slope, mixed[a : a + rows * m])
            if step > 0 and rates[DROPOUT] > 0.0:
                drop(z, slope, rates[DROPOUT], key, step, layer)
                if mix >= 0:
                    drop(mixed[a : a + rows * m], spare, rates[DROPOUT], key, step, layer)
            mix += m if mix >= 0 else 0
        w += n * m
        b += m


@kernel
def backward(
    sizes: NDArray[np.int64],
    form: NDArray[np.int64],
    theta: NDArray[Any],
    outputs: NDArray[Any],
    slopes: NDArray[Any],
    mixed: NDArray[Any],
    scaled: NDArray[Any],
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
    w, a, mix = 0, 0, form[MIX]
    for layer in range(layers):
        w += sizes[layer] * sizes[layer + 1]
        a += capacity * sizes[layer]
    b = w
    for layer in range(1, layers + 1):
        b += sizes[layer]
        mix += sizes[layer] if mix >= 0 and layer < layers else 0
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
            if mix >= 0:
                mix -= n
                part, more = gradient[mix : mix + n], mixed[a : a + rows * n]
                part[:] = 0
                for i in range(flat.size):
                    part[i % n] += flat[i] * more[i]
            slope = slopes[a : a + rows * n]
            for i in range(flat.size):
                flat[i] *= slope[i]
            here = 1 - here
        elif form[SCALE] >= 0 or inputs:
            if inputs:
                weights = _first(form, theta, n, m, scaled)
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
