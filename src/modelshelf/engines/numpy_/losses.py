"""Losses. Each gives the mean loss of a batch, and its gradient by the network's outputs.

To add one: write its loop, and enter it in `LOSSES` and in the catalogue's choices.

Each takes `output` (rows, outputs), `target` of the same shape (one-hot for classes), and
`gradient` of the same shape to fill, all of the member's dtype, and one parameter; it returns a
float64.

`criterion` is the one measure by which all networks of a task are compared, whatever they were
trained with: log loss for classes, squared error for numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from modelshelf.engines.numpy_.compile import kernel
from modelshelf.engines.numpy_.elementary import exponential

__all__ = [
    "LOSSES",
    "Loss",
    "absolute_error",
    "brier",
    "criterion",
    "cross_entropy",
    "huber",
    "smooth",
    "softmax",
    "squared_error",
    "weigh",
    "weighted_cross_entropy",
]

Loss = Callable[[NDArray[Any], NDArray[Any], NDArray[Any], float], float]


@kernel
def softmax(output: NDArray[Any], into: NDArray[Any]) -> float:
    """Each row's probabilities into `into`; returns the sum over rows of log Σ exp."""
    rows, columns = output.shape
    total = 0.0
    for i in range(rows):
        top = output[i, 0]
        for k in range(1, columns):
            top = max(top, output[i, k])
        for k in range(columns):
            into[i, k] = output[i, k] - top
        total += np.float64(top)
    exponential(into.reshape(rows * columns))
    for i in range(rows):
        norm = output.dtype.type(0.0)
        for k in range(columns):
            norm += into[i, k]
        for k in range(columns):
            into[i, k] /= norm
        total += np.log(np.float64(norm))
    return total


def cross_entropy(
    output: NDArray[Any], target: NDArray[Any], gradient: NDArray[Any], parameter: float
) -> float:
    """-Σ target · log softmax(output), mean over rows; torch.nn.CrossEntropyLoss.

    `target` sums to 1 in each row.
    """
    rows, columns = output.shape
    share = output.dtype.type(1.0 / rows)
    total = softmax(output, gradient)
    for i in range(rows):
        for k in range(columns):
            total -= np.float64(target[i, k]) * np.float64(output[i, k])
            gradient[i, k] = (gradient[i, k] - target[i, k]) * share
    return total / rows


def weighted_cross_entropy(
    output: NDArray[Any], target: NDArray[Any], gradient: NDArray[Any], parameter: float
) -> float:
    """`cross_entropy` for targets that need not sum to 1; CrossEntropyLoss(weight=…)."""
    rows, columns = output.shape
    share = output.dtype.type(1.0 / rows)
    softmax(output, gradient)
    total = 0.0
    for i in range(rows):
        norm = output.dtype.type(0.0)
        for k in range(columns):
            norm += target[i, k]
            if target[i, k] > 0.0:
                total -= np.float64(target[i, k]) * np.log(max(np.float64(gradient[i, k]), 1e-45))
        for k in range(columns):
            gradient[i, k] = (norm * gradient[i, k] - target[i, k]) * share
    return total / rows


def brier(
    output: NDArray[Any], target: NDArray[Any], gradient: NDArray[Any], parameter: float
) -> float:
    """Σ (softmax(output) - target)², mean over rows: quadratic loss on classes. Brier 1950."""
    rows, columns = output.shape
    twice = output.dtype.type(2.0 / rows)
    softmax(output, gradient)
    total = 0.0
    for i in range(rows):
        inner = output.dtype.type(0.0)
        for k in range(columns):
            error = gradient[i, k] - target[i, k]
            total += np.float64(error) * np.float64(error)
            inner += gradient[i, k] * error
        for k in range(columns):
            p = gradient[i, k]
            gradient[i, k] = twice * p * (p - target[i, k] - inner)
    return total / rows


