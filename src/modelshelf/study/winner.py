"""Naming a winner honestly: the best of the search are trained again, and judged by that alone.

The best of many validation scores is too high, by an amount that grows with their number. So the
finalists are re-trained on fresh splits with fresh seeds, and the one whose re-tests are best wins.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from modelshelf.core.records import Purpose, Status
from modelshelf.data.split import Split
from modelshelf.space.configuration import Configuration
from modelshelf.study.costs import cost_of
from modelshelf.study.loop import Arrival, Loop
from modelshelf.study.pareto import Cost, Prefer, Traded, choose, finalists
from modelshelf.study.problem import Problem
from modelshelf.study.searching import SEARCH_SPLIT, Search
from modelshelf.study.trial import Trial, trial_seed

__all__ = ["Finals", "Verdict", "retest_splits"]

_FINALISTS = 4
_CHEAP_FINALISTS = 2  # more, where a small or fast network is preferred


def retest_splits(rows: int, folds: int) -> tuple[Split, ...]:
    """The fresh splits on which finalists are re-tested: all folds of small data, three of large.

    `folds` is what the person asked for; 0 leaves it to the size of the data.

    >>> len(retest_splits(1_000, 0)), len(retest_splits(50_000, 0)), len(retest_splits(500, 10))
    (5, 3, 10)
    """
    of = folds or 5
    count = of if folds or rows < 5_000 else 3
    return tuple(Split("fold", i, of) for i in range(count))


@dataclass(frozen=True, slots=True)
class Verdict:
    """The configuration that won, its re-tests, and the trial whose network is the winner's."""

    configuration: Configuration
    validation: float
    validation_std: float
    retests: int
    trial: Trial
    arrival: Arrival
    refitted: bool
    traded: Traded | None = None


