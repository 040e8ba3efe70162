"""Metrics: how networks are judged, and how sure a score is."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from modelshelf.core.errors import SettingError, nearest
from modelshelf.core.records import Direction, Task
from modelshelf.core.seeds import generator

__all__ = ["METRICS", "Metric", "interval", "metric_for", "score"]

Target: TypeAlias = NDArray[Any]
Output: TypeAlias = NDArray[np.float64]

_CLASSES = frozenset({Task.BINARY, Task.MULTICLASS})
_NUMBERS = frozenset({Task.REGRESSION})


@dataclass(frozen=True, slots=True)
class Metric:
    """A score of answers: `function(target, output)`.

    `output` is class probabilities (rows, classes), or values (rows,), float64. Where `by_loss`,
    trials are compared by validation loss instead: the metric is too coarse on few rows, or means
    the same.
    """

    name: str
    direction: Direction
    tasks: frozenset[Task]
    function: Callable[[Target, Output], float]
    by_loss: bool = True


def _accuracy(target: Target, output: Output) -> float:
    return float((output.argmax(axis=1) == target).mean())


def _balanced_accuracy(target: Target, output: Output) -> float:
    right = output.argmax(axis=1) == target
    return float(np.mean([right[target == label].mean() for label in np.unique(target)]))


def _f1(target: Target, output: Output) -> float:
    from sklearn.metrics import f1_score

    average = "binary" if output.shape[1] == 2 else "macro"
    return float(f1_score(target, output.argmax(axis=1), average=average, zero_division=0.0))


def _auc(target: Target, output: Output) -> float:
    """Area under the ROC curve; of one class against the rest, averaged, where there are more.

    A class that no row has is left out; NaN where there is but one class.
    """
    from sklearn.metrics import roc_auc_score

    present = np.unique(target)
    if len(present) < 2:
        return math.nan
    if output.shape[1] == 2:
        return float(roc_auc_score(target, output[:, 1]))
    return float(np.mean([roc_auc_score(target == k, output[:, k]) for k in present]))


def _log_loss(target: Target, output: Output) -> float:
    sure = np.clip(output[np.arange(len(target)), target], 1e-15, 1.0)
    return float(-np.log(sure).mean())


def _rmse(target: Target, output: Output) -> float:
    return float(np.sqrt(np.mean((output - target) ** 2)))


def _mae(target: Target, output: Output) -> float:
    return float(np.abs(output - target).mean())


def _r2(target: Target, output: Output) -> float:
    around = float(((target - target.mean()) ** 2).sum())
    return 1.0 - float(((output - target) ** 2).sum()) / around if around > 0 else math.nan


METRICS: dict[str, Metric] = {
    each.name: each
    for each in (
        Metric("accuracy", Direction.MAXIMIZE, _CLASSES, _accuracy),
        Metric("balanced_accuracy", Direction.MAXIMIZE, _CLASSES, _balanced_accuracy),
        Metric("f1", Direction.MAXIMIZE, _CLASSES, _f1),
        Metric("auc", Direction.MAXIMIZE, _CLASSES, _auc, by_loss=False),
        Metric("log_loss", Direction.MINIMIZE, _CLASSES, _log_loss),
        Metric("rmse", Direction.MINIMIZE, _NUMBERS, _rmse),
        Metric("mae", Direction.MINIMIZE, _NUMBERS, _mae, by_loss=False),
        Metric("r2", Direction.MAXIMIZE, _NUMBERS, _r2, by_loss=False),
    )
}


def metric_for(name: str | None, task: Task) -> Metric:
    """The metric of this name; accuracy or rmse where none is named.

    Raises `SettingError` where there is none of this name, or it does not fit the task.
    """
    if name is None:
        return METRICS["accuracy" if task.is_classification else "rmse"]
    if name not in METRICS:
        raise SettingError(f"There is no metric {name!r}: {nearest(name, METRICS)}")
    metric = METRICS[name]
    if task not in metric.tasks:
        fitting = ", ".join(each.name for each in METRICS.values() if task in each.tasks)
        raise SettingError(f"The metric {name} does not fit a {task} task: these do: {fitting}.")
    return metric


def score(metric: Metric, target: Target, output: Output) -> float:
    """The metric of these answers; NaN where it is undefined."""
    with np.errstate(all="ignore"):
        return metric.function(target, output)


def interval(metric: Metric, target: Target, output: Output, seed: int) -> tuple[float, float]:
    """A 95 % interval of the score: Wilson's for accuracy, else by resampling rows."""
    rows = len(target)
    if metric.name == "accuracy":
        return _wilson(score(metric, target, output), rows)
    rng = generator(seed, "interval")
    resamples = int(np.clip(2_000_000 / rows, 50, 1_000))
    found = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for _ in range(resamples):
            at = rng.integers(0, rows, rows)
            found.append(score(metric, target[at], output[at]))
    low, high = np.nanquantile(found, [0.025, 0.975])
    return float(low), float(high)


def _wilson(share: float, rows: int) -> tuple[float, float]:
    """Wilson 1927: sane for few rows, and for shares near 0 and 1."""
    z = 1.959964
    middle = (share + z * z / (2 * rows)) / (1 + z * z / rows)
    reach = (
        z / (1 + z * z / rows) * math.sqrt(share * (1 - share) / rows + z * z / (4 * rows * rows))
    )
    return middle - reach, middle + reach
