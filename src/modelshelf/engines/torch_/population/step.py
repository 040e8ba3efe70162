"""What one batch does to a stack: forward, loss, backward, penalties, clip, update, average.

The order is that of the compiled engine's `step.train`, and so are the formulas; what differs is
the order of additions inside a sum. Nothing here waits for the device.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from modelshelf.engines.torch_.population.encoding import Encoder
from modelshelf.engines.torch_.population.losses import criterion, loss, soften, weigh
from modelshelf.engines.torch_.population.network import forward
from modelshelf.engines.torch_.population.parts import is_learned, leaves_of, parts_of
from modelshelf.engines.torch_.population.rates import Now
from modelshelf.engines.torch_.population.shape import Shape
from modelshelf.engines.torch_.population.updates import UPDATES

__all__ = ["State", "Tally", "train_step", "validate"]

_ELEMENTS = 1 << 24  # the most numbers of one layer that a chunk of validation rows may make


@dataclass(frozen=True, slots=True, eq=False)
class State:
    """A stack's tensors, one row a member. What its shape does not need has no columns."""

    theta: Tensor  #: (members, parameters)
    best: Tensor  #: (members, parameters)
    slots: Tensor  #: (members, slots, parameters)
    average: Tensor
    factors: Tensor  #: of the learning rate, for each parameter
    decays: Tensor  #: of weight decay, for each parameter

    @property
    def kept(self) -> Tensor:
        """The weights that are validated, and kept where they are the best."""
        return self.average if self.average.shape[1] else self.theta


@dataclass(frozen=True, slots=True, eq=False)
class Tally:
    """What an epoch adds up, on the device, for each member (members,)."""

    total: Tensor  #: Σ rows · loss, float64 where the device has it
    alive: Tensor  #: bool: no loss was infinite or NaN
    steps: Tensor  #: int64, the updates while it was alive


def train_step(
    shape: Shape,
    encoder: Encoder,
    state: State,
    tally: Tally,
    x: Tensor,
    y: Tensor,
    now: Now,
    seeds: Tensor,
    class_weights: Tensor,
) -> None:
    """Update all members, each by its own batch: `x` (networks, rows, inputs), and `y`.

    A member whose loss is not finite is not `alive` from then on: what becomes of its weights does
    not matter, and no operation mixes members.
    """
    leaves = leaves_of(shape.layout, state.theta)
    asked = [leaf.requires_grad_() for n, leaf in leaves.items() if is_learned(shape.layout, n)]
    output = forward(shape, encoder, parts_of(shape.layout, leaves), x, now, seeds)
    value = _value(shape, output, y, now, class_weights)
    found = iter(torch.autograd.grad(value.sum(), asked))
    with torch.no_grad():
        pieces = [
            next(found) if leaf.requires_grad else torch.zeros_like(leaf)
            for leaf in leaves.values()
        ]
        gradient, value = torch.cat(pieces, dim=1), value.detach()
        if shape.penalised:
            value = value + _penalise(shape, state.theta, gradient, now)
        tally.alive.logical_and_(torch.isfinite(value))
        tally.steps.add_(tally.alive)
        tally.total.add_(value * x.shape[1])
        if shape.clipped:
            norm = torch.linalg.vector_norm(gradient, dim=1, keepdim=True)
            gradient.mul_((now("clip") / (norm + 1e-6)).clamp(max=1.0))
        _update(shape, state, gradient, now)


def _value(shape: Shape, output: Tensor, target: Tensor, now: Now, class_weights: Tensor) -> Tensor:
    """Each member's loss on its batch, (members,)."""
    wanted = target
    if shape.smoothed:
        wanted = soften(target, now.each("smoothing")[:, :, None])
    if shape.weighted:
        wanted = weigh(target, wanted, class_weights)
    parameter = now.each("parameter")[:, :, None]
    each = loss(shape.loss, shape.classes, output, wanted, parameter)
    if shape.summed:
        each = each * (target.shape[1] * (1 if shape.classes else target.shape[2]))
    return each if shape.layout.members == 1 else each.view(-1, shape.layout.members).mean(dim=1)


def _penalise(shape: Shape, theta: Tensor, gradient: Tensor, now: Now) -> Tensor:
    """Add the penalties' gradients, and return the penalties (members,)."""
    count = shape.layout.weights
    weights, l1, l2 = theta[:, :count], now("l1"), now("l2")
    gradient[:, :count].addcmul_(weights.sign(), l1).addcmul_(weights, 2.0 * l2)
    return (l1 * weights.abs() + l2 * weights.square()).sum(dim=1)


def _update(shape: Shape, state: State, gradient: Tensor, now: Now) -> None:
    """Decay, the optimizer's step, and the running mean."""
    if shape.decayed:
        state.theta.mul_(1.0 - now("decay") * state.decays)
    direction, rate = UPDATES[shape.optimizer](gradient, state.slots, now)
    if shape.factored:
        rate = rate * state.factors
    state.theta.addcmul_(direction, -rate)
    if shape.averaged:
        state.average.mul_(now("keep")).addcmul_(state.theta, now("rest"))


@torch.no_grad()
def validate(
    shape: Shape,
    encoder: Encoder,
    kept: Tensor,
    x: Tensor,
    y: Tensor,
    now: Now,
    limits: tuple[float, float],
    exact: torch.dtype,
) -> Tensor:
    """What members are compared by, and their share of right answers: (members, 2).

    `kept` are their parameters, `x` and `y` the held-out rows, in chunks that fit the device.
    """
    parts = parts_of(shape.layout, leaves_of(shape.layout, kept))
    networks, k = len(kept) * shape.layout.members, shape.layout.members
    encoding = shape.layout.encoding
    widest = max(shape.layout.widths)
    if encoding:
        widest = max(widest, len(encoding.columns) * encoding.features)
    rows = max(1, _ELEMENTS // (networks * widest))
    sums = torch.zeros(len(kept), 2, dtype=exact, device=kept.device)
    for some, target in zip(x.split(rows), y.split(rows), strict=True):
        output = forward(shape, encoder, parts, some.expand(networks, -1, -1), now)
        if shape.clamped:
            output = output.clamp(*limits)
        if k > 1:
            output = _together(output.unflatten(0, (-1, k)), shape.classes)
        sums += criterion(output.to(exact), target.to(exact), shape.classes, shape.point)
    return sums / len(x)


def _together(output: Tensor, classes: bool) -> Tensor:
    """What k in one answer (members, k, rows, outputs): their mean, or mean probability's log."""
    if not classes:
        return output.mean(dim=1)
    return torch.softmax(output, dim=3).mean(dim=1).clamp(min=1e-37).log()
