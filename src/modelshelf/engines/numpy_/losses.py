"""Losses. Each gives the mean loss of a batch, and its gradient by the network's outputs.

To add one: write its loop, and enter it in `LOSSES` and in the catalogue's choices.

Each takes `output` (rows, outputs), `target` of the same shape (one-hot for classes; a number alone
where `HEADS` answers it with several), and `gradient` as `output` to fill, all of the member's
dtype, and one parameter; it returns a float64.

`criterion` is the one measure by which all networks of a task are compared, whatever they were
trained with: log loss for classes, squared error for numbers.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from modelshelf.engines.numpy_.compile import kernel
from modelshelf.engines.numpy_.elementary import exponential
from modelshelf.engines.numpy_.views import vector

__all__ = [
    "HEADS",
    "LEAST_VARIANCE",
    "LOSSES",
    "Head",
    "Loss",
    "absolute_error",
    "brier",
    "criterion",
    "cross_entropy",
    "gaussian",
    "huber",
    "quantile",
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
    exponential(vector(into, 0, rows * columns))
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


#: What `gaussian` takes for the variance where the network answers with less.
LEAST_VARIANCE = 1e-6
_LEAST = math.log(LEAST_VARIANCE)


def gaussian(
    output: NDArray[Any], target: NDArray[Any], gradient: NDArray[Any], parameter: float
) -> float:
    """Minus the log-likelihood of a normal distribution: output 0 its mean, 1 its log variance.

    Mean over rows, without the constant. Nix, Weigend 1994; torch.nn.GaussianNLLLoss, which holds
    the variance above 1e-6 too.
    """
    rows = output.shape[0]
    share, half = output.dtype.type(1.0 / rows), output.dtype.type(0.5)
    one, least = output.dtype.type(1.0), output.dtype.type(_LEAST)
    total = 0.0
    for i in range(rows):
        error = output[i, 0] - target[i, 0]
        logarithm = max(output[i, 1], least)
        precision = np.exp(-logarithm)
        square = error * error * precision
        total += 0.5 * (np.float64(logarithm) + np.float64(square))
        gradient[i, 0] = share * error * precision
        gradient[i, 1] = share * half * (one - square)
    return total / rows


def quantile(
    output: NDArray[Any], target: NDArray[Any], gradient: NDArray[Any], parameter: float
) -> float:
    """The pinball loss of three quantiles: the median, between the ends of an interval.

    `parameter` is the interval's share of all rows. Mean over rows and quantiles. Koenker, Bassett
    1978.
    """
    rows, levels = output.shape
    share, zero = output.dtype.type(1.0 / (rows * levels)), output.dtype.type(0.0)
    total = 0.0
    for k in range(levels):
        level = 0.5 + 0.5 * parameter * (k - 1)
        above, below = output.dtype.type(level), output.dtype.type(level - 1.0)
        for i in range(rows):
            error = target[i, 0] - output[i, k]
            slope = above if error > zero else (below if error < zero else zero)
            total += np.float64(slope * error)
            gradient[i, k] = -share * slope
    return total / (rows * levels)


@kernel
def criterion(
    output: NDArray[Any],
    target: NDArray[Any],
    classes: int,
    point: int,
    sums: NDArray[np.float64],
) -> None:
    """`sums` becomes (mean loss, share of right answers).

    Log loss over rows (`classes` is 1), or squared error over rows and outputs (`classes` is 0),
    the first of which is output `point`.
    """
    rows, columns = target.shape
    sums[0], sums[1] = 0.0, 0.0
    for i in range(rows):
        if classes == 0:
            for k in range(columns):
                error = np.float64(output[i, point + k]) - np.float64(target[i, k])
                sums[0] += error * error / columns
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
    sums[0] /= max(rows, 1)
    sums[1] /= max(rows, 1)


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


@dataclass(frozen=True, slots=True)
class Head:
    """How several outputs answer with one number: how many, and which is the likeliest value."""

    outputs: int
    point: int


#: The losses that need several.
HEADS: dict[str, Head] = {"gaussian": Head(2, 0), "quantile": Head(3, 1)}

#: By the hyperparameter's value, and whether the target is a class.
LOSSES: dict[tuple[str, bool], Loss] = {
    ("cross_entropy", True): cross_entropy,
    ("weighted_cross_entropy", True): weighted_cross_entropy,
    ("quadratic", True): brier,
    ("quadratic", False): squared_error,
    ("absolute", False): absolute_error,
    ("huber", False): huber,
    ("gaussian", False): gaussian,
    ("quantile", False): quantile,
}
