"""Cases of a space: other domains for some hyperparameters, where another one has some value."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

from modelshelf.core.errors import SettingError
from modelshelf.space.catalogue import lookup
from modelshelf.space.domains import Layers, Value, checked
from modelshelf.space.part import Part, choices, shown

__all__ = ["Asked", "Case", "cases_of", "fitting_losses", "order_of"]


@dataclass(frozen=True, slots=True)
class Asked:
    """What a case asks of one hyperparameter.

    One that plays no part, or is off, has its off value; where it has none, nothing holds.
    """

    name: str
    values: tuple[Value, ...]
    on: bool = False  #: whether any value but `values` will do, in place of these alone

    def holds(self, value: Value | None) -> bool:
        """Whether the hyperparameter, having this value, is what is asked for."""
        return value is not None and (value in self.values) is not self.on

    def possible(self, part: Part) -> bool:
        """Whether it can hold in this part of a space."""
        if self.on:
            return part.domain is not None or part.value not in self.values
        return any(part.allows(value) for value in self.values)

    @property
    def words(self) -> str:
        """The question, for a person."""
        if self.on:
            return f"{self.name} is on"
        return f"{self.name} is {' or '.join(shown(value) for value in self.values)}"


@dataclass(frozen=True, slots=True)
class Case:
    """Parts that overrule the space's own where everything that is asked holds."""

    asked: tuple[Asked, ...]
    parts: Mapping[str, Part]

    def holds(self, value_of: Callable[[str], Value | None]) -> bool:
        """Whether the case holds for these values."""
        return all(each.holds(value_of(each.name)) for each in self.asked)

    @property
    def words(self) -> str:
        """When it holds, for a person."""
        return " and ".join(each.words for each in self.asked)


def cases_of(given: object, above: tuple[Asked, ...] = ()) -> tuple[Case, ...]:
    """The cases of `{"optimizer": {"adam": {"learning_rate": (1e-4, 1e-2)}}}`, in its order.

    A case may hold a `when` of its own: that one holds where both do. Raises `SettingError`.
    """
    cases: list[Case] = []
    for name, branches in _table(given, "when").items():
        for key, entries in _table(branches, f"when.{name}").items():
            asked = (*above, _asked(str(name), key))
            inside = dict(_table(entries, f"when.{name}.{key}"))
            nested = inside.pop("when", {})
            parts = {str(n): Part.of(str(n), each) for n, each in inside.items()}
            if parts:
                cases.append(Case(asked, parts))
            cases.extend(cases_of(nested, asked))
    return tuple(cases)


def _table(given: object, name: str) -> Mapping[object, object]:
    if not isinstance(given, Mapping):
        raise SettingError(
            f"In the space, {name} must hold cases, such as [when.optimizer.sgd] with lines "
            f"like learning_rate = [0.01, 1.0] below it, not {given!r}."
        )
    return given


def _asked(name: str, key: object) -> Asked:
    """The question of a key: a value, several (`"adam or adamw"`), `"on"` or `"off"`."""
    hyperparameter = lookup(name)
    domain, off = hyperparameter.domain, hyperparameter.off
    if off is not None and key in ("on", "off"):
        return Asked(name, (off,), on=key == "on")
    keys: Iterable[object] = (key,)
    if isinstance(key, str):
        keys = key.split(" or ")
    elif isinstance(key, tuple) and not isinstance(domain, Layers):
        keys = key
    return Asked(name, tuple(checked(name, domain, each) for each in keys))


def order_of(names: Iterable[str], cases: Iterable[Case]) -> tuple[str, ...]:
    """The hyperparameters in an order in which each comes after those that its cases ask.

    What is asked must be settled first, and with it whatever decides whether it plays a part.
    Raises `SettingError` where that goes round in a circle.
    """
    first: dict[str, list[str]] = {name: [] for name in names}
    asked: list[str] = []
    for case in cases:
        deciders = [each.name for each in case.asked]
        asked.extend(deciders)
        for name in case.parts:
            first.setdefault(name, []).extend(deciders)
    seen: set[str] = set()
    while asked:
        name = asked.pop()
        if name not in seen:
            seen.add(name)
            first.setdefault(name, []).extend(lookup(name).hangs_on)
            asked.extend(lookup(name).hangs_on)
    try:
        return tuple(TopologicalSorter(first).static_order())
    except CycleError as error:
        raise SettingError(_circle(error.args[1])) from None


def _circle(names: list[str]) -> str:
    """A circle of hyperparameters, each deciding the next, told to a person."""
    told = " and ".join(f"{a} decides {b}" for a, b in itertools.pairwise(names))
    return (
        f"The cases of the space go round in a circle: {told}, be it by a case or by whether it "
        "plays a part. Take one of them out."
    )


def fitting_losses(case: Case, losses: Sequence[Value]) -> Case | None:
    """A case with those losses alone; None where it can no longer hold, or says nothing."""
    asked = []
    for each in case.asked:
        if each.name == "loss":
            left = tuple(value for value in each.values if value in losses)
            if not left:
                return None
            each = Asked("loss", left)
        asked.append(each)
    parts = dict(case.parts)
    if "loss" in parts:
        named = choices(parts.pop("loss"))
        if left := tuple(value for value in named if value in losses):
            parts["loss"] = Part.of("loss", left)
    return Case(tuple(asked), parts) if parts else None
