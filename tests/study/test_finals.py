"""Which finalist wins where there was time to re-test some of them alone."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from modelshelf.core.records import Purpose, Status
from modelshelf.data.split import Split
from modelshelf.space.configuration import Configuration
from modelshelf.study.finals import Plan
from modelshelf.study.winner import Finals

CONV, DENSE = Configuration(network="conv"), Configuration()


def finals(searched: dict[Configuration, float], retested: dict[Configuration, float]) -> Finals:
    def arrival(c: Configuration, value: float, purpose: Purpose, split: Split):
        trial = SimpleNamespace(configuration=c, purpose=purpose, split=split)
        outcome = SimpleNamespace(best_epoch=1, status=Status.FINISHED)
        return SimpleNamespace(leg=SimpleNamespace(trial=trial), value=value, outcome=outcome)

    ranked = [
        (SimpleNamespace(configuration=c), arrival(c, v, Purpose.SEARCH, Split("search")))
        for c, v in sorted(searched.items(), key=lambda each: each[1])
    ]
    fold = Split("fold", 0, 5)
    arrivals = [arrival(c, v, Purpose.RETEST, fold) for c, v in retested.items()]
    return Finals(
        problem=None, seed=0, plan=Plan(4, (fold,), (), False),
        loop=SimpleNamespace(arrivals=arrivals),
        search=SimpleNamespace(ranked=lambda count: ranked[:count]),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("searched", "retested", "wins"),
    [
        # There was time for the cheap one alone, and it is far worse.
        ({CONV: -0.895, DENSE: -0.855}, {DENSE: -0.856}, CONV),
        # It is no worse than re-testing moved it: the one that was re-tested is the honest choice.
        ({CONV: -0.860, DENSE: -0.855}, {DENSE: -0.850}, DENSE),
        # Both were re-tested.
        ({CONV: -0.895, DENSE: -0.855}, {CONV: -0.893, DENSE: -0.856}, CONV),
        ({CONV: -0.895, DENSE: -0.890}, {CONV: -0.850, DENSE: -0.889}, DENSE),
        ({CONV: -0.895, DENSE: -0.855}, {}, CONV),
    ],
)
def test_who_wins(searched, retested, wins):
    assert finals(searched, retested).chosen() == (wins, wins)
