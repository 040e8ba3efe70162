"""What a study says of one of the course's rows, and how sure that is."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from modelshelf.insight.studied import Studied

__all__ = [
    "CHANCE",
    "CourseRow",
    "Finding",
    "Verdict",
    "best_cut",
    "figure",
    "finding",
    "trend",
    "words",
]


Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

#: A claim is made where chance alone would make it this often.
CHANCE = 0.001

_CUTS = 9  # places where a number is cut in two
_LEAST = 6  # networks on either side of a cut


class Verdict(StrEnum):
    """What a study says of what the course says."""

    SEEN = "seen here"
    OTHERWISE = "otherwise here"
    MIXED = "both for and against"
    THIN = "too little evidence"


@dataclass(frozen=True, slots=True)
class Finding:
    """A sentence about a study, and what it rests on."""

    says: str
    trials: tuple[int, ...]  #: numbers of the networks that it rests on
    chance: float = math.nan  #: how often chance alone would give this; NaN: it is a plain count
    supports: bool | None = None  #: whether it is as the course says; None: neither

    @property
    def is_claim(self) -> bool:
        """Whether it ties a setting to what became of networks."""
        return not math.isnan(self.chance)


@dataclass(frozen=True, slots=True)
class CourseRow:
    """One of the course's rows."""

    name: str
    course: str  #: what the course says
    findings: tuple[Finding, ...]
    probe: str = ""  #: what a probe would vary to settle it

    @property
    def verdict(self) -> Verdict:
        """From its findings."""
        said = {each.supports for each in self.findings} - {None}
        if said == {True, False}:
            return Verdict.MIXED
        if not said:
            return Verdict.THIN
        return Verdict.SEEN if True in said else Verdict.OTHERWISE


def finding(
    studied: Studied,
    rows: Bools | NDArray[np.int64],
    says: str,
    *,
    chance: float = math.nan,
    supports: bool | None = None,
) -> Finding:
    """A finding that rests on these rows of a study."""
    return Finding(says, tuple(studied.numbers[rows].tolist()), float(chance), supports)


def best_cut(
    x: Floats, chance_of: Callable[[Bools], float], least: int = _LEAST
) -> tuple[float, float]:
    """Where to cut a number in two so that both sides differ most: (cut, chance).

    `chance_of` gives the chance that `x >= cut` is as different as it is; the least of all cuts is
    multiplied by their number (Bonferroni). (NaN, 1.0) where there is nothing to cut.
    """
    known = x[~np.isnan(x)]
    cuts = np.unique(np.quantile(known, np.linspace(0.1, 0.9, _CUTS))) if len(known) else known
    found = []
    for cut in cuts:
        above = x >= cut
        if min(int(above.sum()), int((x < cut).sum())) >= least:
            found.append((chance_of(above), float(cut)))
    if not found:
        return math.nan, 1.0
    chance, cut = min(found)
    return cut, min(chance * len(found), 1.0)


def trend(x: Floats, y: Floats, least: int = 24) -> tuple[float, float, Bools]:
    """Spearman's rank correlation, its chance, and the rows where both are known.

    (0.0, 1.0, …) where fewer than `least` are, or where one of them is always the same.
    """
    from scipy.stats import spearmanr

    known = np.isfinite(x) & np.isfinite(y)
    if known.sum() < least or np.ptp(x[known]) == 0.0 or np.ptp(y[known]) == 0.0:
        return 0.0, 1.0, known
    found = spearmanr(x[known], y[known])
    return float(found.statistic), float(found.pvalue), known


def words(name: str) -> str:
    """A hyperparameter's name in a sentence.

    >>> words("learning_rate"), words("l2")
    ('learning rate', 'L2')
    """
    return name.upper() if name in ("l1", "l2") else name.replace("_", " ")


def figure(value: float) -> str:
    """A number as a person would write it: two or three digits.

    >>> figure(0.00213456), figure(128.0), figure(15234.0), figure(0.5)
    ('0.0021', '128', '15,234', '0.5')
    """
    if not math.isfinite(value):
        return "–"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.2g}" if abs(value) < 10 else f"{value:.3g}"
