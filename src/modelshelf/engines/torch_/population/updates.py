"""Optimizers of a stack: one update of all members' parameters, each by its own constants."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from modelshelf.engines.torch_.population.rates import Now

__all__ = ["UPDATES"]

# Each takes the gradient (members, parameters), the slots (members, slots, parameters), which it
# moves on, and the members' constants; it gives the direction that parameters go against, and the
# rate (members, 1). The formulas are `numpy_.optimizers`'s, and so are the names of the constants.
Update = Callable[[Tensor, Tensor, Now], tuple[Tensor, Tensor]]


def _sgd(gradient: Tensor, slots: Tensor, now: Now) -> tuple[Tensor, Tensor]:
    return gradient, now("rate")


def _momentum(gradient: Tensor, slots: Tensor, now: Now) -> tuple[Tensor, Tensor]:
    velocity = slots[:, 0]
    return velocity.mul_(now("first")).add_(gradient), now("rate")


def _nesterov(gradient: Tensor, slots: Tensor, now: Now) -> tuple[Tensor, Tensor]:
    velocity = slots[:, 0]
    velocity.mul_(now("first")).add_(gradient)
    return torch.addcmul(gradient, velocity, now("first")), now("rate")


def _adagrad(gradient: Tensor, slots: Tensor, now: Now) -> tuple[Tensor, Tensor]:
    root = slots[:, 0].addcmul_(gradient, gradient).sqrt()
    return gradient / root.add_(now("first")), now("rate")


def _rmsprop(gradient: Tensor, slots: Tensor, now: Now) -> tuple[Tensor, Tensor]:
    root = slots[:, 0].lerp_(gradient.square(), now("rest1")).sqrt()
    return gradient / root.add_(now("second")), now("rate")


def _adam(gradient: Tensor, slots: Tensor, now: Now) -> tuple[Tensor, Tensor]:
    mean, square = slots[:, 0], slots[:, 1]
    mean.lerp_(gradient, now("rest1"))
    root = square.lerp_(gradient.square(), now("rest2")).sqrt()
    return mean / torch.addcmul(now("third"), root, now("shrink")), now("corrected")


#: By the hyperparameter's value.
UPDATES: dict[str, Update] = {
    "sgd": _sgd,
    "momentum": _momentum,
    "nesterov": _nesterov,
    "adagrad": _adagrad,
    "rmsprop": _rmsprop,
    "adam": _adam,
    "adamw": _adam,  # its decay is decoupled: `step` does it
}
