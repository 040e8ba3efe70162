"""Arrays that lie on the device: each is brought there once, for as long as somebody holds it."""

from __future__ import annotations

import weakref
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from modelshelf.core.protocols import TrainingData

__all__ = ["Resident", "to_device"]


class Resident:
    """Brings arrays to a device. Used by one thread."""

    def __init__(self, device: torch.device, dtype: torch.dtype) -> None:
        self._device = device
        self._dtype = dtype
        self._held: dict[int, tuple[weakref.ref[NDArray[Any]], Tensor]] = {}

    def __call__(self, array: NDArray[Any]) -> Tensor:
        """The array on the device; the same tensor as long as the array lives."""
        if self._device.type == "cpu":  # shared, not copied, and so it must not be held here
            return to_device(array, self._device, self._dtype)
        key = id(array)
        if key not in self._held:
            forgotten = weakref.ref(array, lambda _: self._held.pop(key, None))
            self._held[key] = forgotten, to_device(array, self._device, self._dtype)
        return self._held[key][1]

    def missing(self, data: TrainingData) -> int:
        """Bytes that these rows, those held out too, will take on the device besides what is there.

        On a CPU, that is for those that cannot be shared: of another dtype, read-only, or strided.
        """
        every = (data.x, data.y, data.validation_x, data.validation_y)
        return sum(each.size * self._dtype.itemsize for each in every if not self._is_there(each))

    def _is_there(self, array: NDArray[Any]) -> bool:
        if self._device.type != "cpu":
            return id(array) in self._held
        same = array.dtype.itemsize == self._dtype.itemsize
        return same and array.flags.writeable and array.flags.c_contiguous


def to_device(array: NDArray[Any], device: torch.device, dtype: torch.dtype) -> Tensor:
    """An array as a tensor of this dtype on this device; an array that may be written is shared."""
    given = np.ascontiguousarray(array)
    if not given.flags.writeable:
        given = given.copy()
    return torch.from_numpy(given).to(dtype).to(device)  # in this order: mps has no float64
