"""The domains of hyperparameters: what a value may be, and how a unit cube maps onto it."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from modelshelf.core.errors import SettingError
from modelshelf.space.digits import digits_for, exactly, rounded

__all__ = ["Choice", "Domain", "Integer", "Layers", "Real", "Value", "checked", "holds"]

Value = float | int | str | tuple[int, ...]

# A search rounds real numbers to four digits, so that they can be read. These tell 500 values apart
# wherever the ends of a range differ by a factor of two; a narrower one takes more.
_DIGITS, _APART = 4, 500


class Domain(Protocol):
    """What a hyperparameter's value may be.

    `dimensions` coordinates of the unit cube describe one value: `from_unit` maps them to it,
    and `position` maps a value back to one number between 0 and 1 for drawing.
    """

    @property
    def tag(self) -> str:
        """One letter that says the type in a barcode's canonical form."""

    @property
    def dimensions(self) -> int:
        """How many coordinates of the unit cube describe one value."""

    def check(self, value: object) -> Value:
        """The value in canonical form; `ValueError`, saying what was expected, if outside."""

    def narrow(self, given: object) -> Domain:
        """The part of this domain that a space's entry asks for."""

    def from_unit(self, unit: Sequence[float]) -> Value:
        """The value at these coordinates of the unit cube."""

    def to_unit(self, value: Value) -> tuple[float, ...]:
        """Coordinates, each at least 0 and below 1, at which `from_unit` gives this value."""

    def position(self, value: Value) -> float:
        """Where in the domain a value lies, between 0 and 1."""

    def words(self) -> str:
        """The domain, for a person."""


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        try:
            return float(str(value)) if isinstance(value, str) else float(value)  # type: ignore[arg-type]
        except (TypeError, ValueError):
            raise ValueError(f"a number, not {value!r}") from None
    return float(value)


def _pair(given: object, words: str) -> tuple[object, object]:
    if not isinstance(given, (tuple, list)) or len(given) != 2:
        raise ValueError(f"one value, or (lowest, highest) within {words}, not {given!r}")
    return given[0], given[1]


def _unit(value: float, low: float, high: float, log: bool) -> float:
    if high <= low:
        return 0.5
    if not log:
        return (value - low) / (high - low)
    floor = max(low, 1e-12)
    return math.log(max(value, floor) / floor) / math.log(high / floor)


def _inside(unit: float) -> float:
    """The nearest coordinate that is at least 0 and below 1."""
    return min(max(unit, 0.0), math.nextafter(1.0, 0.0))


def _coordinate(value: float, low: float, high: float, log: bool) -> float:
    """Where `from_unit` finds a value of a range, at least 0 and below 1."""
    if high <= low:
        return 0.5
    if log:
        return _inside(math.log(value / low) / math.log(high / low))
    return _inside((value - low) / (high - low))


@dataclass(frozen=True, slots=True)
class Real:
    """A real number from `low` to `high`, both allowed; searched on a log scale if `log`.

    >>> Real(1e-4, 1e-2, log=True).from_unit([0.5])
    0.001
    """

    low: float
    high: float
    log: bool = False

    @property
    def tag(self) -> str:
        """`f` for float."""
        return "f"

    @property
    def dimensions(self) -> int:
        """One."""
        return 1

    def check(self, value: object) -> float:
        """The value as a float within the bounds."""
        number = _number(value)
        if not self.low <= number <= self.high:
            raise ValueError(f"{self.words()}, not {value!r}")
        return number + 0.0  # -0.0 and 0.0 are one value, and must have one barcode

    def narrow(self, given: object) -> Real:
        """A narrower range from `(lowest, highest)`."""
        low, high = (self.check(each) for each in _pair(given, self.words()))
        if low > high:
            raise ValueError(f"the lowest value first, not {given!r}")
        if self.log and low <= 0:
            raise ValueError(f"a range above 0, for it is searched on a log scale, not {given!r}")
        return Real(low, high, self.log)

    def from_unit(self, unit: Sequence[float]) -> float:
        """The value at this coordinate, to four digits; to more where the range is narrow."""
        if self.log:
            value = math.exp(math.log(self.low) + unit[0] * math.log(self.high / self.low))
        else:
            value = self.low + unit[0] * (self.high - self.low)
        digits = digits_for(self.low, self.high, _DIGITS, _APART)
        return min(max(rounded(value, digits), self.low), self.high)

    def to_unit(self, value: Value) -> tuple[float, ...]:
        """Where in the range it lies, on its scale."""
        return (_coordinate(_number(value), self.low, self.high, self.log),)

    def position(self, value: Value) -> float:
        """Where in the range it lies, on its scale."""
        return min(max(_unit(_number(value), self.low, self.high, self.log), 0.0), 1.0)

    def words(self) -> str:
        """The range."""
        return f"a number from {exactly(self.low)} to {exactly(self.high)}"


