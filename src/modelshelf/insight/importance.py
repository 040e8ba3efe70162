"""Which settings mattered: functional analysis of variance over forests (Hutter et al. 2014).

The search samples good regions more, and chance makes a forest's splits look like effects. Against
the first, effects are averaged over points drawn evenly from the space. Against the second, trials
are halved again and again, a forest learns from each half, and what counts is the part of their
variances that both halves see: their covariance. What only chance made is not seen twice, so that
a setting without effect comes out at 0 on average, be it above or below, and not at "a little".
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from modelshelf.core.seeds import derive, generator
from modelshelf.insight.factors import Factor, Level, Points, even_points, factors_of
from modelshelf.space.space import Space

__all__ = ["Importance", "Interaction", "LevelEffect", "importances", "standings"]

Floats = NDArray[np.float64]

_HALVINGS = 24
_TREES = 8  # of each half's forest
_POINTS = 128  # drawn evenly; a power of two
_MOST = 2000  # trials that the two forests of a halving learn from
_LEAST = 24  # below this, halves are too small to learn from
_AGREE = 0.15  # halves that agree less have seen nothing in common: shares of that say nothing
_PAIRED = 6  # factors, the most important ones, whose pairs are looked at
_PAIRED_HALVINGS = 8
_PAIRED_LEVELS, _PAIRED_POINTS = 5, 16


@dataclass(frozen=True, slots=True)
class LevelEffect:
    """Where networks with one setting stand on average, all else drawn evenly from the space."""

    label: str
    value: object  #: None where it is switched off
    standing: float  #: 0 is the best of all trials, 1 the worst
    low: float  #: 90 % interval of that, over halves of the trials
    high: float


@dataclass(frozen=True, slots=True)
class Importance:
    """How much of the differences between networks a setting explains."""

    name: str
    alone: float  #: share of the variance that it explains by itself
    alone_interval: tuple[float, float]  #: 95 %; holds 0 where it may have no effect
    total: float  #: and together with others
    total_interval: tuple[float, float]
    active: float  #: share of the space where it plays a part
    ordered: bool
    log: bool
    levels: tuple[LevelEffect, ...]

    @property
    def sure(self) -> bool:
        """Whether its effect, alone or with others, cannot well be chance."""
        return self.alone_interval[0] > 0.0 or self.total_interval[0] > 0.0


@dataclass(frozen=True, slots=True)
class Interaction:
    """How much two settings explain together that neither explains alone."""

    first: str
    second: str
    share: float
    interval: tuple[float, float]  #: 95 %
    first_labels: tuple[str, ...]
    second_labels: tuple[str, ...]
    standings: tuple[tuple[float, ...], ...]  #: (first's levels, second's); NaN where never both

    @property
    def sure(self) -> bool:
        """Whether it cannot well be chance."""
        return self.interval[0] > 0.0


@dataclass(frozen=True, slots=True, eq=False)
class _Asked:
    """Rows of features of which forests are asked, and what they belong to."""

    factor: Factor
    weights: Floats  #: of its levels
    rows: tuple[NDArray[np.int64], ...]  #: places of each level's answers
    share: float  #: of the points where it plays a part


def standings(values: Floats) -> Floats:
    """Where each trial stands among all, from 0 (best) to 1 (worst); equal ones stand together.

    What diverged has an infinite value, and is last.

    >>> standings(np.array([3.0, 1.0, np.inf, np.inf])).tolist()
    [0.375, 0.125, 0.75, 0.75]
    """
    from scipy.stats import rankdata

    ranks: Floats = (rankdata(values) - 0.5) / max(len(values), 1)
    return ranks


def importances(
    space: Space, features: Floats, values: Floats, seed: int
) -> tuple[tuple[Importance, ...], tuple[Interaction, ...]]:
    """Of each factor of a space, the most important first, and of pairs of the first few.

    `features` (trials, features) are `Space.features` of trials, `values` (trials,) what they
    reached, brought to one budget: lower is better, infinite where a network diverged. Nothing is
    said of fewer than 24 trials, or where halves of them do not agree.
    """
    factors = factors_of(space)
    if len(values) < _LEAST or not factors or np.ptp(standings(values)) == 0.0:
        return (), ()
    points = even_points(space, _POINTS, derive(seed, "points"))
    stands = _of_the_space(features, standings(values), points, seed)
    forests = list(_halves(features, stands, seed))
    scale, agreement = _variance(points, forests)
    if agreement < _AGREE:
        return (), ()
    found = _alone(space, factors, points, forests, scale)
    found.sort(key=lambda each: -max(each.alone, each.total))
    chosen = {each.name for each in found[:_PAIRED]}
    paired = [each for each in factors if each.name in chosen]
    pairs = _pairs(space, paired, points, forests[:_PAIRED_HALVINGS], scale)
    return tuple(found), tuple(sorted(pairs, key=lambda each: -each.share))


def _of_the_space(features: Floats, stands: Floats, points: Points, seed: int) -> Floats:
    """The share of the space, not of the trials, in which a network does better than each trial.

    A search that soon leaves a bad region has few trials there, of which the last ranks would say
    that they are hardly worse than each other. By a forest's guess at points drawn evenly.
    """
    guessed = np.sort(_said(_forest(features, stands, derive(seed, "guess")), points.features))
    return np.searchsorted(guessed, stands) / len(guessed)


Forests = Sequence[tuple[Any, Any]]


def _halves(features: Floats, stands: Floats, seed: int) -> Iterator[tuple[Any, Any]]:
    """Two forests for each halving, each of its own half."""
    rng = generator(seed, "halves")
    count = min(len(features), _MOST)
    for at in range(_HALVINGS):
        order = rng.permutation(len(features))[:count]
        one, other = (
            _forest(features[half], stands[half], derive(seed, "forest", at))
            for half in (order[: count // 2], order[count // 2 :])
        )
        yield one, other


def _forest(features: Floats, stands: Floats, seed: int) -> Any:
    """Extremely randomised trees (Geurts et al. 2006)."""
    from sklearn.ensemble import ExtraTreesRegressor

    forest = ExtraTreesRegressor(_TREES, min_samples_leaf=2, random_state=seed % 2**32)
    return [each.tree_ for each in forest.fit(features.astype(np.float32), stands).estimators_]


def _said(trees: Sequence[Any], features: Floats) -> Floats:
    x = np.ascontiguousarray(features, np.float32)
    answers: Floats = np.mean([tree.predict(x).reshape(-1) for tree in trees], axis=0)
    return answers


def _variance(points: Points, forests: Forests) -> tuple[float, float]:
    """Of what both halves see, over the whole space; and how far they agree (a correlation)."""
    said = [(_said(one, points.features), _said(other, points.features)) for one, other in forests]
    shared = float(np.median([_covariance(a, b) for a, b in said]))
    own = float(np.median([math.sqrt(a.var() * b.var()) for a, b in said]))
    return max(shared, 1e-9), shared / max(own, 1e-9)


def _alone(
    space: Space, factors: Sequence[Factor], points: Points, forests: Forests, scale: float
) -> list[Importance]:
    """One look at all levels of all factors."""
    asked, blocks, at = list[_Asked](), list[Floats](), 0
    for factor in factors:
        rows, active = [], 0
        for level in factor.levels:
            moved, places = factor.moved(points, level, space)
            active = len(places)
            blocks.append(moved)
            rows.append(np.arange(at, at + active))
            at += active
        if active:
            weights = np.array([level.share for level in factor.levels])
            share = active / len(points.features)
            asked.append(_Asked(factor, weights / weights.sum(), tuple(rows), share))
    x = np.concatenate(blocks)
    answers = [(_said(one, x), _said(other, x)) for one, other in forests]
    return [_importance(each, answers, scale) for each in asked]


def _importance(
    asked: _Asked, answers: Sequence[tuple[Floats, Floats]], scale: float
) -> Importance:
    """From what each pair of forests says of each level at each point."""
    alone, total, means = [], [], []
    for one, other in answers:
        a, b = (np.array([said[rows] for rows in asked.rows]) for said in (one, other))
        alone.append(asked.share * _covariance(a.mean(axis=1), b.mean(axis=1), asked.weights))
        each = [_covariance(a[:, i], b[:, i], asked.weights) for i in range(a.shape[1])]
        total.append(asked.share * float(np.mean(each)))
        means += [a.mean(axis=1), b.mean(axis=1)]
    levels = []
    for i, level in enumerate(asked.factor.levels):
        stands = np.array([each[i] for each in means])
        low, high = np.quantile(stands, [0.05, 0.95])
        value = LevelEffect(level.label, level.value, float(stands.mean()), float(low), float(high))
        levels.append(value)
    return Importance(
        asked.factor.name,
        *_share(np.array(alone) / scale),
        *_share(np.array(total) / scale),
        active=asked.share,
        ordered=asked.factor.ordered,
        log=asked.factor.log,
        levels=tuple(levels),
    )


def _pairs(
    space: Space, factors: Sequence[Factor], points: Points, forests: Forests, scale: float
) -> list[Interaction]:
    """What pairs of factors explain beyond each of them."""
    pairs = itertools.combinations(factors, 2)
    found = (_pair(space, *each, points, forests, scale) for each in pairs)
    return [each for each in found if each is not None]


def _pair(
    space: Space, first: Factor, second: Factor, points: Points, forests: Forests, scale: float
) -> Interaction | None:
    active = points.active(first) & points.active(second)
    both = np.flatnonzero(active)[:_PAIRED_POINTS]
    if len(both) < _PAIRED_POINTS // 2 or _conditional(space, first, second, points.unit[both]):
        return None
    few = Points(points.unit[both], points.vectors[both], points.features[both])
    rows, columns = _few(first.levels), _few(second.levels)
    blocks = []
    for row in rows:
        unit = first.put(few.unit, row)
        written = first.written(few.features, row, space)
        for column in columns:
            if first.decides or second.decides:
                moved = second.put(unit, column)
                blocks.append(
                    [space.features(space.configuration(each)) for each in moved.tolist()]
                )
            else:
                blocks.append(second.written(written, column, space).tolist())
    x = np.array(blocks).reshape(-1, points.features.shape[1])
    shape = (len(rows), len(columns), len(both))
    shares, tables = [], []
    for one, other in forests:
        a, b = (_said(each, x).reshape(shape).mean(axis=2) for each in (one, other))
        left = [t - t.mean(0) - t.mean(1, keepdims=True) + t.mean() for t in (a, b)]
        shares.append(float(active.mean() * np.mean(left[0] * left[1])) / scale)
        tables += [a, b]
    middle, interval = _share(np.array(shares))
    return Interaction(
        first.name,
        second.name,
        middle,
        interval,
        tuple(each.label for each in rows),
        tuple(each.label for each in columns),
        tuple(map(tuple, np.mean(tables, axis=0).tolist())),
    )


def _conditional(space: Space, first: Factor, second: Factor, unit: Floats) -> bool:
    """Whether one of two factors decides if the other plays a part: no interaction, a condition."""
    for one, other in ((first, second), (second, first)):
        at = other.switch if other.switch >= 0 else other.at
        for level in one.levels if one.decides else ():
            moved = one.put(unit[:1], level)[0]
            if math.isnan(space.vector(space.configuration(moved.tolist()))[at]):
                return True
    return False


def _few(levels: Sequence[Level]) -> list[Level]:
    at = np.unique(np.linspace(0, len(levels) - 1, _PAIRED_LEVELS).round().astype(int))
    return [levels[i] for i in at]


def _covariance(a: Floats, b: Floats, weights: Floats | None = None) -> float:
    weights = np.full(len(a), 1.0 / len(a)) if weights is None else weights
    return float(weights @ ((a - weights @ a) * (b - weights @ b)))


def _share(found: Floats) -> tuple[float, tuple[float, float]]:
    low, high = np.quantile(found, [0.025, 0.975])
    return float(np.median(found)), (float(low), float(high))
