"""How weights are drawn before training. To add one: a line in `INITIALISERS` and the catalogue.

Biases begin at 0; but for `pytorch`, which draws them like a weight.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

__all__ = ["INITIALISERS"]

Initialiser = Callable[[np.random.Generator, int, int], NDArray[np.float64]]


def _normal(variance: Callable[[int, int], float]) -> Initialiser:
    def draw(rng: np.random.Generator, fan_in: int, fan_out: int) -> NDArray[np.float64]:
        return rng.normal(0.0, math.sqrt(variance(fan_in, fan_out)), (fan_in, fan_out))

    return draw


def _uniform(variance: Callable[[int, int], float]) -> Initialiser:
    def draw(rng: np.random.Generator, fan_in: int, fan_out: int) -> NDArray[np.float64]:
        bound = math.sqrt(3.0 * variance(fan_in, fan_out))
        return rng.uniform(-bound, bound, (fan_in, fan_out))

    return draw


def _he(fan_in: int, fan_out: int) -> float:
    """Variance that keeps the signal through ReLUs. He et al. 2015; torch kaiming_*."""
    return 2.0 / fan_in


def _xavier(fan_in: int, fan_out: int) -> float:
    """Variance that keeps signal and gradient alike. Glorot, Bengio 2010; torch xavier_*."""
    return 2.0 / (fan_in + fan_out)


def _lecun(fan_in: int, fan_out: int) -> float:
    """Variance that keeps the signal of a unit sum; what SELU asks for. LeCun et al. 1998."""
    return 1.0 / fan_in


def _torch(fan_in: int, fan_out: int) -> float:
    """Within ±1/√fan_in, as torch.nn.Linear begins."""
    return 1.0 / (3.0 * fan_in)


def _orthogonal(rng: np.random.Generator, fan_in: int, fan_out: int) -> NDArray[np.float64]:
    """Orthonormal rows or columns, whichever are fewer. Saxe et al. 2014; torch orthogonal_."""
    tall = rng.normal(size=(max(fan_in, fan_out), min(fan_in, fan_out)))
    q, r = np.linalg.qr(tall)
    q *= np.sign(np.diag(r))  # else QR prefers some directions
    return q if fan_in >= fan_out else q.T


#: Each draws weights (fan_in, fan_out) in float64.
INITIALISERS: dict[str, Initialiser] = {
    "he_normal": _normal(_he),
    "he_uniform": _uniform(_he),
    "xavier_normal": _normal(_xavier),
    "xavier_uniform": _uniform(_xavier),
    "lecun_normal": _normal(_lecun),
    "lecun_uniform": _uniform(_lecun),
    "orthogonal": _orthogonal,
    "pytorch": _uniform(_torch),
}
