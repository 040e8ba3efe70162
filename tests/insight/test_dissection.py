"""What is measured of a layer, attributed to an input, or lost with a column: the pure parts."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest
from scipy.special import expit
from sklearn.ensemble import RandomForestClassifier
from sklearn.inspection import permutation_importance as sklearns

from modelshelf.data.metrics import METRICS
from modelshelf.insight.attribution import attribute, integrated
from modelshelf.insight.dissection import flow, row_layer
from modelshelf.insight.permutation import permutation_importance

RNG = np.random.default_rng(0)


def test_dead_and_saturated_units_are_counted():
    outputs = RNG.uniform(-0.5, 0.5, (50, 6))
    outputs[:, 1], outputs[:, 4] = 1.0, 0.999
    slopes = 1.0 - outputs**2
    one = np.ones(3)
    found = flow(outputs, slopes, outputs, "tanh", one, one, one)
    assert found.dead == 1  # of the two at the end, one still passes something back
    assert found.saturated == pytest.approx(2 / 6)
    relu = flow(np.maximum(outputs, 0), (outputs > 0) * 1.0, outputs, "relu", one, one, one)
    assert (relu.saturated, relu.dead) == (None, 0)
    slopes[7, 1] = 0.5  # one row is enough
    assert flow(outputs, slopes, outputs, "tanh", one, one, one).dead == 0


def test_norms_and_shares():
    back = RNG.normal(size=(40, 5))
    weight, update = RNG.normal(size=(3, 4)), RNG.normal(size=(3, 4))
    found = flow(np.eye(4), None, back, "relu", weight, -weight, update)
    assert found.gradient == pytest.approx(np.sqrt((back**2).sum(axis=1).mean()))
    assert found.ratio == pytest.approx(np.linalg.norm(update) / np.linalg.norm(weight))
    assert (found.zeros, found.mean) == (0.75, 0.25)
    assert found.dead is None
    none = np.zeros(0)
    assert math.isnan(flow(np.eye(4), None, back, "relu", none, none, none).ratio)


def test_the_strongest_units_are_named_from_1():
    layer = row_layer("hidden 1", np.array([0.0, -3.0, 1.0]))
    assert layer.strongest == ((2, -3.0), (3, 1.0), (1, 0.0))
    assert layer.zeros == pytest.approx(1 / 3)


def _curved(points):
    """A function with its gradient: sin(a) b + c², of four inputs."""
    a, b, c, d = points.T
    zero = np.zeros_like(d)
    return np.sin(a) * b + c**2, np.stack([np.cos(a) * b, np.sin(a), 2 * c, zero], axis=1)


def test_attributions_are_complete_and_summed_by_column():
    row, baseline = np.array([0.7, 2.0, -1.5, 9.0]), np.array([-0.2, 0.5, 1.0, 0.0])
    found = attribute(_curved, row, baseline, ["x", "x", "y", "z"], "f")
    gap = _curved(row[None])[0][0] - _curved(baseline[None])[0][0]
    amounts = dict(found.columns)
    assert sum(amounts.values()) == pytest.approx(gap, abs=0.002 * abs(gap))
    assert found.error == pytest.approx(sum(amounts.values()) - gap, abs=1e-12)
    assert amounts["y"] == pytest.approx(1.5**2 - 1.0)  # it is additive: what it alone changes
    assert amounts["z"] == 0.0
    assert set(amounts) == {"x", "y", "z"}


def test_more_steps_are_taken_where_the_way_bends_sharply():
    def step(points):  # a steep sigmoid, near the end of the way
        s = expit(2000 * (points[:, 0] - 0.9))
        return s, (2000 * s * (1 - s))[:, None]

    found = attribute(step, np.ones(1), np.zeros(1), ["a"], "f")
    assert found.steps > 128
    assert abs(found.error) < 0.002


def test_a_wrong_gradient_is_incomplete():
    # Negative control: with gradients of another function the amounts do not come to the gap.
    def wrong(points):
        values, gradients = _curved(points)
        return values, 1.3 * gradients

    found = attribute(wrong, np.ones(4), np.zeros(4), list("abcd"), "f")
    assert abs(found.error) > 0.1 * abs(found.output - found.baseline)


def test_integrated_gradients_of_a_linear_function_are_its_terms():
    weights = np.array([2.0, -1.0, 0.5])

    def linear(points):
        return points @ weights, np.tile(weights, (len(points), 1))

    row, baseline = np.array([1.0, 2.0, 3.0]), np.array([0.5, 0.0, 0.0])
    np.testing.assert_allclose(
        integrated(linear, row, baseline, 1), weights * (row - baseline), rtol=1e-12
    )


@pytest.fixture(scope="module")
def forest():
    rows = 400
    frame = pl.DataFrame({name: RNG.normal(size=rows) for name in "abc"})
    target = (frame["a"].to_numpy() + 0.4 * frame["b"].to_numpy() > 0).astype(np.int64)
    model = RandomForestClassifier(30, random_state=0).fit(frame.to_numpy(), target)
    return frame, target, model


def test_permutation_importance_is_that_of_scikit_learn(forest):
    frame, target, model = forest
    mine = permutation_importance(
        lambda some: model.predict_proba(some.to_numpy()), frame, target, frame.columns,
        METRICS["accuracy"], part="test", seed=0, repeats=30,
    )  # fmt: skip
    hers = sklearns(model, frame.to_numpy(), target, n_repeats=30, random_state=1)
    for each in mine.columns:
        at = frame.columns.index(each.column)
        sure = 4 * hers.importances_std[at] / np.sqrt(30) + 1e-9
        assert each.drop == pytest.approx(hers.importances_mean[at], abs=sure)
        assert each.std == pytest.approx(hers.importances_std[at], rel=0.6, abs=1e-9)
    assert mine.columns[0].column == "a"
    assert mine.score == model.score(frame.to_numpy(), target)


def test_a_column_that_is_not_used_loses_nothing_and_errors_rise(forest):
    frame, _, _ = forest
    target = frame["a"].to_numpy() * 2.0
    found = permutation_importance(
        lambda some: some["a"].to_numpy() * 2.0, frame, target, frame.columns,
        METRICS["rmse"], part="validation", seed=3,
    )  # fmt: skip
    worth = {each.column: each for each in found.columns}
    assert worth["a"].drop > 1.0  # an error grows: a loss is positive
    assert (worth["b"].drop, worth["b"].std, worth["c"].drop) == (0.0, 0.0, 0.0)


def test_many_rows_are_drawn_and_said():
    frame = pl.DataFrame({"a": np.arange(10_000.0)})
    target = np.arange(10_000.0)
    again = [
        permutation_importance(
            lambda some: some["a"].to_numpy(), frame, target, ["a"], METRICS["rmse"], part="test",
            seed=seed,
        )
        for seed in (0, 0, 1)
    ]  # fmt: skip
    assert (again[0].rows, again[0].of) == (4096, 10_000)
    assert again[0] == again[1] != again[2]
