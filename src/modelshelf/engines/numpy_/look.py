"""A look inside: what each layer gives for each of some rows, and what flows back to it.

The engine's own way there and back, one row at a time. The gradient by a layer's biases is then
that by its sums, for this row: `forward` and `backward` are all that is needed to see what flows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from modelshelf.engines.numpy_ import pointers
from modelshelf.engines.numpy_.activations import Activation
from modelshelf.engines.numpy_.answer import Network
from modelshelf.engines.numpy_.assemble import rates, rates_of
from modelshelf.engines.numpy_.compile import from_python, integer, quiet, single_threaded
from modelshelf.engines.numpy_.elementary import copy
from modelshelf.engines.numpy_.encoding import Encode, EncodeBack
from modelshelf.engines.numpy_.layout import BIASED, Layout
from modelshelf.engines.numpy_.network import Backward, Forward
from modelshelf.engines.numpy_.normalise import EPSILON, Normalise, NormaliseBack
from modelshelf.engines.numpy_.pointers import (
    activation,
    encoders,
    expand,
    loss,
    norms,
    passes,
)
from modelshelf.engines.numpy_.random import drop, shuffle
from modelshelf.engines.numpy_.scratch import Scratch, scratch_for
from modelshelf.engines.numpy_.step import LOSS
from modelshelf.engines.numpy_.views import matrix, vector
from modelshelf.space.configuration import Configuration

__all__ = [
    "Sight",
    "alone",
    "batch_factors",
    "batch_order",
    "dropout_mask",
    "look",
    "loss_of",
    "trace",
]


@dataclass(frozen=True, slots=True, eq=False)
class Sight:
    """What was seen in a network of one member, for each row."""

    outputs: tuple[NDArray[Any], ...]  #: (rows, width): the first layer's inputs, then each layer's
    slopes: tuple[NDArray[Any], ...]  #: (rows, width) of each hidden layer: its activation's
    #: (rows, width) each: the gradient by the first layer's inputs, then by each layer's sums,
    #: before they are normalised and activated. Empty where nothing was sent back.
    back: tuple[NDArray[Any], ...]
    gradient: NDArray[Any]  #: (parameters,), the sum over rows; zeros where nothing was sent back


def trace(
    forward: Forward,
    backward: Backward,
    encode: Encode,
    encode_back: EncodeBack,
    activation: Activation,
    normalise: Normalise,
    normalise_back: NormaliseBack,
    sizes: NDArray[np.int64],
    form: NDArray[np.int64],
    columns: NDArray[np.int64],
    rates: NDArray[np.float64],
    theta: NDArray[Any],
    x: NDArray[Any],
    delta: NDArray[Any],
    outputs: NDArray[Any],
    slopes: NDArray[Any],
    back: NDArray[Any],
    gradient: NDArray[Any],
    scratch: Scratch,
) -> None:
    """Fill `outputs`, `slopes` and `back`, each (rows, all widths), and `gradient` (parameters,).

    `delta` (rows, outputs) is what is sent back, or has no rows. `form` says that there are biases.
    """
    width, last, wide, weights = sizes[0], sizes[sizes.size - 1], outputs.shape[1], 0
    for layer in range(sizes.size - 1):
        weights += sizes[layer] * sizes[layer + 1]
    deltas, own, half = scratch.deltas, scratch.gradient, scratch.deltas.size // 2
    for i in range(x.shape[0]):
        seen, inputs = matrix(x, i * x.shape[1], 1, x.shape[1]), matrix(outputs, i * wide, 1, width)
        out, slope = vector(outputs, i * wide, wide), vector(slopes, i * wide, wide)
        if columns.size > 0:
            encode(columns, form, theta, seen, inputs, scratch.waves)
        else:
            copy(vector(seen, 0, width), 0, out, 0, width)
        forward(
            activation, normalise, sizes, form, rates, theta, out, slope, scratch.room,
            vector(deltas, half, half), integer(1), integer(1), np.uint64(0), integer(0),
        )  # fmt: skip
        if delta.shape[0] == 0:
            continue
        copy(vector(delta, i * last, last), 0, deltas, 0, last)
        here = backward(
            normalise_back,
            sizes,
            form,
            theta,
            out,
            slope,
            scratch.room,
            deltas,
            own,
            integer(1),
            integer(1),
            True,
        )
        sent = vector(back, i * back.shape[1], back.shape[1])
        copy(deltas, here * half, sent, 0, width)
        copy(own, weights, sent, width, back.shape[1] - width)
        if columns.size > 0:
            first = matrix(deltas, here * half, 1, width)
            encode_back(columns, form, theta, seen, first, scratch.waves, own)
        for j in range(gradient.size):
            gradient[j] += own[j]


def look(network: Network, x: NDArray[Any], delta: NDArray[Any] | None = None) -> Sight:
    """What is to be seen for prepared rows `x` (rows, inputs), without dropout.

    `network` is one that `alone` made. `delta` (rows, outputs) is sent back from the outputs.
    """
    layout, theta = network.layout, network.theta
    dtype, sizes, form = theta.dtype, layout.sizes, layout.form
    form[BIASED] = 1  # for the gradients by sums
    x = np.ascontiguousarray(x, dtype)
    none = np.zeros((0, layout.widths[-1]))
    sent = np.ascontiguousarray(none if delta is None else delta, dtype)
    outputs, slopes, back = np.zeros((3, len(x), int(sizes.sum())), dtype)
    gradient = np.zeros_like(theta)
    with quiet(), single_threaded():
        pointers.look(trace, dtype)(
            *passes(dtype),
            *encoders(layout, dtype),
            activation(network.activation, dtype),
            *norms(layout, dtype),
            sizes,
            form,
            layout.columns,
            rates(parameter=network.negative_slope),
            theta,
            x,
            sent,
            outputs,
            slopes,
            back,
            gradient,
            scratch_for(layout, 1, dtype, inputs=x.shape[1], targets=1),
        )
    if not layout.biased:
        gradient[slice(*layout.blocks["biases"])] = 0
    at = np.cumsum(sizes)[:-1].tolist()
    seen = tuple(np.split(back, at, axis=1)) if delta is not None else ()
    inside = tuple(np.split(slopes, at, axis=1))[1:-1]
    return Sight(tuple(np.split(outputs, at, axis=1)), inside, seen, gradient)


def alone(network: Network, member: int = 0) -> Network:
    """One member of a network, as a network of its own that answers the same.

    Normalisation by batch statistics is multiplied into weights and biases: for one that answers it
    is no more than that, and its way back is that of a plain layer.
    """
    layout, theta = network.layout, network.theta
    if layout.members > 1:
        own = np.zeros(layout.one.size, theta.dtype)
        expand(theta.dtype)(layout.sizes, layout.members, member, theta, own)
        layout, theta = layout.one, own
    if layout.norm == "batch":
        tensors = {name: each.copy() for name, each in layout.tensors(theta).items()}
        for i, (factor, mean, shift) in enumerate(_folds(layout, theta)):
            bias = tensors.get(f"bias.{i}", theta.dtype.type(0))
            tensors[f"bias.{i}"] = (bias - mean) * factor + shift
            tensors[f"weight.{i}"] *= factor
        last = len(layout.widths) - 2
        tensors.setdefault(f"bias.{last}", np.zeros(layout.widths[-1], theta.dtype))
        del tensors["gains"], tensors["statistics"]
        layout, theta = Layout.from_tensors(tensors, ntk=layout.ntk, residual=layout.residual)
    return replace(network, layout=layout, theta=theta)


def batch_factors(network: Network) -> tuple[NDArray[Any], ...]:
    """By what `alone` multiplies each hidden layer's weights (units,); none where by nothing."""
    layout = network.layout
    return tuple(each for each, _, _ in _folds(layout, network.theta))


