"""How a timed study spends its time: there is always an answer, and nothing is thrown away."""

from __future__ import annotations

import itertools
from types import SimpleNamespace

import numpy as np
import pytest

from modelshelf import Shelf, tune
from modelshelf.cli.live import Live
from modelshelf.cli.options import make_console
from modelshelf.core.records import Purpose, Status
from modelshelf.data.metrics import METRICS
from modelshelf.data.split import Split
from modelshelf.engines import kernels
from modelshelf.study.finals import Plan, expected_seconds
from modelshelf.study.model import Model
from modelshelf.study.searching import rungs_of
from modelshelf.study.words import explained
from tests.study.conftest import QUICK, make_table


def timed(where, seconds, rows=300, **more):
    settings = {"target": "label", "time_limit": seconds, "space": QUICK, "shelf": where}
    return tune(make_table(rows).drop("amount"), **{**settings, **more})


@pytest.fixture(scope="module")
def spent(tmp_path_factory):
    where = tmp_path_factory.mktemp("shelf") / "shelf"
    phases: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("modelshelf.study.pace._FINALS_OF_FEW", 0.2)  # so that much is left over
        result = timed(where, 8.0, observer=lambda progress: phases.append(progress.phase))
    return result, where, list(dict.fromkeys(phases))


@pytest.mark.parametrize("rows", [300, 20_000])
def test_there_is_an_answer_however_short_the_time(rows, tmp_path):
    """On 20,000 rows the first rung takes longer than there is: what is at work is halted."""
    slow = {**QUICK, "batch_size": 4} if rows > 300 else QUICK
    result = timed(tmp_path / "shelf", 0.05, rows, space=slow)
    assert result.complete
    assert np.isfinite(result.winner.validation)
    assert result.model.predict(make_table(5).drop("amount", "label")).shape == (5,)
    with Shelf.open(tmp_path / "shelf") as shelf:
        assert shelf.check() == ()
        if rows > 300:
            assert 1 <= min(t.epoch for t in shelf.trials() if t.epoch) < rungs_of(60)[0]


def test_the_rest_of_the_time_is_searched_in(spent):
    result, where, phases = spent
    order = ["searching", "re-testing", "scoring", "searching on", "testing"]
    assert [each for each in phases if each != "compiling"] == order
    with Shelf.open(where) as shelf:
        trials = shelf.trials(result.study, sort="number")
    last = max(t.number for t in trials if t.purpose is not Purpose.SEARCH)
    assert any(t.number > last and t.purpose is Purpose.SEARCH for t in trials)
    assert all(t.status is not Status.RUNNING or not t.epoch for t in trials)


def test_the_cores_seconds_are_told(spent):
    result, _, _ = spent
    told = result.core_seconds
    assert set(told) == {"search", "retests", "baselines", "all"}
    assert all(value > 0.0 for value in told.values())
    assert sum(told.values()) - told["all"] <= told["all"]
    sentences = [sentence for sentence, _ in explained(result)]
    assert "% search" in sentences[-1]
    assert result.to_json()["core_seconds"] == told


def test_the_winners_folds_are_a_product_of_their_own(spent):
    result, where, _ = spent
    bag = result.bag
    with Shelf.open(where) as shelf:
        folds = {
            t.copy
            for purpose in (Purpose.RETEST, Purpose.CONFIRM)
            for t in shelf.trials(result.study, purpose=purpose)
            if t.barcode == result.winner.barcode
        }
    assert {each.copy for each in bag.members} == folds
    assert len({each.weight for each in bag.members}) == 1
    rows = make_table(7).drop("amount", "label")
    mean = np.mean([Model.from_shelf(c, where).predict_proba(rows) for c in folds], axis=0)
    np.testing.assert_allclose(result.bag_model.predict_proba(rows), mean)


def test_re_tests_share_the_weight_of_their_configuration(spent):
    result, where, _ = spent
    weights = {each.copy: each.weight for each in result.ensemble.members}
    groups: dict[str, set[float]] = {}
    purposes = set()
    with Shelf.open(where) as shelf:
        for trial in shelf.trials(result.study):
            if trial.copy in weights:
                groups.setdefault(trial.barcode, set()).add(round(weights[trial.copy], 9))
                purposes.add(trial.purpose)
    assert all(len(shares) == 1 for shares in groups.values())
    assert len(groups) == result.ensemble.configurations
    assert sum(weights.values()) == pytest.approx(1.0)
    more = result.ensemble.size > result.ensemble.configurations
    assert more == (purposes > {Purpose.SEARCH})


class Slow:
    """An engine that takes three looks to compile."""

    progress = (1, 3)

    def __init__(self):
        self.looks = 0

    def wait(self, seconds):
        self.looks += 1
        return self.looks > 3

    def claim(self):
        return 4.0


def test_compiling_is_a_phase_and_a_short_time_moves_on(tmp_path, monkeypatch):
    monkeypatch.setattr(kernels, "begin", Slow)
    ticks = itertools.count()
    monkeypatch.setattr("modelshelf.api.Clock", lambda: lambda: 0.02 * next(ticks))
    monkeypatch.setattr("modelshelf.study.course._MOMENT", 0.0)
    seen = []
    result = timed(tmp_path / "shelf", 0.05, observer=seen.append)
    first = seen[0]
    assert (first.phase, first.parts) == ("compiling", (1, 3))
    assert seen[-1].phase != "compiling"
    assert seen[-1].limit > 0.05
    assert result.seconds["compiling"] == 4.0


def test_the_line_says_how_far_the_engine_is():
    console = make_console()
    progress = SimpleNamespace(phase="compiling", parts=(4, 9), limit=30.0, elapsed=2.0,
                               at_most=False)  # fmt: skip
    line = Live(console, METRICS["accuracy"]).line(progress)
    assert line == "[28 s left] compiling the engine for this processor, once: 4 of 9 parts"


def test_re_tests_are_dealt_to_workers_and_the_winners_trainings_go_in_rounds():
    split = Split("fold", 0, 5)
    alone = Plan(1, (), (split, split, split), True)
    each = [0.95]
    assert expected_seconds(alone, each, 1) == pytest.approx(4.0)
    assert expected_seconds(alone, each, 2) == pytest.approx(2.0)
    assert expected_seconds(alone, each, 3) == pytest.approx(2.0)
    four = Plan(4, (split,), (), False)
    assert expected_seconds(four, [0.95] * 4, 2) == pytest.approx(2.25)
