"""How weights are drawn before training. To add one: a line in `INITIALISERS` and the catalogue.

Biases begin at 0; but for `pytorch`, which draws them like a weight, and `data`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["INITIALISERS", "fit_to_data"]

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


def _unit(fan_in: int, fan_out: int) -> float:
    """Standard normal, whatever the width: as NumPy's randn, and the NTK form, begin."""
    return 1.0


def fit_to_data(
    rng: np.random.Generator,
    weight: NDArray[Any],
    bias: NDArray[Any],
    x: NDArray[Any],
    factor: float,
) -> NDArray[Any]:
    """Set a layer so that its sums over rows `x` (rows, in) begin with deviation 1; returns them.

    Each weight is drawn from a standard normal and divided by its sum's deviation; each bias is
    minus a random mean of five rows' sums, so that units bend where there are rows. `factor`
    multiplies sums as they are trained. Source: Holzmüller et al. 2024, 3.2 ("std", "he+5").
    """
    drawn = rng.normal(size=weight.shape).astype(weight.dtype)
    sums: NDArray[Any] = (x @ drawn) * weight.dtype.type(factor)
    deviation = sums.std(axis=0)
    deviation[~(deviation > 1e-6)] = 1.0  # a unit that sees one value only
    weight[:] = drawn / deviation
    sums /= deviation
    shares = rng.exponential(size=(5, bias.size))
    shares /= shares.sum(axis=0)
    picked = np.take_along_axis(sums, rng.integers(0, len(x), (5, bias.size)), axis=0)
    bias[:] = -(picked * shares).sum(axis=0)
    sums += bias
    return sums


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
    "standard_normal": _normal(_unit),
}
