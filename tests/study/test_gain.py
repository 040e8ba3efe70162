"""What more time would buy: held against records whose truth is known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from modelshelf import Shelf, UserError, tune
from modelshelf.data.metrics import METRICS
from modelshelf.study.budget import NO_GAIN_SECONDS, Budget
from modelshelf.study.gain import LeastGain, MoreTime, Watch, expected_gain, more_time
from tests.study.conftest import QUICK

DRAWS = {
    "uniform": lambda rng, n: rng.random(n),
    "normal": lambda rng, n: rng.normal(size=n),
    "weibull": lambda rng, n: rng.weibull(2.0, n),
    "log-normal": lambda rng, n: np.exp(rng.normal(size=n)),
    "skewed": lambda rng, n: 1.0 - rng.beta(5.0, 1.5, n),
    "two kinds": lambda rng, n: np.where(
        rng.random(n) < 0.3, 0.1 + 0.02 * rng.weibull(2.0, n), 0.3 + rng.random(n)
    ),
    "learning": lambda rng, n: 0.3 * np.exp(-4.0 * np.arange(n) / n) + 0.2 * rng.weibull(2.0, n),
}


@pytest.mark.parametrize("n", [40, 150, 1000])
@pytest.mark.parametrize("name", DRAWS)
def test_the_mean_prediction_is_near_the_true_mean_gain(name, n):
    rng = np.random.default_rng(7)
    true, told = [], []
    for _ in range(250):
        whole = DRAWS[name](rng, 2 * n)
        true.append(whole[:n].min() - whole.min())
        told.append(expected_gain(whole[:n]))
    assert 0.45 < np.mean(told) / np.mean(true) < 2.0


def test_nothing_is_expected_where_nothing_improves():
    rng = np.random.default_rng(0)
    assert expected_gain(np.full(200, 0.3)) == 0.0
    # Known-good configurations went first, and nothing came near them since.
    early = np.concatenate([0.3 + 0.02 * rng.random(20), 0.6 + 0.3 * rng.random(280)])
    assert expected_gain(early) == 0.0
    # The best of all is a stroke of luck far below the rest, long ago.
    lucky = 1.0 + 0.1 * rng.normal(size=(50, 400))
    lucky[:, 3] = 0.2
    assert np.mean([expected_gain(each) for each in lucky]) < 0.015
    # Negative control: the same values in the other order promise much.
    assert expected_gain(early[::-1]) > 0.02


def test_what_is_not_finite_is_left_out():
    values = np.random.default_rng(0).random(100)
    assert expected_gain([math.inf, *values, math.nan]) == expected_gain(values)


def standings(n=200, seed=0):
    """Losses, and an accuracy that falls by 0.3 for each unit of loss."""
    rng = np.random.default_rng(seed)
    loss = 0.3 + rng.weibull(2.0, n)
    return [(each, 0.97 - 0.3 * each + 0.001 * rng.normal()) for each in loss]


def test_a_gain_in_loss_is_told_in_the_metric():
    known = standings()
    found = more_time(known, METRICS["accuracy"], 0.87)
    assert found.gain == pytest.approx(0.3 * expected_gain([v for v, _ in known]), rel=0.1)
    assert found.share == pytest.approx(found.gain / 0.13)
    assert found.networks == 200
    assert more_time(known[:20], METRICS["accuracy"], 0.87) is None


def test_a_metric_that_ranks_by_itself_needs_no_translation():
    known = [(value, -value) for value in (-np.random.default_rng(0).random(100)).tolist()]
    found = more_time(known, METRICS["auc"], 0.99)
    assert found.gain == expected_gain([value for value, _ in known])


def test_a_gain_within_the_noise_is_not_measurable():
    assert MoreTime(100, 0.01, 0.1, 0.002).measurable
    assert not MoreTime(100, 0.001, 0.1, 0.002).measurable
    assert not MoreTime(100, 0.0, 0.0, math.nan).measurable
    assert MoreTime(100, 0.001, 0.1, math.nan).measurable


def looks(watch, known):
    """At how many networks the watch looked at the record, until it stopped."""
    looked = []
    for n in range(1, 600):
        if watch.over(n, lambda n=n: looked.append(n) or known[:n]):
            break
    return looked


def test_a_watch_stops_a_search_that_has_ended_and_no_other():
    rng = np.random.default_rng(0)
    ended = [(v, 1 - v) for v in [0.1, *(0.5 + rng.random(600)).tolist()]]
    going = [(v, 1 - v) for v in (1.0 / np.arange(2, 602)).tolist()]
    for known, stops in ((ended, True), (going, False)):
        watch = Watch(METRICS["accuracy"], LeastGain())
        looked = looks(watch, known)
        assert watch.stopped is stops
        assert looked[0] == 32
        assert len(looked) < 40  # it looks now and then, not always
    never = Watch(METRICS["accuracy"], None)
    assert not any(never.over(n, lambda: ended) for n in range(600))


@pytest.mark.parametrize("wrong", ["soon", "0", "-1%", "nan", "", "%", 0.0])
def test_a_least_gain_that_is_none_is_refused(wrong):
    with pytest.raises(UserError, match="least gain"):
        Budget.of(None, None, wrong)


def test_the_budget_until_no_gain():
    assert Budget.of(None, None, True).seconds == NO_GAIN_SECONDS
    assert Budget.of("5m", None, "2%") == Budget(300.0, None, LeastGain(0.02))
    assert Budget.of(None, None, False) == Budget.of(None, None)
    with pytest.raises(UserError, match="leave the trials out"):
        Budget.of(None, 10, True)


def test_what_a_study_has_had():
    until, plain = Budget.of(None, None, True), Budget.of("60s", None)
    stored = until.to_json(None, stopped=41.5)
    assert until.had(stored)
    assert not plain.had(stored)  # it had 41.5 s only
    assert Budget.of("40s", None).had(stored)
    assert not Budget.of(None, None, "0.1%").had(stored)
    more = plain.to_json(stored, None)
    assert plain.had(more)
    assert until.had(more)
    assert Budget(trials=9).had(Budget(trials=9).to_json(more, None))
    assert plain.had(Budget(trials=9).to_json(more, None))  # nothing that it had is forgotten


def test_a_study_ends_early_for_want_of_gain_and_says_so(table, tmp_path):
    few = {**QUICK, "hidden_layers": [4], "epochs": 4}
    asked = {"target": "label", "space": few, "shelf": tmp_path / "shelf", "time_limit": 400}
    result = tune(table.drop("amount"), **asked, until_no_gain=0.9)
    assert result.seconds["total"] < 300
    assert result.more_time.gain < 0.9
    assert any("least gain of 0.9" in note for note in result.notes)
    assert tune(table.drop("amount"), **asked, until_no_gain=0.9).reused
    with Shelf.open(tmp_path / "shelf") as shelf:
        assert shelf.studies()[0].result["budget"]["seconds"] < 300
