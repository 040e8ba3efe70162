"""The arguments of a person's own class or function, as hyperparameters."""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from modelshelf.core.errors import SettingError, nearest
from modelshelf.space.catalogue import CATALOGUE
from modelshelf.space.domains import Choice, Domain, Integer, Layers, Real, holds
from modelshelf.space.own import OWN, Own

__all__ = ["FROM_DATA", "Arguments", "arguments_of"]

#: What is filled from the data, where an argument of such a name is left open.
FROM_DATA = {
    **dict.fromkeys(
        ("inputs", "in_features", "input_size", "num_features", "n_features", "input_dim"),
        "inputs",
    ),
    **dict.fromkeys(
        ("outputs", "out_features", "output_size", "num_classes", "n_classes", "classes",
         "output_dim"),
        "outputs",
    ),
    **dict.fromkeys(("channels", "in_channels"), "channels"),
}  # fmt: skip

_DOMAINS = (Real, Integer, Choice, Layers)
_OPEN = object()


@dataclass(frozen=True, slots=True)
class _Argument:
    name: str
    domain: Domain | None = None  #: what is searched where nothing is said
    default: Any = _OPEN

    @property
    def plain(self) -> bool:
        """Whether its default is a value that a hyperparameter can have."""
        return self.default is not _OPEN and _is_plain(self.default)


@dataclass(frozen=True, slots=True)
class Arguments:
    """What a class or function asks for, by name."""

    of: str  #: its name
    every: Mapping[str, _Argument]
    more: bool  #: it takes others too (`**settings`)

    def named(self, entries: Mapping[str, object]) -> dict[str, object]:
        """Entries of a space or settings, with `module.` before the names of arguments.

        Raises `SettingError` for a name that neither the module nor the catalogue knows, and for
        one that both do.
        """
        found: dict[str, object] = {}
        for name, given in entries.items():
            own = name.removeprefix(OWN)
            mine = own in self.every or (self.more and (name != own or name not in CATALOGUE))
            if name == own and mine and name in CATALOGUE:
                raise SettingError(
                    f"{name} is an argument of {self.of}, and a hyperparameter of the catalogue "
                    f"too: write {OWN}{name} for the argument; for the other, rename the argument."
                )
            if mine:
                name = OWN + own
            elif name != own or name not in CATALOGUE:
                near = nearest(own, [*self.every, *CATALOGUE])
                raise SettingError(
                    f"{self.of} has no argument {own!r}, nor is there such a hyperparameter: {near}"
                )
            if name in found:
                raise SettingError(f"{name} is given twice: leave {own} or {name} out.")
            found[name] = given
        return found

    def entries(self, given: Mapping[str, object]) -> dict[str, object]:
        """What a space says of every argument: as `named` gave them, else as declared.

        Raises `SettingError` where an argument is left open that the data cannot fill.
        """
        found: dict[str, object] = {}
        for argument in self.every.values():
            name = OWN + argument.name
            if name in given:
                found[name] = _narrowed(argument, given[name])
            elif argument.domain is not None:
                found[name] = argument.domain
            elif argument.plain:
                found[name] = _fixed(argument.default)
        self._refuse_open(found)
        return {**found, **{n: each for n, each in given.items() if n not in found}}

    def _refuse_open(self, found: Mapping[str, object]) -> None:
        missing = [
            each.name
            for each in self.every.values()
            if OWN + each.name not in found and each.default is _OPEN
            and each.name not in FROM_DATA
        ]  # fmt: skip
        if missing:
            raise SettingError(
                f"{self.of} needs {', '.join(missing)}: say in the space what to search, such as "
                f"{missing[0]}=(8, 128), or give one value, or annotate the argument: "
                f"{missing[0]}: Annotated[int, Integer(8, 128)]."
            )

    def filled(self, given: Iterable[str]) -> dict[str, str]:
        """Of arguments that nothing was said of: what of the data each is filled with."""
        known = set(given)
        return {
            each.name: FROM_DATA[each.name]
            for each in self.every.values()
            if each.default is _OPEN and each.name in FROM_DATA and OWN + each.name not in known
        }

    @property
    def defaults(self) -> dict[str, object] | None:
        """The default of each argument that is searched or fixed; None where one has none."""
        asked = [e for e in self.every.values() if e.domain is not None or e.plain]
        if not all(each.plain for each in asked):
            return None
        return {OWN + each.name: each.default for each in asked}


