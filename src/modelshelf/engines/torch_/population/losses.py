"""Losses of a stack: one value for each network, and the compiled engine's formulas."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import log_softmax

from modelshelf.engines.numpy_.losses import LEAST_VARIANCE

__all__ = ["criterion", "loss", "soften", "weigh"]

_LEAST = math.log(LEAST_VARIANCE)


def soften(target: Tensor, smoothing: Tensor) -> Tensor:
    """Targets (networks, rows, classes), this share of their certainty spread over all classes."""
    return target * (1.0 - smoothing) + smoothing / target.shape[2]


def weigh(target: Tensor, softened: Tensor, weights: Tensor) -> Tensor:
    """Softened targets, weighed by class over the mean weight of the batch's rows."""
    mean = (target * weights).sum(dim=2).mean(dim=1)
    return softened * weights / mean[:, None, None]


def loss(name: str, classes: bool, output: Tensor, target: Tensor, parameter: Tensor) -> Tensor:
    """The mean loss of each network, (networks,), from `output` (networks, rows, outputs)."""
    return _LOSSES[name, classes](output, target, parameter)


def _cross_entropy(output: Tensor, target: Tensor, parameter: Tensor) -> Tensor:
    return -(target * log_softmax(output, dim=2)).sum(dim=2).mean(dim=1)


def _brier(output: Tensor, target: Tensor, parameter: Tensor) -> Tensor:
    return (torch.softmax(output, dim=2) - target).square().sum(dim=2).mean(dim=1)


def _squared(output: Tensor, target: Tensor, parameter: Tensor) -> Tensor:
    return (output - target).square().mean(dim=(1, 2))


def _absolute(output: Tensor, target: Tensor, parameter: Tensor) -> Tensor:
    return (output - target).abs().mean(dim=(1, 2))


def _huber(output: Tensor, target: Tensor, parameter: Tensor) -> Tensor:
    error = output - target
    size = error.abs()
    near, far = 0.5 * error.square(), parameter * (size - 0.5 * parameter)
    return torch.where(size <= parameter, near, far).mean(dim=(1, 2))


def _gaussian(output: Tensor, target: Tensor, parameter: Tensor) -> Tensor:
    mean, logarithm = output[:, :, :1], output[:, :, 1:]
    # Held above the least, but the gradient goes by that, as the compiled engine's does.
    logarithm = logarithm + (logarithm.clamp(min=_LEAST) - logarithm).detach()
    square = (mean - target).square() * torch.exp(-logarithm)
    return 0.5 * (logarithm + square).mean(dim=(1, 2))


def _quantile(output: Tensor, target: Tensor, parameter: Tensor) -> Tensor:
    places = torch.arange(-1, 2, dtype=output.dtype, device=output.device)
    level, error = 0.5 + 0.5 * parameter * places, target - output
    pinball = torch.where(error > 0, level * error, (level - 1.0) * error)
    return (pinball * (error != 0)).mean(dim=(1, 2))


_LOSSES: dict[tuple[str, bool], Callable[[Tensor, Tensor, Tensor], Tensor]] = {
    ("cross_entropy", True): _cross_entropy,
    ("quadratic", True): _brier,
    ("quadratic", False): _squared,
    ("absolute", False): _absolute,
    ("huber", False): _huber,
    ("gaussian", False): _gaussian,
    ("quantile", False): _quantile,
}


def criterion(output: Tensor, target: Tensor, classes: bool, point: int) -> Tensor:
    """Sums over rows of what networks are compared by, and of right answers: (networks, 2).

    `output` (networks, rows, outputs); `target` (rows, classes or numbers).
    """
    if not classes:
        error = output[:, :, point : point + target.shape[1]] - target
        total = error.square().mean(dim=2).sum(dim=1)
        return torch.stack([total, torch.zeros_like(total)], dim=1)
    truth = target.argmax(dim=1)
    at_truth = output[:, torch.arange(len(truth), device=truth.device), truth]
    total = (torch.logsumexp(output, dim=2) - at_truth).sum(dim=1)
    right = (output.argmax(dim=2) == truth).sum(dim=1)
    return torch.stack([total, right.to(total.dtype)], dim=1)
