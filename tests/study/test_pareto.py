"""Several objectives: the front, the choice along it, and what it is in a whole study."""

from __future__ import annotations

import numpy as np
import pytest

from modelshelf import Shelf, UserError, tune
from modelshelf.core.records import Purpose
from modelshelf.engines.numpy_.layout import Encoding, Layout
from modelshelf.study.costs import answer_seconds, front_of, multiply_adds
from modelshelf.study.model import Model
from modelshelf.study.pareto import (
    Cost,
    Prefer,
    choose,
    finalists,
    non_dominated,
    within_noise,
)
from modelshelf.study.result import StudyResult
from tests.study.conftest import QUICK


def dominated_by_hand(rows):
    return [
        i for i, row in enumerate(rows)
        if not any((other <= row).all() and (other < row).any() for other in rows)
    ]  # fmt: skip


def test_the_front_is_what_the_definition_says():
    rng = np.random.default_rng(0)
    for columns in (1, 2, 4):
        rows = rng.integers(0, 7, (60, columns)).astype(float)
        rows = np.unique(rows, axis=0)  # of equal rows only the first is kept
        rng.shuffle(rows)
        assert non_dominated(rows.tolist()) == dominated_by_hand(rows)


def test_what_is_not_finite_is_on_no_front():
    assert non_dominated([(np.inf, 0), (np.nan, 0), (1, 1)]) == [2]
    assert non_dominated([]) == []


def costs(**parameters):
    return lambda name: Cost(parameters[name], 1000 - parameters[name])


def test_the_finalists_are_the_best_and_the_cheapest_near_them():
    ranked = [(name, value) for name, value in zip("abcdefgh", (1, 1.01, 1.02, 1.1, 1.5, 2, 3, 9),
                                                   strict=True)]  # fmt: skip
    cost = costs(a=800, b=900, c=700, d=50, e=10, f=5, g=2, h=1)
    assert finalists(ranked, cost, Prefer.BEST, 4) == ["a", "b", "c", "d"]
    small = finalists(ranked, cost, Prefer.SMALL, 4)
    assert small[:2] == ["a", "b"]
    assert "d" in small  # the cheapest within a fifth of the way to the middling one
    assert not {"e", "f", "g", "h"} & set(small)
    assert finalists(ranked[:3], cost, Prefer.FAST, 4) == ["a", "b", "c"]


def test_the_cheapest_within_the_noise_is_chosen():
    retests = {
        "large": {0: 0.30, 1: 0.20, 2: 0.40, 3: 0.31, 4: 0.29},
        "alike": {0: 0.31, 1: 0.19, 2: 0.41, 3: 0.30, 4: 0.30},
        "worse": {0: 0.35, 1: 0.25, 2: 0.46, 3: 0.36, 4: 0.33},
        "spared": {0: 0.1},
    }
    cost = costs(large=900, alike=300, worse=100, spared=1)
    assert choose(retests, cost, Prefer.BEST) == ("large", "large")
    assert choose(retests, cost, Prefer.SMALL) == ("alike", "large")
    # With costs the other way round, nothing is cheaper than the best.
    assert choose(retests, cost, Prefer.FAST) == ("large", "large")


def test_a_failure_on_one_split_is_not_excused_by_the_noise_that_it_makes():
    best = [0.30, 0.31, 0.29, 0.30, 0.30]
    assert not within_noise([0.30, 0.31, 0.29, 0.30, 1.30], best)
    assert within_noise([0.301, 0.309, 0.292, 0.30, 0.30], best)
    assert not within_noise([0.31], [0.30])


def test_truly_equal_networks_are_mostly_taken_for_alike_and_worse_ones_are_not():
    rng = np.random.default_rng(1)
    alike = worse = 0
    for _ in range(300):
        split, noise = rng.normal(size=5), rng.normal(0, 0.3, (2, 5))
        a, b = split + noise[0], split + noise[1]
        best, other = sorted((a, b), key=np.mean)
        alike += within_noise(other, best)
        worse += within_noise(b + 1.5, a)
    assert alike > 180
    assert worse < 6


def test_multiply_adds_count_what_a_row_goes_through():
    plain = Layout((10, 20, 3))
    assert multiply_adds(plain) == 260
    assert multiply_adds(Layout((10, 20, 3), members=4)) > 4 * 260
    tables = Encoding((0, 5), features=4, size=3, embedding=2)
    # A table is looked up: only the first layer that it feeds costs anything.
    assert multiply_adds(Layout((tables.width, 20, 3), encoding=tables)) == 3 * 20 + 60


@pytest.fixture(scope="module")
def asked(table, tmp_path_factory):
    where = tmp_path_factory.mktemp("front") / "shelf"
    space = {**QUICK, "hidden_layers": {"depth": (1, 2), "width": (4, 64)}}

    def ask(**more):
        return tune(table.drop("amount"), target="label", trials=40, space=space, shelf=where,
                    seed=5, **more)  # fmt: skip

    return {prefer: ask(prefer=prefer) for prefer in ("best", "small", "fast")}, ask, where


def test_another_preference_chooses_anew_in_the_same_study(asked):
    results, ask, where = asked
    assert len({result.study for result in results.values()}) == 1
    assert all(not result.reused for result in results.values())
    with Shelf.open(where) as shelf:
        assert len(shelf.trials(results["best"].study, purpose=Purpose.SEARCH)) == 40
        retested = shelf.trials(results["best"].study, purpose=Purpose.RETEST)
        assert len(retested) == len({(t.barcode, t.split) for t in retested})  # none twice
        assert shelf.check() == ()
    again = ask(prefer="fast")
    assert again.reused
    assert again.winner == results["fast"].winner
    assert ask(prefer="best").winner.barcode == results["best"].winner.barcode


def test_a_small_winner_says_what_was_given_for_it(asked):
    results, _, where = asked
    best, small = results["best"], results["small"]
    assert best.traded is None
    assert small.prefer == "small"
    parameters = {
        name: Model.from_shelf(result.winner.copy, where).network.layout.parameters
        for name, result in results.items()
    }
    assert parameters["small"] < parameters["best"]
    assert small.traded.parameters[0] == parameters["small"] < small.traded.parameters[1]
    assert StudyResult.from_json(small.to_json()).traded == small.traded
    assert StudyResult.from_json(small.to_json()).more_time.gain == small.more_time.gain


def test_a_preference_that_is_none_is_refused(table, tmp_path):
    with pytest.raises(UserError, match="did you mean 'small'"):
        tune(table, target="label", prefer="smal", shelf=tmp_path / "shelf")
    assert not (tmp_path / "shelf").exists()


def test_the_front_of_a_study_is_read_from_the_shelf(asked):
    results, _, where = asked
    with Shelf.open(where) as shelf:
        front = front_of(shelf, shelf.study(results["best"].study))
        best = front.members[0]
        model = Model.from_record(shelf, best.trial)
    assert len(front.compared) == 40
    assert best is front.compared[0]
    for each in front.compared:
        assert each.cost.parameters == each.trial.parameters
    losses = [each.trial.loss for each in front.members]
    assert losses == sorted(losses)
    for each in front.compared:  # whoever is not a member is beaten by one
        beaten = any(
            one.value <= each.value
            and one.trial.seconds <= each.trial.seconds
            and one.cost.parameters <= each.cost.parameters
            and one.cost.multiply_adds <= each.cost.multiply_adds
            for one in front.members
        )
        assert beaten  # members by themselves
    assert 0 < answer_seconds(model.network, model.preparation) < 5
