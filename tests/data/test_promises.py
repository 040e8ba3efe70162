"""What must hold for any table: no NaN, no leak, the same preparation after a round trip."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modelshelf.core.errors import DataError
from modelshelf.data.dataset import Dataset, Table
from modelshelf.data.prepare import Preparation, fit_preparation
from modelshelf.data.prepare.categorical import fit_one_hot, scaled_robustly
from modelshelf.data.prepare.numeric import fit_scaler
from modelshelf.data.understand import conform, understand
from modelshelf.space.configuration import Configuration
from tests.study.conftest import make_table

ROWS = 40
numbers = st.one_of(
    st.none(),
    st.floats(-1.7e308, 1.7e308, allow_nan=False),
    st.sampled_from([0.0, 5e-324, 1e-300, -1e300, 1e300, 3.0]),
)
some = st.sampled_from(["a", "b", "ü", "<i>", "-1", "x,y"])
words = st.one_of(st.none(), some, st.text(max_size=3))
dates = st.one_of(st.none(), st.datetimes())


@st.composite
def tables(draw) -> pl.DataFrame:
    columns = {}
    for i in range(draw(st.integers(1, 4))):
        kind = draw(st.sampled_from([numbers, words, dates]))
        values = draw(st.lists(kind, min_size=ROWS, max_size=ROWS))
        dtype = {id(numbers): pl.Float64, id(words): pl.String}.get(id(kind), pl.Datetime("us"))
        columns[f"column {i}"] = pl.Series(values, dtype=dtype)
    return pl.DataFrame({**columns, "y": [i % 2 for i in range(ROWS)]})


def understood(frame: pl.DataFrame) -> Dataset | None:
    try:
        return understand(Table("any", frame), "y")
    except DataError:
        return None  # nothing in it can be used: the message is tested elsewhere


@pytest.mark.parametrize("scaling", ["standard", "robust", "quantile"])
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(frame=tables(), seed=st.integers(0, 5))
def test_preparation_never_yields_nan_and_survives_a_round_trip(scaling, frame, seed):
    dataset = understood(frame)
    if dataset is None:
        return
    rows = np.sort(np.random.default_rng(seed).permutation(ROWS)[: ROWS // 2])
    preparation = fit_preparation(dataset, rows, scaling)
    matrix = preparation.transform(dataset.frame)
    assert matrix.dtype == np.float32
    assert matrix.flags.c_contiguous
    assert matrix.shape == (ROWS, len(preparation.features))
    assert np.isfinite(matrix).all()
    stored, arrays = preparation.to_state()
    again = Preparation.from_state(json.loads(json.dumps(stored)), arrays)
    assert np.array_equal(again.transform(dataset.frame), matrix)
    assert again.features == preparation.features


def changed_outside(frame: pl.DataFrame, rows: np.ndarray) -> pl.DataFrame:
    """The same table with other numbers, words and holes in all rows but these."""
    outside = np.setdiff1d(np.arange(frame.height), rows)
    mask = pl.Series(np.isin(np.arange(frame.height), outside))
    return frame.with_columns(
        pl.when(mask).then(pl.col("a") * 50 + 7).otherwise(pl.col("a")).alias("a"),
        pl.when(mask).then(None).otherwise(pl.col("b")).alias("b"),
        pl.when(mask).then(pl.lit("Atlantis")).otherwise(pl.col("city")).alias("city"),
        pl.when(mask).then(pl.col("amount") * 3).otherwise(pl.col("amount")).alias("amount"),
    )


def state_of(frame: pl.DataFrame, rows: np.ndarray, scaling: str):
    dataset = understand(Table("t", frame), "amount", columns={"label": "ignore"})
    stored, arrays = fit_preparation(dataset, rows, scaling).to_state()
    stored.pop("schema")  # counts what the whole table holds; it scales nothing
    return stored, {name: array.tobytes() for name, array in arrays.items()}


@pytest.mark.parametrize("scaling", ["standard", "robust", "quantile"])
def test_preparation_is_fitted_on_training_rows_only(scaling):
    frame, rows = make_table(200), np.arange(0, 120)
    other = changed_outside(frame, rows)
    assert state_of(frame, rows, scaling) == state_of(other, rows, scaling)
    everything = np.arange(200)  # the planted leak: fitted on test rows too, and so they differ
    assert state_of(frame, everything, scaling) != state_of(other, everything, scaling)


def test_a_planted_leak_is_caught_in_a_whole_study(monkeypatch):
    """Networks see the training rows' statistics alone; a preparation that peeks is found out."""
    from modelshelf.data.metrics import METRICS
    from modelshelf.data.split import Split
    from modelshelf.study import problem as module
    from modelshelf.study.problem import Problem

    def arrays(frame: pl.DataFrame) -> np.ndarray:
        dataset = understand(Table("t", frame), "amount", columns={"label": "ignore"})
        problem = Problem(dataset, METRICS["rmse"], 0, 0)
        return problem.prepared(Split("search"), Configuration()).data.x

    frame = make_table(200)
    dataset = understand(Table("t", frame), "amount", columns={"label": "ignore"})
    train, _ = Problem(dataset, METRICS["rmse"], 0, 0).rows(Split("search"))
    other = changed_outside(frame, train).with_columns(frame["amount"])
    assert np.array_equal(arrays(frame), arrays(other))

    def leaky(dataset, rows, *settings):
        return fit_preparation(dataset, np.arange(dataset.rows), *settings)

    monkeypatch.setattr(module, "fit_preparation", leaky)
    assert not np.array_equal(arrays(frame), arrays(other))


def test_new_categories_and_holes_have_their_place():
    dataset = understand(Table("t", make_table(200)), "label", columns={"amount": "ignore"})
    preparation = fit_preparation(dataset, np.arange(200), "standard")
    new = make_table(20, seed=1).drop("label", "amount").with_columns(
        pl.lit("Oslo").alias("city"), pl.lit(None, dtype=pl.Float64).alias("a")
    )  # fmt: skip
    frame, target, _ = conform(dataset.schema, Table("new", new), need_target=False)
    matrix = preparation.transform(frame)
    assert target is None
    assert np.isfinite(matrix).all()
    assert (matrix[:, preparation.features.index("city = (other)")] == 1).all()
    assert "c is missing" in preparation.features


def test_quantiles_a_hair_apart_do_not_overflow():
    """The slope between neighbours 1e-323 apart is infinite."""
    scaler = fit_scaler(np.array([0.0, 0.0, 1e-323]), "quantile")
    assert np.isfinite(scaler.transform(np.array([0.0, 5e-324, 1e-323, 1.0, np.nan]))).all()


def test_categories_are_scaled_robustly_by_how_common_they_are():
    values = pl.Series(["often"] * 60 + ["some"] * 30 + ["rare"] * 10)
    one_hot = scaled_robustly(fit_one_hot(values), values)
    often, some, rare, other = one_hot.transform(pl.Series(["often", "some", "rare", "new"])).T
    # Of a common one the median is its own value; a rare one is twice as far from the others.
    clip = [each / np.sqrt(1 + (each / 3) ** 2) for each in (1.0, 2.0)]
    np.testing.assert_allclose(often, [0, -clip[0], -clip[0], -clip[0]], rtol=1e-6)
    np.testing.assert_allclose(some, [0, clip[0], 0, 0], rtol=1e-6)
    np.testing.assert_allclose(rare, [0, 0, clip[1], 0], rtol=1e-6)
    assert not other.any()  # no training row had it: it says nothing
