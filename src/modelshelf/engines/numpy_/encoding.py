"""Learned encodings of inputs: of numbers, by cosines or by bins, and tables for categories.

They lie between the prepared rows and the first layer; a network without them never comes here.
Sources: Gorishniy et al. 2022; Holzmüller et al. 2024 for the form with cosines (PBLD).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from modelshelf.engines.numpy_.compile import integer, kernel
from modelshelf.engines.numpy_.elementary import circular, fill
from modelshelf.engines.numpy_.layout import EDGES, EMBEDDING, FEATURES, NUMBERS, SIZE, TABLES
from modelshelf.engines.numpy_.piecewise import bend, bend_back
from modelshelf.engines.numpy_.views import vector

__all__ = [
    "Encode",
    "EncodeBack",
    "encode",
    "encode_back",
    "no_encode",
    "no_encode_back",
    "waves_shape",
]

_F: TypeAlias = NDArray[Any]
_I: TypeAlias = NDArray[np.int64]
Encode = Callable[[_I, _I, _F, _F, _F, _F], None]
EncodeBack = Callable[[_I, _I, _F, _F, _F, _F, _F], None]

_TURN = 2.0 * math.pi


# Parts of `waves`: cosines and sines of rows; the map, features innermost, that they may fill
# vectors; its gradient; the gradient by one row's cosines.
_COSINE, _SINE, _MAP, _BACK, _ROW, _WAVES = range(6)


def waves_shape(form: NDArray[np.int64], rows: int) -> tuple[int, int]:
    """Of the scratch that both ways need, for up to this many rows."""
    return _WAVES, int(form[FEATURES] * max(rows, form[SIZE]))


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


@kernel
def _wave(
    own: NDArray[Any],
    features: int,
    out: int,
    x: NDArray[Any],
    column: int,
    into: NDArray[Any],
    at: int,
    waves: NDArray[Any],
) -> None:
    """A number x becomes (V cos(2π x w + b) + c, x), at `into[:, at : at + out + 1]`."""
    rows, wide = x.shape[0], waves.shape[1]
    cosine, sine = (
        vector(waves, _COSINE * wide, rows * features),
        vector(waves, _SINE * wide, rows * features),
    )
    _angles(x, column, vector(own, 0, features), vector(own, features, features), cosine)
    circular(cosine, sine)
    v = 2 * features
    c = v + features * out
    mixture = vector(waves, _MAP * wide, features * out)
    for k in range(out):
        for j in range(features):
            mixture[k * features + j] = own[v + j * out + k]
    for i in range(rows):
        for k in range(out):
            total = own[c + k]
            for j in range(features):
                total += cosine[i * features + j] * mixture[k * features + j]
            into[i, at + k] = total
        into[i, at + out] = x[i, column]


@kernel
def _wave_back(
    own: NDArray[Any],
    features: int,
    out: int,
    x: NDArray[Any],
    column: int,
    delta: NDArray[Any],
    at: int,
    gradient: NDArray[Any],
    waves: NDArray[Any],
) -> None:
    """Fill one number's part of the gradient."""
    rows, wide, turn = x.shape[0], waves.shape[1], x.dtype.type(_TURN)
    cosine, sine = (
        vector(waves, _COSINE * wide, rows * features),
        vector(waves, _SINE * wide, rows * features),
    )
    _angles(x, column, vector(own, 0, features), vector(own, features, features), cosine)
    circular(cosine, sine)
    v = 2 * features
    c = v + features * out
    fill(gradient, 0, gradient.size, 0.0)
    mixture, mixed = (
        vector(waves, _MAP * wide, features * out),
        vector(waves, _BACK * wide, features * out),
    )
    for k in range(out):
        for j in range(features):
            mixture[k * features + j] = own[v + j * out + k]
    fill(mixed, 0, features * out, 0.0)
    back = vector(waves, _ROW * wide, features)
    for i in range(rows):
        value = turn * x[i, column]
        fill(back, 0, features, 0.0)
        for k in range(out):
            each = delta[i, at + k]
            gradient[c + k] += each
            for j in range(features):
                mixed[k * features + j] += cosine[i * features + j] * each
                back[j] += mixture[k * features + j] * each
        for j in range(features):
            down = -back[j] * sine[i * features + j]
            gradient[j] += down * value
            gradient[features + j] += down
    for k in range(out):
        for j in range(features):
            gradient[v + j * out + k] = mixed[k * features + j]


@kernel
def _per_number(form: NDArray[np.int64]) -> int:
    """How many parameters a number's encoding has."""
    features, size = form[FEATURES], form[SIZE]
    count: int = 2 * features + (features + 1) * (size - 1)
    if form[EDGES] >= 0:
        count = (features + 2) * size
    return count


def encode(
    columns: NDArray[np.int64],
    form: NDArray[np.int64],
    theta: NDArray[Any],
    x: NDArray[Any],
    into: NDArray[Any],
    waves: NDArray[Any],
) -> None:
    """Raw rows `x` (rows, inputs) into the first layer's inputs `into` (rows, width).

    `waves` is `scratch_for`'s, of `waves_shape`.
    """
    rows, features, size = x.shape[0], form[FEATURES], form[SIZE]
    p, t, e, at, each = form[NUMBERS], form[TABLES], form[EDGES], integer(0), _per_number(form)
    for column in range(columns.size):
        kind = columns[column]
        if kind == 0:
            for i in range(rows):
                into[i, at] = x[i, column]
            at += 1
        elif kind < 0:
            own = vector(theta, p, each)
            if e >= 0:
                whole = vector(waves, 0, features * size)
                bend(own, vector(theta, e, features + 1), size, x, column, into, at, whole)
                e += features + 1
            else:
                _wave(own, features, size - 1, x, column, into, at, waves)
            p += each
            at += size
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
    rows, features, size = x.shape[0], form[FEATURES], form[SIZE]
    p, t, e, at, each = form[NUMBERS], form[TABLES], form[EDGES], integer(0), _per_number(form)
    for column in range(columns.size):
        kind = columns[column]
        if kind == 0:
            at += 1
        elif kind < 0:
            own, back = vector(theta, p, each), vector(gradient, p, each)
            if e >= 0:
                edges, whole = vector(theta, e, features + 1), vector(waves, 0, features * size)
                bend_back(edges, size, x, column, delta, at, back, whole)
                e += features + 1
            else:
                _wave_back(own, features, size - 1, x, column, delta, at, back, waves)
            p += each
            at += size
        else:
            wide = form[EMBEDDING]
            fill(gradient, t, kind * wide, 0.0)
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
