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
from modelshelf.engines.numpy_.elementary import copy
from modelshelf.engines.numpy_.encoding import Encode, EncodeBack, make_waves
from modelshelf.engines.numpy_.ensemble import expand, fold, key_of
from modelshelf.engines.numpy_.layout import MEMBERS
from modelshelf.engines.numpy_.losses import Loss, criterion, smooth, weigh
from modelshelf.engines.numpy_.network import DROPOUT, backward, forward, make_room
from modelshelf.engines.numpy_.optimizers import Update, average_into, update_groups
from modelshelf.engines.numpy_.penalties import clip, finite, penalise
from modelshelf.engines.numpy_.predict import answer
from modelshelf.engines.numpy_.random import drop, shuffle
from modelshelf.engines.numpy_.schedules import fading, share

__all__ = [
    "BATCH",
    "BEST_LOSS",
    "CLASSES",
    "COUNTERS",
    "DIVERGED",
    "EPOCH",
    "EPOCHS",
    "FADES",
    "INTERRUPTED",
    "MONITOR",
    "PATIENCE",
    "PLAN",
    "POINT",
    "SCALARS",
    "SCHEDULE",
    "STOPPED_EARLY",
    "SUMMED",
    "train",
]

# A member's counters (int64), its scalars (float64), its plan (int64) and its rates (float64), by
# place. Two of the rates are `network`'s.
EPOCH, STEP, BEST_EPOCH, STATE, COUNTERS = range(5)
BEST, BEST_LOSS, SCALARS = range(3)  # of what is monitored, and the loss at that epoch
BATCH, PATIENCE, CLASSES, EPOCHS, SCHEDULE, SUMMED, MONITOR, FADES, POINT, PLAN = range(10)
L1, L2, DECAY, CLIP, SMOOTHING, MIN_DELTA, WARMUP, LOSS, INPUT_DROPOUT, AVERAGING = range(2, 12)

# What STATE says. TRAINING: may go on. The others are ends.
TRAINING, STOPPED_EARLY, DIVERGED, INTERRUPTED = 0, 1, 2, 3


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


