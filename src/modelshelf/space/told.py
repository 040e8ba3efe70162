"""A space in words: what it fixes, narrows, widens or adds, beside the usual one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from modelshelf.space.catalogue import in_order, lookup
from modelshelf.space.domains import Choice, Domain, Integer, Layers, Real, holds
from modelshelf.space.own import is_own
from modelshelf.space.part import Part
from modelshelf.space.space import Space

__all__ = ["Told", "told"]


@dataclass(frozen=True, slots=True)
class Told:
    """What a space says of one hyperparameter, in general or in one of its cases."""

    name: str
    how: str  #: fixed, narrowed, widened, added, moved or usual
    words: str  #: its part of the space
    usual: str  #: what it is where nothing is said
    where: str = ""  #: the case in which this holds; empty where it holds in general

    def to_json(self) -> dict[str, str | None]:
        """Plain JSON values."""
        return {
            "name": self.name,
            "how": self.how,
            "space": self.words,
            "usual": self.usual,
            "where": self.where or None,
        }


def told(space: Space) -> tuple[Told, ...]:
    """All that a space says, in the catalogue's order, the cases last.

    A case that every space has is usual; another is compared with what the space says where it
    does not hold.

    >>> [(each.name, each.how) for each in told(Space(dropout=0.1)) if each.how != "usual"]
    [('dropout', 'fixed')]
    """
    ordinary = Space()
    usual = ordinary.general
    lines = [_told(name, space.general[name], usual) for name in in_order(space.general)]
    cases = {case.words: case.parts for case in ordinary.cases}
    for case in space.cases:
        before = {**space.general, **_same(case.parts, cases.get(case.words, {}))}
        lines += [_told(name, part, before, case.words) for name, part in case.parts.items()]
    return tuple(lines)


def _same(parts: Mapping[str, Part], others: Mapping[str, Part]) -> dict[str, Part]:
    return {name: part for name, part in parts.items() if others.get(name) == part}


def _told(name: str, part: Part, usual: Mapping[str, Part], where: str = "") -> Told:
    before = usual.get(name, Part(name, None, lookup(name).default))
    told = "the module's own default" if is_own(name) else before.words()
    return Told(name, _how(part, before), part.words(), told, where)


def _how(part: Part, before: Part) -> str:
    """One word for what became of a part."""
    if part == before:
        return "usual"
    if part.domain is None:
        return "fixed"
    if before.domain is None:
        return "added"
    inside, outside = _within(part.domain, before.domain), _within(before.domain, part.domain)
    if inside and outside:
        return "moved"  # the same values, but another share of them off
    return "narrowed" if inside else "widened" if outside else "moved"


def _within(inner: Domain, outer: Domain) -> bool:
    """Whether every value of a domain lies in another one."""
    if isinstance(inner, Choice):
        return all(holds(outer, value) for value in inner.values)
    if isinstance(inner, (Real, Integer)) and isinstance(outer, (Real, Integer)):
        return outer.low <= inner.low and inner.high <= outer.high
    if isinstance(inner, Layers) and isinstance(outer, Layers):
        pairs = ((inner.depth, outer.depth), (inner.width, outer.width))
        return all(b[0] <= a[0] and a[1] <= b[1] for a, b in pairs)
    return False
