"""Losses. Each gives the mean loss of a batch, and its gradient by the network's outputs.

To add one: write its loop, and enter it in `LOSSES` and in the catalogue's choices.

Each takes `output` (rows, outputs), `target` of the same shape (one-hot for classes), and
`gradient` of the same shape to fill, all of the member's dtype; it returns a float64.

`criterion` is the one measure by which all networks of a task are compared, whatever they were
trained with: log loss for classes, squared error for numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from modelshelf.engines.numpy_.compile import kernel

__all__ = [
    "LOSSES",
    "Loss",
    "brier",
    "criterion",
    "cross_entropy",
    "softmax",
    "squared_error",
]

Loss = Callable[[NDArray[Any], NDArray[Any], NDArray[Any]], float]


@kernel
def softmax(output: NDArray[Any], row: int, into: NDArray[Any]) -> float:
    """Probabilities of one row of outputs into the same row of `into`; returns log Σ exp."""
    columns = output.shape[1]
    top = output[row, 0]
    for k in range(1, columns):
        top = max(top, output[row, k])
    total = output.dtype.type(0.0)
    for k in range(columns):
        into[row, k] = np.exp(output[row, k] - top)
        total += into[row, k]
    for k in range(columns):
        into[row, k] /= total
    return np.float64(top) + np.log(np.float64(total))


def cross_entropy(output: NDArray[Any], target: NDArray[Any], gradient: NDArray[Any]) -> float:
    """-Σ target · log softmax(output), mean over rows; torch.nn.CrossEntropyLoss."""
    rows, columns = output.shape
    share = output.dtype.type(1.0 / rows)
    total = 0.0
    for i in range(rows):
        norm = softmax(output, i, gradient)
        for k in range(columns):
            total += np.float64(target[i, k]) * (norm - np.float64(output[i, k]))
            gradient[i, k] = (gradient[i, k] - target[i, k]) * share
    return total / rows


def brier(output: NDArray[Any], target: NDArray[Any], gradient: NDArray[Any]) -> float:
    """Σ (softmax(output) - target)², mean over rows: quadratic loss on classes. Brier 1950."""
    rows, columns = output.shape
    twice = output.dtype.type(2.0 / rows)
    total = 0.0
    for i in range(rows):
        softmax(output, i, gradient)
        inner = output.dtype.type(0.0)
        for k in range(columns):
            error = gradient[i, k] - target[i, k]
            total += np.float64(error) * np.float64(error)
            inner += gradient[i, k] * error
        for k in range(columns):
            p = gradient[i, k]
            gradient[i, k] = twice * p * (p - target[i, k] - inner)
    return total / rows


def squared_error(output: NDArray[Any], target: NDArray[Any], gradient: NDArray[Any]) -> float:
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


#: By the hyperparameter's value, and whether the target is a class.
LOSSES: dict[tuple[str, bool], Loss] = {
    ("cross_entropy", True): cross_entropy,
    ("quadratic", True): brier,
    ("quadratic", False): squared_error,
}
