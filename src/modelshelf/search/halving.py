"""Asynchronous successive halving (ASHA): only the best of a rung are trained further.

Source: Li et al. 2020, arXiv 1810.05934. Paused trials are resumed, not trained again.
"""

from __future__ import annotations

from modelshelf.search.evidence import Evidence

__all__ = ["promotable", "rungs_for"]


def rungs_for(first: int, last: int, eta: int = 3) -> tuple[int, ...]:
    """The epochs at which trials are compared, from `first`, each `eta` times the one before.

    >>> rungs_for(1, 100)
    (1, 3, 9, 27, 100)
    >>> rungs_for(10, 20)
    (20,)
    """
    rungs, at = [], max(first, 1)
    while at * eta <= last:
        rungs.append(at)
        at *= eta
    return (*rungs, last)


def promotable(evidence: Evidence, rungs: int, eta: int = 3) -> tuple[int, int] | None:
    """(trial, rung) of a trial that may go on from this rung; the highest rung comes first.

    A trial may go on if it is among the best 1/eta of all results at its rung.
    """
    for rung in range(min(evidence.rungs, rungs - 1) - 1, -1, -1):
        best = evidence.next_waiting(rung)
        if best is not None and best[1] < len(evidence.ranked(rung)) // eta:
            return best[0], rung
    return None
