"""PyTorch's engine for one member at a time: any module, trained in this process."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import astuple
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from modelshelf.core.protocols import Leg, TrainingData
from modelshelf.engines.numpy_.assemble import limits_of
from modelshelf.engines.torch_.alone import alone, settle
from modelshelf.engines.torch_.answers import Beat, silent
from modelshelf.engines.torch_.lesson import (
    DIVERGED,
    INTERRUPTED,
    STOPPED_EARLY,
    TRAINING,
    Lesson,
    Member,
    Progress,
)
from modelshelf.engines.torch_.loss import loss_of
from modelshelf.engines.torch_.memory import available, estimate, refuse_if_too_large
from modelshelf.engines.torch_.names import FROZEN, NETWORK
from modelshelf.engines.torch_.network import Build, TorchNetwork, built, looked_through
from modelshelf.engines.torch_.optimise import optimizer_of, slots_from, slots_of
from modelshelf.engines.torch_.state import arrays_of, copied, load, state_from, state_of
from modelshelf.space.configuration import Configuration

__all__ = ["TorchEngine"]

_WEIGHTS, _AVERAGE, _SLOTS = (f"{FROZEN}{word}." for word in ("weights", "average", "slots"))
_PROGRESS = f"{FROZEN}progress"


class TorchEngine:
    """Trains any `nn.Module` that `build(configuration, data)` makes, one at a time.

    A module that has a method `augment(x, generator)`, with these two arguments, gets training rows
    through it first. Outputs are logits (rows, classes), of two classes also one logit (rows,), or
    numbers (rows,) or (rows, 1).
    Threads that share a process take turns; `remote.RemoteEngine` gives each a process.
    """

    def __init__(self, build: Build, device: str = "cpu", beat: Beat = silent) -> None:
        self._build = build
        self._device = device
        self._beat = beat  # is told the epoch with every batch

    def start(self, settings: Mapping[str, Any], data: TrainingData, seed: int) -> Member:
        """A member at epoch 0.

        Raises `SettingError` for a module that cannot be trained, `MemberError` for one that is
        too large.
        """
        configuration = cast("Configuration", settings)
        loss_of(configuration, data)  # says at once if it cannot be
        with alone():
            settle(seed, "weights")
            self._beat(0)
            module = built(self._build, configuration, data, self._device)
            row = looked_through(module, data)
            needed, free = estimate(module, configuration, data, row), available(self._device)
            refuse_if_too_large(needed, free, type(module).__name__)
            state = state_of(module)
            return Member(
                configuration=configuration,
                data=data,
                seed=seed,
                module=module,
                optimizer=optimizer_of(configuration, module),
                best=copied(state),
                average=copied(state) if "averaging" in configuration else None,
                limits=limits_of(configuration, data),
                progress=Progress(),
            )

    def advance(
        self, member: Member, data: TrainingData, to_epoch: int, stop: NDArray[np.uint8]
    ) -> Leg:
        """Train up to an epoch, to the end of patience, or until `stop[0]` is set."""
        progress, curve = member.progress, []
        with alone():
            began, first = time.perf_counter(), progress.step
            lesson = Lesson(member, data, stop, self._beat)
            while progress.state == TRAINING and progress.epoch < to_epoch:
                row = lesson.epoch()
                if row is not None:
                    curve.append(row)
            seconds = time.perf_counter() - began
        return Leg(
            epoch=progress.epoch,
            best_epoch=progress.best_epoch,
            loss=progress.best_loss,
            steps=progress.step - first,
            seconds=seconds,
            curve=np.array(curve, np.float64).reshape(-1, 3),
            ended=progress.state == STOPPED_EARLY,
            diverged=progress.state == DIVERGED,
            interrupted=progress.state == INTERRUPTED,
        )

    def network(self, member: Member, classes: bool) -> TorchNetwork:
        """The member's kept weights, in a module of their own."""
        tensors = arrays_of(member.best, NETWORK) | {"limits": np.array(member.limits)}
        return TorchNetwork.from_tensors(
            self._build, member.configuration, member.data, tensors, self._device, self._beat
        )

    def snapshot(self, member: Member) -> dict[str, NDArray[Any]]:
        """Everything that `thaw` needs besides the kept weights, by name."""
        frozen = {_PROGRESS: np.array(astuple(member.progress), np.float64)}
        frozen |= arrays_of(state_of(member.module), _WEIGHTS)
        frozen |= arrays_of(member.average or {}, _AVERAGE)
        slots = slots_of(member.optimizer)
        return frozen | {_SLOTS + name: value for name, value in slots.items()}

    def thaw(
        self,
        settings: Mapping[str, Any],
        data: TrainingData,
        seed: int,
        tensors: Mapping[str, NDArray[Any]],
    ) -> Member:
        """The frozen member, from its snapshot and its network's tensors."""
        member = self.start(settings, data, seed)
        with alone():
            load(member.module, state_from(tensors, _WEIGHTS))
            for name, value in state_from(tensors, NETWORK).items():
                member.best[name].copy_(value)
            for name, value in state_from(tensors, _AVERAGE).items():
                cast("dict[str, Any]", member.average)[name].copy_(value)
            slots = {
                name.removeprefix(_SLOTS): value
                for name, value in tensors.items()
                if name.startswith(_SLOTS)
            }
            slots_from(member.optimizer, slots)
        epoch, step, best_epoch, state, best, best_loss = tensors[_PROGRESS].tolist()
        member.progress = Progress(
            int(epoch), int(step), int(best_epoch), int(state), best, best_loss
        )
        return member
