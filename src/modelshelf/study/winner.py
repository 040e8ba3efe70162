"""Naming a winner honestly, by rows that did not choose it.

The best of many validation scores is too high, by an amount that grows with their number. So the
finalists are trained again on fresh splits with fresh seeds, and the one whose re-tests are best
wins. Its printed score comes from further splits still, whose rows no choice has seen: there it is
trained for as many epochs as its earlier trainings agreed on, and nothing is stopped or kept by
the rows that score it.
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
from modelshelf.study.finals import Plan, agreed_epochs, stands_apart
from modelshelf.study.loop import Arrival, Loop
from modelshelf.study.pareto import Cost, Prefer, Traded, choose, finalists
from modelshelf.study.problem import Problem
from modelshelf.study.searching import SEARCH_SPLIT, Search
from modelshelf.study.trial import Trial, trial_seed

__all__ = ["Finals", "Verdict"]

Wanted = tuple[Configuration, Purpose, Split]

# How urgent they are: before the search; and before re-tests that come too late to choose.
_RETESTS, _SCORING = 1, 2

_CHEAP_FINALISTS = 2  # more, where a small or fast network is preferred


@dataclass(frozen=True, slots=True)
class Verdict:
    """The configuration that won, its score, and the trial whose network is the winner's."""

    configuration: Configuration
    validation: float  #: mean over `confirmed` splits; the search's own where there are none
    validation_std: float
    confirmed: int  #: splits that scored it, and chose nothing
    trial: Trial
    arrival: Arrival
    refitted: bool
    traded: Traded | None = None  #: what a cheaper network than the best was given for


