"""What evidence says of configurations that were not tried: a forest over their features.

Values at different rungs are brought to the highest one by what trials that went on gained there,
and then replaced by the logarithm of their rank: the forest tells the best tenth from the best
hundredth, whatever the loss's scale, and no diverged network bends it. What was trained longer
counts for more.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from modelshelf.search.evidence import Result

__all__ = ["Model", "fit", "lifted"]

Floats = NDArray[np.float64]

_MOST = 400  # trials that a forest learns from: its cost is the same however many there are
_TREES = 16
_PART = 4  # trees that judge one proposal: each proposal asks others, so that a batch differs
_WEIGHT = 1.7  # of a result, against one a rung below
_FEW = 4  # pairs under which a rung's gain is one number, and not a line


def lifted(results: Sequence[Result]) -> dict[int, float]:
    """Each trial's value, brought to the highest rung that has any.

    >>> lifted([Result(0, 0, 3.0), Result(1, 0, 2.0), Result(1, 1, 1.5)])
    {0: 2.5, 1: 1.5}
    """
    rungs: dict[int, dict[int, float]] = {}
    last: dict[int, Result] = {}
    for each in results:
        rungs.setdefault(each.rung, {})[each.trial] = each.value
        if each.trial not in last or each.rung >= last[each.trial].rung:
            last[each.trial] = each
    lines = {rung: _line(rungs[rung], rungs.get(rung + 1, {})) for rung in rungs}
    top = max(rungs, default=0)
    found = {}
    for trial, each in last.items():
        value = each.value
        for rung in range(each.rung, top):
            slope, shift = lines.get(rung, (1.0, 0.0))
            value = slope * value + shift
        found[trial] = value
    return found


def _line(lower: Mapping[int, float], upper: Mapping[int, float]) -> tuple[float, float]:
    """Slope and shift from a rung's values to the next one's, by the trials that reached both."""
    pairs = [(lower[trial], upper[trial]) for trial in upper if trial in lower]
    x, y = np.array([each for each in pairs if np.isfinite(each).all()]).reshape(-1, 2).T
    if not len(x):
        return 1.0, 0.0
    slope, spread = 1.0, float(np.var(x))
    if len(x) >= _FEW and spread > 0:
        slope = float(np.clip(np.mean((x - x.mean()) * (y - y.mean())) / spread, 0.1, 1.0))
    return slope, float(np.median(y - slope * x))


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """A forest for the logarithm of rank, and one for that of cost."""

    trees: tuple[Any, ...]
    cost_trees: tuple[Any, ...]
    best: tuple[int, ...]  #: the best trials, best first

    def judge(self, seen: Floats, care: float, rng: np.random.Generator, count: int) -> list[int]:
        """Places in `seen` (rows, features) of `count` proposals, each by trees of its own.

        `care` is how much a network that costs e times as much must promise, in logarithms of rank.
        """
        x = np.ascontiguousarray(seen, np.float32)
        said = np.array([tree.predict(x).reshape(-1) for tree in self.trees])
        if self.cost_trees:
            said += care * np.mean([t.predict(x).reshape(-1) for t in self.cost_trees], axis=0)
        taken: list[int] = []
        free = np.ones(len(x), bool)
        for _ in range(min(count, len(x))):
            asked = rng.choice(len(said), _PART, replace=False)
            each = said[asked].mean(axis=0)
            each[~free] = np.inf
            taken.append(int(each.argmin()))
            free[taken[-1]] = False
        return taken


def fit(results: Sequence[Result], seen: Callable[[int], Sequence[float]], seed: int) -> Model:
    """A model of these results; `seen` are the features of a trial."""
    values = lifted(results)
    order = sorted(values, key=lambda trial: (values[trial], trial))
    rng = np.random.default_rng(seed)
    ranks = np.log((np.arange(len(order)) + 1.0) / (len(order) + 1.0))
    worst = next((i for i, t in enumerate(order) if not math.isfinite(values[t])), len(order))
    ranks[worst:] = 0.0
    kept = np.arange(len(order))
    if len(order) > _MOST:
        rest = rng.choice(np.arange(_MOST // 2, len(order)), _MOST - _MOST // 2, replace=False)
        kept = np.concatenate([np.arange(_MOST // 2), np.sort(rest)])
    x = np.array([seen(order[i]) for i in kept], np.float32)
    latest = {each.trial: each for each in results}
    learned = [latest[order[i]] for i in kept]
    costs = np.array([each.cost for each in learned])
    weights = _WEIGHT ** np.array([float(each.rung) for each in learned])
    trees = _forest(x, ranks[kept], weights, _TREES, seed)
    cost_trees = _forest(x, np.log(costs), None, 8, seed) if (costs > 0).all() else ()
    return Model(trees, cost_trees, tuple(order[:10]))


def _forest(
    x: NDArray[np.float32], y: Floats, weights: Floats | None, count: int, seed: int
) -> tuple[Any, ...]:
    """Extremely randomised trees (Geurts et al. 2006)."""
    from sklearn.ensemble import ExtraTreesRegressor  # slow to import, not needed at first

    forest = ExtraTreesRegressor(
        count, min_samples_leaf=2, max_features=0.7, bootstrap=True, random_state=seed % 2**32
    )
    forest.fit(x, y, sample_weight=weights)
    return tuple(each.tree_ for each in forest.estimators_)
