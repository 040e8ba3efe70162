"""Domains without a declaration: names, and the arguments of a person's own module."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from modelshelf.space.domains import Choice, Domain, Integer, Real, Value

__all__ = ["OWN", "Name", "Own", "is_own", "read_value"]

#: Hyperparameters whose names begin so are arguments of a person's own module.
OWN = "module."


def is_own(name: str) -> bool:
    """Whether this names an argument of a person's own module.

    >>> is_own("module.width"), is_own("module")
    (True, False)
    """
    return name.startswith(OWN) and name != OWN


def read_value(name: str, value: object) -> object:
    """A setting that came as text. No declaration types a module's own arguments: JSON does.

    >>> read_value("module.width", "64"), read_value("module.act", "relu")
    (64, 'relu')
    >>> read_value("batch_size", "64")
    '64'
    """
    if not is_own(name) or not isinstance(value, str):
        return value
    try:
        found: object = json.loads(value)
    except ValueError:
        return {"True": True, "False": False}.get(value, value)
    return found


@dataclass(frozen=True, slots=True)
class Name:
    """Any name of up to 200 printable characters. It cannot be searched."""

    tag = "s"
    dimensions = 1

    def check(self, value: object) -> str:
        """The name as it is."""
        if not isinstance(value, str) or not value.isprintable() or not 0 < len(value) <= 200:
            raise ValueError(f"{self.words()}, not {value!r}")
        return value

    def narrow(self, given: object) -> Domain:
        """Several names are no space."""
        raise ValueError(f"one name, not {given!r}")

    def from_unit(self, unit: Sequence[float]) -> Value:
        """There is none."""
        raise ValueError("a name is not searched")

    def to_unit(self, value: Value) -> tuple[float, ...]:
        """The middle."""
        return (0.5,)

    def position(self, value: Value) -> float:
        """A place by the name's letters, so that two names are drawn apart."""
        return (sum(map(ord, str(value))) % 97) / 96

    def words(self) -> str:
        """The domain."""
        return "a name of 1 to 200 printable characters"


@dataclass(frozen=True, slots=True)
class Own:
    """A switch, a number, a word, or a list of whole numbers: whatever JSON can tell apart."""

    tag = "o"
    dimensions = 1

    def check(self, value: object) -> Value:
        """The value in plain Python types; lists become tuples."""
        if isinstance(value, (list, tuple)):
            if all(isinstance(each, int) for each in value):
                return tuple(value)
        elif isinstance(value, (bool, int, str)) or (
            isinstance(value, float) and math.isfinite(value)
        ):
            return value
        raise ValueError(f"{self.words()}, not {value!r}")

    def narrow(self, given: object) -> Domain:
        """A domain as it is, a range from a pair of numbers, or choices from a list."""
        if isinstance(given, (Real, Integer, Choice)):
            return given
        if isinstance(given, tuple) and len(given) == 2 and all(map(_plain, given)):
            low, high = given
            if low > high:
                raise ValueError(f"the lowest value first, not {given!r}")
            if isinstance(low, int) and isinstance(high, int):
                return Integer(low, high)
            return Real(float(low), float(high))
        if not isinstance(given, (list, tuple)) or not given:
            raise ValueError(f"one value, (lowest, highest), or a list of choices, not {given!r}")
        return Choice(tuple(dict.fromkeys(self.check(each) for each in given)))

    def from_unit(self, unit: Sequence[float]) -> Value:
        """There is none: a space says which part of it is searched."""
        raise ValueError("say in the space what is to be searched")

    def to_unit(self, value: Value) -> tuple[float, ...]:
        """The middle."""
        return (0.5,)

    def position(self, value: Value) -> float:
        """Further up for larger numbers, on a log scale; the middle for what has no order."""
        if isinstance(value, bool):
            return float(value)
        if not isinstance(value, (int, float)):
            return 0.5
        return 0.5 + math.atan(math.log10(max(cast("float", value), 1e-12))) / math.pi

    def words(self) -> str:
        """The domain."""
        return "a switch, a finite number, a word, or a list of whole numbers"


def _plain(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
