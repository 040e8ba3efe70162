"""Random numbers inside kernels: counter-based, so that a draw depends on what it is for.

A dropout mask is a function of (member, step, layer, unit), and an epoch's order of rows one of
(member, epoch). Nothing is carried along, so a member that is paused, or trained beside others,
draws the same numbers.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from modelshelf.engines.numpy_.compile import kernel

__all__ = ["drop", "mix64", "shuffle"]

# Numba widens uint32 arithmetic to 64 bits: every operation casts back, or the masks are wrong.
_GOLDEN = np.uint32(0x9E3779B9)
_M1, _M2 = np.uint32(0x7FEB352D), np.uint32(0x846CA68B)
_S16, _S15, _LOW16 = np.uint32(16), np.uint32(15), np.uint32(0xFFFF)
_G64 = np.uint64(0x9E3779B97F4A7C15)
_A64, _B64 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_U30, _U27, _U31, _U32 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(32)
_LOW32 = np.uint64(0xFFFFFFFF)


@kernel
def mix64(value: np.uint64) -> np.uint64:
    """SplitMix64's output function: 64 well-mixed bits of a 64-bit counter."""
    z = value + _G64
    z = (z ^ (z >> _U30)) * _A64
    z = (z ^ (z >> _U27)) * _B64
    return z ^ (z >> _U31)


@kernel
def _hash(counter: np.uint32, seed: np.uint32) -> np.uint32:
    """Wellons' lowbias32 of a counter."""
    h = np.uint32(np.uint32(counter * _GOLDEN) + seed)
    h = np.uint32(np.uint32(h ^ np.uint32(h >> _S16)) * _M1)
    h = np.uint32(np.uint32(h ^ np.uint32(h >> _S15)) * _M2)
    return np.uint32(h ^ np.uint32(h >> _S16))


@kernel
def drop(
    values: NDArray[Any],
    slope: NDArray[Any],
    rate: float,
    key: np.uint64,
    step: int,
    layer: int,
) -> None:
    """Inverted dropout in place: each value is 0 with probability `rate`, else divided by 1 - rate.

    `values` and `slope` are flat arrays of one layer's outputs and their derivatives; both get the
    same mask. A share of 1/65536 is the finest. Source: Srivastava et al. 2014.
    """
    seed = np.uint32(mix64(mix64(key ^ np.uint64(step)) ^ np.uint64(layer + 1)) & _LOW32)
    threshold = np.uint32(rate * 65536.0)
    scale = values.dtype.type(1.0 / (1.0 - rate))
    zero = values.dtype.type(0.0)
    half = values.size // 2
    for i in range(half):  # each hash serves two values, one from either half
        h = _hash(np.uint32(i), seed)
        low = scale if np.uint32(h & _LOW16) >= threshold else zero
        high = scale if np.uint32(h >> _S16) >= threshold else zero
        values[i] *= low
        slope[i] *= low
        values[half + i] *= high
        slope[half + i] *= high
    if values.size > 2 * half:
        last = scale if np.uint32(_hash(np.uint32(half), seed) & _LOW16) >= threshold else zero
        values[2 * half] *= last
        slope[2 * half] *= last


@kernel
def shuffle(order: NDArray[np.int64], key: np.uint64, epoch: int) -> None:
    """Fill `order` with a permutation of 0 … n-1 for this epoch (Fisher-Yates, in place)."""
    n = order.size
    for i in range(n):
        order[i] = i
    state = mix64(key ^ mix64(np.uint64(epoch)))
    for i in range(n - 1, 0, -1):
        state = mix64(state)
        # Lemire's multiply-shift: the high bits of a 32-bit draw times the range.
        j = np.int64(((state >> _U32) * np.uint64(i + 1)) >> _U32)
        order[i], order[j] = order[j], order[i]
