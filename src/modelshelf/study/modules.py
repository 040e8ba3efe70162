"""A person's own module: what was given, its name, its arguments, and the space they are in."""

from __future__ import annotations

import functools
import runpy
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from modelshelf.core.errors import SettingError, UserError, nearest
from modelshelf.engines.torch_.own import Called, Fresh
from modelshelf.space.arguments import Arguments, arguments_of
from modelshelf.space.configuration import Configuration
from modelshelf.space.file import read_space_file
from modelshelf.space.own import OWN
from modelshelf.space.space import Space
from modelshelf.study.engines import OwnModule, know, needs_torch
from modelshelf.study.marks import mark_of, mark_of_text

__all__ = ["Declared", "declare", "use_module"]

_EXPECTED = "a class, a function that returns a torch.nn.Module, a module, or 'file.py:NAME'"


@dataclass(frozen=True, slots=True, eq=False)
class Declared:
    """A person's own module, understood but not built."""

    name: str
    arguments: Arguments
    make: Callable[..., Any] | Fresh
    mark: str  #: tells its code from other code of the same name
    usual: Mapping[str, object] = field(
        default_factory=dict
    )  #: settings where nothing is said, such as a loader's batch size

    def space(self, given: Space | Mapping[str, Any] | str | Path | None) -> tuple[Space, Any]:
        """The space of its arguments and of training, and what builds it.

        Raises `SettingError` for what neither the module nor the catalogue knows, and for
        arguments that are left open.
        """
        if isinstance(given, (str, Path)):
            found: Any = read_space_file(given)
        else:
            found = {} if given is None else given
        if isinstance(found, Space):
            found = found.given
        if not isinstance(found, Mapping) or not all(isinstance(each, str) for each in found):
            Space.of(found)  # says what it is
        entries = self.arguments.entries(self.arguments.named(_without_when(found)))
        when = {"when": found["when"]} if found.get("when") else {}
        kind = self._kind(entries.pop("network", "module"), entries.pop("module", self.name))
        space = Space(**{**kind, **self.usual, **entries, **when})
        known = self.arguments.defaults
        if known:
            space = space.with_known([Configuration(**kind, **known)])
        return space, self.own(entries)

    def configuration(self, given: Mapping[str, Any]) -> tuple[Configuration, OwnModule]:
        """One network's settings: those given, and the defaults of its arguments.

        Raises `SettingError` as `space` does.
        """
        settings = self.arguments.named(given)
        kind = self._kind(settings.pop("network", "module"), settings.pop("module", self.name))
        entries = self.arguments.entries(settings)
        defaults = self.arguments.defaults or {}
        for name in entries:
            if name.startswith(OWN) and name not in settings:
                if name not in defaults:
                    raise SettingError(
                        f"{self.name} needs {name.removeprefix(OWN)}: give {name}=… in the "
                        "configuration."
                    )
                settings[name] = defaults[name]
        return Configuration(**{**kind, **self.usual, **settings}), self.own(entries)

    def with_batch_size(self, size: int | None) -> Declared:
        """The same, with a loader's batch size where the space says nothing of it."""
        return self if size is None else replace(self, usual={"batch_size": size})

    def own(self, entries: Mapping[str, object]) -> OwnModule:
        """What builds it, where all but these is filled from the data."""
        build: Any = self.make
        if not isinstance(build, Fresh):
            build = Called(build, self.arguments.filled(entries))
        own = OwnModule(self.name, build, self.mark)
        know(own)
        return own

    def _kind(self, network: object, module: object) -> dict[str, object]:
        if network != "module" or module != self.name:
            raise SettingError(
                f"The space says network = {network!r}, module = {module!r}, and a module of your "
                "own is given: leave both out."
            )
        return {"network": "module", "module": self.name}


def declare(module: Any) -> Declared:
    """What a person gave as `module`: a class, a function, a module, or `"file.py:NAME"`.

    A file is executed, with all that it may do. Raises `SettingError` for anything else, and where
    PyTorch is not installed.
    """
    needs_torch("module=…")
    import torch

    text = ""
    if isinstance(module, (str, Path)):
        module, text = _from_file(str(module))
    if isinstance(module, torch.nn.Module):
        fresh = Fresh(module)
        fresh.refuse_unresettable()
        made_of = mark_of_text(repr(module))
        name = f"{type(module).__name__}-{made_of[:8]}"  # what it is made of has no other name
        return Declared(name, Arguments(name, {}, more=False), fresh, _mark(text, module))
    if not callable(module):
        raise SettingError(f"module is {module!r}: expected {_EXPECTED}.")
    if isinstance(module, type) and not issubclass(module, torch.nn.Module):
        raise SettingError(
            f"module is the class {module.__name__}, which is no torch.nn.Module: expected "
            f"{_EXPECTED}."
        )
    name = _name_of(module)
    return Declared(name, arguments_of(module, name), module, _mark(text, module))


def use_module(module: Any) -> OwnModule:
    """Name what builds a module whose networks lie on a shelf, for as long as this process lives.

    `tune` and `train` do so themselves. `module` is as they take it.
    """
    return declare(module).own({})


def _without_when(entries: Mapping[str, Any]) -> dict[str, Any]:
    return {name: each for name, each in entries.items() if name != "when"}


def _name_of(module: Any) -> str:
    while isinstance(module, functools.partial):
        module = module.func
    return str(getattr(module, "__name__", type(module).__name__))


def _mark(text: str, module: Any) -> str:
    return mark_of_text(text) if text else mark_of(module)


def _from_file(given: str) -> tuple[Any, str]:
    """What a Python file calls by this name, and the file's text. The file is executed."""
    place, colon, name = given.rpartition(":")
    if not colon or not name or not place.endswith(".py"):
        raise SettingError(f"module is {given!r}: expected file.py:NAME, such as nets.py:Net.")
    file = Path(place)
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingError(f"The module's file {place!r} cannot be read: {error}.") from None
    folder = str(file.resolve().parent)
    if folder not in sys.path:
        sys.path.append(folder)  # what lies beside it can be imported, here and in child processes
    try:
        found = runpy.run_path(str(file), run_name=f"modelshelf_{file.stem}")
    except UserError:
        raise
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        raise SettingError(
            f"The module's file {place!r} fails: {type(error).__name__}: {error}."
        ) from None
    if name not in found:
        known = [each for each, value in found.items() if callable(value) and each[0] != "_"]
        raise SettingError(f"{place!r} has no {name!r}: {nearest(name, known)}")
    return found[name], text + name
