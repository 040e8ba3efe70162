"""A person's own class, function or module, as a builder. What is here travels to child processes.

Importing this module does not import torch.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from modelshelf.core.errors import SettingError
from modelshelf.core.protocols import TrainingData
from modelshelf.space.configuration import Configuration
from modelshelf.space.own import OWN, is_own

__all__ = ["Called", "Fresh", "may_be_sequential"]


@dataclass(frozen=True, slots=True)
class Called:
    """Calls a class or function with the arguments that a configuration holds."""

    make: Callable[..., Any]
    filled: Mapping[str, str]  #: arguments that the data fills: with inputs, outputs or channels

    def __call__(self, configuration: Configuration, data: TrainingData) -> Any:
        """The module. What the call raises goes through."""
        settings: dict[str, Any] = {
            name.removeprefix(OWN): value for name, value in configuration.items() if is_own(name)
        }
        for name, what in self.filled.items():
            settings.setdefault(name, _of_data(what, data))
        return self.make(**settings)


@dataclass(frozen=True, slots=True)
class Fresh:
    """Copies a module, and draws its weights anew: each member has its own."""

    module: Any

    def __call__(self, configuration: Configuration, data: TrainingData) -> Any:
        """The copy, on the CPU, every part reset."""
        made = copy.deepcopy(self.module).cpu()
        for part in made.modules():
            reset = _reset_of(part)
            if reset is not None:
                reset()
        return made

    def refuse_unresettable(self) -> None:
        """Raise `SettingError` where a part's parameters cannot be drawn anew."""
        for name, part in self.module.named_modules():
            own = next(part.parameters(recurse=False), None)
            if own is not None and _reset_of(part) is None:
                where = f"its part {name!r}" if name else "it"
                raise SettingError(
                    f"The weights of {type(self.module).__name__} cannot be drawn anew for each "
                    f"network: {where} ({type(part).__name__}) has parameters and no "
                    "reset_parameters(). Give the class, or a function that builds the module."
                )


def _reset_of(part: Any) -> Callable[[], None] | None:
    """What draws a part's own parameters."""
    found: Callable[[], None] | None = getattr(part, "reset_parameters", None)
    return found or getattr(part, "_reset_parameters", None)


def _of_data(what: str, data: TrainingData) -> int:
    if what == "outputs":
        return data.outputs
    if what == "inputs":
        return int(data.x.shape[-1])  # layers and recurrent networks read the last axis
    return data.shape[0] if data.shape else int(data.x.shape[1])


def may_be_sequential(build: Callable[..., Any]) -> bool:
    """Whether what it builds may be an `nn.Sequential`: of a function only a look can tell."""
    import torch

    if isinstance(build, Fresh):
        return isinstance(build.module, torch.nn.Sequential)
    make = build.make if isinstance(build, Called) else build
    return not isinstance(make, type) or issubclass(make, torch.nn.Sequential)
