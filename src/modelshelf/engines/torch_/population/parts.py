"""A stack's parameters by layer: views of one tensor (members, parameters)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from modelshelf.engines.numpy_.layout import Layout

__all__ = ["Parts", "is_learned", "leaves_of", "parts_of"]

_FIXED = ("edges", "statistics")  # what no gradient moves


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """Views by what they are for; what a layout has not is None."""

    weights: tuple[Tensor, ...]  #: (members, in, out); the last of ensembles (members · k, in, out)
    biases: tuple[Tensor, ...] | None  #: (members · k, 1, out) of each layer
    adapters: tuple[tuple[Tensor, Tensor], ...]  #: (members · k, 1, in) and (…, out), or none
    blocks: dict[str, Tensor]  #: the others, (members, length)


def leaves_of(layout: Layout, theta: Tensor) -> dict[str, Tensor]:
    """Pieces of `theta` in its order: each layer's weights, and each block that is not empty.

    They share its storage, and are what gradients are asked for; edges and statistics are not.
    Statistics move on the way through, which autograd is not to take for a change of the others.
    """
    names, sizes = [], []
    for i, shape in enumerate(pairwise(layout.widths)):
        several = layout.members if i == len(layout.widths) - 2 else 1
        names.append(f"weight.{i}")
        sizes.append(several * math.prod(shape))
    for name, (begin, end) in list(layout.blocks.items())[1:]:
        if end > begin:
            names.append(name)
            sizes.append(end - begin)
    pieces = dict(zip(names, torch.split(theta.detach(), sizes, dim=1), strict=True))
    if "statistics" in pieces:
        pieces["statistics"] = pieces["statistics"].data
    return pieces


def is_learned(layout: Layout, name: str) -> bool:
    """Whether gradients move this piece."""
    return name not in _FIXED and (layout.biased or name != "biases")


def parts_of(layout: Layout, pieces: dict[str, Tensor]) -> Parts:
    """The pieces of `leaves_of`, shaped for `forward`."""
    members, k = len(pieces["weight.0"]), layout.members
    entries, last = members * k, len(layout.widths) - 2
    weights = [
        pieces[f"weight.{i}"].reshape(entries if i == last else members, *shape)
        for i, shape in enumerate(pairwise(layout.widths))
    ]
    biases = None
    if layout.biased:
        every = pieces["biases"].reshape(entries, 1, -1)
        biases = torch.split(every, layout.widths[1:], dim=2)
    adapters: tuple[tuple[Tensor, Tensor], ...] = ()
    if k > 1:
        widths = [w for pair in pairwise(layout.widths[:-1]) for w in pair]
        split = torch.split(pieces["adapters"].reshape(entries, 1, -1), widths, dim=2)
        adapters = tuple(zip(split[::2], split[1::2], strict=True))
    known = ("biases", "adapters")
    others = {n: p for n, p in pieces.items() if n not in known and not n.startswith("weight")}
    return Parts(tuple(weights), biases, adapters, others)