@dataclass(frozen=True, slots=True)
class Integer:
    """A whole number from `low` to `high`, both allowed; searched on a log scale if `log`."""

    low: int
    high: int
    log: bool = False

    @property
    def tag(self) -> str:
        """`i` for integer."""
        return "i"

    @property
    def dimensions(self) -> int:
        """One."""
        return 1

    def check(self, value: object) -> int:
        """The value as an int within the bounds; 64.0 is taken as 64."""
        number = _number(value)
        if not self.low <= number <= self.high or number != int(number):
            raise ValueError(f"{self.words()}, not {value!r}")
        return int(number)

    def narrow(self, given: object) -> Integer | Choice:
        """A narrower range from `(lowest, highest)`, or a choice of three numbers or more."""
        if isinstance(given, (tuple, list)) and len(given) > 2:
            return Choice(tuple(self.check(each) for each in given))
        low, high = self.bounds(given)
        if self.log and low <= 0:
            raise ValueError(f"a range above 0, for it is searched on a log scale, not {given!r}")
        return Integer(low, high, self.log)

    def bounds(self, given: object) -> tuple[int, int]:
        """`(lowest, highest)` within this domain."""
        low, high = (self.check(each) for each in _pair(given, self.words()))
        if low > high:
            raise ValueError(f"the lowest value first, not {given!r}")
        return low, high

    def from_unit(self, unit: Sequence[float]) -> int:
        """The value at this coordinate."""
        if self.log:
            low, high = math.log(self.low), math.log(self.high)
            return min(max(round(math.exp(low + unit[0] * (high - low))), self.low), self.high)
        return min(self.low + int(unit[0] * (self.high - self.low + 1)), self.high)

    def to_unit(self, value: Value) -> tuple[float, ...]:
        """Where it lies on a log scale; without one, the middle of its share."""
        if self.log:
            return (_coordinate(_number(value), self.low, self.high, log=True),)
        return (_inside((_number(value) - self.low + 0.5) / (self.high - self.low + 1)),)

    def position(self, value: Value) -> float:
        """Where in the range it lies, on its scale."""
        return min(max(_unit(_number(value), self.low, self.high, self.log), 0.0), 1.0)

    def words(self) -> str:
        """The range."""
        return f"a whole number from {self.low} to {self.high}"


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several words, or one of several numbers."""

    values: tuple[Value, ...]

    @property
    def tag(self) -> str:
        """`c` for a choice of words, `n` of numbers, `l` of lists of widths."""
        first = self.values[0]
        return "c" if isinstance(first, str) else "l" if isinstance(first, tuple) else "n"

    @property
    def dimensions(self) -> int:
        """One."""
        return 1

    def check(self, value: object) -> Value:
        """The value, if it is one of the choices; 64 and "64" are one number."""
        candidate: object = value
        if self.tag == "n":
            candidate = _number(value)
        elif self.tag == "l" and isinstance(value, list):
            candidate = tuple(value)
        for each in self.values:
            if each == candidate:
                return each
        raise ValueError(f"{self.words()}, not {value!r}")

    def narrow(self, given: object) -> Choice:
        """Fewer choices."""
        if not isinstance(given, (tuple, list)) or not given:
            raise ValueError(f"one or several of {self.words()}, not {given!r}")
        return Choice(tuple(dict.fromkeys(self.check(each) for each in given)))

    def from_unit(self, unit: Sequence[float]) -> Value:
        """The choice at this coordinate; each has an equal share of the unit interval."""
        return self.values[min(int(unit[0] * len(self.values)), len(self.values) - 1)]

    def to_unit(self, value: Value) -> tuple[float, ...]:
        """The middle of the choice's share."""
        return ((self.values.index(value) + 0.5) / len(self.values),)

    def position(self, value: Value) -> float:
        """Where in the list it stands."""
        return (self.values.index(value) + 0.5) / len(self.values) if value in self.values else 0.5

    def words(self) -> str:
        """The choices."""
        return "one of " + ", ".join(str(each) for each in self.values)


