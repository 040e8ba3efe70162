"""What a network answers: its raw outputs, by chunks of rows."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from modelshelf.engines.numpy_.activations import Activation
from modelshelf.engines.numpy_.compile import kernel
from modelshelf.engines.numpy_.elementary import copy
from modelshelf.engines.numpy_.encoding import Encode, make_waves
from modelshelf.engines.numpy_.ensemble import expand
from modelshelf.engines.numpy_.layout import MEMBERS
from modelshelf.engines.numpy_.losses import softmax
from modelshelf.engines.numpy_.network import forward, make_room
from modelshelf.engines.numpy_.penalties import clamp

__all__ = ["answer", "predict"]

_ROWS = 256  # of a chunk, where no more are asked for


@kernel
def answer(
    encode: Encode,
    activation: Activation,
    sizes: NDArray[np.int64],
    form: NDArray[np.int64],
    columns: NDArray[np.int64],
    rates: NDArray[np.float64],
    limits: NDArray[np.float64],
    classes: int,
    theta: NDArray[Any],
    own: NDArray[Any],
    outputs: NDArray[Any],
    slopes: NDArray[Any],
    room: NDArray[Any],
    waves: NDArray[Any],
    capacity: int,
    x: NDArray[Any],
    into: NDArray[Any],
) -> None:
    """Raw outputs for rows `x` (rows, inputs) into `into` (rows, outputs).

    Of several members: the logarithm of their mean probability, or their mean output. `own` is
    scratch for one's vector; the other arrays are scratch for chunks of `capacity` rows.
    """
    members = form[MEMBERS]
    last = outputs.size - capacity * sizes[-1]
    vector = own if members > 1 else theta
    few, tiny = theta.dtype.type(1.0 / members), theta.dtype.type(1e-37)
    for member in range(members):
        if members > 1:
            expand(sizes, members, member, theta, own)
        for start in range(0, x.shape[0], capacity):
            rows = min(capacity, x.shape[0] - start)
            inputs = outputs[: rows * sizes[0]].reshape(rows, sizes[0])
            if columns.size > 0:
                encode(columns, form, vector, x[start : start + rows], inputs, waves)
            else:
                for i in range(rows):
                    copy(x[start + i], 0, inputs[i], 0, x.shape[1])
            forward(
                activation, sizes, form, rates, vector, outputs, slopes, room, slopes, rows,
                capacity, np.uint64(0), 0,
            )  # fmt: skip
            flat = outputs[last : last + rows * sizes[-1]]
            clamp(flat, limits)
            answers = flat.reshape(rows, sizes[-1])
            if members > 1 and classes == 1:
                softmax(answers, answers)
            for i in range(rows):
                for k in range(answers.shape[1]):
                    before = into[start + i, k] if member > 0 else few * 0
                    into[start + i, k] = before + few * answers[i, k]
    if members > 1 and classes == 1:
        for i in range(into.shape[0]):
            for k in range(into.shape[1]):
                into[i, k] = np.log(max(into[i, k], tiny))


def predict(
    encode: Encode,
    activation: Activation,
    sizes: NDArray[np.int64],
    form: NDArray[np.int64],
    columns: NDArray[np.int64],
    rates: NDArray[np.float64],
    limits: NDArray[np.float64],
    classes: int,
    one: int,
    theta: NDArray[Any],
    x: NDArray[Any],
    into: NDArray[Any],
) -> None:
    """`answer`, with scratch of its own; `one` is the length of one member's vector."""
    total = 0
    for each in sizes:
        total += _ROWS * each
    outputs, slopes = np.empty(total, theta.dtype), np.empty(total, theta.dtype)
    own = np.empty(one, theta.dtype) if form[MEMBERS] > 1 else theta
    answer(
        encode, activation, sizes, form, columns, rates, limits, classes, theta, own, outputs,
        slopes, make_room(sizes, form, _ROWS, theta), make_waves(form, _ROWS, theta), _ROWS, x,
        into,
    )  # fmt: skip
