"""The engine's face: the compiled engine's members, trained in stacks on a device."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from modelshelf.core.errors import SettingError
from modelshelf.core.protocols import Leg, TrainingData
from modelshelf.engines.numpy_ import Member, Network, NumpyEngine
from modelshelf.engines.torch_.population.request import Request
from modelshelf.engines.torch_.population.runner import Runner
from modelshelf.space.configuration import Configuration

__all__ = ["PopulationEngine"]


class PopulationEngine:
    """Trains dense networks of equal shape together, on a GPU or, to the same numbers, on a CPU.

    Many threads call `advance`, each with a member of its own; those that come at about the same
    time, and whose networks are alike in shape, are stacked. A member begins with the compiled
    engine's weights, sees its order of rows and its dropout masks, and is one of its members: what
    one engine froze the other thaws. They agree to rounding, not to the bit.

    `device` is cpu, cuda or mps, `width` the most members of a stack, `dtype` float32 or, where the
    device has it, float64.
    """

    def __init__(self, device: str = "cpu", width: int = 64, dtype: str = "float32") -> None:
        if device.startswith("mps") and dtype != "float32":
            raise SettingError(f"mps has no {dtype}: use float32.")
        if width < 1:
            raise SettingError(f"The width of a population is at least 1, and this is {width}.")
        self.width = width
        self._members = NumpyEngine(dtype)
        self._runner = Runner(torch.device(device), dtype, width)

    def supports(self, configuration: Configuration) -> str | None:
        """Why a configuration is not for this engine; None where it is."""
        network = configuration.get("network", "dense")
        if network != "dense":
            return f"network = {network} is trained by itself: populations are of dense networks."
        return None

    def start(self, settings: Mapping[str, Any], data: TrainingData, seed: int) -> Member:
        """A member at epoch 0, its parameters drawn as its configuration says."""
        return self._members.start(settings, data, seed)

    def advance(
        self, member: Member, data: TrainingData, to_epoch: int, stop: NDArray[np.uint8]
    ) -> Leg:
        """Train up to an epoch, to the end of patience, or until `stop[0]` is set.

        Raises `MemberError` where the device fails, for want of memory above all.
        """
        request = Request(member, data, to_epoch, stop)
        return request.leg() if request.over else self._runner.train(request)

    def network(self, member: Member, classes: bool) -> Network:
        """The member's kept weights, as a network of their own."""
        return self._members.network(member, classes)

    def snapshot(self, member: Member) -> dict[str, NDArray[Any]]:
        """Everything that `thaw` needs besides the kept weights, by name."""
        return self._members.snapshot(member)

    def thaw(
        self,
        settings: Mapping[str, Any],
        data: TrainingData,
        seed: int,
        tensors: Mapping[str, NDArray[Any]],
    ) -> Member:
        """The frozen member, from its snapshot and its network's tensors."""
        return self._members.thaw(settings, data, seed, tensors)

    def close(self) -> None:
        """Wait for what is being trained, and end the thread that trains it."""
        self._runner.close()