@dataclass(eq=False)
class Finals:
    """Re-tests, the choice among finalists, the winner's score, and its last training."""

    problem: Problem
    seed: int
    loop: Loop
    search: Search
    plan: Plan
    prefer: Prefer = Prefer.BEST
    #: What is done with all that comes back meanwhile: in a timed study, the search goes on beside.
    beside: Callable[[list[Arrival]], None] | None = None
    _costs: dict[Configuration, Cost] = field(default_factory=dict)
    _named: list[tuple[Trial, Arrival]] | None = None  # finalists, once they are re-tested

    # -- the choice ---------------------------------------------------------------------------

    def finalists(self) -> list[tuple[Trial, Arrival]]:
        """The best of the search, best first; among them cheap ones, where these are preferred."""
        if self._named is not None:
            return self._named
        if self.prefer is Prefer.BEST:
            return self.search.ranked(self.plan.finalists)
        ranked = self.search.ranked(None)
        values = [(trial.configuration, arrival.value) for trial, arrival in ranked]
        count = self.plan.finalists + _CHEAP_FINALISTS
        named = set(finalists(values, self._cost, self.prefer, count))
        return [each for each in ranked if each[0].configuration in named]

    def _cost(self, configuration: Configuration) -> Cost:
        if configuration not in self._costs:
            prepared = self.problem.prepared(SEARCH_SPLIT, configuration)
            dense = configuration.word("network") == "dense"
            learned = 0 if dense else self._parameters(configuration)
            self._costs[configuration] = cost_of(configuration, prepared.preparation, learned)
        return self._costs[configuration]

    def _parameters(self, configuration: Configuration) -> int:
        """As its network on the shelf has: a module is not built anew, which may fail, for that."""
        trials = self.loop.trials.values()
        number = next(t.number for t in trials if t.configuration == configuration)
        return self.loop.parameters(number)

    def run(self, over: Callable[[], bool], tell: Callable[[int, int], None]) -> None:
        """Re-test the finalists; the first re-test of each before the second of any."""
        self._named = self.finalists()  # as the search stands now: it may go on beside
        configurations = [trial.configuration for trial, _ in self._named]
        self.train(
            [(c, Purpose.RETEST, split) for split in self.plan.choosing for c in configurations],
            over,
            tell,
        )

    def chosen(self) -> tuple[Configuration, Configuration] | None:
        """Among the finalists re-tested most often: the preferred one, and the best on average.

        One re-test says little more than the search's own value: then that counts too. Where none
        was re-tested, or only far worse ones, the best of the search; None where the search found
        nothing.
        """
        found = self.finalists()
        if not found:
            return None
        values = {
            t.configuration: {a.leg.trial.split: a.value for a in self.arrived(t.configuration)}
            for t, _ in found
        }
        if max(map(len, values.values())) == 0:
            return found[0][0].configuration, found[0][0].configuration
        if max(map(len, values.values())) == 1:
            again = [
                (arrival.value, statistics.fmean(values[trial.configuration].values()))
                for trial, arrival in found
                if values[trial.configuration]
            ]
            first = found[0][0].configuration
            if not values[first] and stands_apart(found[0][1].value, again):
                return first, first
            for trial, arrival in found:
                if values[trial.configuration]:
                    values[trial.configuration][SEARCH_SPLIT] = arrival.value
        return choose(values, self._cost, self.prefer)

    def _traded(self, chosen: Configuration, best: Configuration) -> Traded | None:
        """What a cheaper network than the best was given for; None where the best won."""
        if chosen == best:
            return None
        mine, its = self._cost(chosen), self._cost(best)
        return Traded(
            self.prefer,
            best.barcode,
            statistics.fmean(a.outcome.score for a in self.arrived(best)),
            (mine.parameters, its.parameters),
            (mine.multiply_adds, its.multiply_adds),
        )

    # -- the score, and the network -------------------------------------------------------------

    def verdict(self, over: Callable[[], bool], tell: Callable[[int, int], None]) -> Verdict | None:
        """The winner, scored on rows that chose nothing, and trained on all rows if planned."""
        chosen = self.chosen()
        if chosen is None:
            return None
        configuration, best = chosen
        retests = self.arrived(configuration)
        wanted: list[Wanted] = [(configuration, Purpose.CONFIRM, s) for s in self.plan.scoring]
        if self.plan.refits:  # beside them, for it takes as long as one of them
            wanted.insert(1, (configuration, Purpose.REFIT, Split("all")))
        self.train(wanted, over, tell, _SCORING)
        confirmed = self.arrived(configuration, Purpose.CONFIRM)
        found = next(a for t, a in self.finalists() if t.configuration == configuration)
        network, refitted = (confirmed or retests or [found])[0], False
        if self.plan.refits:
            for each in self.arrived(configuration, Purpose.REFIT):
                network, refitted = each, True
        scores = [a.outcome.score for a in confirmed]
        return Verdict(
            configuration,
            statistics.fmean(scores) if scores else found.outcome.score,
            statistics.stdev(scores) if len(scores) > 1 else math.nan,
            len(scores),
            network.leg.trial,
            network,
            refitted,
            self._traded(configuration, best),
        )

    def arrived(
        self, configuration: Configuration, purpose: Purpose = Purpose.RETEST
    ) -> list[Arrival]:
        """What came of a configuration's trainings for a purpose, where anything did."""
        return [
            arrival
            for arrival in self.loop.arrivals
            if arrival.leg.trial.purpose is purpose
            and arrival.leg.trial.configuration == configuration
            and arrival.outcome.best_epoch > 0
            and arrival.outcome.status is not Status.DIVERGED
        ]

    # -- training -------------------------------------------------------------------------------

    def train(
        self,
        wanted: Sequence[Wanted],
        over: Callable[[], bool],
        tell: Callable[[int, int], None],
        urgency: int = _RETESTS,
    ) -> None:
        """Train what the shelf does not hold yet, each in one leg to its own last epoch."""
        if over():
            return
        asked = set(wanted)

        def is_asked(trial: Trial) -> bool:
            return (trial.configuration, trial.purpose, trial.split) in asked

        self.loop.resume(is_asked, urgency)
        known = {(t.configuration, t.purpose, t.split) for t in self.loop.trials.values()}
        found = {t.configuration: arrival for t, arrival in self.finalists()}
        fresh = []
        for configuration, purpose, split in wanted:
            if (configuration, purpose, split) not in known:
                seed = trial_seed(self.seed, purpose, configuration.barcode, split)
                trial = self.loop.new_trial(configuration, purpose, split, seed)
                epoch = self._last_epoch(configuration, purpose, found[configuration])
                fresh.append((trial, 0, 0, epoch, math.inf))
        self.loop.dispatch(fresh, urgency=urgency)
        while (left := self.loop.waiting_for(is_asked)) and not over():
            seen = self.loop.collect()
            if self.beside is None:
                self.loop.dispatch([], seen)
            else:
                self.beside(seen)
            tell(len(wanted) - left, len(wanted))

    def _last_epoch(self, configuration: Configuration, purpose: Purpose, found: Arrival) -> int:
        """Re-tests stop by their own patience; later trainings where those were best.

        `found` is what the search made of it.
        """
        if purpose is Purpose.RETEST:
            most = configuration.whole("epochs")
            return min(found.outcome.epoch, most) if self.plan.brief else most
        trained = self.arrived(configuration) or [found]
        return agreed_epochs(configuration, [a.outcome.best_epoch for a in trained])
