"""Greedy selection of networks whose mean answers best, with a guard against over-selection.

With replacement, from the best few on (Caruana, Niculescu-Mizil, Crew and Ksikes 2004, *Ensemble
Selection from Libraries of Models*). On log loss or squared error, whatever the metric: they are
smoother. What a network contributes to either on a row is one number, the probability that it gave
the true class, or its error; so the number of classes costs nothing.

The guard: rows are cut in halves, several times. Each half chooses, the other half judges. Their
judgement says how many steps are worth making, and is the score that is told; the ensemble is the
mean of what the halves chose.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from modelshelf.core.records import Direction
from modelshelf.data.metrics import Metric, score
from modelshelf.data.split import dealt

__all__ = ["STEPS", "Predictions", "Selection", "select"]

Floats = NDArray[np.floating[Any]]
Picks = NDArray[np.int64]  #: networks in the order in which they were taken up, (steps,)

STEPS = 25  #: the most picks, a network taken up twice counting twice
CUTS = 5  #: how often the rows are cut in halves
FIRST = 3  #: the best so many are taken up before the greedy begins
_LEAST = 1e-7  # a probability below this is taken for this: one row must not decide
_LEAST_SHARE = 0.01  # a network with less is not worth its time
_TRIED = 8  # numbers of steps whose metric is looked at


@dataclass(frozen=True, slots=True, eq=False)
class Predictions:
    """What networks answer on the same rows, none of which any of them was trained on.

    Of a search: its networks on its validation rows. Of folds: each configuration on all rows, a
    row answered by the network whose training did not see it.
    """

    outputs: Floats  #: probabilities (networks, rows, classes), or values (networks, rows)
    target: NDArray[Any]  #: class codes, or values in the same unit (rows,)

    @property
    def classes(self) -> bool:
        """Whether the answers are of classes."""
        return self.outputs.ndim == 3

    @property
    def to_the_point(self) -> Floats:
        """(networks, rows): the probability of the true class, or the error."""
        if self.classes:
            true = self.outputs[:, np.arange(len(self.target)), self.target]
            return np.asarray(np.maximum(true, _LEAST), np.float32)
        return np.asarray(self.outputs - self.target)

    def mean(self, weights: Floats, rows: NDArray[np.bool_] | None = None) -> NDArray[np.float64]:
        """The weighted mean of all answers, or of those on the rows that are marked."""
        used = np.flatnonzero(weights)
        part = self.outputs[used] if rows is None else self.outputs[used][:, rows]
        return np.tensordot(weights[used], part.astype(np.float64), axes=1)


@dataclass(frozen=True, slots=True, eq=False)
class Selection:
    """A choice among networks. Scores come from rows that did not choose."""

    weights: NDArray[np.float64]  #: (networks,), most of them 0; their sum is 1
    validation: float  #: the metric of the ensemble
    single: float  #: the metric of the best network alone, found and judged in the same way
    loss: float  #: log loss or squared error of the ensemble
    single_loss: float

    @property
    def size(self) -> int:
        """How many distinct networks answer."""
        return int(np.count_nonzero(self.weights))


def select(candidates: Predictions, metric: Metric, seed: int) -> Selection:
    """The ensemble whose mean should answer new rows best.

    Neither its loss nor its metric is worse than those of the best network alone, all four judged
    by rows that did not choose. Where no further step is worth it, it is the mean of the networks
    that the halves found best: of one, where they agree. Deterministic: `seed` cuts the halves.

    >>> from modelshelf.data.metrics import METRICS
    >>> target = np.arange(40.0)
    >>> wave = np.where(np.arange(40) % 4 < 2, 1.0, -1.0)
    >>> both = Predictions(np.stack([target + wave, target - wave]), target)
    >>> select(both, METRICS["rmse"], 0).weights
    array([0.5, 0.5])
    """
    networks, rows = candidates.outputs.shape[:2]
    given = candidates.to_the_point
    if networks == 1 or rows < 4:
        return _alone(candidates, given, metric)
    cuts = [dealt(candidates.target, 2, seed, "halves", cut) == 1 for cut in range(CUTS)]
    halves = [half for cut in cuts for half in (cut, ~cut)]
    chosen = [_greedy(given[:, half], candidates.classes) for half in halves]
    judged = np.array(
        [_course(given[:, ~half], picks, candidates.classes)
         for half, picks in zip(halves, chosen, strict=True)]
    )  # fmt: skip
    losses = judged.mean(axis=0)
    steps, validation, single = _steps(candidates, metric, halves, chosen, losses)
    return Selection(
        weights=_weights(chosen, steps, networks),
        validation=validation,
        single=single,
        loss=float(losses[steps - 1]),
        single_loss=float(losses[0]),
    )


def _losses(totals: Floats, count: Floats | float, classes: bool) -> Floats:
    """Mean loss over the last axis of means of answers: of `totals` of so many of them."""
    if classes:
        return np.asarray(-np.log(totals / count).mean(axis=-1))
    return np.asarray(((totals / count) ** 2).mean(axis=-1))


def _greedy(given: Floats, classes: bool) -> Picks:
    """The best few, then whichever network helps their mean most, again and again."""
    picks = list(np.argsort(_losses(given, 1, classes), kind="stable")[:FIRST])
    total = given[picks].sum(axis=0)
    while len(picks) < STEPS:
        best = int(np.argmin(_losses(given + total, len(picks) + 1, classes)))
        picks.append(best)
        total = total + given[best]
    return np.array(picks, dtype=np.int64)


def _course(given: Floats, picks: Picks, classes: bool) -> Floats:
    """The loss on other rows after each pick, (steps,)."""
    counts = np.arange(1.0, len(picks) + 1)[:, None]
    return _losses(given[picks].cumsum(axis=0), counts, classes)


def _weights(chosen: Sequence[Picks], steps: int, networks: int) -> NDArray[np.float64]:
    """The mean of what each half chose in so many steps, without what is hardly in it."""
    taken = np.concatenate([picks[:steps] for picks in chosen])
    weights = np.bincount(taken, minlength=networks) / len(taken)
    weights[weights < min(_LEAST_SHARE, weights.max())] = 0.0
    return np.asarray(weights / weights.sum())


def _steps(
    candidates: Predictions,
    metric: Metric,
    halves: Sequence[NDArray[np.bool_]],
    chosen: Sequence[Picks],
    losses: Floats,
) -> tuple[int, float, float]:
    """How many steps lose least, the metric being no worse than after one; both metrics."""

    def judged(steps: int) -> float:
        found = []
        for cut in range(0, len(halves), 2):
            output = np.empty(candidates.outputs.shape[1:])
            for half, picks in zip(halves[cut : cut + 2], chosen[cut : cut + 2], strict=True):
                weights = _weights([picks], steps, len(candidates.outputs))
                output[~half] = candidates.mean(weights, ~half)
            found.append(score(metric, candidates.target, output))
        return float(np.mean(found))

    single = judged(1)
    sign = 1.0 if metric.direction is Direction.MAXIMIZE else -1.0
    for steps in (np.argsort(losses, kind="stable")[:_TRIED] + 1).tolist():
        if steps == 1 or losses[steps - 1] >= losses[0]:
            break
        validation = judged(steps)
        if not sign * validation < sign * single:
            return steps, validation, single
    return 1, single, single


def _alone(candidates: Predictions, given: Floats, metric: Metric) -> Selection:
    """The best network, where there is nothing to choose from or nothing to judge by."""
    weights = np.zeros(len(given))
    weights[np.argmin(_losses(given, 1, candidates.classes))] = 1.0
    found = score(metric, candidates.target, candidates.mean(weights))
    loss = float(_losses(given, 1, candidates.classes).min())
    return Selection(weights, found, found, loss, loss)
