"""Learned encodings of inputs: periodic features of numbers, and tables for categories.

Both lie between the prepared rows and the first layer; a network without them never comes here.
Sources: Gorishniy et al. 2022; Holzmüller et al. 2024 for this form (PBLD).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from modelshelf.engines.numpy_.compile import kernel
from modelshelf.engines.numpy_.elementary import circular
from modelshelf.engines.numpy_.layout import EMBEDDING, FEATURES, PERIODIC, SIZE, TABLES

__all__ = ["Encode", "EncodeBack", "encode", "encode_back", "no_encode", "no_encode_back"]

_F: TypeAlias = NDArray[Any]
_I: TypeAlias = NDArray[np.int64]
Encode = Callable[[_I, _I, _F, _F, _F, _F], None]
EncodeBack = Callable[[_I, _I, _F, _F, _F, _F, _F], None]

_TURN = 2.0 * math.pi


@kernel
def _angles(
    x: NDArray[Any], column: int, frequency: NDArray[Any], phase: NDArray[Any], into: NDArray[Any]
) -> None:
    """`into` (rows · features,) ← 2π x w + b."""
    turn, features = x.dtype.type(_TURN), frequency.size
    for i in range(x.shape[0]):
        value = turn * x[i, column]
        for j in range(features):
            into[i * features + j] = value * frequency[j] + phase[j]


def encode(
    columns: NDArray[np.int64],
    form: NDArray[np.int64],
    theta: NDArray[Any],
    x: NDArray[Any],
    into: NDArray[Any],
    waves: NDArray[Any],
) -> None:
    """Raw rows `x` (rows, inputs) into the first layer's inputs `into` (rows, width).

    A number x becomes (V cos(2π x w + b) + c, x); `waves` (2, rows · features) is scratch.
    """
    rows = x.shape[0]
    features, out = form[FEATURES], form[SIZE] - 1
    p, t, at = form[PERIODIC], form[TABLES], 0
    for column in range(columns.size):
        kind = columns[column]
        if kind == 0:
            for i in range(rows):
                into[i, at] = x[i, column]
            at += 1
        elif kind < 0:
            cosine = waves[0, : rows * features]
            frequency, phase = theta[p : p + features], theta[p + features : p + 2 * features]
            _angles(x, column, frequency, phase, cosine)
            circular(cosine, waves[1, : rows * features])
            v = p + 2 * features
            c = v + features * out
            for i in range(rows):
                for k in range(out):
                    total = theta[c + k]
                    for j in range(features):
                        total += cosine[i * features + j] * theta[v + j * out + k]
                    into[i, at + k] = total
                into[i, at + out] = x[i, column]
            p = c + out
            at += out + 1
        else:
            wide = form[EMBEDDING]
            for i in range(rows):
                place = t + min(max(np.int64(x[i, column]), 0), kind - 1) * wide
                for k in range(wide):
                    into[i, at + k] = theta[place + k]
            t += kind * wide
            at += wide


def encode_back(
    columns: NDArray[np.int64],
    form: NDArray[np.int64],
    theta: NDArray[Any],
    x: NDArray[Any],
    delta: NDArray[Any],
    waves: NDArray[Any],
    gradient: NDArray[Any],
) -> None:
    """Fill the encoding's part of `gradient`; `delta` (rows, width) is the loss's by `into`."""
    rows = x.shape[0]
    features, out = form[FEATURES], form[SIZE] - 1
    p, t, at = form[PERIODIC], form[TABLES], 0
    zero, turn = theta.dtype.type(0.0), theta.dtype.type(_TURN)
    for column in range(columns.size):
        kind = columns[column]
        if kind == 0:
            at += 1
        elif kind < 0:
            cosine, sine = waves[0, : rows * features], waves[1, : rows * features]
            frequency, phase = theta[p : p + features], theta[p + features : p + 2 * features]
            _angles(x, column, frequency, phase, cosine)
            circular(cosine, sine)
            v = p + 2 * features
            c = v + features * out
            gradient[p : c + out] = zero
            for i in range(rows):
                value = turn * x[i, column]
                for k in range(out):
                    gradient[c + k] += delta[i, at + k]
                for j in range(features):
                    back = zero
                    for k in range(out):
                        gradient[v + j * out + k] += cosine[i * features + j] * delta[i, at + k]
                        back += theta[v + j * out + k] * delta[i, at + k]
                    back *= -sine[i * features + j]
                    gradient[p + j] += back * value
                    gradient[p + features + j] += back
            p = c + out
            at += out + 1
        else:
            wide = form[EMBEDDING]
            gradient[t : t + kind * wide] = zero
            for i in range(rows):
                place = t + min(max(np.int64(x[i, column]), 0), kind - 1) * wide
                for k in range(wide):
                    gradient[place + k] += delta[i, at + k]
            t += kind * wide
            at += wide


def no_encode(columns: _I, form: _I, theta: _F, x: _F, into: _F, waves: _F) -> None:
    """What stands in `encode`'s place where nothing is encoded."""


def no_encode_back(
    columns: _I, form: _I, theta: _F, x: _F, delta: _F, waves: _F, gradient: _F
) -> None:
    """What stands in `encode_back`'s place where nothing is encoded."""
