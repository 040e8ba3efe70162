"""Importances are held against objectives that are known, searched with halving's preferences."""

from __future__ import annotations

import numpy as np
import pytest

from modelshelf.insight.importance import importances
from modelshelf.space.space import Space
from tests.insight.planted import PLANTED, in_order, searched, space

TRIALS = 300


def found(name: str, seed: int, trials: int = TRIALS):
    features, values, _, _ = searched(space(), PLANTED[name][0], trials, seed)
    return importances(space(), features, values, seed)


def judged(name: str, seeds: range) -> tuple[float, float, float]:
    """Shares of seeds: right order, irrelevant ones hold 0, and the planted pair leads."""
    _, wanted, irrelevant = PLANTED[name]
    order = zero = pair = 0
    for seed in seeds:
        alone, pairs = found(name, seed)
        order += in_order(wanted, [each.name for each in alone])
        nothing = [each for each in alone if each.name in irrelevant]
        ends = [i for each in nothing for i in (each.alone_interval, each.total_interval)]
        zero += float(np.mean([low <= 0.0 <= high for low, high in ends]))
        if isinstance(wanted[0], set):
            pair += {pairs[0].first, pairs[0].second} == wanted[0] and pairs[0].sure
    return order / len(seeds), zero / len(seeds), pair / len(seeds)


@pytest.mark.parametrize("name", PLANTED)
def test_planted_importances_are_found(name):
    order, zero, pair = judged(name, range(2))
    assert order == 1.0
    assert zero >= 0.9
    assert pair == (1.0 if isinstance(PLANTED[name][1][0], set) else 0.0)


@pytest.mark.slow
@pytest.mark.parametrize("name", PLANTED)
def test_planted_importances_are_found_in_95_of_100_seeds(name):
    order, zero, pair = judged(name, range(100))
    assert order >= 0.95
    assert zero >= 0.95
    assert pair >= (0.95 if isinstance(PLANTED[name][1][0], set) else 0.0)


def test_shuffled_values_have_no_importance():
    features, values, _, _ = searched(space(), PLANTED["additive"][0], TRIALS, 0)
    rng = np.random.default_rng(0)
    said = [importances(space(), features, rng.permutation(values), seed) for seed in range(5)]
    assert said.count(((), ())) >= 4  # halves of them do not agree
    assert sum(each.sure for alone, _ in said for each in alone) <= 1
    assert sum(each.sure for each in importances(space(), features, values, 0)[0]) >= 3


def test_the_best_level_is_where_it_was_planted():
    alone, _ = found("additive", 1)
    rate = next(each for each in alone if each.name == "learning_rate")
    stands = [each.standing for each in rate.levels]
    assert 2 <= int(np.argmin(stands)) <= 4  # 0.4 of the range lies in the fourth of eight levels
    assert rate.ordered
    assert rate.log
    assert all(each.low <= each.standing <= each.high for each in rate.levels)


def test_diverged_networks_count_as_the_worst():
    def objective(at):
        return np.inf if at["learning_rate"] > 0.7 else 0.1 * at["clip_norm"]

    features, values, _, _ = searched(space(), objective, 200, 0, noise=0.01)
    alone, _ = importances(space(), features, values, 0)
    assert alone[0].name == "learning_rate"
    assert alone[0].sure
    stands = [each.standing for each in alone[0].levels]
    assert min(stands[6:]) > max(stands[:5])


def test_few_trials_and_spaces_without_choice_say_nothing():
    features, values, _, _ = searched(space(), PLANTED["additive"][0], 20, 0)
    assert importances(space(), features, values, 0) == ((), ())
    fixed = space(
        learning_rate=0.01, input_dropout=0.0, clip_norm=1.0, epsilon=1e-8, optimizer="adam"
    )
    assert importances(fixed, np.zeros((50, 1)), np.arange(50.0), 0) == ((), ())


def test_settings_that_seldom_play_a_part_are_weighed_by_how_often():
    usual = Space()
    rng = np.random.default_rng(0)
    drawn = [usual.configuration(rng.random(usual.dimensions)) for _ in range(300)]
    values = np.array(
        [c.number("beta2") if c.word("parametrisation") == "ntk" else 1.0 for c in drawn]
    )
    alone, _ = importances(usual, np.array([usual.features(c) for c in drawn]), values, 0)
    by_name = {each.name: each for each in alone}
    assert by_name["beta2"].active == pytest.approx(0.5, abs=0.1)
    assert alone[0].name == "parametrisation"
