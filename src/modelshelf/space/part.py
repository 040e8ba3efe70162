"""One hyperparameter's part of a space: a domain to search, or one value."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from modelshelf.core.errors import SettingError
from modelshelf.space.catalogue import lookup
from modelshelf.space.digits import exactly
from modelshelf.space.domains import Choice, Domain, Integer, Layers, Real, Value, checked, holds

__all__ = ["Part", "choices", "shown", "told_parts"]

#: The share of proposals in which a hyperparameter that can be off is off, where none is given.
_OFF_SHARE = {"dropout": 0.3, "l1": 0.7, "l2": 0.4}

#: The words under which an entry with an off share holds its range or its choices.
_SEARCHED = ("range", "values")


@dataclass(frozen=True, slots=True)
class Part:
    """What a space says of one hyperparameter; made from a space's entry by `Part.of`."""

    name: str
    domain: Domain | None  #: None where the value is fixed
    value: Value | None = None  #: the fixed value
    off_share: float = 0.0  #: how often it is off, of all proposals

    @classmethod
    def of(cls, name: str, given: object) -> Part:
        """The part that an entry such as `(0.1, 0.5)` asks for; `SettingError` if it is wrong."""
        hyperparameter = lookup(name)
        share = _usual_share(name)
        if isinstance(given, dict) and "off" in given:
            given, share = _with_off(name, given)
        elif not _several(hyperparameter.domain, given):
            return cls(name, None, checked(name, hyperparameter.domain, given))
        try:
            narrowed = hyperparameter.domain.narrow(given)
        except ValueError as error:
            raise SettingError(f"In the space, {name} must be {error}.") from None
        if isinstance(narrowed, Choice) and len(narrowed.values) == 1 and not share:
            return cls(name, None, narrowed.values[0])
        return cls(name, narrowed, off_share=share)

    @property
    def has_own_share(self) -> bool:
        """Whether its off share was given, and is not the usual one."""
        return self.domain is not None and self.off_share != _usual_share(self.name)

    @property
    def width(self) -> int:
        """How many coordinates of the unit cube describe its value while it is on."""
        return 0 if self.domain is None else self.domain.dimensions

    def at(self, off: float, unit: Sequence[float]) -> Value:
        """The value at these coordinates; `off` below the off share switches it off."""
        if self.domain is None:
            assert self.value is not None
            return self.value
        if off < self.off_share:
            switched_off = lookup(self.name).off
            assert switched_off is not None
            return switched_off
        return self.domain.from_unit(unit)

    def coordinates(self, value: Value) -> tuple[float, tuple[float, ...]]:
        """The inverse of `at`: the off coordinate and the others, NaN where they play no part."""
        if self.domain is None:
            return math.nan, ()
        if self.off_share and value == lookup(self.name).off:
            return self.off_share / 2, (math.nan,) * self.width
        on = (1 + self.off_share) / 2 if self.off_share else math.nan
        return on, self.domain.to_unit(value)

    def allows(self, value: Value) -> bool:
        """Whether the value lies in this part."""
        if self.domain is None:
            return value == self.value
        if self.off_share and value == lookup(self.name).off:
            return True
        return holds(self.domain, value)

    def words(self) -> str:
        """The part, for a person."""
        if self.domain is None:
            return f"always {shown(self.value)}"
        off = f", or off ({self.off_share:.0%} of the time)" if self.off_share else ""
        return self.domain.words() + off


def _usual_share(name: str) -> float:
    return _OFF_SHARE.get(name, 0.0)


def shown(value: object) -> str:
    """A value as a person would write it."""
    if isinstance(value, tuple):
        return ",".join(map(str, value)) or "none"
    return exactly(value) if isinstance(value, float) else str(value)


def _several(domain: Domain, given: object) -> bool:
    """Whether an entry asks for a range or choices, rather than for one value."""
    widths = isinstance(domain, Layers) and not isinstance(given, dict)
    if isinstance(given, (Real, Integer, Choice)):
        return True
    if not isinstance(given, (dict, tuple, list)):
        return False
    return not (widths and all(isinstance(each, int) for each in given))


def _with_off(name: str, given: dict[object, object]) -> tuple[object, float]:
    """The range or the choices of an entry, and how often it is off."""
    inside = [key for key in _SEARCHED if key in given]
    share = given["off"]
    if len(inside) != 1 or len(given) != 2:
        raise SettingError(
            f"In the space, {name} must be {{range = [lowest, highest], off = share}} or "
            f"{{values = [one, another], off = share}}, not {given!r}."
        )
    if lookup(name).off is None:
        raise SettingError(f"In the space, {name} cannot be off: leave out off = {share!r}.")
    if isinstance(share, bool) or not isinstance(share, (int, float)) or not 0 <= share < 1:
        raise SettingError(
            f"In the space, off of {name} must be a share of the proposals, at least 0 and "
            f"below 1, not {share!r}. To have it always off, give {name} = {lookup(name).off}."
        )
    return given[inside[0]], float(share)


def choices(part: Part) -> list[Value]:
    """The values that a part names; none of a range."""
    if isinstance(part.domain, Choice):
        return list(part.domain.values)
    return [] if part.value is None else [part.value]


def told_parts(parts: Mapping[str, Part]) -> dict[str, object]:
    """Parts as plain JSON values."""
    told: dict[str, object] = {
        "fixed": {
            n: list(p.value) if isinstance(p.value, tuple) else p.value
            for n, p in parts.items()
            if p.domain is None
        },
        "varied": {n: repr(p.domain) for n, p in parts.items() if p.domain is not None},
    }
    shares = {n: p.off_share for n, p in parts.items() if p.has_own_share}
    return {**told, "off": shares} if shares else told
