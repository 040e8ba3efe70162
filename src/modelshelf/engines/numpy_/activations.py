"""Activations. Each turns a layer's sums into outputs, and notes the slope for the way back.

To add one: write its loop, and enter it in `ACTIVATIONS` and in the catalogue's choices.

Each takes flat arrays `z` (sums in, outputs out) and `slope` (derivatives out), of the member's
dtype, and one parameter.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from modelshelf.engines.numpy_.elementary import exponential, hyperbolic

__all__ = [
    "ACTIVATIONS",
    "Activation",
    "gelu",
    "leaky_relu",
    "mish",
    "relu",
    "selu",
    "sigmoid",
    "silu",
    "tanh",
]

Activation = Callable[[NDArray[Any], NDArray[Any], float], None]


def relu(z: NDArray[Any], slope: NDArray[Any], parameter: float) -> None:
    """max(0, z). Nair, Hinton 2010; torch.nn.ReLU, whose slope at 0 is 0."""
    zero, one = z.dtype.type(0.0), z.dtype.type(1.0)
    for i in range(z.size):
        # A NaN must stay one, or a diverged member would not be seen: hence `<= 0`, not `> 0`.
        negative = z[i] <= zero
        slope[i] = zero if negative else one
        z[i] = zero if negative else z[i]


def leaky_relu(z: NDArray[Any], slope: NDArray[Any], parameter: float) -> None:
    """Z, or parameter · z below 0. Maas, Hannun, Ng 2013; torch.nn.LeakyReLU."""
    zero, one, leak = z.dtype.type(0.0), z.dtype.type(1.0), z.dtype.type(parameter)
    for i in range(z.size):
        slope[i] = one if z[i] > zero else leak
        z[i] *= slope[i]


def tanh(z: NDArray[Any], slope: NDArray[Any], parameter: float) -> None:
    """The hyperbolic tangent; torch.nn.Tanh."""
    one = z.dtype.type(1.0)
    hyperbolic(z, one)
    for i in range(z.size):
        slope[i] = one - z[i] * z[i]


def sigmoid(z: NDArray[Any], slope: NDArray[Any], parameter: float) -> None:
    """1 / (1 + exp(-z)), by the tangent, so that it cannot overflow; torch.nn.Sigmoid."""
    one, half = z.dtype.type(1.0), z.dtype.type(0.5)
    hyperbolic(z, half)
    for i in range(z.size):
        z[i] = half * (z[i] + one)
        slope[i] = z[i] * (one - z[i])


def silu(z: NDArray[Any], slope: NDArray[Any], parameter: float) -> None:
    """Z · sigmoid(z). Elfwing et al. 2018; torch.nn.SiLU."""
    one, half = z.dtype.type(1.0), z.dtype.type(0.5)
    for i in range(z.size):
        slope[i] = z[i]
    hyperbolic(slope, half)
    for i in range(z.size):
        gate = half * (slope[i] + one)
        slope[i] = gate * (one + z[i] * (one - gate))
        z[i] *= gate


def mish(z: NDArray[Any], slope: NDArray[Any], parameter: float) -> None:
    """Z · tanh(log(1 + exp(z))). Misra 2020; torch.nn.Mish.

    With s the sigmoid of z, exp of the logarithm is 1 / (1 - s), and so nothing can overflow.
    """
    one, half = z.dtype.type(1.0), z.dtype.type(0.5)
    for i in range(z.size):
        slope[i] = z[i]
    hyperbolic(slope, half)
    for i in range(z.size):
        rest = half * (one - slope[i])
        square = rest * rest
        gate = (one - square) / (one + square)
        slope[i] = gate + z[i] * (one - rest) * (one - gate * gate)
        z[i] *= gate


# Klambauer et al. 2017: the two constants that keep mean 0 and variance 1 from layer to layer.
_SELU_SCALE, _SELU_ALPHA = 1.0507009873554804934193349852946, 1.6732632423543772848170429916717


def selu(z: NDArray[Any], slope: NDArray[Any], parameter: float) -> None:
    """Scale · z, or scale · alpha · (exp(z) - 1) below 0. Klambauer et al. 2017; torch.nn.SELU."""
    zero, scale = z.dtype.type(0.0), z.dtype.type(_SELU_SCALE)
    below = z.dtype.type(_SELU_SCALE * _SELU_ALPHA)
    for i in range(z.size):
        slope[i] = zero if z[i] > zero else z[i]
    exponential(slope)
    for i in range(z.size):
        positive = z[i] > zero
        z[i] = scale * z[i] if positive else below * slope[i] - below
        slope[i] = scale if positive else below * slope[i]


# The error function in float32: Abramowitz, Stegun 7.1.26, right to 1.5e-7.
_P, _A1, _A2 = np.float32(0.3275911), np.float32(0.254829592), np.float32(-0.284496736)
_A3, _A4, _A5 = np.float32(1.421413741), np.float32(-1.453152027), np.float32(1.061405429)


def gelu(z: NDArray[Any], slope: NDArray[Any], parameter: float) -> None:
    """Z · Φ(z), Φ the normal distribution's. Hendrycks, Gimpel 2016; torch.nn.GELU."""
    zero, one, half = z.dtype.type(0.0), z.dtype.type(1.0), z.dtype.type(0.5)
    root, density = z.dtype.type(math.sqrt(0.5)), z.dtype.type(1.0 / math.sqrt(2.0 * math.pi))
    for i in range(z.size):
        slope[i] = -half * z[i] * z[i]
    exponential(slope)
    if z.itemsize == 8:
        for i in range(z.size):
            share = half * (one + math.erf(z[i] * root))
            slope[i] = share + z[i] * slope[i] * density
            z[i] *= share
        return
    for i in range(z.size):
        t = one / (one + _P * (abs(z[i]) * root))
        tail = ((((_A5 * t + _A4) * t + _A3) * t + _A2) * t + _A1) * t * slope[i] * half
        share = one - tail if z[i] > zero else tail
        slope[i] = share + z[i] * slope[i] * density
        z[i] *= share


ACTIVATIONS: dict[str, Activation] = {
    "relu": relu,
    "leaky_relu": leaky_relu,
    "tanh": tanh,
    "sigmoid": sigmoid,
    "gelu": gelu,
    "silu": silu,
    "mish": mish,
    "selu": selu,
}
