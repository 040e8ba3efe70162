"""Training, whole: forward, loss, backward, penalties, update, validation, early stopping.

Everything a member is lies in a few flat arrays, so that a core keeps it in its cache, and so
that pausing is copying them. `train` is one call for many epochs, and holds no GIL.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from modelshelf.engines.numpy_.activations import Activation
from modelshelf.engines.numpy_.compile import kernel
from modelshelf.engines.numpy_.losses import Loss, criterion
from modelshelf.engines.numpy_.optimizers import Update
from modelshelf.engines.numpy_.random import drop, shuffle
from modelshelf.engines.numpy_.schedules import share

__all__ = [
    "BEST_EPOCH",
    "CLASSES",
    "COUNTERS",
    "EPOCH",
    "PLAN",
    "STATE",
    "STEP",
    "predict",
    "train",
]

# A member's counters (int64), its scalars (float64) and its plan (int64), by place.
EPOCH, STEP, BEST_EPOCH, STATE, COUNTERS = 0, 1, 2, 3, 4
BEST_LOSS = 0
BATCH, PATIENCE, CLASSES, EPOCHS, SCHEDULE, PLAN = 0, 1, 2, 3, 4, 5
PARAMETER, DROPOUT, L1, L2, DECAY, CLIP, SMOOTHING, MIN_DELTA, WARMUP, LOSS = range(10)

# What STATE says. TRAINING: may go on. The others are ends.
TRAINING, STOPPED_EARLY, DIVERGED, INTERRUPTED = 0, 1, 2, 3


@kernel
def _forward(
    activation: Activation,
    sizes: NDArray[np.int64],
    rates: NDArray[np.float64],
    theta: NDArray[Any],
    outputs: NDArray[Any],
    slopes: NDArray[Any],
    rows: int,
    capacity: int,
    key: np.uint64,
    step: int,
) -> None:
    """Fill `outputs` layer by layer; its first layer holds the inputs. Dropout where step > 0."""
    layers = sizes.size - 1
    w, a = 0, 0
    b = theta.size
    for layer in range(1, layers + 1):
        b -= sizes[layer]
    for layer in range(layers):
        n, m = sizes[layer], sizes[layer + 1]
        below = outputs[a : a + rows * n].reshape(rows, n)
        a += capacity * n
        z = outputs[a : a + rows * m]
        sums = z.reshape(rows, m)
        np.dot(below, theta[w : w + n * m].reshape(n, m), sums)
        bias = theta[b : b + m]
        for i in range(rows):
            for k in range(m):
                sums[i, k] += bias[k]
        if layer < layers - 1:
            slope = slopes[a : a + rows * m]
            activation(z, slope, rates[PARAMETER])
            if step > 0 and rates[DROPOUT] > 0.0:
                drop(z, slope, rates[DROPOUT], key, step, layer)
        w += n * m
        b += m


@kernel
def _backward(
    sizes: NDArray[np.int64],
    theta: NDArray[Any],
    outputs: NDArray[Any],
    slopes: NDArray[Any],
    deltas: NDArray[Any],
    gradient: NDArray[Any],
    rows: int,
    capacity: int,
) -> None:
    """Fill `gradient`; `deltas[0]` holds the loss's gradient by the outputs."""
    layers = sizes.size - 1
    w, b, a = 0, theta.size, 0
    for layer in range(layers):
        w += sizes[layer] * sizes[layer + 1]
        a += capacity * sizes[layer]
    here = 0
    for layer in range(layers - 1, -1, -1):
        n, m = sizes[layer], sizes[layer + 1]
        w -= n * m
        b -= m
        a -= capacity * n
        delta = deltas[here, : rows * m].reshape(rows, m)
        below = outputs[a : a + rows * n].reshape(rows, n)
        np.dot(below.T, delta, gradient[w : w + n * m].reshape(n, m))
        bias = gradient[b : b + m]
        bias[:] = 0
        for i in range(rows):
            for k in range(m):
                bias[k] += delta[i, k]
        if layer > 0:
            flat = deltas[1 - here, : rows * n]
            np.dot(delta, theta[w : w + n * m].reshape(n, m).T, flat.reshape(rows, n))
            slope = slopes[a : a + rows * n]
            for i in range(flat.size):
                flat[i] *= slope[i]
            here = 1 - here