def _folds(
    layout: Layout, theta: NDArray[Any]
) -> Iterator[tuple[NDArray[Any], NDArray[Any], NDArray[Any]]]:
    """Batch normalisation of each hidden layer: (sums - mean) · factor + shift."""
    gains, running = (theta[slice(*layout.blocks[name])] for name in ("gains", "statistics"))
    epsilon, at = theta.dtype.type(EPSILON), 0
    for width in layout.widths[1:-1] if layout.norm == "batch" else ():
        gain, shift = gains[at : at + 2 * width].reshape(2, width)
        mean, variance = running[at : at + 2 * width].reshape(2, width)
        yield gain / np.sqrt(variance + epsilon), mean, shift
        at += 2 * width


def loss_of(
    configuration: Configuration, classes: bool, output: NDArray[Any], target: NDArray[Any]
) -> tuple[float, NDArray[Any]]:
    """The loss that a configuration trains with, mean over rows, and its gradient by `output`.

    `output` (rows, outputs) and `target` as in training. Without penalties, smoothing and weights
    of classes.
    """
    output = np.ascontiguousarray(output)
    gradient = np.empty_like(output)
    kernel = loss(configuration, classes, output.dtype)
    target = np.ascontiguousarray(target, output.dtype)
    with quiet():
        value = kernel(output, target, gradient, rates_of(configuration)[LOSS])
    return float(value), gradient


def batch_order(key: np.uint64, rows: int, epoch: int) -> NDArray[np.int64]:
    """The order (rows,) in which a member with this key sees its training rows in an epoch."""
    order = np.empty(rows, np.int64)
    with quiet():
        from_python(shuffle)(order, key, epoch)
    return order


def dropout_mask(
    key: np.uint64, step: int, layer: int, rate: float, shape: tuple[int, int]
) -> NDArray[np.float32]:
    """What outputs (rows, units) of a layer are multiplied by in a step; -1 are the inputs."""
    mask, slope = np.ones(shape, np.float32), np.ones(shape[0] * shape[1], np.float32)
    with quiet():
        from_python(drop)(mask.reshape(-1), slope, rate, key, step, layer)
    return mask
