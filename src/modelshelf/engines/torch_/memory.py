"""How much memory a member will need, and how much there is: asked before it starts."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from modelshelf.core import memory
from modelshelf.core.errors import MemberError
from modelshelf.core.protocols import TrainingData
from modelshelf.engines.numpy_.optimizers import OPTIMIZERS
from modelshelf.engines.torch_.state import state_of
from modelshelf.space.configuration import Configuration

__all__ = ["activations", "available", "estimate", "limit_data", "refuse_if_too_large"]


@contextmanager
def activations(module: torch.nn.Module) -> Iterator[list[int]]:
    """Bytes of each output of a module's innermost parts, of the rows that go through it."""
    seen: list[int] = []

    def note(part: torch.nn.Module, given: Any, output: Any) -> None:
        several = output if isinstance(output, tuple | list) else (output,)
        seen.extend(e.numel() * e.element_size() for e in several if isinstance(e, torch.Tensor))

    inner = [part for part in module.modules() if not any(part.children())]
    hooks = [part.register_forward_hook(note) for part in inner]
    try:
        yield seen
    finally:
        for hook in hooks:
            hook.remove()


def estimate(
    module: torch.nn.Module, configuration: Configuration, data: TrainingData, row: float
) -> int:
    """Bytes that training will take besides the module itself.

    Gradients, what the optimizer keeps, the best weights, the mean of the weights, and one batch of
    activations, of which each row takes `row` bytes.
    """
    learned = sum(e.numel() * e.element_size() for e in module.parameters() if e.requires_grad)
    held = sum(e.numel() * e.element_size() for e in state_of(module).values())
    slots = OPTIMIZERS[configuration.word("optimizer")].slots
    kept = 2 if "averaging" in configuration else 1
    batch = min(configuration.whole("batch_size"), len(data.x))
    return int(learned * (1 + slots) + held * kept + row * batch)


def available(device: str = "cpu") -> int:
    """Bytes that this process can still take: the least of what is free and what it may have."""
    if torch.device(device).type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    return memory.available()


def limit_data(most: int, device: str) -> None:
    """Let this process hold so many bytes of data, or (0) what is free besides what it holds.

    What asks for more gets an exception, and not the whole machine into trouble. On a GPU, whose
    driver maps far more than it uses, and where the system does not tell, there is no limit but
    one that was given.
    """
    held = memory.held("VmData:")
    if not most:
        if held is None or torch.device(device).type != "cpu":
            return
        most = held + memory.unused()
    hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
    most = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (most, hard))


def refuse_if_too_large(needed: int, free: int, name: str) -> None:
    """Raise `MemberError` where more bytes are needed than are free."""
    if needed > free:
        raise MemberError(
            f"Training {name} needs about {needed / 1e9:.1f} GB, and {max(free, 0) / 1e9:.1f} GB "
            "are free: lower batch_size, or what makes the module large."
        )
