"""What a study teaches: which settings mattered, which way, and what each traded for what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from modelshelf.core.records import Direction
from modelshelf.core.seeds import sampled
from modelshelf.insight.course.finding import CourseRow
from modelshelf.insight.course.rows import course_rows
from modelshelf.insight.importance import Importance, Interaction, importances
from modelshelf.insight.studied import Studied

__all__ = ["Explanation", "explained"]

_MOST = 3000  # networks that are looked at, drawn at random
_MOST_BEST = 20  # and these, the best of all
_TOLD = 0.01  # the least share of an interaction that is told


@dataclass(frozen=True, slots=True)
class Explanation:
    """The record of `modelshelf explain`."""

    study: str
    metric: str
    direction: Direction
    networks: int  #: that have been compared with others
    looked_at: int  #: of these, how many this rests on
    importances: tuple[Importance, ...]  #: the most important first
    interactions: tuple[Interaction, ...]  #: the strongest first
    rows: tuple[CourseRow, ...]
    best: str  #: copy id of the network that stands first
    barcodes: Mapping[int, str] = field(hash=False)  #: of the networks that sentences rest on
    notes: tuple[str, ...] = ()


def explained(
    study: str, studied: Studied, seed: int = 0, notes: tuple[str, ...] = ()
) -> Explanation:
    """All that a search's networks say; the same networks and seed say the same."""
    whole = len(studied)
    best = studied.copies[int(np.argmin(studied.values))]
    if whole > _MOST:
        kept = sampled(whole, _MOST, seed, "looked at")
        standing = np.argsort(studied.values, kind="stable")[:_MOST_BEST]
        studied = studied.kept(np.union1d(kept, standing))
    features = np.array([studied.space.features(each) for each in studied.configurations])
    found, pairs = importances(studied.space, features, studied.values, seed)
    rows = course_rows(studied, found)
    named = {number for row in rows for each in row.findings for number in each.trials}
    barcodes = {
        int(number): each.barcode
        for number, each in zip(studied.numbers, studied.configurations, strict=True)
        if int(number) in named
    }
    return Explanation(
        study,
        studied.metric,
        studied.direction,
        whole,
        len(studied),
        found,
        tuple(each for each in pairs if each.sure and each.share >= _TOLD),
        rows,
        best,
        barcodes,
        notes,
    )
