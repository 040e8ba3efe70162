"""What a network answers: its raw outputs, by chunks of rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from modelshelf.engines.numpy_.activations import Activation
from modelshelf.engines.numpy_.compile import integer
from modelshelf.engines.numpy_.elementary import copy
from modelshelf.engines.numpy_.encoding import Encode
from modelshelf.engines.numpy_.ensemble import Expand
from modelshelf.engines.numpy_.layout import MEMBERS
from modelshelf.engines.numpy_.losses import softmax
from modelshelf.engines.numpy_.network import Forward
from modelshelf.engines.numpy_.normalise import Normalise
from modelshelf.engines.numpy_.penalties import clamp
from modelshelf.engines.numpy_.scratch import Scratch
from modelshelf.engines.numpy_.views import matrix, vector

__all__ = ["ANSWERED", "Answer", "answer"]

#: Rows that are answered at a time, where nothing asks for more room.
ANSWERED = 256

Answer = Callable[..., None]


def answer(
    forward: Forward,
    encode: Encode,
    activation: Activation,
    normalise: Normalise,
    expand: Expand,
    sizes: NDArray[np.int64],
    form: NDArray[np.int64],
    columns: NDArray[np.int64],
    rates: NDArray[np.float64],
    limits: NDArray[np.float64],
    classes: int,
    theta: NDArray[Any],
    scratch: Scratch,
    capacity: int,
    x: NDArray[Any],
    into: NDArray[Any],
) -> None:
    """Raw outputs for rows `x` (rows, inputs) into `into` (rows, outputs), `capacity` at a time.

    Of several members: the logarithm of their mean probability, or their mean output.
    """
    members, last, width = form[MEMBERS], sizes.size - 1, sizes[0]
    outputs, slopes = scratch.outputs, scratch.slopes
    at = 0
    for layer in range(last):
        at += capacity * sizes[layer]
    vector_of_one = scratch.own if members > 1 else theta
    few, tiny = theta.dtype.type(1.0 / members), theta.dtype.type(1e-37)
    for member in range(members):
        if members > 1:
            expand(sizes, members, member, theta, scratch.own)
        for start in range(0, x.shape[0], capacity):
            rows = min(capacity, x.shape[0] - start)
            seen = matrix(x, start * x.shape[1], rows, x.shape[1])
            if columns.size > 0:
                inputs = matrix(outputs, 0, rows, width)
                encode(columns, form, vector_of_one, seen, inputs, scratch.waves)
            else:
                copy(vector(seen, 0, seen.size), 0, outputs, 0, seen.size)
            forward(
                activation, normalise, sizes, form, rates, vector_of_one, outputs, slopes,
                scratch.room, slopes, rows, capacity, np.uint64(0), integer(0),
            )  # fmt: skip
            answers = matrix(outputs, at, rows, sizes[last])
            clamp(vector(answers, 0, answers.size), limits)
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
