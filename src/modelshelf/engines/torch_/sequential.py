"""`nn.Sequential` of linear layers, recognised as a network that the compiled engine trains."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from modelshelf.core.errors import SettingError
from modelshelf.core.protocols import TrainingData
from modelshelf.engines.numpy_.layout import Layout
from modelshelf.engines.torch_.names import NETWORK
from modelshelf.space.catalogue import CATALOGUE
from modelshelf.space.configuration import Configuration

__all__ = ["Recognised", "recognise"]

_ACTIVATIONS: dict[type, str] = {
    nn.ReLU: "relu", nn.LeakyReLU: "leaky_relu", nn.Tanh: "tanh", nn.Sigmoid: "sigmoid",
    nn.SiLU: "silu", nn.Mish: "mish", nn.SELU: "selu", nn.GELU: "gelu",
}  # fmt: skip
_NORMS: dict[type, str] = {nn.LayerNorm: "layer", nn.BatchNorm1d: "batch"}
_EPSILON, _MOMENTUM = 1e-5, 0.1  # the compiled engine's, and PyTorch's defaults

Named = tuple[str, nn.Module]


class _StrangeError(Exception):
    """A layer, or its setting, that the compiled engine does not have."""


@dataclass(frozen=True, slots=True)
class Recognised:
    """What the compiled engine needs of a module: settings, and the names of its parameters."""

    settings: Mapping[str, Any]  #: of the dense network that it is
    linears: tuple[str, ...]  #: names of its layers, first to last
    norms: tuple[str, ...]  #: names of what normalises each hidden layer; none where there is none

    def dense(self, configuration: Configuration) -> Configuration:
        """The same training of that dense network. What the module decides is as it decides."""
        told = {
            name: configuration.value(name)
            for name, each in CATALOGUE.items()
            if name not in ("network", "module")
            and (name in configuration or configuration.value(name) == each.off)
        }
        return Configuration(**{**told, **self.settings})

    def theta(self, layout: Layout, tensors: Mapping[str, NDArray[Any]]) -> NDArray[np.float32]:
        """The module's tensors as the compiled engine's one vector."""
        theta = np.zeros(layout.size, np.float32)
        for name, view in self._views(layout, theta):
            view[...] = tensors[NETWORK + name]
        return theta

    def tensors(
        self, layout: Layout, theta: NDArray[Any], first: Mapping[str, NDArray[Any]]
    ) -> dict[str, NDArray[Any]]:
        """The vector as the module's tensors; what is no part of it stays as it was at `first`."""
        found = dict(first)
        for name, view in self._views(layout, theta):
            found[NETWORK + name] = np.array(view, order="C")  # training goes on in the vector
        return found

    def _views(self, layout: Layout, theta: NDArray[Any]) -> Iterator[tuple[str, NDArray[Any]]]:
        """Every part of the vector in the module's shape, by the name it has there."""
        weights, biases = layout.split(theta)
        for name, weight, bias in zip(self.linears, weights, biases, strict=True):
            yield f"{name}.weight", weight.T
            if layout.biased:
                yield f"{name}.bias", bias
        gains, running = (theta[slice(*layout.blocks[e])] for e in ("gains", "statistics"))
        at = 0
        for name, width in zip(self.norms, layout.widths[1:-1], strict=False):
            middle, end = at + width, at + 2 * width
            yield f"{name}.weight", gains[at:middle]
            yield f"{name}.bias", gains[middle:end]
            if len(running):
                yield f"{name}.running_mean", running[at:middle]
                yield f"{name}.running_var", running[middle:end]
            at = end


def recognise(
    module: nn.Module, configuration: Configuration, data: TrainingData
) -> Recognised | str:
    """The dense network that a module is; else why it is none, empty where it is no `Sequential`.

    It must be linear layers with, after each but the last, the same of: a norm, an activation of
    the catalogue, dropout; in this order, each new, all learned, in float32; and within the
    catalogue's bounds.
    """
    if type(module).forward is not nn.Sequential.forward or hasattr(module, "augment"):
        return ""
    try:
        if data.x.ndim != 2 or data.x.dtype != np.float32 or data.shape:
            raise _StrangeError("its rows are not flat rows of float32")
        if configuration.word("loss") in ("gaussian", "quantile"):
            raise _StrangeError(f"loss = {configuration.word('loss')}")
        found = _read(list(_layers(module, "")), data)
        found.dense(configuration)  # the catalogue's bounds are not PyTorch's
    except (_StrangeError, SettingError) as error:
        return str(error).removesuffix(".")
    return found


