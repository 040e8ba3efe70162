"""What can be varied in a space, as experiments vary it: factors, their levels, and points between.

A hyperparameter is a factor; `hidden_layers` is two, depth and width. Points are drawn evenly from
the space, whatever a search sampled most: what is averaged over them is free of its preferences.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from modelshelf.space.catalogue import lookup
from modelshelf.space.digits import digits_for, rounded
from modelshelf.space.domains import Choice, Integer, Layers, Real, Value
from modelshelf.space.part import Part, shown
from modelshelf.space.space import Space

__all__ = ["Factor", "Level", "Points", "even_points", "factors_of"]

Floats = NDArray[np.float64]

_NUMBERS = 8  # levels of a factor that is a number
_DIGITS = 2  # of a level's value, where they tell the levels apart: it stands for its neighbourhood
_MIDDLE = 0.5  # where a coordinate lies that plays no part


@dataclass(frozen=True, slots=True)
class Level:
    """One setting of a factor."""

    label: str
    value: Value | None  #: None where it is switched off
    unit: float  #: its coordinate in the unit cube; NaN where it is off
    share: float  #: of the factor's values; those of all levels come to 1


@dataclass(frozen=True, slots=True)
class Factor:
    """What is varied by itself: a hyperparameter, or the depth or width of the hidden layers."""

    name: str
    hyperparameter: str
    levels: tuple[Level, ...]
    log: bool  #: whether it is a number that is searched on a log scale
    at: int  #: its coordinate in the unit cube
    switch: int  #: the coordinate that switches it off; -1 where none does
    off_share: float
    columns: tuple[int, int]  #: where its features begin and end
    decides: bool  #: whether what else plays a part hangs on it

    @property
    def ordered(self) -> bool:
        """Whether its levels have an order, as numbers have."""
        return not isinstance(self.levels[-1].value, str)

    def moved(self, points: Points, level: Level, space: Space) -> tuple[Floats, NDArray[np.int64]]:
        """Features (rows, features) of all points where it plays a part, moved to a level.

        And the places of those points.
        """
        rows = np.flatnonzero(points.active(self))
        if not self.decides:
            return self.written(points.features[rows], level, space), rows
        unit = self.put(points.unit[rows], level)
        return np.array([space.features(space.configuration(each)) for each in unit.tolist()]), rows

    def put(self, unit: Floats, level: Level) -> Floats:
        """Points of the unit cube, moved to a level."""
        unit = unit.copy()
        if self.switch >= 0:
            off = level.value is None
            unit[:, self.switch] = self.off_share / 2 if off else (1 + self.off_share) / 2
        unit[:, self.at] = _MIDDLE if math.isnan(level.unit) else level.unit
        return unit

    def written(self, features: Floats, level: Level, space: Space) -> Floats:
        """Features with a level's in the place of its own: for one that decides nothing else."""
        features, (first, end) = features.copy(), self.columns
        if self.hyperparameter in space.named:
            names = space.named[self.hyperparameter]
            features[:, first : first + len(names)] = [level.value == name for name in names]
            return features
        if self.switch >= 0:
            off = level.value is None
            features[:, first] = self.off_share / 2 if off else (1 + self.off_share) / 2
        slot = space.slots[self.hyperparameter]
        place = end - (slot[2] - slot[1]) + (self.at - slot[1])
        features[:, place] = _MIDDLE if math.isnan(level.unit) else level.unit
        return features


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """Points drawn evenly from a space."""

    unit: Floats  #: (points, dimensions)
    vectors: Floats  #: (points, dimensions), NaN where a coordinate plays no part
    features: Floats  #: (points, features)

    def active(self, factor: Factor) -> NDArray[np.bool_]:
        """Where a factor plays a part."""
        at = factor.switch if factor.switch >= 0 else factor.at
        found: NDArray[np.bool_] = ~np.isnan(self.vectors[:, at])
        return found