@kernel
def _penalise(
    rates: NDArray[np.float64], weights: int, theta: NDArray[Any], gradient: NDArray[Any]
) -> float:
    """Add the penalties' gradients, and return l1 · Σ|w| + l2 · Σw² (weights, not biases)."""
    zero = theta.dtype.type(0.0)
    l1, l2 = theta.dtype.type(rates[L1]), theta.dtype.type(2.0 * rates[L2])
    absolute, square = 0.0, 0.0
    for i in range(weights):
        w = theta[i]
        sign = l1 if w > zero else (-l1 if w < zero else zero)
        gradient[i] += sign + l2 * w
        absolute += np.float64(abs(w))
        square += np.float64(w) * np.float64(w)
    return rates[L1] * absolute + rates[L2] * square


@kernel
def _clip(gradient: NDArray[Any], longest: float) -> None:
    """Shorten the gradient to a norm of `longest`; torch.nn.utils.clip_grad_norm_."""
    square = 0.0
    for i in range(gradient.size):
        square += np.float64(gradient[i]) * np.float64(gradient[i])
    factor = longest / (np.sqrt(square) + 1e-6)
    if factor < 1.0:
        small = gradient.dtype.type(factor)
        for i in range(gradient.size):
            gradient[i] *= small


@kernel
def _smooth(targets: NDArray[Any], classes: int, smoothing: float) -> None:
    """Move this share of each row's certainty to all classes alike. Szegedy et al. 2016."""
    keep, rest = targets.dtype.type(1.0 - smoothing), targets.dtype.type(smoothing / classes)
    for i in range(targets.size):
        targets[i] = keep * targets[i] + rest


@kernel
def _finite(theta: NDArray[Any]) -> bool:
    total = 0.0
    for i in range(theta.size):
        total += np.float64(theta[i])
    return bool(np.isfinite(total))


@kernel
def _gather(
    source: NDArray[Any], order: NDArray[np.int64], start: int, rows: int, into: NDArray[Any]
) -> None:
    """Copy rows `order[start : start + rows]` of `source` into a flat array."""
    width = source.shape[1]
    for i in range(rows):
        row = order[start + i]
        for k in range(width):
            into[i * width + k] = source[row, k]


@kernel
def _validate(
    activation: Activation,
    sizes: NDArray[np.int64],
    rates: NDArray[np.float64],
    classes: int,
    theta: NDArray[Any],
    outputs: NDArray[Any],
    slopes: NDArray[Any],
    capacity: int,
    x: NDArray[Any],
    y: NDArray[Any],
    sums: NDArray[np.float64],
) -> None:
    """`sums` becomes (mean loss, share of right answers), by chunks of `capacity` rows."""
    sums[:] = 0.0
    last = outputs.size - capacity * sizes[-1]
    for start in range(0, x.shape[0], capacity):
        rows = min(capacity, x.shape[0] - start)
        inputs = outputs[: rows * sizes[0]].reshape(rows, sizes[0])
        inputs[:, :] = x[start : start + rows]
        _forward(activation, sizes, rates, theta, outputs, slopes, rows, capacity, np.uint64(0), 0)
        output = outputs[last : last + rows * sizes[-1]].reshape(rows, sizes[-1])
        criterion(output, y[start : start + rows], classes, sums)
    sums[0] /= max(x.shape[0], 1) * (1 if classes == 1 else sizes[-1])
    sums[1] /= max(x.shape[0], 1)


