"""Activations. Each turns a layer's sums into outputs, and notes the slope for the way back.

To add one: write its loop, and enter it in `ACTIVATIONS` and in the catalogue's choices.

Each takes flat arrays `z` (sums in, outputs out) and `slope` (derivatives out), of the member's
dtype, and one parameter.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numpy.typing import NDArray

from modelshelf.engines.numpy_.elementary import hyperbolic

__all__ = ["ACTIVATIONS", "Activation", "leaky_relu", "relu", "sigmoid", "tanh"]

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


ACTIVATIONS: dict[str, Activation] = {
    "relu": relu,
    "leaky_relu": leaky_relu,
    "tanh": tanh,
    "sigmoid": sigmoid,
}