def train(
    encode: Encode,
    encode_back: EncodeBack,
    activation: Activation,
    loss: Loss,
    update: Update,
    sizes: NDArray[np.int64],
    form: NDArray[np.int64],
    columns: NDArray[np.int64],
    plan: NDArray[np.int64],
    rates: NDArray[np.float64],
    constants: NDArray[np.float64],
    groups: NDArray[np.float64],
    limits: NDArray[np.float64],
    classes: NDArray[Any],
    key: np.uint64,
    one: int,
    theta: NDArray[Any],
    slots: NDArray[Any],
    average: NDArray[Any],
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
    keeps the weights of the best epoch: by what is monitored, or the last where nothing validates.
    `one` is the length of one member's vector, `groups` is `update_groups`'s, `limits` is
    `clamp`'s, `classes` holds the weights of classes, if they have any. Of several members, each
    goes through the rows in an order of its own, and a step is one batch of each.
    """
    n, outputs_n, targets_n, width = x.shape[0], sizes[-1], y.shape[1], sizes[0]
    batch = min(plan[BATCH], n)
    capacity = max(batch, min(256, validation_x.shape[0]))
    total, widest = 0, 0
    for each in sizes:
        total += capacity * each
        widest = max(widest, each)
    members = form[MEMBERS]
    weights = members * sizes[-2] * sizes[-1]
    for layer in range(sizes.size - 2):
        weights += sizes[layer] * sizes[layer + 1]
    outputs, slopes = np.empty(total, theta.dtype), np.empty(total, theta.dtype)
    room, waves = make_room(sizes, form, capacity, theta), make_waves(form, capacity, theta)
    encoded = columns.size > 0
    raw = np.empty(capacity * x.shape[1] if encoded else 0, theta.dtype)
    deltas = np.empty((2, capacity * widest), theta.dtype)
    # What is not learned by gradients has one of 0.
    gradient = np.zeros(theta.size, theta.dtype)
    own = np.empty(one, theta.dtype) if members > 1 else theta
    back = np.zeros(one, theta.dtype) if members > 1 else gradient
    targets = np.empty(capacity * targets_n, theta.dtype)
    answers = np.empty((validation_x.shape[0], outputs_n), theta.dtype)
    orders = np.empty((members, n), np.int64)
    sums = np.full(2, np.nan)  # stays so where nothing validates
    last = total - capacity * outputs_n
    first_epoch, first_step = counters[EPOCH], counters[STEP]
    rate, steps = constants[0], plan[EPOCHS] * ((n + batch - 1) // batch)
    dropout, decay, now = rates[DROPOUT], rates[DECAY], rates.copy()
    kept = average if rates[AVERAGING] > 0.0 else theta

    while counters[STATE] == TRAINING and counters[EPOCH] < to_epoch:
        epoch = counters[EPOCH] + 1
        for member in range(members):
            shuffle(orders[member], key_of(key, member), epoch)
        total_loss = 0.0
        for start in range(0, n, batch):
            if stop[0] != 0:
                counters[STATE] = INTERRUPTED
                return counters[STEP] - first_step
            rows = min(batch, n - start)
            step = counters[STEP] + 1
            if plan[FADES] == 1:
                now[DROPOUT] = dropout * fading(step, steps)
                decay = rates[DECAY] * fading(step, steps)
            inputs, wanted = outputs[: rows * width], targets[: rows * targets_n]
            delta, value = deltas[0, : rows * outputs_n], 0.0
            seen = raw[: rows * columns.size].reshape(rows, columns.size)
            for member in range(members):
                order, own_key = orders[member], key_of(key, member)
                if members > 1:
                    expand(sizes, members, member, theta, own)
                if encoded:
                    _gather(x, order, start, rows, raw)
                    encode(columns, form, own, seen, inputs.reshape(rows, width), waves)
                else:
                    _gather(x, order, start, rows, inputs)
                if rates[INPUT_DROPOUT] > 0.0:
                    slopes[: rows * width] = 1
                    drop(inputs, slopes[: rows * width], rates[INPUT_DROPOUT], own_key, step, -1)
                _gather(y, order, start, rows, wanted)
                if classes.size > 0:
                    weigh(wanted, classes, rates[SMOOTHING])
                elif rates[SMOOTHING] > 0.0:
                    smooth(wanted, targets_n, rates[SMOOTHING])
                forward(
                    activation, sizes, form, now, own, outputs, slopes, room, deltas[1], rows,
                    capacity, own_key, step,
                )  # fmt: skip
                each = loss(
                    outputs[last : last + rows * outputs_n].reshape(rows, outputs_n),
                    wanted.reshape(rows, targets_n),
                    delta.reshape(rows, outputs_n),
                    rates[LOSS],
                )
                count = 1.0 / members
                if plan[SUMMED] == 1:
                    count *= rows if plan[CLASSES] == 1 else rows * targets_n
                value += each * count
                if count != 1.0:
                    factor = theta.dtype.type(count)
                    for i in range(delta.size):
                        delta[i] *= factor
                here = backward(
                    sizes, form, own, outputs, slopes, room, deltas, back, rows, capacity, encoded
                )
                if encoded:
                    first = deltas[here, : rows * width]
                    if rates[INPUT_DROPOUT] > 0.0:
                        for i in range(first.size):
                            first[i] *= slopes[i]
                    encode_back(columns, form, own, seen, first.reshape(rows, width), waves, back)
                if members > 1:
                    fold(sizes, members, member, theta, back, gradient)
            if rates[L1] > 0.0 or rates[L2] > 0.0:
                value += penalise(rates[L1], rates[L2], weights, theta, gradient)
            if not np.isfinite(value):
                counters[STATE] = DIVERGED
                return counters[STEP] - first_step
            if rates[CLIP] > 0.0:
                clip(gradient, rates[CLIP])
            if plan[SCHEDULE] != 0 or rates[WARMUP] > 0.0:
                constants[0] = rate * share(plan[SCHEDULE], rates[WARMUP], step, steps)
            update_groups(update, groups, constants, decay, theta, gradient, slots, step)
            counters[STEP] = step
            if rates[AVERAGING] > 0.0:
                average_into(theta, average, rates[AVERAGING], step)
            total_loss += value * rows

        if validation_x.shape[0] > 0:
            answer(
                encode, activation, sizes, form, columns, rates, limits, plan[CLASSES], kept, own,
                outputs, slopes, room, waves, capacity, validation_x, answers,
            )  # fmt: skip
            criterion(answers, validation_y, plan[CLASSES], plan[POINT], sums)
            if not np.isfinite(sums[0]):
                counters[STATE] = DIVERGED
                return counters[STEP] - first_step
        elif not finite(kept):  # no later loss would tell, and these weights are kept
            counters[STATE] = DIVERGED
            return counters[STEP] - first_step
        counters[EPOCH] = epoch
        point = curve[epoch - first_epoch - 1]
        point[0], point[1], point[2] = total_loss / n, sums[0], sums[1]
        watched = sums[0] if plan[MONITOR] == 0 else 1.0 - sums[1]
        if validation_x.shape[0] == 0 or watched < scalars[BEST] - rates[MIN_DELTA]:
            copy(kept, 0, best, 0, best.size)
            counters[BEST_EPOCH], scalars[BEST], scalars[BEST_LOSS] = epoch, watched, sums[0]
        elif plan[PATIENCE] > 0 and epoch - counters[BEST_EPOCH] >= plan[PATIENCE]:
            counters[STATE] = STOPPED_EARLY
    return counters[STEP] - first_step
