"""What holds weights, gradients and answers within bounds."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from modelshelf.engines.numpy_.compile import kernel

__all__ = ["clamp", "clip", "finite", "penalise"]


@kernel
def penalise(
    first: float, second: float, weights: int, theta: NDArray[Any], gradient: NDArray[Any]
) -> float:
    """Add the penalties' gradients, and return `first` · Σ|w| + `second` · Σw² over the weights."""
    zero = theta.dtype.type(0.0)
    l1, l2 = theta.dtype.type(first), theta.dtype.type(2.0 * second)
    absolute, square = 0.0, 0.0
    for i in range(weights):
        w = theta[i]
        sign = l1 if w > zero else (-l1 if w < zero else zero)
        gradient[i] += sign + l2 * w
        absolute += np.float64(abs(w))
        square += np.float64(w) * np.float64(w)
    return first * absolute + second * square


@kernel
def clip(gradient: NDArray[Any], longest: float) -> None:
    """Shorten the gradient to a norm of `longest`; torch.nn.utils.clip_grad_norm_."""
    square = 0.0
    for i in range(gradient.size):
        square += np.float64(gradient[i]) * np.float64(gradient[i])
    factor = longest / (np.sqrt(square) + 1e-6)
    if factor < 1.0:
        small = gradient.dtype.type(factor)
        for i in range(gradient.size):
            gradient[i] *= small


@kernel
def clamp(values: NDArray[Any], limits: NDArray[np.float64]) -> None:
    """Values beyond the limits (lowest, highest) become them; a NaN stays one."""
    low, high = values.dtype.type(limits[0]), values.dtype.type(limits[1])
    if low < high and np.isfinite(high):
        for i in range(values.size):
            value = values[i]
            values[i] = low if value < low else (high if value > high else value)


@kernel
def finite(theta: NDArray[Any]) -> bool:
    """Whether no weight is NaN or infinite."""
    total = 0.0
    for i in range(theta.size):
        total += np.float64(theta[i])
    return bool(np.isfinite(total))