def arguments_of(make: Callable[..., Any], name: str) -> Arguments:
    """The arguments of a class or function. Raises `SettingError` where they cannot be named.

    >>> def build(width: typing.Annotated[int, Integer(8, 64)] = 16, bias: bool = True, depth=2):
    ...     ...
    >>> arguments_of(build, "build").entries({})["module.width"]
    Integer(low=8, high=64, log=False)
    """
    try:
        parameters = inspect.signature(make).parameters.values()
    except (TypeError, ValueError) as error:
        raise SettingError(f"{name} does not tell its arguments ({error}).") from None
    hints = _hints(make, name)
    every: dict[str, _Argument] = {}
    for each in parameters:
        if each.kind is each.POSITIONAL_ONLY:
            raise SettingError(
                f"{name} takes {each.name} by its place alone: take the / out of its signature, so "
                "that it can be given by name."
            )
        if each.kind in (each.VAR_POSITIONAL, each.VAR_KEYWORD):
            continue
        default = _OPEN if each.default is each.empty else each.default
        every[each.name] = _Argument(each.name, _domain(hints.get(each.name)), default)
    kinds = {each.kind for each in parameters}
    if not every and inspect.Parameter.VAR_POSITIONAL in kinds:
        raise SettingError(
            f"{name} takes *args alone, which have no names: write a function with named arguments "
            "that returns the module."
        )
    return Arguments(name, every, inspect.Parameter.VAR_KEYWORD in kinds)


def _hints(make: Callable[..., Any], name: str) -> Mapping[str, Any]:
    target: Any = getattr(make, "__init__") if isinstance(make, type) else make  # noqa: B009
    target = getattr(target, "func", target)  # of functools.partial
    if not isinstance(target, (types.FunctionType, types.MethodType, types.WrapperDescriptorType)):
        target = type(target).__call__
    try:
        return typing.get_type_hints(target, include_extras=True)
    except Exception as error:
        plain = inspect.get_annotations(target)
        told = [n for n, each in plain.items() if "Annotated" in str(each)]
        if told:
            raise SettingError(
                f"The annotation of {told[0]} in {name} cannot be read ({error}): import its names "
                "where the module is defined."
            ) from None
        return plain


def _domain(hint: Any) -> Domain | None:
    """The domain that an annotation tells of, if it does."""
    if hint is bool:
        return Choice((False, True))
    if typing.get_origin(hint) is Literal:
        return Choice(typing.get_args(hint))
    for each in getattr(hint, "__metadata__", ()):
        if isinstance(each, _DOMAINS):
            return each
    return None


def _narrowed(argument: _Argument, given: object) -> object:
    """An entry, held against the argument's own domain where it has one."""
    if argument.domain is None or isinstance(given, _DOMAINS):
        return given
    try:
        if isinstance(given, (list, tuple, dict)) and not holds(argument.domain, given):
            return argument.domain.narrow(given)
        return _fixed(argument.domain.check(given))
    except ValueError as error:
        raise SettingError(f"The argument {argument.name} must be {error}.") from None


def _fixed(value: Any) -> object:
    """An entry that fixes a value: a tuple by itself would be a range."""
    return Choice((tuple(value),)) if isinstance(value, (list, tuple)) else value


def _is_plain(value: Any) -> bool:
    try:
        Own().check(value)
    except ValueError:
        return False
    return True
