"""Rows in, outputs out: what a module is given, and what it may answer with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from modelshelf.core.errors import SettingError
from modelshelf.core.protocols import TrainingData
from modelshelf.engines.torch_.batches import chunks

__all__ = ["Asking", "Beat", "silent"]

_CHUNK = 512  # rows that are answered at a time; fixed, so that the same rows give the same bits

Beat = Callable[[int], None]


def silent(epoch: int) -> None:
    """No one listens for a sign of life."""


@dataclass(frozen=True, slots=True, eq=False)
class Asking:
    """How rows become a module's input, and its output one number for each class or target."""

    module: torch.nn.Module
    like: torch.Tensor  #: a parameter, whose device and dtype of fractions the rows take
    classes: bool
    outputs: int
    shape: tuple[int, ...]  #: (channels, height, width) of a row that is an image, else empty
    limits: tuple[float, float]  #: answers beyond these become them

    @classmethod
    def of(cls, module: torch.nn.Module, data: TrainingData, limits: tuple[float, float]) -> Asking:
        """For rows like these."""
        every = list(module.parameters())
        like = next((each for each in every if each.is_floating_point()), every[0])
        return cls(module, like, data.classes, data.outputs, data.shape, limits)

    def put(self, rows: NDArray[Any]) -> torch.Tensor:
        """Rows as the module takes them. Fractions get its dtype; all else stays as it is."""
        try:
            x = torch.from_numpy(rows)
        except TypeError:
            raise SettingError(
                f"The rows hold {rows.dtype}, which is no number to PyTorch: give them as float32, "
                "or as int64 for codes."
            ) from None
        like = self.like
        x = x.to(like.device, like.dtype if x.is_floating_point() else None)
        if not self.shape:
            return x
        x = x.reshape(len(x), *self.shape)
        flat = like.device.type == "cpu" and x.ndim == 4
        return x.contiguous(memory_format=torch.channels_last) if flat else x

    def through(self, x: torch.Tensor) -> torch.Tensor:
        """The module's output (rows, outputs): logits of classes, or numbers.

        Raises `SettingError` for a shape or dtype that is neither.
        """
        output, rows = self.module(x), len(x)
        if isinstance(output, torch.Tensor) and output.is_floating_point():
            output = output if output.itemsize >= 4 else output.float()  # losses need the digits
            shape = tuple(output.shape)
            if shape == (rows, self.outputs):
                return output
            if shape == (rows,) and self.outputs == 1:
                return output[:, None]
            if self.classes and self.outputs == 2 and shape in ((rows,), (rows, 1)):
                logit = output.reshape(rows, 1)  # of the second class; that of the first is 0
                return torch.cat([torch.zeros_like(logit), logit], dim=1)
        raise self._refused(output, x)

    def _refused(self, output: Any, x: torch.Tensor) -> SettingError:
        if not isinstance(output, torch.Tensor):
            came = f"a {type(output).__name__}, not a tensor"
        elif not output.is_floating_point():
            came = f"{output.dtype}, which has no gradients"
        else:
            came = f"shape {tuple(output.shape)}"
        return SettingError(
            f"The module {type(self.module).__name__} gave {came}, for {len(x)} rows of shape "
            f"{tuple(x.shape[1:])}: give {self._wanted(len(x))}."
        )

    def _wanted(self, rows: int) -> str:
        if self.classes and self.outputs == 2:
            return f"logits of shape ({rows}, 2), or ({rows},) for the second class alone"
        if self.classes:
            return f"logits of shape ({rows}, {self.outputs}), one for each class"
        return f"numbers of shape ({rows}, {self.outputs})" + (
            f" or ({rows},)" if self.outputs == 1 else ""
        )

    def answer(self, x: Any, beat: Beat = silent, epoch: int = 0) -> NDArray[np.float64]:
        """Outputs (rows, outputs), float64, in evaluation mode.

        Without gradients, but not in `inference_mode`: what a module keeps for later calls would
        be of no use to training.
        """
        self.module.eval()
        found = np.empty((len(x), self.outputs))
        at = 0
        with torch.no_grad():
            for rows in chunks(x, _CHUNK):
                beat(epoch)
                output = self.through(self.put(rows))
                found[at : at + len(rows)] = output.detach().cpu().double().numpy()
                at += len(rows)
        if self.limits[0] < self.limits[1] < np.inf:
            np.clip(found, *self.limits, out=found)
        return found
