"""The catalogue's optimizers, as `torch.optim` has them; rates and decay, step by step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from modelshelf.engines.numpy_.compile import from_python
from modelshelf.engines.numpy_.schedules import SCHEDULES, fading, share
from modelshelf.space.configuration import Configuration

__all__ = ["Rates", "optimizer_of", "slots_from", "slots_of", "weights_of"]

_DROPOUTS = torch.nn.modules.dropout._DropoutNd  # of any dimension


def weights_of(module: torch.nn.Module) -> list[torch.Tensor]:
    """What penalties and decay are for: learned parameters of two dimensions or more.

    Biases, and the gains and shifts of norms, have one.
    """
    return [each for each in module.parameters() if each.requires_grad and each.ndim >= 2]


def optimizer_of(configuration: Configuration, module: torch.nn.Module) -> torch.optim.Optimizer:
    """The configuration's optimizer; what decays is a group of its own."""
    groups = _groups(configuration, module)
    rate, epsilon = configuration.number("learning_rate"), configuration.number("epsilon")
    every = [each for group in groups for each in group["params"]]
    # One pass over all of a parameter's numbers, where PyTorch has one.
    fused = all(each.is_floating_point() for each in every) and every[0].device.type != "mps"
    adam = {"betas": (configuration.number("beta1"), configuration.number("beta2"))}
    match configuration.word("optimizer"):
        case "sgd":
            return torch.optim.SGD(groups, lr=rate, fused=fused)
        case "momentum" | "nesterov" as name:
            mu = configuration.number("momentum")
            nesterov = name == "nesterov" and mu > 0.0  # without momentum the two are one
            return torch.optim.SGD(groups, lr=rate, momentum=mu, nesterov=nesterov, fused=fused)
        case "rmsprop":
            rho = configuration.number("rho")
            return torch.optim.RMSprop(groups, lr=rate, alpha=rho, eps=epsilon, foreach=True)
        case "adagrad":
            on_cpu = fused and every[0].device.type == "cpu"
            return torch.optim.Adagrad(groups, lr=rate, eps=epsilon, fused=on_cpu)
        case "adamw":
            return torch.optim.AdamW(groups, lr=rate, eps=epsilon, fused=fused, **adam)
    return torch.optim.Adam(groups, lr=rate, eps=epsilon, fused=fused, **adam)


def _groups(configuration: Configuration, module: torch.nn.Module) -> list[dict[str, Any]]:
    """Parameters by whether they decay; most often all are one group."""
    decays = "weight_decay" in configuration
    groups: dict[bool, list[torch.Tensor]] = {}
    for each in module.parameters():
        if each.requires_grad:
            groups.setdefault(decays and each.ndim >= 2, []).append(each)
    return [{"params": several, "decayed": decayed} for decayed, several in groups.items()]


class Rates:
    """Sets each step's learning rate, decay and dropout, by the compiled engine's schedules."""

    def __init__(self, configuration: Configuration, module: torch.nn.Module, steps: int) -> None:
        self._rate = configuration.number("learning_rate")
        self._decay = float(configuration.get("weight_decay", 0.0))  # type: ignore[arg-type]
        self._schedule = SCHEDULES[configuration.word("schedule")]
        self._warmup = float(configuration.get("warmup", 0.0))  # type: ignore[arg-type]
        self._fades = "regularisation_schedule" in configuration
        self._dropout = float(configuration.get("dropout", 0.0))  # type: ignore[arg-type]
        self._dropped = [each for each in module.modules() if isinstance(each, _DROPOUTS)]
        self._steps = steps  # that are planned

    def fade(self, step: int) -> None:
        """Dropout for a step, counted from 1. A module's own rates stay as they are."""
        if self._fades and self._dropout:
            for each in self._dropped:
                each.p = self._dropout * from_python(fading)(step, self._steps)

    def set(self, optimizer: torch.optim.Optimizer, step: int) -> None:
        """Rate and decay for a step, counted from 1."""
        rate, decay = self._rate, self._decay
        if self._schedule or self._warmup:
            rate *= from_python(share)(self._schedule, self._warmup, step, self._steps)
        if self._fades:
            decay *= from_python(fading)(step, self._steps)
        for group in optimizer.param_groups:
            group["lr"] = rate
            if "weight_decay" in group:
                group["weight_decay"] = decay if group["decayed"] else 0.0


def slots_of(optimizer: torch.optim.Optimizer) -> dict[str, NDArray[Any]]:
    """All that an optimizer keeps, by `number of the parameter.name`."""
    return {
        f"{i}.{name}": value.detach().cpu().contiguous().numpy().copy()
        for i, each in enumerate(_in_order(optimizer))
        for name, value in optimizer.state.get(each, {}).items()
        if isinstance(value, torch.Tensor)
    }


def slots_from(optimizer: torch.optim.Optimizer, slots: Mapping[str, NDArray[Any]]) -> None:
    """Give an optimizer back what `slots_of` took of it."""
    every = _in_order(optimizer)
    for key, value in slots.items():
        i, name = key.split(".", 1)
        parameter, saved = every[int(i)], torch.from_numpy(np.array(value))
        if name == "step":
            fused = optimizer.defaults.get("fused")
            kept = saved.to(parameter.device) if fused else saved
        else:  # in the parameter's own order in memory, which fused kernels rely on
            kept = torch.empty_like(parameter, requires_grad=False)
            kept.copy_(saved)
        optimizer.state[parameter][name] = kept


def _in_order(optimizer: torch.optim.Optimizer) -> list[torch.Tensor]:
    return [each for group in optimizer.param_groups for each in group["params"]]
