"""The way through a stack of networks; autograd finds the way back."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

from modelshelf.engines.numpy_.layout import Layout
from modelshelf.engines.numpy_.normalise import EPSILON
from modelshelf.engines.torch_.population.encoding import Encoder
from modelshelf.engines.torch_.population.masks import mask
from modelshelf.engines.torch_.population.parts import Parts
from modelshelf.engines.torch_.population.rates import Now
from modelshelf.engines.torch_.population.shape import Shape

__all__ = ["forward"]

_MOMENTUM = 0.1  # the share of a batch in the running statistics, as in `numpy_.normalise`


def forward(
    shape: Shape, encoder: Encoder, parts: Parts, x: Tensor, now: Now, seeds: Tensor | None = None
) -> Tensor:
    """Outputs (networks, rows, outputs) for raw rows `x` (networks, rows, inputs).

    A network is a member, or one of a member's k. `seeds` (layers, networks) are the dropout masks'
    in training; without them, batch statistics are the running ones.
    """
    layout = shape.layout
    h = encoder(parts, x)
    if seeds is not None and shape.input_dropout:
        h = _drop(h, seeds[0], now.each("input_threshold"), now.each("input_scale"))
    at, last = 0, len(parts.weights) - 1
    for layer in range(last):
        below, width = h, layout.widths[layer + 1]
        h = _sums(layout, parts, layer, h)
        if layout.norm:
            h = _normalise(layout, parts, at, h, training=seeds is not None)
        h = _activate(shape, parts, at, h, now)
        if seeds is not None and shape.dropout:
            h = _drop(h, seeds[layer + 1], now.each("threshold"), now.each("scale"))
        if layout.residual and layer > 0 and below.shape == h.shape:
            h = h + below
        at += width
    return _sums(layout, parts, last, h)


def _sums(layout: Layout, parts: Parts, layer: int, h: Tensor) -> Tensor:
    """A layer's sums. Networks of one member share its weights, but for the last layer's."""
    weight = parts.weights[layer]
    if layer == 0 and layout.scaled:
        weight = weight * parts.blocks["scales"][:, :, None]
    factor = 1.0 / math.sqrt(weight.shape[1]) if layout.ntk else 1.0
    bias = None if parts.biases is None else parts.biases[layer]
    if len(weight) == len(h):
        if bias is not None:
            return torch.baddbmm(bias, h, weight, alpha=factor)
        return torch.bmm(h, weight) * factor
    inputs, sums = parts.adapters[layer]
    shared = (h * inputs).reshape(len(weight), -1, weight.shape[1])
    z = torch.bmm(shared, weight).reshape(*h.shape[:2], -1) * (sums * factor)
    return z if bias is None else z + bias


def _normalise(layout: Layout, parts: Parts, at: int, h: Tensor, training: bool) -> Tensor:
    """Each row's sums, or each unit's, to mean 0 and deviation 1; then a learned gain and shift.

    In training, batch normalisation moves its running statistics. A lone row moves nothing.
    """
    k, width = layout.members, h.shape[2]
    gain, shift = (
        parts.blocks["gains"][:, 2 * at : 2 * (at + width)].unflatten(1, (2, 1, -1)).unbind(1)
    )
    if layout.norm == "layer":
        gain, shift = _each(gain, k), _each(shift, k)
        return _unit(h, h.mean(dim=2, keepdim=True), dim=2) * gain + shift
    running = parts.blocks["statistics"][:, 2 * at : 2 * (at + width)].unflatten(1, (2, 1, -1))
    if not training:
        mean, variance = running.unbind(1)
        return (h - mean) * torch.rsqrt(variance + EPSILON) * gain + shift
    mean = h.mean(dim=1, keepdim=True)
    with torch.no_grad():
        rows = h.shape[1]
        if rows > 1:
            variance = (h - mean).square().sum(dim=1, keepdim=True) / (rows - 1)
            running.lerp_(torch.stack([mean, variance], dim=1), _MOMENTUM)
    return _unit(h, mean, dim=1) * gain + shift


def _unit(h: Tensor, mean: Tensor, dim: int) -> Tensor:
    centred = h - mean
    return centred * torch.rsqrt(centred.square().mean(dim=dim, keepdim=True) + EPSILON)


def _activate(shape: Shape, parts: Parts, at: int, z: Tensor, now: Now) -> Tensor:
    match shape.activation:
        case "leaky_relu":
            h = torch.where(z > 0, z, z * now.each("slope")[:, :, None])
        case "tanh":
            h = torch.tanh(z)
        case "sigmoid":
            h = torch.sigmoid(z)
        case name:  # relu, gelu, silu, mish and selu
            h = getattr(functional, name)(z)
    if shape.layout.mixed:
        own = parts.blocks["mixes"][:, None, at : at + z.shape[2]]
        share = _each(own, shape.layout.members)
        h = z + share * (h - z)
    return h


def _each(own: Tensor, k: int) -> Tensor:
    """What is a member's (members, 1, units), for each of its networks (members · k, 1, units)."""
    return own if k == 1 else own.expand(-1, k, -1).reshape(-1, 1, own.shape[2])


def _drop(h: Tensor, seeds: Tensor, threshold: Tensor, scale: Tensor) -> Tensor:
    return h * mask(seeds, threshold, scale, h.shape[1] * h.shape[2]).view(h.shape)