def even_points(space: Space, count: int, seed: int) -> Points:
    """So many points of a space, from a scrambled Sobol sequence; `count` is a power of two."""
    from scipy.stats import qmc

    if space.dimensions == 0:
        unit = np.zeros((count, 0))
    else:
        rng = np.random.default_rng(seed)
        unit = qmc.Sobol(space.dimensions, scramble=True, rng=rng).random(count)
    configurations = [space.configuration(each) for each in unit.tolist()]
    return Points(
        unit,
        np.array([space.vector(each) for each in configurations]),
        np.array([space.features(each) for each in configurations]),
    )


def factors_of(space: Space) -> tuple[Factor, ...]:
    """The factors of a space, those alone that have several levels."""
    deciders = set(_deciders(space))
    found, first = list[Factor](), 0
    for name, (switched, start, end) in space.slots.items():
        part = _widest(space, name)
        width = switched + end - start
        if name in space.named:
            width = len(space.named[name]) + end - start - 1 + switched
        whole = Factor(
            name=name,
            hyperparameter=name,
            levels=(),
            log=getattr(lookup(name).domain, "log", False),
            at=start,
            switch=start - 1 if switched else -1,
            off_share=part.off_share,
            columns=(first, first + width),
            decides=name in deciders,
        )
        found += _split(whole, part)
        first += width
    return tuple(each for each in found if len(each.levels) > 1)


def _split(whole: Factor, part: Part) -> Iterable[Factor]:
    """The factor with its levels; of hidden layers, depth and width."""
    if not isinstance(part.domain, Layers):
        yield replace(whole, levels=_levels(part, part.domain))
        return
    depths, widths = Integer(*part.domain.depth), Integer(*part.domain.width, log=True)
    yield replace(whole, name="depth", levels=_levels(part, depths), decides=True)
    found = _levels(part, widths)
    yield replace(whole, name="width", levels=found, at=whole.at + 1, log=True, decides=False)


def _levels(part: Part, domain: object) -> tuple[Level, ...]:
    found = list(_values(domain))
    share = (1.0 - part.off_share) / max(len(found), 1)
    levels = [Level(shown(value), value, unit, share) for value, unit in found]
    off = lookup(part.name).off
    if part.off_share and off is not None:
        levels.insert(0, Level("off", None, math.nan, part.off_share))
    return tuple(levels)


def _values(domain: object) -> Iterable[tuple[Value, float]]:
    """The values of a domain that stand for it, evenly spread, and where they lie."""
    if isinstance(domain, Choice):
        for value in domain.values:
            yield value, domain.to_unit(value)[0]
        return
    assert isinstance(domain, (Real, Integer))
    units = (np.arange(_NUMBERS) + 0.5) / _NUMBERS
    if isinstance(domain, Integer):
        few = domain.high - domain.low < _NUMBERS
        whole = range(domain.low, domain.high + 1) if few else ()
        units = np.array([domain.to_unit(each)[0] for each in whole]) if few else units
    digits = digits_for(domain.low, domain.high, _DIGITS, _NUMBERS // 2)
    seen: dict[Value, float] = {}
    for unit in units:
        value = domain.from_unit([float(unit)])
        seen.setdefault(rounded(value, digits) if isinstance(value, float) else value, float(unit))
    yield from seen.items()


def _widest(space: Space, name: str) -> Part:
    """What a space says of a hyperparameter in general, else in the first case that varies it."""
    general = [space.general[name]] if name in space.general else []
    cases: Sequence[Part] = [case.parts[name] for case in space.cases if name in case.parts]
    parts = [each for each in (*general, *cases) if each.domain is not None]
    return parts[0]


def _deciders(space: Space) -> Iterable[str]:
    """Whatever decides if others play a part, or what they may be."""
    for name in space.slots:
        yield from lookup(name).hangs_on
    for case in space.cases:
        yield from (each.name for each in case.asked)
