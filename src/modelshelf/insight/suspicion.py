"""What rows alone tell: a column that decides all, and labels that may be wrong.

A random forest is the measure: it needs no tuning, and its out-of-bag answers are those of trees
that have not seen the row.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Forest", "Labels", "Lone", "error_of", "forest_on", "labels_seen", "lone_column"]

_TREES = 100
_ASKED = 8  # columns that are tried alone: those that the forest leans on most
_LEAVES = 128  # of the tree that one column is given, each of three rows or more
_SHARE = 0.5  # of rows, those of which the forest is surest


@dataclass(frozen=True, slots=True, eq=False)
class Forest:
    """A random forest on prepared training rows, and how it does.

    Errors are shares of what the best constant answer gets wrong: 0 is perfect, 1 is no better
    than to know nothing. For classes they count rows; for numbers they are squared errors.
    """

    error: float  #: on validation rows, and out of bag on training rows
    importance: NDArray[np.float64]  #: of each input, (inputs,)
    #: Out-of-bag answers (rows, outputs) of training rows, NaN where there are none.
    answers: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Lone:
    """The column that tells most by itself."""

    name: str
    error: float  #: of trees on it alone, on rows that they have not seen
    second: float  #: of the column that tells most after it, in the same way
    without: float  #: of a forest on all others, on rows that its trees have not seen


@dataclass(frozen=True, slots=True)
class Labels:
    """How the labels fit what other rows say of them."""

    rows: int
    surest: (
        float  #: of the half of rows of which the forest is surest, the share labelled otherwise
    )
    doubted: float  #: of all rows, the share that confident learning holds for mislabelled

    @property
    def at_least(self) -> float:
        """The lower end of the one-sided 95 % interval of `surest` (Wilson 1927)."""
        count, z = _SHARE * self.rows, 1.644854
        middle = self.surest + z * z / (2 * count)
        spread = self.surest * (1 - self.surest) / count + z * z / (4 * count * count)
        return (middle - z * math.sqrt(spread)) / (1 + z * z / count)


def error_of(target: NDArray[Any], answer: NDArray[Any], classes: bool) -> float:
    """Error as a share of the best constant's. `target` (rows, outputs), one-hot or a number."""
    if classes:
        label = target.argmax(axis=1)
        constant = 1.0 - target.mean(axis=0).max()
        return float((answer.argmax(axis=1) != label).mean() / max(constant, 1e-12))
    wrong = ((answer.reshape(-1) - target[:, 0]) ** 2).mean()
    return float(wrong / max(target[:, 0].var(), 1e-12))


def forest_on(
    x: NDArray[np.float32],
    y: NDArray[np.float32],
    validation: tuple[NDArray[np.float32], NDArray[np.float32]],
    classes: bool,
    seed: int,
) -> Forest:
    """Fit on `x` (rows, inputs) and `y` (rows, outputs); judge on the validation pair."""
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

    kind = RandomForestClassifier if classes else RandomForestRegressor
    more = {} if classes else {"max_features": 1 / 3, "min_samples_leaf": 3}
    forest = kind(_TREES, oob_score=False, random_state=seed, **more)
    forest.fit(x, y.argmax(axis=1) if classes else y[:, 0])
    there = _answer(forest, validation[0], y.shape[1], classes)
    seen = _out_of_bag(forest, x, y.shape[1], classes)
    known = np.isfinite(seen).all(axis=1)
    target = np.concatenate([y[known], validation[1]])
    error = error_of(target, np.concatenate([seen[known], there]), classes)
    return Forest(error, np.asarray(forest.feature_importances_), seen)


def _answer(model: Any, x: NDArray[np.float32], outputs: int, classes: bool) -> NDArray[np.float64]:
    """Probabilities (rows, classes) of all classes, or numbers (rows, 1)."""
    found = np.zeros((len(x), outputs))
    if classes:
        found[:, model.classes_.astype(int)] = model.predict_proba(x)
    else:
        found[:, 0] = model.predict(x)
    return found


def _out_of_bag(
    forest: Any, x: NDArray[np.float32], outputs: int, classes: bool
) -> NDArray[np.float64]:
    """Each row's mean answer by the trees that have not seen it; NaN where all have."""
    found, count = np.zeros((len(x), outputs)), np.zeros((len(x), 1))
    columns = forest.classes_ if classes else np.zeros(1, int)
    for tree, seen in zip(forest.estimators_, forest.estimators_samples_, strict=True):
        out = np.ones(len(x), bool)
        out[seen] = False
        found[np.ix_(out, columns)] += _answer(tree, x[out], len(columns), classes)
        count[out] += 1
    with np.errstate(invalid="ignore"):
        return np.asarray(found / np.where(count == 0, np.nan, count))


def lone_column(
    x: NDArray[np.float32],
    y: NDArray[np.float32],
    validation: tuple[NDArray[np.float32], NDArray[np.float32]],
    names: Sequence[str],
    forest: Forest,
    classes: bool,
    seed: int,
) -> Lone | None:
    """The column of the table that decides most by itself, and what all others tell without it.

    `names` holds the table's column of each input. None where there is one column alone.
    """
    owners = np.array(names)
    weight = {name: float(forest.importance[owners == name].sum()) for name in dict.fromkeys(names)}
    if len(weight) < 2:
        return None
    every = np.concatenate([x, validation[0]]), np.concatenate([y, validation[1]])
    tried = sorted(weight, key=lambda each: -weight[each])[:_ASKED]
    errors = {name: _alone(every[0][:, owners == name], every[1], classes, seed) for name in tried}
    best, second = sorted(errors, key=lambda each: errors[each])[:2]
    rest = owners != best
    others = forest_on(x[:, rest], y, (validation[0][:, rest], validation[1]), classes, seed)
    return Lone(best, errors[best], errors[second], others.error)


def _alone(x: NDArray[np.float32], y: NDArray[np.float32], classes: bool, seed: int) -> float:
    """The error of a small tree on these inputs, by five folds."""
    from sklearn.model_selection import KFold
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

    kind = DecisionTreeClassifier if classes else DecisionTreeRegressor
    target = y.argmax(axis=1) if classes else y[:, 0]
    found = np.zeros((len(x), y.shape[1]))
    for train, held in KFold(5, shuffle=True, random_state=seed).split(x):
        tree = kind(max_leaf_nodes=_LEAVES, min_samples_leaf=3, random_state=seed)
        tree.fit(x[train], target[train])
        found[held] = _answer(tree, x[held], y.shape[1], classes)
    return error_of(y, found, classes)


def labels_seen(y: NDArray[np.float32], forest: Forest) -> Labels | None:
    """How labels fit the forest's out-of-bag answers; None where too few rows have any.

    `doubted` is Northcutt et al. 2021: a row counts for another class where its probability is at
    least the mean of those that bear that label.
    """
    there = np.isfinite(forest.answers).all(axis=1)
    chances, label = forest.answers[there], y[there].argmax(axis=1)
    if len(label) < 50:
        return None
    surest = np.argsort(-chances.max(axis=1), kind="stable")[: int(_SHARE * len(label))]
    wrong = float((chances[surest].argmax(axis=1) != label[surest]).mean())
    usual = np.array([
        chances[label == k, k].mean() if (label == k).any() else np.inf
        for k in range(chances.shape[1])
    ])  # fmt: skip
    held = np.where(chances >= usual, chances, -1.0)
    other = held.argmax(axis=1)
    doubted = float(((held.max(axis=1) >= 0.0) & (other != label)).mean())
    return Labels(int(there.sum()), wrong, doubted)