@dataclass(eq=False)
class Finals:
    """Re-tests, the choice among finalists, and the winner's last training."""

    problem: Problem
    seed: int
    loop: Loop
    search: Search
    splits: Sequence[Split]
    prefer: Prefer = Prefer.BEST
    _brief: bool = False
    _costs: dict[Configuration, Cost] = field(default_factory=dict)

    def expected_seconds(self) -> float:
        """What re-testing the present finalists should take, on all workers together.

        The best are counted in any case: looking for cheap ones takes longer, and they take less.
        """
        seconds = 0.0
        for trial, arrival in self.search.ranked()[: self._count]:
            epochs = max(arrival.outcome.epoch, 1)
            cost = self.search.seconds_of(trial.number) / epochs
            seconds += cost * self._expected_epochs(trial, arrival) * len(self.splits)
        return seconds

    def _expected_epochs(self, trial: Trial, arrival: Arrival) -> float:
        patience = trial.configuration.whole("patience") or math.inf
        most = trial.configuration.whole("epochs")
        best = arrival.outcome.best_epoch
        if arrival.outcome.status is Status.FINISHED:
            return min(arrival.outcome.epoch * 1.2, most)
        return min(best * 1.5 + patience, most)

    @property
    def _count(self) -> int:
        return _FINALISTS + (0 if self.prefer is Prefer.BEST else _CHEAP_FINALISTS)

    def _finalists(self) -> list[tuple[Trial, Arrival]]:
        ranked = self.search.ranked()
        if self.prefer is Prefer.BEST:
            return ranked[: self._count]
        values = [(trial.configuration, arrival.value) for trial, arrival in ranked]
        named = set(finalists(values, self._cost, self.prefer, self._count))
        return [each for each in ranked if each[0].configuration in named]

    def _cost(self, configuration: Configuration) -> Cost:
        if configuration not in self._costs:
            prepared = self.problem.prepared(SEARCH_SPLIT, configuration)
            self._costs[configuration] = cost_of(configuration, prepared.preparation)
        return self._costs[configuration]

    def run(
        self, over: Callable[[], bool], tell: Callable[[int, int], None], seconds: float
    ) -> None:
        """Re-test the finalists; the first re-test of each before the second of any.

        Where `seconds`, on all workers together, are not enough to train them to their end, they
        are trained for as many epochs as the search had trained them.
        """
        self._brief = self.expected_seconds() > seconds
        configurations = [trial.configuration for trial, _ in self._finalists()]
        wanted = [(c, split) for split in self.splits for c in configurations]
        self.train([(c, Purpose.RETEST, split) for c, split in wanted], over, tell)

    def train(
        self,
        wanted: Sequence[tuple[Configuration, Purpose, Split]],
        over: Callable[[], bool],
        tell: Callable[[int, int], None],
    ) -> None:
        """Train what the shelf does not hold yet, each in one leg to its own last epoch."""
        asked = set(wanted)
        self.loop.resume(lambda t: (t.configuration, t.purpose, t.split) in asked)
        fresh = []
        for configuration, purpose, split in wanted:
            if self._known(configuration, purpose, split) is None:
                seed = trial_seed(self.seed, purpose, configuration.barcode, split)
                trial = self.loop.new_trial(configuration, purpose, split, seed)
                fresh.append((trial, 0, 0, self._last_epoch(configuration, purpose), math.inf))
        self.loop.dispatch(fresh)
        while self.loop.outstanding and not over():
            seen = self.loop.collect()
            self.loop.dispatch([], seen)
            tell(len(wanted) - self.loop.outstanding, len(wanted))

    def _known(self, configuration: Configuration, purpose: Purpose, split: Split) -> Trial | None:
        """The trial of this configuration, if it was dispatched before."""
        for trial in self.loop.trials.values():
            if (
                trial.purpose is purpose
                and trial.split == split
                and trial.configuration == configuration
            ):
                return trial
        return None

    def _last_epoch(self, configuration: Configuration, purpose: Purpose) -> int:
        """Re-tests stop by their own patience; a refit where they were best, in the median."""
        if purpose is not Purpose.REFIT:
            most = configuration.whole("epochs")
            if not self._brief:
                return most
            found = self._finalists()
            epochs = [a.outcome.epoch for t, a in found if t.configuration == configuration]
            return min([*epochs, most])
        epochs = [a.outcome.best_epoch for a in self._retests(configuration)]
        return max(1, round(statistics.median(epochs)))

    def _retests(self, configuration: Configuration) -> list[Arrival]:
        return [
            arrival
            for arrival in self.loop.arrivals
            if arrival.leg.trial.purpose is Purpose.RETEST
            and arrival.leg.trial.configuration == configuration
            and arrival.outcome.best_epoch > 0
        ]

    def chosen(self) -> tuple[Configuration, Configuration] | None:
        """Among the finalists re-tested most often: the preferred one, and the best on average.

        Where none was re-tested, the best of the search; None where the search found nothing that
        can be ranked.
        """
        configurations = [trial.configuration for trial, _ in self._finalists()]
        if not configurations:
            return None
        tested = {c: {a.leg.trial.split: a.value for a in self._retests(c)} for c in configurations}
        if not any(tested.values()):
            return configurations[0], configurations[0]
        return choose(tested, self._cost, self.prefer)

    def _traded(self, chosen: Configuration, best: Configuration) -> Traded | None:
        """What a cheaper network than the best was given for; None where the best won."""
        if chosen == best:
            return None
        mine, its = self._cost(chosen), self._cost(best)
        return Traded(
            self.prefer,
            best.barcode,
            statistics.fmean(a.outcome.score for a in self._retests(best)),
            (mine.parameters, its.parameters),
            (mine.multiply_adds, its.multiply_adds),
        )

    def verdict(self, over: Callable[[], bool]) -> Verdict | None:
        """The winner, trained again on all development rows where they are few."""
        chosen = self.chosen()
        if chosen is None:
            return None
        configuration, best = chosen
        retests = self._retests(configuration)
        if not retests:
            trial, arrival = next(
                each for each in self.search.ranked() if each[0].configuration == configuration
            )
            return Verdict(configuration, arrival.outcome.score, math.nan, 0, trial, arrival, False)
        scores = [a.outcome.score for a in retests]
        spread = statistics.stdev(scores) if len(scores) > 1 else math.nan
        final = min(retests, key=lambda a: a.value)
        refitted = self._refit(configuration, over) if self.problem.refits else None
        return Verdict(
            configuration,
            statistics.fmean(scores),
            spread,
            len(retests),
            (refitted or final).leg.trial,
            refitted or final,
            refitted is not None,
            self._traded(configuration, best),
        )

    def _refit(self, configuration: Configuration, over: Callable[[], bool]) -> Arrival | None:
        self.train([(configuration, Purpose.REFIT, Split("all"))], over, lambda done, wanted: None)
        for arrival in self.loop.arrivals:
            trial = arrival.leg.trial
            if trial.purpose is Purpose.REFIT and trial.configuration == configuration:
                usable = arrival.outcome.status is not Status.DIVERGED
                return arrival if usable and arrival.outcome.best_epoch else None
        return None
