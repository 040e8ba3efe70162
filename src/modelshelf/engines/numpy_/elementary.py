"""Elementary functions as loops that the compiler can turn into vector instructions."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from modelshelf.engines.numpy_.compile import kernel

__all__ = ["circular", "copy", "exponential", "fill", "hyperbolic"]

# tanh in float32 as x P(x²) / Q(x²), beyond the bound the nearest float to ±1: within a few units
# in the last place, and several times as fast as the C library's, which the compiler cannot
# vectorise. The coefficients are those that Eigen and XLA use.
_BOUND = np.float32(7.90531110763549805)
_A1, _A3 = np.float32(4.89352455891786e-03), np.float32(6.37261928875436e-04)
_A5, _A7 = np.float32(1.48572235717979e-05), np.float32(5.12229709037114e-08)
_A9, _A11 = np.float32(-8.60467152213735e-11), np.float32(2.00018790482477e-13)
_A13 = np.float32(-2.76076847742355e-16)
_B0, _B2 = np.float32(4.89352518554385e-03), np.float32(2.26843463243900e-03)
_B4, _B6 = np.float32(1.18534705686654e-04), np.float32(1.19825839466702e-06)

# exp in float32 as 2^k · P(r): r is what is left of x after k times log 2, taken off in two parts,
# P is Taylor's to r⁷, and 2^k is written into a float's exponent bits.
_PER_LOG2 = np.float32(1.44269504)
_LOG2_HIGH, _LOG2_LOW = np.float32(0.693359375), np.float32(-2.12194440e-4)
_HIGHEST, _LOWEST = np.float32(88.3), np.float32(-87.3)
_ONE, _HALF, _T3 = np.float32(1.0), np.float32(0.5), np.float32(1 / 6)
_T4, _T5 = np.float32(1 / 24), np.float32(1 / 120)
_T6, _T7 = np.float32(1 / 720), np.float32(1 / 5040)
_BIAS, _MANTISSA = np.int32(127), np.int32(23)

# cos and sin in float32: what is left of an angle after k quarter turns goes into polynomials of
# Cephes' sinf and cosf, and k says which of the two, and its sign.
_PER_QUARTER = np.float32(0.636619772)
_QUARTER = 0.5 * np.pi
_S1, _S2, _S3 = (
    np.float32(-1.6666654611e-1),
    np.float32(8.3321608736e-3),
    np.float32(-1.951529589e-4),
)
_C1, _C2, _C3 = np.float32(4.166664568e-2), np.float32(-1.388731625e-3), np.float32(2.443315711e-5)


@kernel
def exponential(z: NDArray[Any]) -> None:
    """z ← exp(z) in place; NaN stays NaN. float64 takes the C library's.

    In float32 the relative error is below 4e-7; results beyond 2e38 and below 1e-38 stay there.
    """
    if z.itemsize == 8:
        for i in range(z.size):
            z[i] = np.exp(z[i])
        return
    for i in range(z.size):
        x = np.float32(z[i])
        x = _HIGHEST if x > _HIGHEST else x
        x = _LOWEST if x < _LOWEST else x
        k = np.floor(x * _PER_LOG2 + _HALF)
        r = x - k * _LOG2_HIGH
        r = r - k * _LOG2_LOW
        p = _T7 * r + _T6
        p = p * r + _T5
        p = p * r + _T4
        p = p * r + _T3
        p = p * r + _HALF
        p = p * r + _ONE
        p = p * r + _ONE
        z[i] = p * np.int32((np.int32(k) + _BIAS) << _MANTISSA).view(np.float32)


@kernel
def hyperbolic(z: NDArray[Any], factor: float) -> None:
    """z ← tanh(factor · z) in place; NaN stays NaN. float64 takes the C library's."""
    if z.itemsize == 8:
        for i in range(z.size):
            z[i] = np.tanh(factor * z[i])
        return
    for i in range(z.size):
        x = np.float32(factor * z[i])
        x = _BOUND if x > _BOUND else x
        x = -_BOUND if x < -_BOUND else x
        s = x * x
        p = _A13 * s + _A11
        p = p * s + _A9
        p = p * s + _A7
        p = p * s + _A5
        p = p * s + _A3
        p = p * s + _A1
        q = _B6 * s + _B4
        q = q * s + _B2
        q = q * s + _B0
        z[i] = x * p / q


@kernel
def circular(angle: NDArray[Any], sine: NDArray[Any]) -> None:
    """`sine` ← sin(angle), and then angle ← cos(angle) in place. float64 takes the C library's.

    In float32 the error is below 1e-7, as long as angles count less than 2³¹ quarter turns.
    """
    if angle.itemsize == 8:
        for i in range(angle.size):
            sine[i] = np.sin(angle[i])
            angle[i] = np.cos(angle[i])
        return
    for i in range(angle.size):
        x = np.float32(angle[i])
        k = np.floor(x * _PER_QUARTER + _HALF)
        # In float64: in three float32 steps, which may be reordered here, it would lose digits.
        r = np.float32(np.float64(x) - np.float64(k) * _QUARTER)
        quarter = np.int32(k)
        z = r * r
        s = ((_S3 * z + _S2) * z + _S1) * z * r + r
        c = ((_C3 * z + _C2) * z + _C1) * z * z - _HALF * z + _ONE
        odd = (quarter & np.int32(1)) != 0
        first = s if odd else c
        second = c if odd else s
        angle[i] = -first if ((quarter + np.int32(1)) & np.int32(2)) != 0 else first
        sine[i] = -second if (quarter & np.int32(2)) != 0 else second


@kernel
def copy(source: NDArray[Any], start: int, into: NDArray[Any], at: int, size: int) -> None:
    """`into[at : at + size]` ← `source[start : start + size]`.

    A loop, for Numba takes long to compile the messages of an assigned slice that does not fit.
    """
    for i in range(size):
        into[at + i] = source[start + i]


@kernel
def fill(into: NDArray[Any], at: int, size: int, value: float) -> None:
    """`into[at : at + size]` ← `value`."""
    for i in range(at, at + size):
        into[i] = value
