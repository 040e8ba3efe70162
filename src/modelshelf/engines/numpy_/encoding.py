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

from modelshelf.engines.numpy_.compile import kernel
from modelshelf.engines.numpy_.elementary import circular
from modelshelf.engines.numpy_.layout import EDGES, EMBEDDING, FEATURES, NUMBERS, SIZE, TABLES
from modelshelf.engines.numpy_.piecewise import bend, bend_back

__all__ = [
    "Encode",
    "EncodeBack",
    "encode",
    "encode_back",
    "make_waves",
    "no_encode",
    "no_encode_back",
]

_F: TypeAlias = NDArray[Any]
_I: TypeAlias = NDArray[np.int64]
Encode = Callable[[_I, _I, _F, _F, _F, _F], None]
EncodeBack = Callable[[_I, _I, _F, _F, _F, _F, _F], None]

_TURN = 2.0 * math.pi


@kernel
def make_waves(form: NDArray[np.int64], rows: int, theta: NDArray[Any]) -> NDArray[Any]:
    """The scratch that both ways need, for up to this many rows."""
    wide = form[FEATURES] * max(rows, form[SIZE])
    return np.empty((2, wide), theta.dtype)


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
    rows = x.shape[0]
    cosine = waves[0, : rows * features]
    _angles(x, column, own[:features], own[features : 2 * features], cosine)
    circular(cosine, waves[1, : rows * features])
    v = 2 * features
    c = v + features * out
    mixture = np.empty(features * out, own.dtype)  # features innermost: they fill vectors
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
    rows, zero, turn = x.shape[0], x.dtype.type(0.0), x.dtype.type(_TURN)
    cosine, sine = waves[0, : rows * features], waves[1, : rows * features]
    _angles(x, column, own[:features], own[features : 2 * features], cosine)
    circular(cosine, sine)
    v = 2 * features
    c = v + features * out
    gradient[:] = zero
    mixture = np.empty((2, features * out), own.dtype)  # and its gradient; features innermost
    for k in range(out):
        for j in range(features):
            mixture[0, k * features + j] = own[v + j * out + k]
            mixture[1, k * features + j] = zero
    back = np.empty(features, own.dtype)
    for i in range(rows):
        value = turn * x[i, column]
        back[:] = zero
        for k in range(out):
            each = delta[i, at + k]
            gradient[c + k] += each
            for j in range(features):
                mixture[1, k * features + j] += cosine[i * features + j] * each
                back[j] += mixture[0, k * features + j] * each
        for j in range(features):
            down = -back[j] * sine[i * features + j]
            gradient[j] += down * value
            gradient[features + j] += down
    for k in range(out):
        for j in range(features):
            gradient[v + j * out + k] = mixture[1, k * features + j]


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

    `waves` is `make_waves`'s.
    """
    rows, features, size = x.shape[0], form[FEATURES], form[SIZE]
    p, t, e, at, each = form[NUMBERS], form[TABLES], form[EDGES], 0, _per_number(form)
    for column in range(columns.size):
        kind = columns[column]
        if kind == 0:
            for i in range(rows):
                into[i, at] = x[i, column]
            at += 1
        elif kind < 0:
            own = theta[p : p + each]
            if e >= 0:
                bend(own, theta[e : e + features + 1], size, x, column, into, at, waves[0])
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
    p, t, e, at, each = form[NUMBERS], form[TABLES], form[EDGES], 0, _per_number(form)
    for column in range(columns.size):
        kind = columns[column]
        if kind == 0:
            at += 1
        elif kind < 0:
            own, back = theta[p : p + each], gradient[p : p + each]
            if e >= 0:
                edges = theta[e : e + features + 1]
                bend_back(edges, size, x, column, delta, at, back, waves[0])
                e += features + 1
            else:
                _wave_back(own, features, size - 1, x, column, delta, at, back, waves)
            p += each
            at += size
        else:
            wide = form[EMBEDDING]
            gradient[t : t + kind * wide] = theta.dtype.type(0.0)
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
