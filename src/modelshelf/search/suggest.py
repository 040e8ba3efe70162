"""`suggest`: start this configuration, or resume that trial; a pure function of what is known."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from modelshelf.core.seeds import derive
from modelshelf.search.evidence import Evidence
from modelshelf.search.halving import promotable
from modelshelf.search.portfolio import portfolio
from modelshelf.space.configuration import Configuration
from modelshelf.space.space import Space

__all__ = ["Proposal", "Searcher", "suggest"]

_BLOCK = 256  # Sobol points are drawn in blocks of a power of two
_TRIES = 64  # points looked at before a space counts as used up


@dataclass(frozen=True, slots=True)
class Proposal:
    """Train `configuration` to its first rung; or, where it is None, resume `trial` from `rung`."""

    configuration: Configuration | None
    trial: int = -1
    rung: int = -1


class Searcher(Protocol):
    """What `suggest` is: the next proposal, or None where there is nothing left to propose."""

    def __call__(
        self, space: Space, evidence: Evidence, seed: int, *, rungs: int, limit: int | None
    ) -> Proposal | None:
        """`rungs` is how many there are, `limit` the most trials that may be started."""


def suggest(
    space: Space, evidence: Evidence, seed: int, *, rungs: int, limit: int | None = None
) -> Proposal | None:
    """A promotion if one is due, else the next known configuration, else the next Sobol point.

    The same space, evidence and seed give the same proposal.
    """
    due = promotable(evidence, rungs)
    if due is not None:
        return Proposal(None, *due)
    if limit is not None and evidence.started >= limit:
        return None
    fresh = _fresh(space, evidence, seed)
    return None if fresh is None else Proposal(fresh)


def _fresh(space: Space, evidence: Evidence, seed: int) -> Configuration | None:
    """A configuration that was not started yet. What is on the shelf is not trained again."""
    known = portfolio(space)
    if evidence.started < len(known) + _TRIES:
        for configuration in known:
            if configuration not in evidence:
                return configuration
    at = max(evidence.started - len(known), 0)
    for index in range(at, at + _TRIES):
        configuration = space.configuration(_sobol(space.dimensions, seed, index))
        if configuration not in evidence:
            return configuration
    return None


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