@dataclass(frozen=True, slots=True)
class Layers:
    """Widths of hidden layers, first to last; searched as a depth and one width for all."""

    depth: tuple[int, int] = (0, 16)
    width: tuple[int, int] = (1, 8192)

    @property
    def tag(self) -> str:
        """`l` for list."""
        return "l"

    @property
    def dimensions(self) -> int:
        """Two: depth, and width."""
        return 2

    def check(self, value: object) -> tuple[int, ...]:
        """The widths as a tuple; `64`, `"64,32"` and `[64, 32]` are understood."""
        if isinstance(value, str):
            value = [part for part in value.strip("()[] ").split(",") if part.strip()]
        elif isinstance(value, int):
            value = [value]
        if not isinstance(value, (tuple, list)):
            raise ValueError(f"{self.words()}, not {value!r}")
        widths = Integer(*self.width)
        if not self.depth[0] <= len(value) <= self.depth[1]:
            raise ValueError(f"{self.words()}, not {len(value)} layers")
        return tuple(widths.check(each) for each in value)

    def narrow(self, given: object) -> Layers | Choice:
        """`{"depth": (1, 3), "width": (16, 256)}`, or a list of lists of widths."""
        if isinstance(given, dict) and given and set(given) <= {"depth", "width"}:
            depth = Integer(*self.depth).bounds(given.get("depth", self.depth))
            width = Integer(*self.width).bounds(given.get("width", self.width))
            return Layers(depth, width)
        if isinstance(given, (tuple, list)) and all(isinstance(e, (tuple, list)) for e in given):
            return Choice(tuple(self.check(each) for each in given))
        raise ValueError(
            "widths such as [64, 32], a list of such lists, or {depth = [1, 3], width = [16, 256]},"
            f" not {given!r}"
        )

    def from_unit(self, unit: Sequence[float]) -> tuple[int, ...]:
        """Depth from the first coordinate, width (in steps of 8 above 16) from the second."""
        depth = Integer(*self.depth).from_unit(unit[:1])
        width = Integer(*self.width, log=True).from_unit(unit[1:])
        if width > 16:
            width = min(max(8 * round(width / 8), self.width[0]), self.width[1])
        return (width,) * depth

    def to_unit(self, value: Value) -> tuple[float, ...]:
        """The depth, and the widths' geometric mean; NaN for that where there is no layer."""
        widths = value if isinstance(value, tuple) else ()
        depth = Integer(*self.depth).to_unit(len(widths))
        if not widths:
            return (*depth, math.nan)
        middle = statistics.geometric_mean(widths)
        return (*depth, *Integer(*self.width, log=True).to_unit(middle))

    def position(self, value: Value) -> float:
        """The logarithm of the number of units, as a share of what the domain allows."""
        units = sum(value) if isinstance(value, tuple) else 0
        return min(math.log1p(units) / math.log1p(4096), 1.0)

    def words(self) -> str:
        """The domain."""
        return (
            f"{self.depth[0]} to {self.depth[1]} widths, each a whole number "
            f"from {self.width[0]} to {self.width[1]}, such as 64,32"
        )


def holds(domain: Domain, value: object) -> bool:
    """Whether a value lies in a domain.

    >>> holds(Integer(1, 8), 4), holds(Integer(1, 8), 9)
    (True, False)
    """
    try:
        domain.check(value)
    except ValueError:
        return False
    return True


def checked(name: str, domain: Domain, value: object) -> Value:
    """`domain.check(value)`, with the hyperparameter's name in the error."""
    try:
        return domain.check(value)
    except ValueError as error:
        raise SettingError(f"{name} must be {error}.") from None
