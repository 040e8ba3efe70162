"""A trained module that only answers."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from modelshelf.core.errors import SettingError
from modelshelf.core.protocols import TrainingData
from modelshelf.engines.torch_.alone import alone, settle
from modelshelf.engines.torch_.answers import Asking, Beat, silent
from modelshelf.engines.torch_.loss import probabilities
from modelshelf.engines.torch_.memory import activations
from modelshelf.engines.torch_.names import NETWORK, PARAMETERS
from modelshelf.engines.torch_.state import arrays_of, load, state_from, state_of
from modelshelf.space.configuration import Configuration

__all__ = ["Build", "TorchNetwork", "built", "looked_through"]

#: Makes a module of a configuration, for data like these.
Build = Callable[[Configuration, TrainingData], torch.nn.Module]

_NO_LIMITS = (-math.inf, math.inf)


@dataclass(frozen=True, slots=True, eq=False)
class TorchNetwork:
    """A module with the weights that training kept.

    What it learned or drew must lie in its parameters and buffers: they alone go on the shelf.
    """

    asking: Asking
    beat: Beat = silent

    @property
    def module(self) -> torch.nn.Module:
        """The module itself."""
        return self.asking.module

    @property
    def parameters(self) -> int:
        """How many numbers were learned."""
        return sum(each.numel() for each in self.module.parameters() if each.requires_grad)

    def predict(self, x: Any) -> NDArray[np.float64]:
        """Class probabilities (rows, classes), or the standardised target (rows,), float64."""
        raw = self.raw(x)
        if self.asking.classes:
            return probabilities(raw)
        return raw[:, 0] if self.asking.outputs == 1 else raw

    def raw(self, x: Any) -> NDArray[np.float64]:
        """Outputs (rows, outputs), float64: logits, or numbers."""
        with alone():
            settle(0, "answer")
            return self.asking.answer(x, self.beat)

    def tensors(self) -> dict[str, NDArray[Any]]:
        """Parameters and buffers by name, as they lie on the shelf."""
        named = arrays_of(state_of(self.module), NETWORK)
        named[PARAMETERS] = np.array(self.parameters)
        if self.asking.limits != _NO_LIMITS:
            named["limits"] = np.array(self.asking.limits)
        return named

    @classmethod
    def from_tensors(
        cls,
        build: Build,
        configuration: Configuration,
        data: TrainingData,
        tensors: Mapping[str, NDArray[Any]],
        device: str = "cpu",
        beat: Beat = silent,
    ) -> TorchNetwork:
        """The network whose `tensors` these are; `data` may be any rows like those of training."""
        limits = tensors.get("limits", np.array(_NO_LIMITS)).tolist()
        with alone():
            settle(0, "network")
            module = built(build, configuration, data, device)
            load(module, state_from(tensors, NETWORK))
            module.eval()
        return cls(Asking.of(module, data, (limits[0], limits[1])), beat)


def built(
    build: Build, configuration: Configuration, data: TrainingData, device: str
) -> torch.nn.Module:
    """The module on its device. Raises `SettingError` where it is none, or has nothing to learn."""
    module = build(configuration, data)
    if not isinstance(module, torch.nn.Module):
        raise SettingError(
            f"The builder gave a {type(module).__name__}: it must return a torch.nn.Module."
        )
    module = module.to(device)
    if len(data.shape) == 3 and torch.device(device).type == "cpu":
        module = module.to(memory_format=torch.channels_last)
    if not any(each.requires_grad for each in module.parameters()):
        raise SettingError(
            f"The module {type(module).__name__} has no parameters to learn: register its layers "
            "as attributes, and let them require gradients."
        )
    return module


def looked_through(module: torch.nn.Module, data: TrainingData) -> float:
    """Let two rows through, in evaluation mode; returns bytes of activations a row.

    Wrong shapes show before training begins, and lazy modules learn how many inputs they have.
    """
    rows = (
        data.x[:2]
        if isinstance(data.x, np.ndarray)
        else data.x.take(np.arange(min(2, len(data.x))))
    )
    with activations(module) as seen:
        Asking.of(module, data, _NO_LIMITS).answer(np.array(rows))
    return sum(seen) / max(len(rows), 1)
