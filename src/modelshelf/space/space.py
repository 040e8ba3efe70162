"""A space: which hyperparameters a search may vary, and within what."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path

from modelshelf.core.errors import SettingError
from modelshelf.core.records import Task
from modelshelf.space.cases import Case, cases_of, fitting_losses, order_of
from modelshelf.space.catalogue import CATALOGUE, lookup
from modelshelf.space.configuration import LOSSES, Configuration
from modelshelf.space.defaults import CASES, entries_for, entries_for_text
from modelshelf.space.domains import Domain, Integer, Value
from modelshelf.space.file import read_space_file
from modelshelf.space.own import is_own
from modelshelf.space.part import Part, choices, told_parts
from modelshelf.space.portfolio import PORTFOLIO, PORTFOLIO_OF_TEXT

__all__ = ["Space"]


class Space:
    """The hyperparameters that a search may vary, with their domains. Immutable.

    A range is `(lowest, highest)`, choices are a list, a single value fixes the hyperparameter,
    and what is not named keeps the default search range. `{"range": (1e-7, 1e-3), "off": 0.5}`
    says how often what can be off is off. `when` holds cases: what else is to be searched where
    another hyperparameter has some value; where several hold, the last one counts.

    >>> space = Space(
    ...     learning_rate=(1e-4, 1e-2),
    ...     optimizer=["adam", "sgd"],
    ...     batch_size=64,
    ...     when={"optimizer": {"sgd": {"learning_rate": (1e-2, 1.0)}}},
    ... )
    >>> "batch_size" in space.varied, space.fixed["batch_size"]
    (False, 64)
    """

    def __init__(self, *, when: Mapping[str, object] | None = None, **entries: object) -> None:
        self._given = entries, when
        self._portfolio: tuple[Mapping[str, object], ...] = PORTFOLIO
        kinds = _kinds(entries.get("network", "dense"))
        given = {**entries_for(kinds), **entries}
        general = {name: Part.of(name, each) for name, each in given.items()}
        cases = (*_usual_cases(general, entries), *cases_of(when or {}))
        _refuse_impossible(general, cases)
        self._settle(general, cases)

    def _settle(
        self,
        general: Mapping[str, Part],
        cases: tuple[Case, ...],
        known: tuple[Configuration, ...] = (),
    ) -> None:
        self._general, self._cases, self._known = general, cases, known
        self._order = order_of(general, cases) if cases else tuple(general)
        self._cases_of = {
            name: tuple(case for case in cases if name in case.parts) for name in self._order
        }
        # Each varied hyperparameter has its coordinates once, whichever case maps them.
        self._slots: dict[str, tuple[bool, int, int]] = {}  # off switch or not, first, last + 1
        at = 0
        for name in dict.fromkeys((*general, *self._order)):
            parts = self._parts(name)
            switch = any(part.off_share for part in parts)
            width = max((part.width for part in parts), default=0)
            if width:
                at += switch
                self._slots[name] = switch, at, at + width
                at += width
        self._dimensions = at
        self._named = {name: named for name in self._slots if len(named := self._names(name)) > 2}

    def _changed(self, general: Mapping[str, Part], cases: tuple[Case, ...]) -> Space:
        space = Space.__new__(Space)
        space._given, space._portfolio = self._given, self._portfolio
        space._settle(general, cases, self._known)
        return space

    def _parts(self, name: str) -> list[Part]:
        """All that the space says of a hyperparameter, in general and in its cases."""
        general = [self._general[name]] if name in self._general else []
        return general + [case.parts[name] for case in self._cases_of.get(name, ())]

    def _names(self, name: str) -> tuple[Value, ...]:
        """The values of a hyperparameter that has names for values, which have no order."""
        values = dict.fromkeys(value for part in self._parts(name) for value in choices(part))
        return tuple(values) if all(isinstance(each, str) for each in values) else ()

    def _part(self, name: str, value_of: Callable[[str], Value | None]) -> Part | None:
        """What the space says of it beside these values; None where it keeps its default."""
        for case in reversed(self._cases_of[name]):
            if case.holds(value_of):
                return case.parts[name]
        return self._general.get(name)

    @classmethod
    def from_file(cls, path: str | Path) -> Space:
        """The space in a file: a TOML file with one `name = value` a line, as the constructor takes
        them, or a Python file that defines `space`. A Python file is executed.
        """
        found = read_space_file(path)
        if isinstance(found, Space):
            return found
        return cls.of(found, f"The space {str(path)!r}")

    @classmethod
    def of(cls, entries: object, what: str = "The space") -> Space:
        """The space of a mapping of entries, as the constructor takes them."""
        if not isinstance(entries, Mapping) or not all(isinstance(each, str) for each in entries):
            raise SettingError(
                f"{what} is {entries!r}: expected a Space, or a mapping of hyperparameters' names, "
                "such as {'learning_rate': (1e-4, 1e-2)}."
            )
        return cls(**entries)

    def for_task(self, task: Task) -> Space:
        """The space with the losses that fit the task, of those that it names."""
        fitting = LOSSES[task.is_classification]
        general = self._general["loss"]
        named = choices(general)
        losses = [value for value in named if value in fitting] or ["quadratic"]
        cases = tuple(filter(None, (fitting_losses(case, fitting) for case in self._cases)))
        if losses == named and cases == self._cases:
            return self
        return self._changed({**self._general, "loss": Part.of("loss", losses)}, cases)

    def for_text(self, rows: int, alone: bool) -> Space:
        """The space as it was given, for a table of so many rows with text, or with text alone.

        How text becomes numbers is searched too, and what else suits wide and sparse inputs, where
        nothing was said of it.
        """
        entries, when = self._given
        kinds, found = _kinds(entries.get("network", "dense")), entries_for_text(rows, alone)
        if "dense" not in kinds:
            if "module" not in kinds:
                return self
            found = {name: each for name, each in found.items() if _in_modules(name)}
        return Space(when=when, **{**found, **entries}).with_known(self._known)

    def with_usual(self, portfolio: Iterable[Mapping[str, object]]) -> Space:
        """The same space, in which these settings are known to do well in place of the usual."""
        space = self._changed(self._general, self._cases)
        space._portfolio = tuple(portfolio)
        return space

    def for_epochs(self, epochs: int) -> Space:
        """The space in which networks train for so many epochs, where nothing was said of it."""
        if "epochs" in self._general:
            return self
        return self._changed({**self._general, "epochs": Part.of("epochs", epochs)}, self._cases)

    def with_known(self, configurations: Iterable[Configuration]) -> Space:
        """The same space with configurations that are to be tried early, where they lie in it."""
        space = self._changed(self._general, self._cases)
        space._known = tuple(dict.fromkeys((*self._known, *configurations)))
        return space

    def with_cases(self, cases: Iterable[Case]) -> Space:
        """The same space with these cases in place of its own."""
        return self._changed(self._general, tuple(cases))

    @cached_property
    def known(self) -> tuple[Configuration, ...]:
        """What is known to do well, then what came by `with_known`: of both, what lies here.

        With the space's fixed values.
        """
        portfolio = PORTFOLIO_OF_TEXT if "text" in self._general else self._portfolio
        here = _kinds(self.fixed.get("network", ("dense", "conv")))
        usual = (
            Configuration(**each) for each in portfolio if each.get("network", "dense") in here
        )
        lying = map(self.restrict, itertools.chain(usual, self._known))
        return tuple(dict.fromkeys(filter(None, lying)))

    @property
    def given(self) -> dict[str, object]:
        """The entries that it was made of, `when` among them where there is one."""
        entries, when = self._given
        return {**entries, **({"when": when} if when else {})}

    @property
    def general(self) -> Mapping[str, Part]:
        """What it says of each hyperparameter where no case holds."""
        return self._general

    @property
    def cases(self) -> tuple[Case, ...]:
        """Its cases; where several hold, the last one counts."""
        return self._cases

    @property
    def varied(self) -> dict[str, Domain]:
        """The domain of each hyperparameter that the search varies where no case holds."""
        return {name: p.domain for name, p in self._general.items() if p.domain is not None}

    @property
    def fixed(self) -> dict[str, Value]:
        """The value of each hyperparameter that this space fixes where no case holds."""
        return {name: p.value for name, p in self._general.items() if p.value is not None}

    @property
    def most_epochs(self) -> int:
        """The most epochs that a configuration of this space trains."""
        default = int(str(CATALOGUE["epochs"].default))
        found = [_most(part) for part in self._parts("epochs")]
        return max(found if "epochs" in self._general else [default, *found])

    @property
    def dimensions(self) -> int:
        """How many coordinates `configuration` takes."""
        return self._dimensions

    @property
    def slots(self) -> Mapping[str, tuple[bool, int, int]]:
        """Each varied hyperparameter's coordinates: first and last + 1, and whether one before
        them switches it off.
        """
        return self._slots

    @property
    def named(self) -> Mapping[str, tuple[Value, ...]]:
        """The hyperparameters that have names for values, each of which is a feature."""
        return self._named

    def configuration(self, unit: Sequence[float]) -> Configuration:
        """The configuration at a point of the unit cube.

        `unit` has `dimensions` coordinates, each at least 0 and below 1; NaN stands for 0.5.
        """
        point: list[float] = [0.5 if math.isnan(each) else each for each in unit]
        settings: dict[str, Value] = {}
        for name in self._order:
            part = self._part(name, lambda asked: _settled(asked, settings))
            if part is not None:
                switch, first, end = self._slots.get(name, (False, 0, 0))
                off = point[first - 1] if switch else 1.0
                settings[name] = part.at(off, point[first:end])
        return Configuration(**settings)

    def vector(self, configuration: Configuration) -> tuple[float, ...]:
        """The coordinates of a configuration that lies in the space: `configuration`'s inverse.

        They lie in the middle of what maps to the same value, and are NaN where they play no part:
        the hyperparameter is inactive, or is fixed in the case that holds.
        """
        point = [math.nan] * self._dimensions
        value_of = _value_in(configuration)
        for name, (switch, first, _) in self._slots.items():
            part = self._part(name, value_of)
            if part is None or part.domain is None or not _counts(name, configuration):
                continue
            off, inside = part.coordinates(configuration.value(name))
            point[first : first + len(inside)] = inside
            if switch:
                point[first - 1] = off
        return tuple(point)

    def features(self, configuration: Configuration) -> tuple[float, ...]:
        """What a model sees of a configuration: its coordinates, and 0.5 where they play no part.

        Names for values have no order: in place of a coordinate, each has a column, which says 1
        where the hyperparameter has that value, else 0.
        """
        point, found = self.vector(configuration), list[float]()
        for name, (switch, first, end) in self._slots.items():
            start = first - switch
            if name in self._named:
                value = configuration.get(name, None)
                found += (float(value == each) for each in self._named[name])
                end = first
            found += (0.5 if math.isnan(each) else each for each in point[start:end])
        return tuple(found)

    def restrict(self, configuration: Configuration) -> Configuration | None:
        """A configuration with this space's fixed values; None where it lies outside."""
        plain = {n: v for n, v in self.fixed.items() if not self._cases_of[n]}
        candidate = configuration.replace(**plain)
        for name in self._order:
            if name not in plain:
                part = self._part(name, _value_in(candidate))
                if part is not None and part.domain is None:
                    candidate = candidate.replace(**{name: part.value})
        for name in self._slots:
            part = self._part(name, _value_in(candidate))
            if is_own(name) and name not in candidate:
                return None
            if part is None or not _counts(name, candidate):
                continue
            if not part.allows(candidate.value(name)):
                return None
        return candidate

    def __contains__(self, configuration: object) -> bool:
        """Whether a configuration lies in the space: what it does not name has its default."""
        if not isinstance(configuration, Configuration):
            return False
        inside = self.restrict(configuration)
        if inside is None or inside != configuration:
            return False
        value_of = _value_in(configuration)
        defaults = {
            name: h.default
            for name, h in CATALOGUE.items()
            if name not in self._cases_of or self._part(name, value_of) is None
        }
        return inside.replace(**defaults) == configuration

    def to_json(self) -> dict[str, object]:
        """The space as plain JSON values, the same for the same space."""
        told = told_parts(self._general)
        if self._cases:
            told["when"] = [[case.words, told_parts(case.parts)] for case in self._cases]
        return told

    def words(self) -> Mapping[str, str]:
        """Each hyperparameter's part of the space, in words; its cases follow it."""
        words: dict[str, str] = {}
        for name in dict.fromkeys((*self._general, *self._order)):
            if name in self._general:
                words[name] = self._general[name].words()
            for case in self._cases_of.get(name, ()):
                words[f"{name}, where {case.words}"] = case.parts[name].words()
        return words


