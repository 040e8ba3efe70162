"""Learned encodings of raw inputs, for a whole stack: numbers by cosines or bins, and tables."""

from __future__ import annotations

import math
from itertools import groupby

import torch
from torch import Tensor
from torch.nn.functional import embedding

from modelshelf.engines.numpy_.layout import Encoding, Layout
from modelshelf.engines.torch_.population.parts import Parts

__all__ = ["Encoder"]

_TURN = 2.0 * math.pi


class Encoder:
    """What turns raw rows into the first layer's inputs; where the columns lie is on the device."""

    def __init__(self, layout: Layout, device: torch.device) -> None:
        self._encoding = layout.encoding
        columns = layout.encoding.columns if layout.encoding else ()
        kinds = [(each > 0) - (each < 0) for each in columns]
        #: Kinds of neighbours, and how many there are of it.
        self._runs = [(kind, len(list(run))) for kind, run in groupby(kinds)]
        self._places = {
            kind: torch.tensor([i for i, each in enumerate(kinds) if each == kind], device=device)
            for kind in set(kinds)
        }
        self._codes = torch.tensor([each for each in columns if each > 0], device=device)

    def __call__(self, parts: Parts, x: Tensor) -> Tensor:
        """Raw rows (members · k, rows, inputs) into (…, rows, width)."""
        if self._encoding is None:
            return x
        raw = x.reshape(len(parts.weights[0]), -1, x.shape[2])  # k in one share their encoding
        made = {kind: self._made(kind, parts, raw) for kind in self._places}
        pieces, at = [], dict.fromkeys(self._places, 0)
        for kind, count in self._runs:
            pieces.append(made[kind][:, :, at[kind] : at[kind] + count].flatten(2))
            at[kind] += count
        return torch.cat(pieces, dim=2).reshape(*x.shape[:2], -1)

    def _made(self, kind: int, parts: Parts, raw: Tensor) -> Tensor:
        """The columns of one kind, (members, rows, columns, what each becomes)."""
        assert self._encoding is not None
        picked = raw.index_select(2, self._places[kind])
        if kind == 0:
            return picked.unsqueeze(3)
        if kind > 0:
            return _tables(self._encoding, parts.blocks["tables"], self._codes, picked)
        own = parts.blocks["numbers"].unflatten(1, (picked.shape[2], self._encoding.per_number))
        if self._encoding.piecewise:
            return _bends(self._encoding, own, parts.blocks["edges"], picked)
        return _waves(self._encoding, own, picked)


def _waves(encoding: Encoding, own: Tensor, x: Tensor) -> Tensor:
    """By cosines: learned mixtures of them, and the number itself."""
    features, out = encoding.features, encoding.size - 1
    frequency, phase, mixture, bias = own.split([features, features, features * out, out], dim=2)
    angles = (_TURN * x)[..., None] * frequency[:, None] + phase[:, None]
    mixture = mixture.unflatten(2, (features, out))
    waves = torch.einsum("mrcf,mcfo->mrco", torch.cos(angles), mixture) + bias[:, None]
    return torch.cat([waves, x[..., None]], dim=3)


def _bends(encoding: Encoding, own: Tensor, edges: Tensor, x: Tensor) -> Tensor:
    """By bins: a line, and for each bin the share of its step that a number has gone through.

    The outer bins go on without end; where edges repeat, the last ones are no bins at all.
    """
    bins, size = encoding.features, encoding.size
    slope, bias, steps = own.split([size, size, bins * size], dim=2)
    edges = edges.unflatten(1, (x.shape[2], bins + 1))
    width = edges.diff(dim=2)
    used = width > 0
    place = torch.arange(bins, device=x.device)
    low = torch.zeros(bins, dtype=x.dtype, device=x.device).masked_fill(place == 0, -torch.inf)
    last = place == used.sum(dim=2, keepdim=True) - 1
    high = used.to(x.dtype).masked_fill(last, torch.inf)
    shares = (x[..., None] - edges[:, None, :, :-1]) / width.masked_fill(~used, 1.0)[:, None]
    shares = torch.clamp(shares, low, high[:, None])
    whole = torch.einsum("mrcf,mcfs->mrcs", shares, steps.unflatten(2, (bins, size)))
    return x[..., None] * slope[:, None] + bias[:, None] + whole


def _tables(encoding: Encoding, tables: Tensor, kinds: Tensor, x: Tensor) -> Tensor:
    """Codes below `kinds` (columns,) as what each member's tables hold for them."""
    rows = tables.reshape(-1, encoding.embedding)
    codes = torch.clamp(torch.nan_to_num(x).long(), torch.zeros_like(kinds), kinds - 1)
    own = torch.arange(len(x), device=x.device)[:, None, None] * (len(rows) // len(x))
    return embedding(codes + (kinds.cumsum(0) - kinds) + own, rows)
