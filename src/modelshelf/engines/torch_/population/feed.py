"""What the host brings to the device for a part of an epoch: orders of rows, numbers, seeds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from modelshelf.engines.numpy_ import step
from modelshelf.engines.numpy_.look import batch_order
from modelshelf.engines.torch_.population.rates import COLUMNS, mask_seeds, rates_table
from modelshelf.engines.torch_.population.request import Request
from modelshelf.engines.torch_.population.shape import Shape

__all__ = ["Feed"]


class Feed:
    """One epoch's, for the members in their seats; an empty seat gets zeros."""

    def __init__(
        self,
        shape: Shape,
        seats: Sequence[Request | None],
        device: torch.device,
        dtype: np.dtype[Any],
    ) -> None:
        self._shape = shape
        self._seats = seats
        self._device = device
        self._dtype = dtype
        self._seated = [(at, each) for at, each in enumerate(seats) if each is not None]
        self._begin = np.array([int(r.member.counters[step.STEP]) + 1 for _, r in self._seated])

    def orders(self, rows: int) -> NDArray[np.int32]:
        """In which order each network goes through the rows, (networks, rows)."""
        orders = np.zeros((len(self._seats), self._shape.layout.members, rows), np.int32)
        for at, each in self._seated:
            epoch = int(each.member.counters[step.EPOCH]) + 1
            for own, key in zip(orders[at], each.keys, strict=True):
                own[:] = batch_order(key, rows, epoch)
        return orders.reshape(-1, rows)

    def rates(self, first: int, count: int) -> Tensor:
        """The numbers of steps `first` to `first + count` of the epoch, (count, seats, columns)."""
        table = np.zeros((count, len(self._seats), len(COLUMNS)), self._dtype)
        told = rates_table([each.rates for _, each in self._seated], self._begin + first, count)
        table[:, [at for at, _ in self._seated]] = told
        return torch.from_numpy(table).to(self._device)

    def seeds(self, first: int, count: int) -> Tensor:
        """The seeds of these steps' masks, (count, layers, networks)."""
        shape, k = self._shape, self._shape.layout.members
        layers = len(shape.layout.widths) - 1
        seeds = np.zeros((count, layers, len(self._seats), k), np.int32)
        if shape.dropout or shape.input_dropout:
            keys = np.concatenate([each.keys for _, each in self._seated])
            told = mask_seeds(keys, np.repeat(self._begin + first, k), count, layers)
            seeds[:, :, [at for at, _ in self._seated]] = told.reshape(count, layers, -1, k)
        return torch.from_numpy(seeds.reshape(count, layers, -1)).to(self._device)
