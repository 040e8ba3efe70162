"""A dense network as a plain `torch.nn.Sequential`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from modelshelf.core.errors import SettingError
from modelshelf.engines.numpy_ import Network

__all__ = ["sequential"]


def sequential(network: Network) -> Any:
    """The network in PyTorch's own layers, in evaluation mode; its outputs are logits or numbers.

    Learned input scales and the NTK factor are multiplied into the weights. Raises `SettingError`
    where it has learned encodings, shares of activation, residual connections or several members.
    """
    import torch

    layout = network.layout
    if layout.encoding or layout.mixed or layout.residual or layout.members > 1:
        raise SettingError(
            "This network has learned encodings, parametric activations, residual connections "
            "or several members, and cannot be carried off as a plain torch.nn.Sequential yet."
        )

    activations = {
        "relu": torch.nn.ReLU,
        "tanh": torch.nn.Tanh,
        "sigmoid": torch.nn.Sigmoid,
        "gelu": torch.nn.GELU,
        "silu": torch.nn.SiLU,
        "mish": torch.nn.Mish,
        "selu": torch.nn.SELU,
        "leaky_relu": lambda: torch.nn.LeakyReLU(network.negative_slope),
    }
    layers: list[Any] = []
    norms = _norms(network)
    for weight, bias in zip(*network.weights(), strict=True):
        if layout.ntk:
            weight = weight / np.sqrt(weight.shape[0])
        if layout.scaled and not layers:
            begin, end = layout.blocks["scales"]
            weight = weight * network.theta[begin:end, None]
        if layers:
            layers += [*next(norms, ()), activations[network.activation]()]
        linear = torch.nn.Linear(*weight.shape)
        with torch.no_grad():
            linear.weight.copy_(torch.from_numpy(np.ascontiguousarray(weight.T)))
            linear.bias.copy_(torch.from_numpy(bias.copy()))
        layers.append(linear)
    low, high = network.limits
    if np.isfinite([low, high]).all():
        layers.append(torch.nn.Hardtanh(low, high))
    return torch.nn.Sequential(*layers).eval()


def _norms(network: Network) -> Iterator[list[Any]]:
    """Torch's normalisation of each hidden layer's sums; none where there is none."""
    import torch

    layout, theta = network.layout, network.theta
    kinds: dict[str, Any] = {"layer": torch.nn.LayerNorm, "batch": torch.nn.BatchNorm1d}
    gains, running = (theta[slice(*layout.blocks[e])] for e in ("gains", "statistics"))
    at = 0
    for width in layout.widths[1:-1] if layout.norm else ():
        norm = kinds[layout.norm](width)
        here, there = slice(at, at + width), slice(at + width, at + 2 * width)
        state = {"weight": gains[here], "bias": gains[there]}
        if layout.norm == "batch":
            state |= {"running_mean": running[here], "running_var": running[there]}
        held = {name: torch.from_numpy(each.copy()) for name, each in state.items()}
        norm.load_state_dict(held, strict=False)
        yield [norm]
        at += 2 * width
