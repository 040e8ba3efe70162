"""Training, whole: forward, loss, backward, penalties, update, validation, early stopping.

Everything a member is lies in a few flat arrays, so that a core keeps it in its cache, and so
that pausing is copying them. `train` is one call for many epochs, and holds no GIL.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from modelshelf.core.protocols import HALT, STOP
from modelshelf.engines.numpy_.activations import Activation
from modelshelf.engines.numpy_.compile import integer, kernel
from modelshelf.engines.numpy_.elementary import copy, fill
from modelshelf.engines.numpy_.encoding import Encode, EncodeBack
from modelshelf.engines.numpy_.ensemble import Expand, Fold, key_of
from modelshelf.engines.numpy_.layout import MEMBERS
from modelshelf.engines.numpy_.losses import Loss, criterion, smooth, weigh
from modelshelf.engines.numpy_.network import DROPOUT, Backward, Forward
from modelshelf.engines.numpy_.normalise import Normalise, NormaliseBack
from modelshelf.engines.numpy_.optimizers import Update, average_into, update_groups
from modelshelf.engines.numpy_.penalties import clip, finite, penalise
from modelshelf.engines.numpy_.predict import Answer
from modelshelf.engines.numpy_.random import drop, shuffle
from modelshelf.engines.numpy_.schedules import fading, share
from modelshelf.engines.numpy_.scratch import Scratch
from modelshelf.engines.numpy_.views import matrix, vector

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
    answer: Answer,
    forward: Forward,
    backward: Backward,
    encode: Encode,
    encode_back: EncodeBack,
    activation: Activation,
    normalise: Normalise,
    normalise_back: NormaliseBack,
    expand: Expand,
    fold: Fold,
    loss: Loss,
    update: Update,
    sizes: NDArray[np.int64],
    form: NDArray[np.int64],
    columns: NDArray[np.int64],
    plan: NDArray[np.int64],
    rates: NDArray[np.float64],
    now: NDArray[np.float64],
    constants: NDArray[np.float64],
    groups: NDArray[np.float64],
    limits: NDArray[np.float64],
    classes: NDArray[Any],
    key: np.uint64,
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
    scratch: Scratch,
    answers: NDArray[Any],
    orders: NDArray[np.int64],
) -> int:
    """Train until `to_epoch`, patience's end, divergence, or `stop[0]`; returns updates made.

    `curve` (epochs, 3) gets training loss, validation loss and accuracy of each epoch. `best`
    keeps the weights of the best epoch: by what is monitored, or the last where nothing validates.
    `groups` is `update_groups`'s, `limits` is `clamp`'s, `classes` holds the weights of classes,
    if they have any; `now` is a copy of `rates`. Of several members, each goes through the rows in
    an order of its own, and a step is one batch of each. Scratch besides `scratch`: `answers`
    (validation rows, outputs), `orders` (members, rows).
    """
    n, outputs_n, targets_n, width = x.shape[0], sizes[sizes.size - 1], y.shape[1], sizes[0]
    batch = min(plan[BATCH], n)
    total = 0
    for layer in range(sizes.size):
        total += sizes[layer]
    capacity = scratch.outputs.size // total
    members = form[MEMBERS]
    weights = members * sizes[sizes.size - 2] * outputs_n
    for layer in range(sizes.size - 2):
        weights += sizes[layer] * sizes[layer + 1]
    encoded = columns.size > 0
    outputs, slopes, deltas, gradient = (
        scratch.outputs,
        scratch.slopes,
        scratch.deltas,
        scratch.gradient,
    )
    own = scratch.own if members > 1 else theta
    back = scratch.back if members > 1 else gradient
    last, half = capacity * (total - outputs_n), deltas.size // 2
    spare = vector(deltas, half, half)
    first_epoch, first_step = counters[EPOCH], counters[STEP]
    rate, steps = constants[0], plan[EPOCHS] * ((n + batch - 1) // batch)
    dropout, decay = rates[DROPOUT], rates[DECAY]
    kept = average if rates[AVERAGING] > 0.0 else theta

    while counters[STATE] == TRAINING and counters[EPOCH] < to_epoch:
        if stop[0] == HALT and counters[EPOCH] > first_epoch:
            break
        epoch = counters[EPOCH] + 1
        for member in range(members):
            shuffle(vector(orders, member * n, n), key_of(key, member), epoch)
        total_loss = 0.0
        for start in range(0, n, batch):
            if stop[0] == STOP:
                counters[STATE] = INTERRUPTED
                return counters[STEP] - first_step
            rows = min(batch, n - start)
            step = counters[STEP] + 1
            if plan[FADES] == 1:
                now[DROPOUT] = dropout * fading(step, steps)
                decay = rates[DECAY] * fading(step, steps)
            inputs, wanted = (
                vector(outputs, 0, rows * width),
                vector(scratch.targets, 0, rows * targets_n),
            )
            delta, value = vector(deltas, 0, rows * outputs_n), 0.0
            seen = matrix(scratch.raw, 0, rows, columns.size)
            for member in range(members):
                order, own_key = vector(orders, member * n, n), key_of(key, member)
                if members > 1:
                    expand(sizes, members, member, theta, own)
                if encoded:
                    _gather(x, order, start, rows, scratch.raw)
                    encode(columns, form, own, seen, matrix(outputs, 0, rows, width), scratch.waves)
                else:
                    _gather(x, order, start, rows, inputs)
                if rates[INPUT_DROPOUT] > 0.0:
                    mask = vector(slopes, 0, rows * width)
                    fill(mask, 0, mask.size, 1.0)
                    drop(inputs, mask, rates[INPUT_DROPOUT], own_key, step, integer(-1))
                _gather(y, order, start, rows, wanted)
                if classes.size > 0:
                    weigh(wanted, classes, rates[SMOOTHING])
                elif rates[SMOOTHING] > 0.0:
                    smooth(wanted, targets_n, rates[SMOOTHING])
                forward(
                    activation, normalise, sizes, form, now, own, outputs, slopes, scratch.room,
                    spare, rows, capacity, own_key, step,
                )  # fmt: skip
                each = loss(
                    matrix(outputs, last, rows, outputs_n),
                    matrix(wanted, 0, rows, targets_n),
                    matrix(deltas, 0, rows, outputs_n),
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
                    normalise_back, sizes, form, own, outputs, slopes, scratch.room, deltas, back,
                    rows, capacity, encoded,
                )  # fmt: skip
                if encoded:
                    first = vector(deltas, here * half, rows * width)
                    if rates[INPUT_DROPOUT] > 0.0:
                        for i in range(first.size):
                            first[i] *= slopes[i]
                    sent = matrix(deltas, here * half, rows, width)
                    encode_back(columns, form, own, seen, sent, scratch.waves, back)
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

        point = vector(curve, 3 * (epoch - first_epoch - 1), 3)
        if validation_x.shape[0] > 0:
            answer(
                forward, encode, activation, normalise, expand, sizes, form, columns, rates,
                limits, plan[CLASSES], kept, scratch, capacity, validation_x, answers,
            )  # fmt: skip
            measured = vector(point, 1, 2)
            criterion(answers, validation_y, plan[CLASSES], plan[POINT], measured)
            if not np.isfinite(point[1]):
                counters[STATE] = DIVERGED
                return counters[STEP] - first_step
        elif not finite(kept):  # no later loss would tell, and these weights are kept
            counters[STATE] = DIVERGED
            return counters[STEP] - first_step
        counters[EPOCH] = epoch
        point[0] = total_loss / n
        watched = point[1] if plan[MONITOR] == 0 else 1.0 - point[2]
        if validation_x.shape[0] == 0 or watched < scalars[BEST] - rates[MIN_DELTA]:
            copy(kept, 0, best, 0, best.size)
            counters[BEST_EPOCH], scalars[BEST], scalars[BEST_LOSS] = epoch, watched, point[1]
        elif plan[PATIENCE] > 0 and epoch - counters[BEST_EPOCH] >= plan[PATIENCE]:
            counters[STATE] = STOPPED_EARLY
    return counters[STEP] - first_step
