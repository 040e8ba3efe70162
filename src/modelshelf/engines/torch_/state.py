"""A module's parameters and buffers: copies, running means, and arrays for the shelf."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from modelshelf.core.errors import SettingError

__all__ = [
    "State",
    "arrays_of",
    "average_into",
    "copied",
    "finite",
    "load",
    "loaded",
    "state_from",
    "state_of",
]

State = dict[str, torch.Tensor]


def state_of(module: torch.nn.Module) -> State:
    """A module's `state_dict`, which must hold tensors alone; they share memory with it."""
    state = module.state_dict()
    for name, value in state.items():
        if not isinstance(value, torch.Tensor):
            raise SettingError(
                f"The module {type(module).__name__} keeps {name}, a {type(value).__name__}, in "
                "its state: nothing but tensors goes on the shelf. Keep it as a buffer."
            )
    return dict(state)


def copied(state: State) -> State:
    """The same numbers in memory of their own."""
    return {name: value.detach().clone() for name, value in state.items()}


def load(module: torch.nn.Module, state: Mapping[str, torch.Tensor]) -> None:
    """Put these numbers into a module."""
    module.load_state_dict(dict(state))


@contextmanager
def loaded(module: torch.nn.Module, state: State | None) -> Iterator[None]:
    """The module with other numbers, or its own where `state` is None; afterwards its own."""
    if state is None:
        yield
        return
    own = copied(state_of(module))
    load(module, state)
    try:
        yield
    finally:
        load(module, own)


def average_into(state: State, average: State, decay: float, step: int) -> None:
    """A running mean of all fractions; what is none (a counter) is copied."""
    with torch.no_grad():
        for name, value in state.items():
            if step > 1 and value.is_floating_point():
                average[name].mul_(decay).add_(value, alpha=1.0 - decay)
            else:
                average[name].copy_(value)


def finite(state: State) -> bool:
    """Whether no number is NaN or infinite."""
    return all(bool(torch.isfinite(each).all()) for each in state.values())


def arrays_of(state: State, prefix: str) -> dict[str, NDArray[Any]]:
    """Arrays by prefixed names. NumPy has no bfloat16: it becomes float32, which holds it all."""
    found = {}
    for name, value in state.items():
        value = value.detach().cpu()
        narrow = value.is_floating_point() and value.dtype not in (
            torch.float16,
            torch.float32,
            torch.float64,
        )
        value = value.float() if narrow else value
        found[prefix + name] = np.ascontiguousarray(value.numpy()).copy().reshape(value.shape)
    return found


def state_from(tensors: Mapping[str, NDArray[Any]], prefix: str) -> State:
    """The state whose `arrays_of` these are; other names are passed over."""
    return {
        name.removeprefix(prefix): torch.from_numpy(np.array(value))
        for name, value in tensors.items()
        if name.startswith(prefix)
    }