def _layers(module: nn.Module, prefix: str) -> Iterator[Named]:
    """Layers in their order, by name, nested ones too."""
    _refuse_hooks(module, prefix)
    for name, part in module._modules.items():  # `named_children` leaves out what comes again
        assert part is not None
        if type(part).forward is nn.Sequential.forward:
            yield from _layers(part, f"{prefix}{name}.")
        elif type(part) is not nn.Identity:
            _refuse_hooks(part, prefix + name)
            yield prefix + name, part


def _read(layers: list[Named], data: TrainingData) -> Recognised:
    learned = [id(each) for _, part in layers for each in part.parameters()]
    if len(set(learned)) < len(learned):
        raise _StrangeError("two of its layers share their weights")
    groups: list[list[Named]] = []
    for name, part in layers:
        if type(part) is nn.Linear:
            groups.append([])
        elif not groups:
            raise _StrangeError(_said(name, part, "before the first linear layer"))
        groups[-1].append((name, part))
    if not groups:
        raise _StrangeError("it has no linear layer")
    if len(groups[-1]) > 1:
        raise _StrangeError(_said(*groups[-1][1], "after the last linear layer"))
    linears = [_linear(*group[0]) for group in groups]
    widths = [linears[0].in_features, *(each.out_features for each in linears)]
    if widths[0] != data.inputs or widths[-1] != data.outputs:
        raise _StrangeError(f"it maps {widths[0]} inputs to {widths[-1]} outputs")
    forms = [_hidden(group[1:], width) for group, width in zip(groups, widths[1:-1], strict=False)]
    biases = [each.bias is not None for each in linears]
    if len({tuple(sorted(each.items())) for each in forms}) > 1 or len(set(biases)) > 1:
        raise _StrangeError("its hidden layers differ in more than their widths")
    form: dict[str, Any] = forms[0] if forms else {}
    settings = {
        "normalisation": "none", "dropout": 0.0, **form, "hidden_layers": tuple(widths[1:-1]),
        "biases": "yes" if biases[0] else "no",
    }  # fmt: skip
    norms = [name for group in groups for name, part in group if type(part) in _NORMS]
    return Recognised(settings, tuple(group[0][0] for group in groups), tuple(norms))


def _linear(name: str, layer: nn.Module) -> nn.Linear:
    assert isinstance(layer, nn.Linear)
    for each in layer.parameters():
        if each.dtype != torch.float32 or not each.requires_grad:
            raise _StrangeError(f"the weights of {name} are {each.dtype}, or are not learned")
    return layer


def _hidden(parts: list[Named], width: int) -> dict[str, Any]:
    """What follows a hidden layer, as settings."""
    left = list(parts)
    found: dict[str, Any] = {}
    if left and type(left[0][1]) in _NORMS:
        found["normalisation"] = _norm(*left.pop(0), width)
    if not left or type(left[0][1]) not in _ACTIVATIONS:
        raise _StrangeError(
            _said(*left[0], "is no activation of the catalogue")
            if left
            else "one of its hidden layers has no activation"
        )
    name, part = left.pop(0)
    found["activation"] = _ACTIVATIONS[type(part)]
    if isinstance(part, nn.GELU) and part.approximate != "none":
        raise _StrangeError(_said(name, part, "is an approximation"))
    if isinstance(part, nn.LeakyReLU):
        found["negative_slope"] = float(part.negative_slope)
    if left and type(left[0][1]) is nn.Dropout:
        found["dropout"] = float(left.pop(0)[1].p)
    if left:
        raise _StrangeError(_said(*left[0], "is not where the compiled engine has it"))
    return found


def _norm(name: str, part: nn.Module, width: int) -> str:
    usual = getattr(part, "eps", None) == _EPSILON and all(
        each.requires_grad and each.dtype == torch.float32 for each in part.parameters()
    )
    if isinstance(part, nn.LayerNorm):
        usual = usual and tuple(part.normalized_shape) == (width,) and part.bias is not None
    if isinstance(part, nn.BatchNorm1d):
        usual = usual and part.num_features == width and part.momentum == _MOMENTUM
        usual = usual and part.affine and part.track_running_stats
    if not usual or part.weight is None:
        raise _StrangeError(_said(name, part, "has settings of its own"))
    return _NORMS[type(part)]


def _refuse_hooks(part: nn.Module, name: str) -> None:
    hooks = (part._forward_hooks, part._forward_pre_hooks, part._backward_hooks,
             part._backward_pre_hooks)  # fmt: skip
    if any(hooks):
        raise _StrangeError(f"{name.rstrip('.') or 'it'} has hooks")


def _said(name: str, part: nn.Module, what: str) -> str:
    return f"its layer {name} ({type(part).__name__}) {what}"