def squared_error(
    output: NDArray[Any], target: NDArray[Any], gradient: NDArray[Any], parameter: float
) -> float:
    """(output - target)², mean over rows and outputs; torch.nn.MSELoss."""
    rows, columns = output.shape
    twice = output.dtype.type(2.0 / (rows * columns))
    total = 0.0
    for i in range(rows):
        for k in range(columns):
            error = output[i, k] - target[i, k]
            total += np.float64(error) * np.float64(error)
            gradient[i, k] = twice * error
    return total / (rows * columns)


def absolute_error(
    output: NDArray[Any], target: NDArray[Any], gradient: NDArray[Any], parameter: float
) -> float:
    """|output - target|, mean over rows and outputs; torch.nn.L1Loss, whose slope at 0 is 0."""
    rows, columns = output.shape
    share, zero = output.dtype.type(1.0 / (rows * columns)), output.dtype.type(0.0)
    total = 0.0
    for i in range(rows):
        for k in range(columns):
            error = output[i, k] - target[i, k]
            total += abs(np.float64(error))
            gradient[i, k] = share if error > zero else (-share if error < zero else zero)
    return total / (rows * columns)


def huber(
    output: NDArray[Any], target: NDArray[Any], gradient: NDArray[Any], parameter: float
) -> float:
    """Quadratic up to `parameter`, linear beyond. Huber 1964; torch.nn.HuberLoss(delta=…)."""
    rows, columns = output.shape
    share, delta = output.dtype.type(1.0 / (rows * columns)), output.dtype.type(parameter)
    total = 0.0
    for i in range(rows):
        for k in range(columns):
            error = output[i, k] - target[i, k]
            near = min(max(error, -delta), delta)
            total += np.float64(near) * (np.float64(error) - 0.5 * np.float64(near))
            gradient[i, k] = share * near
    return total / (rows * columns)


@kernel
def criterion(
    output: NDArray[Any], target: NDArray[Any], classes: int, sums: NDArray[np.float64]
) -> None:
    """Add a chunk's loss to `sums[0]` and, for classes, its right answers to `sums[1]`.

    Sums over rows of log loss (`classes` is 1), or of squared error (`classes` is 0).
    """
    rows, columns = output.shape
    for i in range(rows):
        if classes == 0:
            for k in range(columns):
                error = np.float64(output[i, k]) - np.float64(target[i, k])
                sums[0] += error * error
        else:
            best, truth = 0, 0
            for k in range(1, columns):
                best = k if output[i, k] > output[i, best] else best
                truth = k if target[i, k] > target[i, truth] else truth
            top = np.float64(output[i, best])
            total = 0.0
            for k in range(columns):
                total += np.exp(np.float64(output[i, k]) - top)
            sums[0] += top + np.log(total) - np.float64(output[i, truth])
            sums[1] += 1.0 if best == truth else 0.0


@kernel
def smooth(targets: NDArray[Any], classes: int, smoothing: float) -> None:
    """Move this share of each row's certainty to all classes alike. Szegedy et al. 2016."""
    keep, rest = targets.dtype.type(1.0 - smoothing), targets.dtype.type(smoothing / classes)
    for i in range(targets.size):
        targets[i] = keep * targets[i] + rest


@kernel
def weigh(targets: NDArray[Any], classes: NDArray[Any], smoothing: float) -> None:
    """Smooth one-hot targets, and weigh them by class, over the mean weight of the batch's rows.

    As torch.nn.CrossEntropyLoss(weight=…, label_smoothing=…) does.
    """
    width = classes.size
    total = 0.0
    for i in range(targets.size):
        total += np.float64(targets[i]) * np.float64(classes[i % width])
    mean = targets.dtype.type(total * width / targets.size)
    keep, rest = targets.dtype.type(1.0 - smoothing), targets.dtype.type(smoothing / width)
    for i in range(targets.size):
        targets[i] = (keep * targets[i] + rest) * classes[i % width] / mean


#: By the hyperparameter's value, and whether the target is a class.
LOSSES: dict[tuple[str, bool], Loss] = {
    ("cross_entropy", True): cross_entropy,
    ("weighted_cross_entropy", True): weighted_cross_entropy,
    ("quadratic", True): brier,
    ("quadratic", False): squared_error,
    ("absolute", False): absolute_error,
    ("huber", False): huber,
}