def _in_modules(name: str) -> bool:
    """Whether a hyperparameter can play a part in a person's own module."""
    condition = lookup(name).condition
    return condition is None or condition.holds(Configuration(network="module", text="bag"))


def _kinds(given: object) -> tuple[object, ...]:
    """The kinds of network that an entry of a space names."""
    return tuple(given) if isinstance(given, (tuple, list)) else (given,)


def _value_in(configuration: Configuration) -> Callable[[str], Value | None]:
    """What a case sees of a configuration: what plays no part is off."""
    return lambda name: configuration.get(name, lookup(name).off)


def _settled(name: str, settings: Mapping[str, Value]) -> Value | None:
    """What a case sees of settings of which all that it hangs on is settled."""
    h = lookup(name)
    if not h.hangs_on:
        return settings.get(name, h.default)
    if not h.conflicts and not any(lookup(each).hangs_on for each in h.hangs_on):
        # As a configuration would find it, without making one.
        above = {each: settings.get(each, lookup(each).default) for each in h.hangs_on}
        active = {each: value for each, value in above.items() if value != lookup(each).off}
        holds = h.condition is None or h.condition.holds(active)
        return settings.get(name, h.default) if holds else h.off
    return _value_in(Configuration(**settings))(name)


def _counts(name: str, configuration: Configuration) -> bool:
    """Whether the value of a hyperparameter matters beside the others, even one that is off."""
    h = lookup(name)
    if name in configuration:
        return True
    if h.off is None or (h.condition is not None and not h.condition.holds(configuration)):
        return False
    return not any(c.own is None and c.arises(h.off, configuration) for c in h.conflicts)


def _refuse_impossible(general: Mapping[str, Part], cases: Iterable[Case]) -> None:
    """Raise `SettingError` where a case asks for what this space never holds."""
    for asked in (each for case in cases for each in case.asked):
        parts = [general.get(asked.name, Part(asked.name, None, lookup(asked.name).default))]
        parts += [case.parts[asked.name] for case in cases if asked.name in case.parts]
        if not any(asked.possible(part) for part in parts):
            raise SettingError(
                f"A case of the space holds where {asked.words}, which never is so here: "
                f"{asked.name} is {parts[0].words()}. Let the space vary it, or leave the case out."
            )


def _usual_cases(general: Mapping[str, Part], given: Iterable[str]) -> tuple[Case, ...]:
    """The cases of every space, where they can hold: what was given for all cases stands."""
    found = []
    for case in cases_of(CASES):
        parts = {name: part for name, part in case.parts.items() if name not in given}
        known = all(each.name in general for each in case.asked)
        if parts and known and all(each.possible(general[each.name]) for each in case.asked):
            found.append(Case(case.asked, parts))
    return tuple(found)


def _most(part: Part) -> int:
    if isinstance(part.domain, Integer):
        return part.domain.high
    return max(int(str(value)) for value in choices(part))
