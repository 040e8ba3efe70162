"""How many members of a shape there is memory for, before any of them starts."""

from __future__ import annotations

import torch

from modelshelf.core.errors import MemberError
from modelshelf.engines.numpy_.optimizers import OPTIMIZERS
from modelshelf.engines.torch_.memory import available
from modelshelf.engines.torch_.population.shape import Shape

__all__ = ["room_for"]

_PARAMETERS = 6  # copies of the parameters: two that stay, the gradient and its pieces, and scratch
_OUTPUTS = 8  # and of each layer's outputs, there and back, masks among them
_SHARE = 0.5  # of what is free: other stacks need some too


def room_for(shape: Shape, rows: int, device: torch.device, size: int, data: int) -> int:
    """How many members can be stacked on this device; `size` is that of a number, in bytes.

    `rows` are trained on, and `data` is what the rows that are not there yet will take, in bytes.
    Raises `MemberError` where there is no room for one.
    """
    layout, encoding = shape.layout, shape.layout.encoding
    copies = _PARAMETERS + OPTIMIZERS[shape.optimizer].slots
    copies += shape.averaged + shape.factored + shape.decayed
    wide = sum(layout.widths)
    if encoding:
        wide += len(encoding.columns) * encoding.features
    outputs = _OUTPUTS * layout.members * shape.batch * wide
    needed = size * (copies * layout.size + outputs) + 4 * layout.members * rows
    free = _SHARE * available(str(device)) + _cached(device)
    if free < data + needed:
        most = "fewer rows" if data > needed else "smaller hidden_layers or a smaller batch_size"
        raise MemberError(
            f"It needs {(data + needed) / 2**20:,.0f} MiB of memory, {data / 2**20:,.0f} of them "
            f"for the rows, and {free / 2**20:,.0f} MiB can be had on {device}: take {most}."
        )
    return int((free - data) // needed)


def _cached(device: torch.device) -> int:
    """Bytes that PyTorch holds on a GPU and does not use now."""
    if device.type != "cuda":
        return 0
    return int(torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device))
