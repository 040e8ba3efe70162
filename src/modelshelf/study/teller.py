"""Tells an observer how a study stands."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from modelshelf.core.records import Status
from modelshelf.study.baselines import Baselines
from modelshelf.study.budget import Clock
from modelshelf.study.progress import Observer, Progress
from modelshelf.study.searching import Search
from modelshelf.study.trial import Leg

__all__ = ["Teller"]


class Teller:
    """Gathers a study's progress, and hands it to an observer."""

    def __init__(
        self,
        observer: Observer,
        clock: Clock,
        search: Search,
        baselines: Baselines,
        running: Callable[[], Sequence[Leg]],
        progress: Progress,
    ) -> None:
        self._observer, self._clock, self._search = observer, clock, search
        self._baselines, self._running, self._progress = baselines, running, progress

    def retests(self, done: int, wanted: int) -> None:
        """Tell how many re-tests are done."""
        self.tell(retests=(done, wanted))

    def tell(self, **changed: Any) -> None:
        """Tell how things stand, with these fields changed."""
        tally, progress = self._search.tally, replace(self._progress, **changed)
        best = self._search.best
        if best is not None:
            configuration = best.leg.trial.configuration
            if configuration.barcode != progress.best_barcode:
                point = (self._clock(), best.outcome.score)
                progress = replace(progress, improvements=(*progress.improvements, point))
            progress = replace(
                progress,
                best_barcode=configuration.barcode,
                best_score=best.outcome.score,
                best_configuration=configuration,
            )
        self._progress = replace(
            progress,
            elapsed=self._clock(),
            started=self._search.evidence.started,
            finished=tally[Status.FINISHED],
            paused=tally[Status.PAUSED] + tally[Status.STOPPED],
            diverged=tally[Status.DIVERGED],
            failed=tally[Status.FAILED],
            running=tuple(
                (leg.trial.configuration, leg.job.from_epoch, leg.job.to_epoch)
                for leg in self._running()
            ),
            baselines=self._baselines.found,
        )
        self._observer(self._progress)
