"""What training makes small, and the one measure by which all networks of a task are compared."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from modelshelf.core.errors import SettingError
from modelshelf.core.protocols import TrainingData
from modelshelf.engines.numpy_.assemble import class_weights
from modelshelf.engines.numpy_.losses import HEADS
from modelshelf.space.configuration import Configuration

__all__ = ["Loss", "loss_of", "measured", "probabilities", "targets_of"]

Loss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


def loss_of(configuration: Configuration, data: TrainingData) -> Loss:
    """The loss of a batch: of outputs (rows, outputs) and `targets_of` these rows.

    Raises `SettingError` for losses that need several outputs for one number.
    """
    name = configuration.word("loss")
    if not data.classes and name in HEADS:
        raise SettingError(
            f"loss = {name} needs {HEADS[name].outputs} outputs for each number, which only the "
            "product's own dense networks have: use loss = quadratic, absolute or huber."
        )
    mean = _of_classes(configuration, data) if data.classes else _of_numbers(configuration)
    if configuration.word("reduction") == "mean":
        return mean
    each = 1 if data.classes else data.outputs
    return lambda output, target: mean(output, target) * (len(output) * each)


def _of_classes(configuration: Configuration, data: TrainingData) -> Loss:
    if configuration.word("loss") == "quadratic":

        def brier(output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
            wanted = functional.one_hot(target, output.shape[1])
            return ((output.softmax(1) - wanted) ** 2).sum(1).mean()

        return brier
    smoothing = float(configuration.get("label_smoothing", 0.0))  # type: ignore[arg-type]
    weights = class_weights(configuration, data, np.dtype(np.float64))
    weight = torch.from_numpy(weights) if len(weights) else None

    def cross_entropy(output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        own = None if weight is None else weight.to(output)
        return functional.cross_entropy(output, target, own, label_smoothing=smoothing)

    return cross_entropy


def _of_numbers(configuration: Configuration) -> Loss:
    match configuration.word("loss"):
        case "absolute":
            return functional.l1_loss
        case "huber":
            delta = configuration.number("huber_delta")
            return lambda output, target: functional.huber_loss(output, target, delta=delta)
    return functional.mse_loss


def targets_of(data: TrainingData, dtype: torch.dtype) -> torch.Tensor:
    """Of the training rows: the number of each one's class (rows,), or numbers (rows, outputs)."""
    if data.classes:
        return torch.from_numpy(data.y.argmax(axis=1))
    return torch.from_numpy(np.array(data.y)).to(dtype)


def measured(
    output: NDArray[np.float64], target: NDArray[Any], classes: bool
) -> tuple[float, float]:
    """Mean log loss and share of right answers; for numbers, mean squared error and 0."""
    if not classes:
        return float(np.mean((output - target) ** 2)), 0.0
    truth, rows = target.argmax(axis=1), np.arange(len(output))
    with np.errstate(invalid="ignore"):  # a diverged network's outputs: their loss is NaN
        shifted = output - output.max(axis=1, keepdims=True)
        logarithms = np.log(np.exp(shifted).sum(axis=1)) - shifted[rows, truth]
    return float(logarithms.mean()), float((output.argmax(axis=1) == truth).mean())


def probabilities(output: NDArray[np.float64]) -> NDArray[np.float64]:
    """Softmax of logits (rows, classes), in place."""
    output -= output.max(axis=1, keepdims=True)
    np.exp(output, out=output)
    output /= output.sum(axis=1, keepdims=True)
    return output
