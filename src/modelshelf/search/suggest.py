"""`suggest`: start this configuration, or resume that trial; a pure function of what is known."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from modelshelf.core.seeds import derive
from modelshelf.search.evidence import Evidence
from modelshelf.search.halving import promotable
from modelshelf.search.model import Model, fit

__all__ = ["Proposal", "SearchSpace", "Searcher", "suggest"]

_BLOCK = 256  # Sobol points are drawn in blocks of a power of two
_TRIES = 64  # points looked at before a space counts as used up

_LEAST = 12  # results before a model is asked
_GROWTH = 1.15  # it is fitted again when there are this many times as many results
_BATCH = 16  # proposals from one look at the candidates
_ANYWHERE, _NEAR = 96, 6  # candidates: points anywhere, and near each of the best trials
_BLIND = 4  # every so many-th proposal asks no model, whatever it thinks
_CARE = 0.15  # how much more a network must promise that costs e times as much


@dataclass(frozen=True, slots=True)
class Proposal:
    """Train `configuration` to its first rung; or, where it is None, resume `trial` from `rung`."""

    configuration: Any | None
    trial: int = -1
    rung: int = -1


class SearchSpace(Protocol):
    """What a searcher sees of a space: configurations as points of the unit cube."""

    @property
    def dimensions(self) -> int:
        """Of the cube."""

    @property
    def known(self) -> Sequence[Any]:
        """Configurations that are known to do well: they go first."""

    def configuration(self, unit: Sequence[float]) -> Any:
        """The configuration at a point; NaN stands where a coordinate plays no part."""

    def vector(self, configuration: Any) -> tuple[float, ...]:
        """Where a configuration lies; NaN where a coordinate plays no part."""

    def features(self, configuration: Any) -> tuple[float, ...]:
        """What a model sees of a configuration, in numbers: as many for each."""


class Searcher(Protocol):
    """What `suggest` is: the next proposal, or None where there is nothing left to propose."""

    def __call__(
        self, space: Any, evidence: Evidence, seed: int, *, rungs: int, limit: int | None
    ) -> Proposal | None:
        """`rungs` is how many there are, `limit` the most trials that may be started."""


def suggest(
    space: SearchSpace, evidence: Evidence, seed: int, *, rungs: int, limit: int | None = None
) -> Proposal | None:
    """A promotion if one is due, else what is known to do well, else what the model thinks best.

    The same space, evidence and seed give the same proposal.
    """
    due = promotable(evidence, rungs)
    if due is not None:
        return Proposal(None, *due)
    if limit is not None and evidence.started >= limit:
        return None
    known = space.known
    if evidence.started < len(known) + _TRIES:
        for configuration in known:
            if configuration not in evidence:
                return Proposal(configuration)
    at = max(evidence.started - len(known), 0)
    fresh = None
    if at % _BLIND and len(evidence.results) >= _LEAST:
        fresh = _modelled(space, evidence, seed)
    if fresh is None:
        fresh = _blind(space, evidence, seed, at)
    return None if fresh is None else Proposal(fresh)


def _blind(space: SearchSpace, evidence: Evidence, seed: int, at: int) -> Any | None:
    """The next Sobol point that was not started yet. What is known is not trained again.

    Once a model is asked, blind proposals have a sequence of their own, one point after the other:
    every fourth point of a Sobol sequence lies in one half of some of its dimensions.
    """
    modelled = len(evidence.results) >= _LEAST
    key, first = (derive(seed, "later"), at // _BLIND) if modelled else (seed, at)
    for index in range(first, first + _TRIES):
        configuration = space.configuration(_sobol(space.dimensions, key, index))
        if configuration not in evidence:
            return configuration
    return None


def _modelled(space: SearchSpace, evidence: Evidence, seed: int) -> Any | None:
    """The next of a batch of proposals, all from one model.

    Model and batch are functions of the first so many results, so that nothing hangs on when, or
    in which process, they were made.
    """
    count = _LEAST
    while math.ceil(count * _GROWTH) <= len(evidence.results):
        count = math.ceil(count * _GROWTH)
    if evidence.memo.get("count") != count:
        evidence.memo = {"count": count, "batch": 0, **_learned(space, evidence, count, seed)}
    memo = evidence.memo
    # A search that was cut off walks through the batches of before again, and comes to the same.
    while memo["batch"] < _TRIES + evidence.started:
        if "proposals" not in memo:
            memo["proposals"] = _batch(space, memo, count, seed)
        if not memo["proposals"]:
            return None
        for configuration in memo["proposals"]:
            if configuration not in evidence:
                fresh: Any = configuration
                return fresh
        del memo["proposals"]
        memo["batch"] += 1
    return None


def _learned(space: SearchSpace, evidence: Evidence, count: int, seed: int) -> dict[str, Any]:
    """What the first so many results say: the model, where the best lie, and what was tried."""
    results, started = evidence.results[:count], evidence.configurations

    def seen(trial: int) -> tuple[float, ...]:
        return space.features(started[trial])

    model = fit(results, seen, derive(seed, "model", count))
    best = [_filled(space.vector(started[trial])) for trial in model.best]
    # What has no result yet is passed over later: which these are is no matter of these results.
    tried = {started[each.trial].barcode for each in results}
    return {"model": model, "best": best, "tried": tried}


def _batch(space: SearchSpace, memo: dict[str, Any], count: int, seed: int) -> list[Any]:
    """The proposals of one batch: the best of some candidates, each by trees of its own."""
    model: Model = memo["model"]
    rng = np.random.default_rng(derive(seed, "batch", count, memo["batch"]))
    points = _candidates(memo["best"], space.dimensions, rng)
    found = dict.fromkeys(map(space.configuration, points))
    fresh = [each for each in found if each.barcode not in memo["tried"]]
    if not fresh:
        return []
    seen = np.array([space.features(each) for each in fresh])
    return [fresh[i] for i in model.judge(seen, _CARE, rng, _BATCH)]


def _candidates(
    best: Sequence[tuple[float, ...]], dimensions: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Points anywhere in the cube, and points near the best trials': (candidates, dimensions)."""
    points = [rng.random((_ANYWHERE, dimensions))]
    for each in best:
        near = np.tile(each, (_NEAR, 1))
        change = rng.random(near.shape) < max(1.0 / dimensions, 0.2)
        change[np.arange(_NEAR), rng.integers(0, dimensions, _NEAR)] = True
        anywhere, step = rng.random(near.shape), rng.normal(0.0, 0.1, near.shape)
        moved = np.where(rng.random(near.shape) < 0.5, anywhere, near + step)
        points.append(np.where(change, np.clip(moved, 0.0, 1.0 - 1e-9), near))
    return np.concatenate(points)


def _filled(vector: Sequence[float]) -> tuple[float, ...]:
    """A coordinate that plays no part lies in the middle."""
    return tuple(0.5 if math.isnan(each) else each for each in vector)


def _sobol(dimensions: int, seed: int, index: int) -> tuple[float, ...]:
    """Point `index` of the scrambled Sobol sequence of this seed (Owen scrambling)."""
    if dimensions == 0:
        return ()
    block = _sobol_block(dimensions, derive(seed, "sobol"), index // _BLOCK)
    return tuple(block[index % _BLOCK].tolist())


@lru_cache(maxsize=8)
def _sobol_block(dimensions: int, seed: int, block: int) -> NDArray[np.float64]:
    from scipy.stats import qmc  # slow to import, and not needed for the first networks

    sampler = qmc.Sobol(dimensions, scramble=True, rng=np.random.default_rng(seed))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        if block:
            sampler.fast_forward(block * _BLOCK)
        points: NDArray[np.float64] = sampler.random(_BLOCK)
    return points
