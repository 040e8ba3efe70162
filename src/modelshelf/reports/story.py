"""What a report tells: everything that the shelf holds of a study, gathered once."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path

from modelshelf.core.errors import BarcodeError, ShelfError
from modelshelf.core.records import CurvePoint, Purpose, TrialRecord
from modelshelf.core.version import __version__
from modelshelf.insight.explanation import Explanation
from modelshelf.shelf import Shelf, StudyRecord
from modelshelf.shelf.best import best_copy
from modelshelf.space.again import space_from_json
from modelshelf.space.barcode import svg
from modelshelf.space.configuration import Configuration
from modelshelf.space.words import in_words
from modelshelf.study.result import StudyResult
from modelshelf.study.rows import with_networks
from modelshelf.study.words import explained
from modelshelf.understanding.explain import explain

__all__ = ["Story", "story_of"]

_BEST = 10  # networks listed


@dataclass(frozen=True, slots=True, eq=False)
class Story:
    """One study, as a report tells it."""

    study: StudyRecord
    result: StudyResult | None  #: None where it has not finished
    explanation: Explanation | None  #: None where there is too little to explain
    winner: TrialRecord | None  #: the winner's own network; the best of the search before
    learned: TrialRecord | None  #: a network of the winner's settings that rows validated
    curve: tuple[CurvePoint, ...]  #: that one's
    trials: tuple[TrialRecord, ...]  #: of the search, the best score first
    version: str = __version__

    @property
    def unfinished(self) -> str:
        """Why there is no winner, where there is none."""
        if self.result is not None:
            return ""
        if "space" not in self.study.settings:
            return "No search was made: these networks were trained by name, and this is the best."
        return "The study has not finished: this is the best network so far."

    @property
    def best(self) -> tuple[TrialRecord, ...]:
        """The first few networks of the search."""
        return self.trials[:_BEST]

    @property
    def configuration(self) -> Configuration | None:
        """The winner's."""
        return Configuration.from_json(self.winner.configuration) if self.winner else None

    @property
    def words(self) -> str:
        """The winner in a sentence."""
        return in_words(self.winner.configuration) if self.winner else ""

    @property
    def drawn(self) -> str:
        """The winner's barcode as SVG: of our own making, and so safe in a page."""
        return svg(self.configuration) if self.configuration else ""

    @property
    def settings(self) -> str:
        """The winner's settings as JSON."""
        return json.dumps(self.winner.configuration, indent=2) if self.winner else ""

    @property
    def sentences(self) -> tuple[tuple[str, bool], ...]:
        """On where scores come from, each with whether it is a caution."""
        return tuple(explained(self.result)) if self.result else ()

    @property
    def searched(self) -> dict[str, str]:
        """The space in words, by hyperparameter."""
        if "space" not in self.study.settings:
            return {}
        return dict(space_from_json(self.study.settings["space"]).words())

    @property
    def counts(self) -> dict[str, int]:
        """How many networks of the search stand where; those that do not occur are left out."""
        found: dict[str, int] = {}
        for each in self.trials:
            found[each.status.value] = found.get(each.status.value, 0) + 1
        return found


def story_of(study: str, shelf: str | Path | None = None) -> Story:
    """The story of a study: its name, or how it begins.

    Raises `ShelfError` where there is none, and where it is of an objective function.
    """
    with Shelf.open(shelf) as opened:
        record = with_networks(opened.study(study))
        trials = tuple(
            each
            for each in opened.trials(record.name)
            if each.purpose in (Purpose.SEARCH, Purpose.TRAIN, Purpose.PROBE)
        )
        stored = record.result
        result = StudyResult.from_json({**stored, "shelf": str(opened.path)}) if stored else None
        winner = _winner(opened, result, trials)
        # What was trained on all rows has no validation loss: then the search's own network.
        own = [each for each in trials if winner is not None and each.barcode == winner.barcode]
        learned = own[0] if own else winner
        curve = opened.curve(learned.study, learned.number) if learned else ()
    return Story(record, result, _explanation(record.name, shelf), winner, learned, curve, trials)


def _winner(
    shelf: Shelf, result: StudyResult | None, trials: tuple[TrialRecord, ...]
) -> TrialRecord | None:
    if result is not None:
        try:
            return best_copy(shelf, result.winner.copy)
        except BarcodeError:  # its network was taken off the shelf
            pass
    return next((each for each in trials if math.isfinite(each.score)), None)


def _explanation(study: str, shelf: str | Path | None) -> Explanation | None:
    try:
        return explain(study, shelf)
    except ShelfError:
        return None
