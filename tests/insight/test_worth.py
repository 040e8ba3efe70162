"""Which contender to use: the rule, on planted answers."""

from __future__ import annotations

import math

import numpy as np
import pytest

from modelshelf.data.metrics import METRICS, score
from modelshelf.insight.advice import advised
from modelshelf.insight.paired import difference, spread
from modelshelf.insight.worth import Contender, choose

ACCURACY = METRICS["accuracy"]
COSTS = {"constant": 0.0, "linear": 1.0, "gradient boosting": 5.0, "network": 10.0}


def planted(rights, rows=1000, seed=0):
    """Targets, and answers that are right on these shares of rows: easy rows are easy for all."""
    rng = np.random.default_rng(seed)
    target = rng.integers(0, 2, rows)
    hard = rng.random(rows)
    outputs = {"constant": np.tile([0.6, 0.4], (rows, 1))}
    for name, right in rights.items():
        blurred = np.argsort(np.argsort(hard + 0.05 * rng.random(rows))) / rows
        outputs[name] = np.eye(2)[np.where(blurred < right, target, 1 - target)]
    return target, outputs


def chosen(rights, **more):
    target, outputs = planted(rights, **more)
    return choose({n: (COSTS[n], 1) for n in outputs}, outputs, target, ACCURACY, 0)


def test_the_cheapest_of_what_is_as_good_is_chosen():
    found = chosen({"linear": 0.90, "gradient boosting": 0.901, "network": 0.905})
    assert found.name == "linear"
    assert set(found.alike) == {"linear", "gradient boosting", "network"}
    assert found.behind is not None
    assert not found.behind.told


def test_what_is_better_by_more_than_chance_is_chosen_whatever_it_costs():
    found = chosen({"linear": 0.80, "gradient boosting": 0.82, "network": 0.95})
    assert (found.name, found.alike, found.behind) == ("network", ("network",), None)
    found = chosen({"linear": 0.80, "gradient boosting": 0.95, "network": 0.90})
    assert found.name == "gradient boosting"


def test_where_nothing_is_learned_the_constant_is_chosen():
    wrong = 0
    for seed in range(100):
        rights = dict.fromkeys(("linear", "gradient boosting", "network"), 0.5)
        target, outputs = planted(rights, seed=seed, rows=300)
        rng = np.random.default_rng(seed)
        outputs = {n: o[rng.permutation(300)] if n != "constant" else o for n, o in outputs.items()}
        found = choose({n: (COSTS[n], 1) for n in outputs}, outputs, target, ACCURACY, 0)
        wrong += found.name != "constant"
    assert wrong <= 5


@pytest.mark.parametrize(
    ("rights", "says"),
    [
        ({"linear": 0.9, "network": 0.902}, ["Use the linear model.", "not worth its cost"]),
        ({"gradient boosting": 0.95, "network": 0.8},
         ["Use gradient boosting.", "better than the network by more than chance"]),
        ({"linear": 0.8, "network": 0.95}, ["Use the network.", "is worth it here"]),
        ({"linear": 0.5, "network": 0.5}, ["Nothing is learned here", "the commonest class"]),
    ],
)  # fmt: skip
def test_the_advice_says_what_the_choice_is(rights, says):
    target, outputs = planted(rights)
    choice = choose({n: (COSTS[n], 1) for n in outputs}, outputs, target, ACCURACY, 0)
    contenders = [
        Contender(
            name, name == "network", score(ACCURACY, target, output),
            spread(ACCURACY, target, output, 0),
            None if name == "network"
            else difference(ACCURACY, target, output, outputs["network"], 0),
            COSTS[name], 0.02, 100, 10_000,
        )
        for name, output in outputs.items()
    ]  # fmt: skip
    contenders.sort(key=lambda each: -each.score)
    text = " ".join(advised(choice, contenders, "accuracy", 1000, True))
    for each in says:
        assert each in text


def test_without_a_plain_model_nothing_is_claimed():
    target, outputs = planted({"network": 0.9})
    choice = choose(dict.fromkeys(outputs, (1.0, 1)), outputs, target, ACCURACY, 0)
    network = Contender("network", True, 0.9, (0.8, 1.0), None, 1.0, 1.0, 1, 1)
    said = advised(choice, [network], "accuracy", 1000, True)
    assert "cannot be told" in said[0]
    assert not network.plain
    linear = Contender("linear", False, 0.8, (0.7, 0.9), None, 1.0, 1.0, 1, 1)
    said = advised(choice, [network, linear], "accuracy", 1000, True)
    assert "give it more before you settle" in said[-1]  # its strongest rival was left out


def test_costs_below_what_counts_are_alike_and_the_simpler_is_the_cheaper():
    def made(seconds, size, numbers=1):
        return Contender("x", False, 0.5, (0.4, 0.6), None, seconds, 0.001, numbers, size)

    assert made(0.001, 10).cost == made(0.09, 90_000).cost
    assert made(0.001, 10, 31).cost < made(0.001, 10, 2_378).cost
    assert made(1.0, 10, 2_378).cost < made(2.0, 10, 31).cost
    assert made(math.nan, 10).cost[0] == math.inf
