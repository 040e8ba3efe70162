"""The compiled engine's dropout masks, made on the device: a hash of each unit's place."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["mask"]

# The constants of `numpy_.random`, as int32: products wrap, and so keep the same low 32 bits.
_GOLDEN, _M1, _M2 = (
    value - (1 << 32) if value >= 1 << 31 else value
    for value in (0x9E3779B9, 0x7FEB352D, 0x846CA68B)
)


def mask(seeds: Tensor, threshold: Tensor, scale: Tensor, units: int) -> Tensor:
    """What `units` outputs of each network are multiplied by, (networks, units).

    `seeds` (networks,) is int32; `threshold` and `scale` (networks, 1) are 65536 times the share
    of zeros, and what the others become.
    """
    half = units // 2
    count = half + units % 2
    h = torch.arange(count, dtype=torch.int32, device=seeds.device) * _GOLDEN + seeds[:, None]
    h = (h ^ ((h >> 16) & 0xFFFF)) * _M1  # int32 shifts keep the sign: its copies are masked away
    h = (h ^ ((h >> 15) & 0x1FFFF)) * _M2
    h = h ^ ((h >> 16) & 0xFFFF)
    low, high = h & 0xFFFF, (h >> 16)[:, :half] & 0xFFFF
    # Each hash serves two values, one from either half; an odd one at the end has one to itself.
    places = torch.cat([low[:, :half], high, low[:, half:]], dim=1)
    return (places >= threshold).to(scale.dtype) * scale