def train(
    activation: Activation,
    loss: Loss,
    update: Update,
    sizes: NDArray[np.int64],
    plan: NDArray[np.int64],
    rates: NDArray[np.float64],
    constants: NDArray[np.float64],
    key: np.uint64,
    theta: NDArray[Any],
    slots: NDArray[Any],
    best: NDArray[Any],
    counters: NDArray[np.int64],
    scalars: NDArray[np.float64],
    x: NDArray[Any],
    y: NDArray[Any],
    validation_x: NDArray[Any],
    validation_y: NDArray[Any],
    to_epoch: int,
    curve: NDArray[np.float64],
    stop: NDArray[np.uint8],
) -> int:
    """Train until `to_epoch`, patience's end, divergence, or `stop[0]`; returns updates made.

    `curve` (epochs, 3) gets training loss, validation loss and accuracy of each epoch. `best`
    keeps the weights of the best epoch: by validation loss, or the last where nothing validates.
    """
    n, outputs_n = x.shape[0], sizes[-1]
    batch = min(plan[BATCH], n)
    capacity = max(batch, min(256, validation_x.shape[0]))
    total, widest = 0, 0
    for width in sizes:
        total += capacity * width
        widest = max(widest, width)
    weights = theta.size
    for layer in range(1, sizes.size):
        weights -= sizes[layer]
    outputs, slopes = np.empty(total, theta.dtype), np.empty(total, theta.dtype)
    deltas = np.empty((2, capacity * widest), theta.dtype)
    gradient = np.empty(theta.size, theta.dtype)
    targets = np.empty(capacity * outputs_n, theta.dtype)
    order = np.empty(n, np.int64)
    sums = np.full(2, np.nan)  # stays so where nothing validates
    last = total - capacity * outputs_n
    first_epoch, first_step = counters[EPOCH], counters[STEP]
    rate, steps = constants[0], plan[EPOCHS] * ((n + batch - 1) // batch)
    scheduled = plan[SCHEDULE] != 0 or rates[WARMUP] > 0.0

    while counters[STATE] == TRAINING and counters[EPOCH] < to_epoch:
        epoch = counters[EPOCH] + 1
        shuffle(order, key, epoch)
        total_loss = 0.0
        for start in range(0, n, batch):
            if stop[0] != 0:
                counters[STATE] = INTERRUPTED
                return counters[STEP] - first_step
            rows = min(batch, n - start)
            step = counters[STEP] + 1
            _gather(x, order, start, rows, outputs)
            _gather(y, order, start, rows, targets)
            if rates[SMOOTHING] > 0.0:
                _smooth(targets[: rows * outputs_n], outputs_n, rates[SMOOTHING])
            _forward(activation, sizes, rates, theta, outputs, slopes, rows, capacity, key, step)
            value = loss(
                outputs[last : last + rows * outputs_n].reshape(rows, outputs_n),
                targets[: rows * outputs_n].reshape(rows, outputs_n),
                deltas[0, : rows * outputs_n].reshape(rows, outputs_n),
                rates[LOSS],
            )
            _backward(sizes, theta, outputs, slopes, deltas, gradient, rows, capacity)
            if rates[L1] > 0.0 or rates[L2] > 0.0:
                value += _penalise(rates, weights, theta, gradient)
            if not np.isfinite(value):
                counters[STATE] = DIVERGED
                return counters[STEP] - first_step
            if rates[CLIP] > 0.0:
                _clip(gradient, rates[CLIP])
            if scheduled:
                constants[0] = rate * share(plan[SCHEDULE], rates[WARMUP], step, steps)
            if rates[DECAY] > 0.0:
                kept = theta.dtype.type(1.0 - constants[0] * rates[DECAY])
                for i in range(weights):
                    theta[i] *= kept
            update(theta, gradient, slots, constants, step)
            counters[STEP] = step
            total_loss += value * rows

        if validation_x.shape[0] > 0:
            _validate(
                activation, sizes, rates, plan[CLASSES], theta, outputs, slopes, capacity,
                validation_x, validation_y, sums,
            )  # fmt: skip
            if not np.isfinite(sums[0]):
                counters[STATE] = DIVERGED
                return counters[STEP] - first_step
        elif not _finite(theta):  # no later loss would tell, and these weights are kept
            counters[STATE] = DIVERGED
            return counters[STEP] - first_step
        counters[EPOCH] = epoch
        point = curve[epoch - first_epoch - 1]
        point[0], point[1], point[2] = total_loss / n, sums[0], sums[1]
        if validation_x.shape[0] == 0 or sums[0] < scalars[BEST_LOSS] - rates[MIN_DELTA]:
            best[:] = theta
            counters[BEST_EPOCH], scalars[BEST_LOSS] = epoch, sums[0]
        elif plan[PATIENCE] > 0 and epoch - counters[BEST_EPOCH] >= plan[PATIENCE]:
            counters[STATE] = STOPPED_EARLY
    return counters[STEP] - first_step


def predict(
    activation: Activation,
    sizes: NDArray[np.int64],
    rates: NDArray[np.float64],
    theta: NDArray[Any],
    x: NDArray[Any],
    into: NDArray[Any],
) -> None:
    """The network's raw outputs for rows `x` (rows, inputs) into `into` (rows, outputs)."""
    capacity = 256
    total = 0
    for width in sizes:
        total += capacity * width
    outputs, slopes = np.empty(total, theta.dtype), np.empty(total, theta.dtype)
    last = total - capacity * sizes[-1]
    for start in range(0, x.shape[0], capacity):
        rows = min(capacity, x.shape[0] - start)
        inputs = outputs[: rows * sizes[0]].reshape(rows, sizes[0])
        inputs[:, :] = x[start : start + rows]
        _forward(activation, sizes, rates, theta, outputs, slopes, rows, capacity, np.uint64(0), 0)
        into[start : start + rows] = outputs[last : last + rows * sizes[-1]].reshape(
            rows, sizes[-1]
        )
