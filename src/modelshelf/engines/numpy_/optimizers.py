"""Optimizers. Each is one loop over a member's flat weights: gradients in, updated weights out.

To add one: write its loop, enter it in `OPTIMIZERS` with the slots and constants that it needs,
and in the catalogue's choices.

Each takes `theta` and `gradient` (parameters,), `slots` (slots, parameters), zero at the start,
`constants` (float64, in the order declared), and `step`, counted from 1.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from modelshelf.engines.numpy_.compile import kernel
from modelshelf.engines.numpy_.views import matrix, vector

__all__ = [
    "OPTIMIZERS",
    "Optimizer",
    "Update",
    "adagrad",
    "adam",
    "average_into",
    "momentum",
    "nesterov",
    "rmsprop",
    "sgd",
    "update_groups",
]

Update = Callable[[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[np.float64], int], None]


@dataclass(frozen=True, slots=True)
class Optimizer:
    """An update rule, how many numbers it keeps for each parameter, and its constants."""

    update: Update
    slots: int
    constants: tuple[str, ...]


def sgd(
    theta: NDArray[Any],
    gradient: NDArray[Any],
    slots: NDArray[Any],
    constants: NDArray[np.float64],
    step: int,
) -> None:
    """θ ← θ - rate · g; torch.optim.SGD."""
    rate = theta.dtype.type(constants[0])
    for i in range(theta.size):
        theta[i] -= rate * gradient[i]


def momentum(
    theta: NDArray[Any],
    gradient: NDArray[Any],
    slots: NDArray[Any],
    constants: NDArray[np.float64],
    step: int,
) -> None:
    """V ← μ v + g, θ ← θ - rate · v. Polyak 1964; torch.optim.SGD(momentum=μ)."""
    rate, mu = theta.dtype.type(constants[0]), theta.dtype.type(constants[1])
    velocity = vector(slots, 0, theta.size)
    for i in range(theta.size):
        velocity[i] = mu * velocity[i] + gradient[i]
        theta[i] -= rate * velocity[i]


def nesterov(
    theta: NDArray[Any],
    gradient: NDArray[Any],
    slots: NDArray[Any],
    constants: NDArray[np.float64],
    step: int,
) -> None:
    """V ← μ v + g, θ ← θ - rate · (g + μ v). Sutskever et al. 2013; SGD(nesterov=True)."""
    rate, mu = theta.dtype.type(constants[0]), theta.dtype.type(constants[1])
    velocity = vector(slots, 0, theta.size)
    for i in range(theta.size):
        velocity[i] = mu * velocity[i] + gradient[i]
        theta[i] -= rate * (gradient[i] + mu * velocity[i])


def adagrad(
    theta: NDArray[Any],
    gradient: NDArray[Any],
    slots: NDArray[Any],
    constants: NDArray[np.float64],
    step: int,
) -> None:
    """S ← s + g², θ ← θ - rate · g / (√s + ε). Duchi et al. 2011; torch.optim.Adagrad."""
    rate, epsilon = theta.dtype.type(constants[0]), theta.dtype.type(constants[1])
    square = vector(slots, 0, theta.size)
    for i in range(theta.size):
        square[i] += gradient[i] * gradient[i]
        theta[i] -= rate * gradient[i] / (np.sqrt(square[i]) + epsilon)


def rmsprop(
    theta: NDArray[Any],
    gradient: NDArray[Any],
    slots: NDArray[Any],
    constants: NDArray[np.float64],
    step: int,
) -> None:
    """S ← ρ s + (1 - ρ) g², θ ← θ - rate · g / (√s + ε). torch.optim.RMSprop."""
    rate, rho = theta.dtype.type(constants[0]), theta.dtype.type(constants[1])
    epsilon, rest = theta.dtype.type(constants[2]), theta.dtype.type(1.0 - constants[1])
    square = vector(slots, 0, theta.size)
    for i in range(theta.size):
        square[i] = rho * square[i] + rest * gradient[i] * gradient[i]
        theta[i] -= rate * gradient[i] / (np.sqrt(square[i]) + epsilon)


def adam(
    theta: NDArray[Any],
    gradient: NDArray[Any],
    slots: NDArray[Any],
    constants: NDArray[np.float64],
    step: int,
) -> None:
    """Means of g and g², each corrected for its start at 0. Kingma, Ba 2015; torch.optim.Adam."""
    beta1, beta2 = theta.dtype.type(constants[1]), theta.dtype.type(constants[2])
    rest1, rest2 = theta.dtype.type(1.0 - constants[1]), theta.dtype.type(1.0 - constants[2])
    epsilon = theta.dtype.type(constants[3])
    rate = theta.dtype.type(constants[0] / (1.0 - constants[1] ** step))
    shrink = theta.dtype.type(1.0 / np.sqrt(1.0 - constants[2] ** step))
    mean, square = vector(slots, 0, theta.size), vector(slots, theta.size, theta.size)
    for i in range(theta.size):
        mean[i] = beta1 * mean[i] + rest1 * gradient[i]
        square[i] = beta2 * square[i] + rest2 * gradient[i] * gradient[i]
        theta[i] -= rate * mean[i] / (np.sqrt(square[i]) * shrink + epsilon)


@kernel
def update_groups(
    update: Update,
    groups: NDArray[np.float64],
    constants: NDArray[np.float64],
    decay: float,
    theta: NDArray[Any],
    gradient: NDArray[Any],
    slots: NDArray[Any],
    step: int,
) -> None:
    """One step of each group (begin, end, factor of the rate, factor of the decay).

    A group's slots lie together, wherever the vector's slots lie.
    """
    rate, kept = constants[0], slots.shape[0]
    for g in range(groups.shape[0]):
        begin, end = np.int64(groups[g, 0]), np.int64(groups[g, 1])
        constants[0] = rate * groups[g, 2]
        if decay > 0.0 and groups[g, 3] > 0.0:
            shrink = theta.dtype.type(1.0 - constants[0] * decay * groups[g, 3])
            for i in range(begin, end):
                theta[i] *= shrink
        size = end - begin
        own = matrix(slots, kept * begin, kept, size)
        update(vector(theta, begin, size), vector(gradient, begin, size), own, constants, step)
    constants[0] = rate


@kernel
def average_into(theta: NDArray[Any], average: NDArray[Any], decay: float, step: int) -> None:
    """A running mean of the weights; torch.optim.swa_utils.get_ema_multi_avg_fn."""
    keep = theta.dtype.type(decay if step > 1 else 0.0)
    rest = theta.dtype.type(1.0 - decay if step > 1 else 1.0)
    for i in range(theta.size):
        average[i] = keep * average[i] + rest * theta[i]


OPTIMIZERS: dict[str, Optimizer] = {
    "sgd": Optimizer(sgd, slots=0, constants=("learning_rate",)),
    "momentum": Optimizer(momentum, slots=1, constants=("learning_rate", "momentum")),
    "nesterov": Optimizer(nesterov, slots=1, constants=("learning_rate", "momentum")),
    "adagrad": Optimizer(adagrad, slots=1, constants=("learning_rate", "epsilon")),
    "rmsprop": Optimizer(rmsprop, slots=1, constants=("learning_rate", "rho", "epsilon")),
    "adam": Optimizer(adam, slots=2, constants=("learning_rate", "beta1", "beta2", "epsilon")),
    # Its decay is decoupled from the gradient: `update_groups` does it, for weights and not biases.
    "adamw": Optimizer(adam, slots=2, constants=("learning_rate", "beta1", "beta2", "epsilon")),
}
