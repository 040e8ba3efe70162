"""What each row costs a network: the parts of its validation loss."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["constant_losses", "measure_of", "row_losses"]

_LEAST = 1e-15


def measure_of(classes: bool, metric: str = "") -> str:
    """By what networks are compared row by row: the validation loss of curves, but for `mae`.

    >>> measure_of(True, "auc"), measure_of(False, "rmse"), measure_of(False, "mae")
    ('log loss', 'squared error', 'absolute error')
    """
    if classes:
        return "log loss"
    return "absolute error" if metric == "mae" else "squared error"


def row_losses(
    measure: str, target: NDArray[Any], output: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The loss of each row (rows,), float64.

    `target` (rows, outputs) is one-hot, or the standardised number; `output` is probabilities
    (rows, classes), or standardised answers (rows,): numbers cost in deviations of the target.
    """
    if measure == "log loss":
        sure = output[np.arange(len(target)), target.argmax(axis=1)]
        return np.asarray(-np.log(np.clip(sure, _LEAST, 1.0)))
    error = output - target[:, 0].astype(np.float64)
    return np.asarray(np.abs(error) if measure == "absolute error" else error**2)


def constant_losses(
    measure: str, train: NDArray[Any], target: NDArray[Any], classes: bool
) -> NDArray[np.float64]:
    """What each row of `target` costs where all are answered by the mean of `train`, (rows,)."""
    constant = np.broadcast_to(train.mean(axis=0, dtype=np.float64), target.shape)
    return row_losses(measure, target, constant if classes else constant[:, 0])
