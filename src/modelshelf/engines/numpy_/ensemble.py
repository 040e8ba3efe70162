"""Several networks in one: members that share weights, each with two vectors of its own a layer.

A member *is* a plain network: its hidden weights are the shared ones, with each row multiplied by
its adapter of inputs and each column by that of sums. So it is written out, goes the plain way
there and back, and its gradients are folded into the shared ones. Sources: Wen, Tran, Ba 2020
(BatchEnsemble); Gorishniy et al. 2024 (TabM).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from modelshelf.engines.numpy_.compile import kernel
from modelshelf.engines.numpy_.elementary import copy, fill
from modelshelf.engines.numpy_.views import vector

__all__ = ["Expand", "Fold", "expand", "fold", "key_of", "no_expand", "no_fold"]

_F: TypeAlias = NDArray[Any]
_I: TypeAlias = NDArray[np.int64]
Expand = Callable[[_I, int, int, _F, _F], None]
Fold = Callable[[_I, int, int, _F, _F, _F], None]

_G64 = np.uint64(0x9E3779B97F4A7C15)


@kernel
def key_of(key: np.uint64, member: int) -> np.uint64:
    """The key of a member's random numbers: the first has the network's own."""
    return key + np.uint64(member) * _G64


@kernel
def _places(sizes: NDArray[np.int64], members: int, size: int) -> tuple[int, int, int, int]:
    """Numbers of hidden weights, of one last layer's, of one member's biases, of the rest."""
    hidden, biases, adapters = 0, sizes[sizes.size - 1], 0
    for layer in range(sizes.size - 2):
        hidden += sizes[layer] * sizes[layer + 1]
        biases += sizes[layer + 1]
        adapters += sizes[layer] + sizes[layer + 1]
    last = sizes[sizes.size - 2] * sizes[sizes.size - 1]
    return hidden, last, biases, size - hidden - members * (last + biases + adapters)


def expand(
    sizes: NDArray[np.int64], members: int, member: int, theta: NDArray[Any], own: NDArray[Any]
) -> None:
    """Write one member out: `own` is the vector of its layout by itself."""
    hidden, last, biases, rest = _places(sizes, members, theta.size)
    begin = hidden + members * last
    copy(theta, hidden + member * last, own, hidden, last)
    copy(theta, begin + member * biases, own, hidden + last, biases)
    copy(theta, begin + members * biases, own, hidden + last + biases, rest)
    w, a = 0, begin + members * biases + rest
    a += member * ((theta.size - a) // members)
    for layer in range(sizes.size - 2):
        n, m = sizes[layer], sizes[layer + 1]
        sums = vector(theta, a + n, m)
        for j in range(n):
            scale = theta[a + j]
            for k in range(m):
                own[w + j * m + k] = scale * theta[w + j * m + k] * sums[k]
        w += n * m
        a += n + m


def fold(
    sizes: NDArray[np.int64],
    members: int,
    member: int,
    theta: NDArray[Any],
    own: NDArray[Any],
    gradient: NDArray[Any],
) -> None:
    """Add one member's gradient `own` to that of the whole; the first member's begins it."""
    hidden, last, biases, rest = _places(sizes, members, theta.size)
    begin = hidden + members * last
    if member == 0:
        fill(gradient, 0, gradient.size, 0.0)
    copy(own, hidden, gradient, hidden + member * last, last)
    copy(own, hidden + last, gradient, begin + member * biases, biases)
    end = begin + members * biases
    for i in range(rest):
        gradient[end + i] += own[hidden + last + biases + i]
    w, a = 0, end + rest
    a += member * ((theta.size - a) // members)
    for layer in range(sizes.size - 2):
        n, m = sizes[layer], sizes[layer + 1]
        sums, back = vector(theta, a + n, m), vector(gradient, a + n, m)
        for j in range(n):
            scale, total = theta[a + j], theta.dtype.type(0.0)
            for k in range(m):
                by = own[w + j * m + k] * sums[k]
                gradient[w + j * m + k] += scale * by
                total += by * theta[w + j * m + k]
                back[k] += own[w + j * m + k] * scale * theta[w + j * m + k]
            gradient[a + j] = total
        w += n * m
        a += n + m


def no_expand(sizes: _I, members: int, member: int, theta: _F, own: _F) -> None:
    """What stands in `expand`'s place where a network is one."""


def no_fold(sizes: _I, members: int, member: int, theta: _F, own: _F, gradient: _F) -> None:
    """What stands in `fold`'s place where a network is one."""
