"""The engine's face: members around the kernels of `step.py`."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from modelshelf.core.protocols import Leg, TrainingData
from modelshelf.core.seeds import derive
from modelshelf.engines.numpy_ import pointers, step
from modelshelf.engines.numpy_.answer import Network
from modelshelf.engines.numpy_.assemble import (
    class_weights,
    draw_parameters,
    groups_of,
    head_of,
    layout_of,
    limits_of,
    plan_of,
    rates_of,
)
from modelshelf.engines.numpy_.compile import quiet
from modelshelf.engines.numpy_.layout import Layout
from modelshelf.engines.numpy_.optimizers import OPTIMIZERS
from modelshelf.engines.numpy_.predict import ANSWERED
from modelshelf.engines.numpy_.scratch import scratch_for
from modelshelf.engines.numpy_.subnormal import flushed
from modelshelf.space.configuration import Configuration

__all__ = ["Member", "NumpyEngine"]


@dataclass(slots=True, eq=False)
class Member:
    """One network in training: all its state, in a few flat arrays."""

    configuration: Configuration
    layout: Layout
    key: np.uint64  #: names this member's random numbers
    theta: NDArray[Any]  #: weights and biases, (parameters,)
    slots: NDArray[Any]  #: what the optimizer keeps, (slots, parameters)
    best: NDArray[Any]  #: weights and biases of the best epoch, (parameters,)
    counters: NDArray[np.int64]  #: epoch, step, best epoch, state
    scalars: NDArray[np.float64]  #: the best of what is monitored, and the loss at that epoch
    average: NDArray[Any]  #: running mean of the weights, (parameters,), or empty
    limits: tuple[float, float]  #: answers are clamped to these


class NumpyEngine:
    """Trains members in compiled NumPy. Stateless: safe to share between threads.

    `dtype` is float32 in use, float64 where it is held against PyTorch's own optimizers.
    """

    def __init__(self, dtype: str = "float32") -> None:
        self.dtype = np.dtype(dtype)

    def start(self, settings: Mapping[str, Any], data: TrainingData, seed: int) -> Member:
        """A member at epoch 0, its parameters drawn as its configuration says."""
        member = self._blank(cast("Configuration", settings), data, seed)
        draw_parameters(member.configuration, member.layout, member.theta, data, seed)
        member.best[:] = member.theta
        return member

    def _blank(self, configuration: Configuration, data: TrainingData, seed: int) -> Member:
        layout = layout_of(configuration, data)
        slots = OPTIMIZERS[configuration.word("optimizer")].slots
        averaged = layout.size if "averaging" in configuration else 0
        return Member(
            configuration=configuration,
            layout=layout,
            key=np.uint64(derive(seed, "key")),
            theta=np.zeros(layout.size, self.dtype),
            slots=np.zeros((slots, layout.size), self.dtype),
            average=np.zeros(averaged, self.dtype),
            best=np.zeros(layout.size, self.dtype),
            counters=np.zeros(step.COUNTERS, np.int64),
            scalars=np.full(step.SCALARS, np.inf),
            limits=limits_of(configuration, data),
        )

    def advance(
        self, member: Member, data: TrainingData, to_epoch: int, stop: NDArray[np.uint8]
    ) -> Leg:
        """Train up to an epoch, to the end of patience, or until `stop[0]` is set.

        At `STOP` the member is to be thrown away; at `HALT` it ends its epoch.
        """
        configuration, dtype = member.configuration, self.dtype
        optimizer = OPTIMIZERS[configuration.word("optimizer")]
        first = int(member.counters[step.EPOCH])
        curve = np.full((max(to_epoch - first, 0), 3), np.nan)
        layout, outputs = member.layout, member.layout.widths[-1]
        rates, held_out = rates_of(configuration), len(data.validation_x)
        batch = min(configuration.whole("batch_size"), len(data.x))
        scratch = scratch_for(
            layout,
            max(batch, min(ANSWERED, held_out)),
            dtype,
            inputs=data.inputs,
            targets=data.outputs,
        )
        functions = (
            pointers.answer(dtype),
            *pointers.passes(dtype),
            *pointers.encoders(layout, dtype),
            pointers.activation(configuration.word("activation"), dtype),
            *pointers.norms(layout, dtype),
            *pointers.members(layout, dtype),
            pointers.loss(configuration, data.classes, dtype),
            pointers.update(optimizer.update, dtype),
        )
        kernel = pointers.train(dtype)
        with quiet(), flushed():
            began = time.perf_counter()
            steps = kernel(
                *functions,
                layout.sizes,
                layout.form,
                layout.columns,
                plan_of(configuration, data),
                rates,
                rates.copy(),
                np.array([configuration.number(name) for name in optimizer.constants]),
                groups_of(configuration, layout),
                np.array(member.limits),
                class_weights(configuration, data, dtype),
                member.key,
                member.theta,
                member.slots,
                member.average,
                member.best,
                member.counters,
                member.scalars,
                data.x,
                data.y,
                data.validation_x,
                data.validation_y,
                to_epoch,
                curve,
                stop,
                scratch,
                np.empty((held_out, outputs), dtype),
                np.empty((layout.members, len(data.x)), np.int64),
            )
            seconds = time.perf_counter() - began
        epoch, _, best_epoch, state = (int(each) for each in member.counters)
        return Leg(
            epoch=epoch,
            best_epoch=best_epoch,
            loss=float(member.scalars[step.BEST_LOSS]),
            steps=int(steps),
            seconds=seconds,
            curve=curve[: epoch - first],
            ended=state == step.STOPPED_EARLY,
            diverged=state == step.DIVERGED,
            interrupted=state == step.INTERRUPTED,
        )

    def network(self, member: Member, classes: bool) -> Network:
        """The member's kept weights, as a network of their own."""
        return Network(
            member.layout,
            member.configuration.word("activation"),
            member.configuration.number("negative_slope"),
            classes,
            member.best.copy(),
            member.limits,
            head_of(member.configuration, classes).point,
        )

    def snapshot(self, member: Member) -> dict[str, NDArray[Any]]:
        """Everything that `thaw` needs besides the kept weights, by name."""
        return {
            "state.theta": member.theta,
            "state.slots": member.slots,
            "state.counters": member.counters,
            "state.scalars": member.scalars,
            "state.average": member.average,
        }

    def thaw(
        self,
        settings: Mapping[str, Any],
        data: TrainingData,
        seed: int,
        tensors: Mapping[str, NDArray[Any]],
    ) -> Member:
        """The frozen member, from its snapshot and its network's tensors."""
        member = self._blank(cast("Configuration", settings), data, seed)
        best = Network.from_tensors(member.configuration, data.classes, tensors).theta
        for into, name in (
            (member.theta, "state.theta"),
            (member.slots, "state.slots"),
            (member.counters, "state.counters"),
            (member.scalars, "state.scalars"),
            (member.average, "state.average"),
        ):
            into[...] = tensors[name].reshape(into.shape)
        member.best[:] = best
        return member
