"""How much is re-tested: by the number of rows, and by what there is time for."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace

from modelshelf.data.split import Split
from modelshelf.space.configuration import Configuration
from modelshelf.study.searching import rungs_of

__all__ = ["Plan", "agreed_epochs", "expected_seconds", "plan_for", "stands_apart", "within"]


@dataclass(frozen=True, slots=True)
class Plan:
    """How many finalists are re-tested, on which splits, and what scores the winner."""

    finalists: int
    choosing: tuple[Split, ...]  #: on which the finalists are re-tested
    scoring: tuple[Split, ...]  #: on which the winner alone is scored
    refits: bool  #: whether the winner is trained once more, on all rows
    brief: bool = False  #: re-tests train for as many epochs as the search did, and no more

    @property
    def trainings(self) -> tuple[int, int]:
        """Trainings of each finalist, and further ones of the winner."""
        return len(self.choosing), len(self.scoring) + self.refits


def plan_for(rows: int, folds: int, refits: bool) -> Plan:
    """What suits so many rows. `folds` is what the person asked for; 0 leaves it to the rows.

    The fewer the rows, the less one split says: the more of them choose, and score.

    >>> [tuple(map(len, (p.choosing, p.scoring))) for p in
    ...  (plan_for(1_000, 0, True), plan_for(5_000, 0, True), plan_for(50_000, 0, False))]
    [(5, 5), (2, 3), (1, 3)]
    """
    choosing, scoring = (5, 5) if rows < 2_000 else (2, 3) if rows < 10_000 else (1, 3)
    if folds:
        choosing = scoring = folds
    of = max(choosing + scoring, 5)
    splits = tuple(Split("fold", i, of) for i in range(choosing + scoring))
    return Plan(4, splits[:choosing], splits[choosing:], refits)


def within(
    plan: Plan, seconds: float, workers: int, each: Sequence[float], brief: Sequence[float]
) -> Plan:
    """The largest part of a plan that `seconds` are enough for, with so many workers.

    `each` is what a training of each finalist should take, best first, and `brief` the same for
    no more epochs than the search trained it. First fewer splits and finalists, then shorter
    trainings.
    """
    smaller = [plan]
    for finalists, choosing, scoring in ((4, 2, 3), (4, 1, 2), (3, 1, 2), (2, 1, 1)):
        smaller.append(
            replace(
                plan,
                finalists=min(finalists, plan.finalists),
                choosing=plan.choosing[:choosing],
                scoring=plan.scoring[:scoring],
            )
        )
    least = smaller[-1]
    smaller += [replace(each, brief=True) for each in smaller[2:]]
    smaller += [replace(least, brief=True, finalists=1, choosing=())]
    for each_plan in smaller:
        if expected_seconds(each_plan, brief if each_plan.brief else each, workers) <= seconds:
            return each_plan
    return smaller[-1]


#: Seconds that a training takes besides: for its rows, its scores and its files.
_BESIDES = 0.05


def expected_seconds(plan: Plan, each: Sequence[float], workers: int = 1) -> float:
    """What a plan should take, where a training of each finalist takes this on one core.

    Re-tests are dealt to the workers as they come free: the last of them is waited for. Then the
    winner's trainings, all of a length, go in rounds.

    >>> split = Split("fold", 0, 5)
    >>> plan = Plan(2, (split,), (split, split), True)
    >>> [round(expected_seconds(plan, [0.95, 1.95], w), 2) for w in (1, 2)]
    [9.0, 6.0]
    """
    every, winner = plan.trainings
    among = [_BESIDES + seconds for seconds in each[: plan.finalists]]
    longest = max(among, default=0.0)
    shared = every * sum(among) / workers
    if every:
        shared += longest * (1 - 1 / workers) / 2
    return shared + math.ceil(winner / workers) * longest


def stands_apart(value: float, retested: Sequence[tuple[float, float]]) -> bool:
    """Whether a finalist that there was no time to re-test is better than all that were re-tested.

    By more than re-testing moved any of them. `value` is the search's of it, `retested` the others'
    from the search and from the re-test; lower is better.

    >>> stands_apart(-0.895, [(-0.855, -0.856)]), stands_apart(-0.857, [(-0.855, -0.851)])
    (True, False)
    """
    moved = max(abs(before - after) for before, after in retested)
    return value + moved < min(min(each) for each in retested)


def agreed_epochs(configuration: Configuration, best: Sequence[int]) -> int:
    """For how many epochs to train without validation: the median of those that were best.

    Under a schedule in cycles, the end of the cycle that is nearest: its rate is near 0 there.

    >>> agreed_epochs(Configuration(epochs=60), [9, 14, 11])
    11
    >>> agreed_epochs(Configuration(epochs=60, schedule="coslog"), [51, 49, 55])
    60
    """
    agreed = max(1, round(statistics.median(best)))
    schedule = configuration.word("schedule")
    if schedule == "constant":
        return agreed
    epochs = configuration.whole("epochs")
    ends = rungs_of(epochs) if schedule == "coslog" else (epochs,)
    return min(ends, key=lambda end: abs(end - agreed))
