"""Whether a deep network is worth it: planted tables, where the truth is known."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import polars as pl
import pytest

from modelshelf import Configuration, Shelf, train, worth
from modelshelf.core.errors import DataError, SettingError, ShelfError
from modelshelf.study.plain import BOOSTING, LINEAR, NEIGHBOURS
from modelshelf.study.problem import Problem
from modelshelf.understanding import growing
from modelshelf.understanding.growing import Growing
from modelshelf.understanding.taken import take
from tests.study.conftest import make_table
from tests.study.test_study import quick

ROWS = 1500
NETWORK = Configuration(hidden_layers=[32], epochs=30, learning_rate=0.01, batch_size=64)


def frame(x, y):
    return pl.DataFrame(x, schema=[f"x{i}" for i in range(x.shape[1])]).with_columns(
        pl.Series("y", y)
    )


def line(rng):
    x = rng.normal(size=(ROWS, 5))
    chance = 1 / (1 + np.exp(-2 * x @ [1.0, -1.0, 0.5, 0.0, 0.0]))
    return x, np.where(rng.random(ROWS) < chance, "yes", "no")


def exclusive_or(rng):
    x = rng.normal(size=(ROWS, 4))
    return x, np.where((x[:, 0] > 0) != (x[:, 1] > 0), "yes", "no")


def wave(rng):
    x = rng.normal(size=(ROWS, 6))
    return x, np.sin(2.0 * x @ np.full(6, 6**-0.5)) + 0.05 * rng.normal(size=ROWS)


def steps(rng):
    x = rng.random(size=(ROWS, 6))
    return x, np.floor(9 * x[:, 0]) % 3 + 2.0 * (x[:, 1] > 0.7) + 0.05 * rng.normal(size=ROWS)


def noise(rng):
    return rng.normal(size=(ROWS, 5)), rng.choice(["yes", "no"], ROWS, p=[0.7, 0.3])


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (line, {LINEAR}),
        (exclusive_or, {"network", BOOSTING}),
        (wave, {"network"}),
        (steps, {BOOSTING}),
        (noise, {"constant"}),
    ],
)
def test_what_is_planted_is_what_is_advised(made, expected, tmp_path, monkeypatch):
    monkeypatch.setattr(Growing, "runs", lambda self, tell: {})  # no curves: they take the time
    table = frame(*made(np.random.default_rng(0)))
    model = train(table, target="y", configuration=NETWORK, shelf=tmp_path)
    found = worth(model.record.study, shelf=tmp_path, data=table)
    assert found.choice.name in expected
    assert found.deep == (found.choice.name == "network")
    first = {"constant": "Nothing is learned here"}.get(found.choice.name, "Use ")
    assert found.advice[0].startswith(first)
    assert found.rows == "validation"
    assert any("chose the network" in note and "neighbours" in note for note in found.notes)


@pytest.fixture(scope="module")
def shelved(tmp_path_factory):
    where = tmp_path_factory.mktemp("worth") / "shelf"
    table = make_table(600)
    return quick(table, where, trials=8, folds=2), where, table.drop("amount")


@pytest.fixture(scope="module")
def judged(shelved):
    result, where, table = shelved
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(growing, "_REPEATS", ((0, 1),))
        return worth(result.study, shelf=where, data=table)


def test_all_answer_the_test_rows_that_the_study_set_apart(shelved, judged):
    result, where, _ = shelved
    by_name = {each.name: each for each in judged.contenders}
    assert {"network", "constant", LINEAR, BOOSTING, NEIGHBOURS} <= set(by_name)
    assert (judged.rows, judged.row_count) == ("test", 120)
    assert by_name["network"].score == result.winner.test  # that very network, not another
    tested = {each.name: each.test for each in result.baselines}
    for name in (LINEAR, BOOSTING):  # the same fits on the same rows as the study's baselines
        assert by_name[name].score == pytest.approx(tested[name])
    if result.ensemble.size > 1:
        assert by_name["ensemble"].score == pytest.approx(result.ensemble.test)
    assert judged.fitted_on == 480
    scores = [each.score for each in judged.contenders]
    assert scores == sorted(scores, reverse=True)
    assert judged.test_uses == 2
    with Shelf.open(where) as shelf:
        assert shelf.study(result.study).test_uses == 2


def test_curves_rise_over_nested_shares(judged):
    assert {each.name for each in judged.curves} == {"network", LINEAR, BOOSTING}
    for curve in judged.curves:
        rows = [each.rows for each in curve.points]
        assert rows == sorted(rows)
        assert rows[-1] == 384  # all that the search trains on
        assert all(each.low <= each.score <= each.high for each in curve.points)
    network = next(each for each in judged.curves if each.name == "network")
    assert network.points[-1].score > network.points[0].score


def test_larger_shares_hold_smaller_ones_and_all_classes(shelved):
    result, where, table = shelved
    with take(result.winner.copy, where, data=table) as taken:
        problem: Problem = taken.problem
        made = Growing(problem, taken.model.configuration, 0, {}, 1, lambda: 1.0)
        train_rows = set(problem.rows(taken.split.parse("search"))[0].tolist())
        for repeat in range(2):
            shares = [made._rows(parts, repeat) for parts in (1, 2, 4, 8, 16)]
            for small, large in pairwise(shares):
                assert set(small.tolist()) < set(large.tolist())
                assert len(large) == pytest.approx(2 * len(small), abs=2)
            assert set(shares[-1].tolist()) == train_rows
            counts = [np.bincount(problem.dataset.target[rows]) / len(rows) for rows in shares[1:]]
            np.testing.assert_allclose(counts, np.tile(counts[-1], (4, 1)), atol=0.05)
        assert not np.array_equal(made._rows(4, 0), made._rows(4, 1))


def test_what_there_is_no_time_for_is_left_out_and_said(shelved):
    result, where, table = shelved
    found = worth(result.study, shelf=where, data=table, time_limit=0.3)
    assert {each.name for each in found.contenders} >= {"network", "constant"}
    assert LINEAR not in {each.name for each in found.contenders}
    assert any(each.startswith("linear (not ") for each in found.left_out)
    assert not found.told
    assert not found.deep
    assert "cannot be told" in found.advice[0]
    assert any("trainings for the learning curves" in each for each in found.left_out)
    assert not found.curves


def test_bad_input_says_what_to_do(shelved, tmp_path):
    result, where, table = shelved
    with pytest.raises(ShelfError, match="no study"):
        worth("nothing", shelf=where, data=table)
    with pytest.raises(DataError, match="--data FILE"):
        worth(result.study, shelf=where)
    with pytest.raises(SettingError, match="not a time"):
        worth(result.study, shelf=where, data=table, time_limit="soon")
