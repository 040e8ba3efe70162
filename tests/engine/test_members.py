"""A member's bits depend on itself alone: not on pauses, neighbours, threads or the order."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from modelshelf.core.protocols import TrainingData
from modelshelf.engines.numpy_ import Network, NumpyEngine
from modelshelf.engines.numpy_.compile import single_threaded
from modelshelf.space.configuration import Configuration
from tests.engine.conftest import make_data
from tests.engine.oracle import mask, order

CONFIGURATIONS = [
    Configuration(hidden_layers=(16, 8), dropout=0.2, batch_size=8, epochs=30, patience=0),
    Configuration(hidden_layers=33, optimizer="momentum", learning_rate=0.02, l1=1e-4, patience=0),
    Configuration(hidden_layers=(), optimizer="rmsprop", batch_size=5, patience=0),
    Configuration(hidden_layers=(7, 7, 7), activation="tanh", optimizer="sgd", patience=0),
    Configuration(hidden_layers=(7, 7), normalisation="batch", residual="yes", patience=0),
    Configuration(
        hidden_layers=(6, 5),
        ensemble_size=3,
        numeric_encoding="piecewise",
        averaging=0.9,
        patience=0,
    ),
]


@pytest.fixture(scope="module")
def data():
    return make_data(3, dtype="float32")


def run(configuration, data, epochs=30, seed=5):
    engine = NumpyEngine()
    member = engine.start(configuration, data, seed)
    leg = engine.advance(member, data, epochs, np.zeros(1, np.uint8))
    return member, leg


def same(a, b):
    return all(
        np.array_equal(getattr(a, name), getattr(b, name))
        for name in ("theta", "slots", "average", "best", "counters", "scalars")
    )


@pytest.mark.parametrize("configuration", CONFIGURATIONS)
@pytest.mark.parametrize("pauses", [(1,), (7, 8, 29), tuple(range(1, 30))])
def test_freezing_and_thawing_changes_no_bit(configuration, pauses, data, stop):
    whole, whole_leg = run(configuration, data)
    engine = NumpyEngine()
    member = engine.start(configuration, data, 5)
    curves = []
    for pause in (*pauses, 30):
        curves.append(engine.advance(member, data, pause, stop).curve)
        frozen = engine.network(member, True).tensors() | engine.snapshot(member)
        frozen = {name: tensor.copy() for name, tensor in frozen.items()}
        member = engine.thaw(configuration, data, 5, frozen)
    assert same(whole, member)
    assert np.array_equal(np.concatenate(curves), whole_leg.curve)


def test_neighbours_and_threads_change_no_bit(data):
    alone = [run(c, data)[0] for c in CONFIGURATIONS]
    with single_threaded(), ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda c: run(c, data)[0], CONFIGURATIONS * 5))
    for i, member in enumerate(together):
        assert same(alone[i % len(CONFIGURATIONS)], member)


def test_a_diverging_member_ends_with_its_last_finite_state(data):
    wild = Configuration(hidden_layers=(16,), optimizer="sgd", learning_rate=900.0, l2=1.0)
    member, leg = run(wild, data)
    assert leg.diverged
    assert np.isfinite(member.best).all()
    assert leg.epoch < 30
    calm = CONFIGURATIONS[0]
    before, _ = run(calm, data)
    with ThreadPoolExecutor(2) as pool:
        _, beside = pool.map(lambda c: run(c, data)[0], [wild, calm])
    assert same(before, beside)


def test_a_member_that_diverges_unvalidated_ends_at_once(data, stop):
    unvalidated = TrainingData(data.x, data.y, data.x[:0], data.y[:0], True)
    wild = Configuration(
        hidden_layers=(16,), optimizer="sgd", learning_rate=1e3, l2=10.0, batch_size=8
    )
    engine = NumpyEngine()
    member = engine.start(wild, unvalidated, 0)
    leg = engine.advance(member, unvalidated, 100, stop)
    assert leg.diverged
    assert np.isfinite(member.best).all()
    assert leg.steps < -(-len(data.x) // 8) * (leg.epoch + 1)  # not at the end of the epoch


def test_weights_that_overflow_in_the_last_step_of_an_epoch_are_not_kept(data, stop):
    """All inputs are 0: the loss is finite while the penalty drives the weights to infinity."""
    nothing = TrainingData(data.x * 0, data.y, data.x[:0], data.y[:0], True)
    wild = Configuration(
        hidden_layers=(4,), optimizer="sgd", learning_rate=1e3, l2=10.0, batch_size=1000
    )
    engine = NumpyEngine()
    member = engine.start(wild, nothing, 0)
    leg = engine.advance(member, nothing, 100, stop)
    assert leg.diverged
    assert np.isinf(member.theta).any()
    assert np.isfinite(member.best).all()


def test_a_nan_is_seen_behind_a_relu(stop):
    data = make_data(3)
    data.x[5, 2] = np.nan
    engine = NumpyEngine("float64")
    member = engine.start(CONFIGURATIONS[0], data, 0)
    assert engine.advance(member, data, 3, stop).diverged


def test_early_stopping_waits_for_its_patience_and_keeps_the_best(data):
    configuration = Configuration(hidden_layers=(64,), learning_rate=0.05, patience=4, epochs=500)
    member, leg = run(configuration, data, epochs=500)
    assert leg.ended
    assert leg.epoch == leg.best_epoch + 4 < 500
    assert leg.best_epoch == int(leg.curve[:, 1].argmin()) + 1
    again, _ = run(configuration.replace(patience=0), data, epochs=leg.best_epoch)
    assert np.array_equal(again.theta, member.best)


def test_a_set_flag_brings_a_member_back(data):
    engine, flag = NumpyEngine(), np.zeros(1, np.uint8)
    member = engine.start(CONFIGURATIONS[0], data, 0)
    threading.Timer(0.2, lambda: flag.fill(1)).start()
    leg = engine.advance(member, data, 10_000_000 // 100, flag)
    assert leg.interrupted


def test_without_validation_rows_the_last_epoch_is_kept(data, stop):
    from dataclasses import replace

    bare = replace(data, validation_x=data.validation_x[:0], validation_y=data.validation_y[:0])
    engine = NumpyEngine()
    member = engine.start(CONFIGURATIONS[0].replace(patience=2), bare, 0)
    leg = engine.advance(member, bare, 12, stop)
    assert (leg.epoch, leg.best_epoch) == (12, 12)
    assert np.isnan(leg.loss)
    assert np.isnan(leg.curve[:, 1]).all()
    assert np.array_equal(member.best, member.theta)


def test_dropout_masks_are_fair_scaled_and_fresh(data):
    member, _ = run(CONFIGURATIONS[0], data, epochs=1)
    first = mask(member, 200_000, step=1, layer=0, rate=0.3)
    assert set(np.unique(first)) == {0.0, 1.0 / 0.7}
    assert (first == 0).mean() == pytest.approx(0.3, abs=0.005)
    for other in (mask(member, 200_000, 2, 0, 0.3), mask(member, 200_000, 1, 1, 0.3)):
        both = ((first == 0) & (other == 0)).mean()
        assert both == pytest.approx(0.09, abs=0.005)


def test_orders_are_permutations_and_fresh(data):
    member, _ = run(CONFIGURATIONS[0], data, epochs=1)
    first, second = order(member, 1000, 1), order(member, 1000, 2)
    assert np.array_equal(np.sort(first), np.arange(1000))
    assert not np.array_equal(first, second)
    firsts = [order(member, 10, epoch)[0] for epoch in range(2000)]
    assert np.bincount(firsts, minlength=10).min() > 140  # 200 each, on average


def test_a_network_goes_through_tensors_to_the_bit(data):
    member, _ = run(CONFIGURATIONS[0], data)
    network = NumpyEngine().network(member, True)
    again = Network.from_tensors(member.configuration, True, network.tensors())
    assert np.array_equal(network.predict(data.x), again.predict(data.x))


SCRIPT = """
import numpy as np
from modelshelf.engines.numpy_ import NumpyEngine
from modelshelf.engines.numpy_.compile import INTERPRETED
from tests.engine.conftest import make_data
from modelshelf.space.configuration import Configuration
assert INTERPRETED
data = make_data(3)
c = Configuration(hidden_layers=(6, 5), dropout=0.2, l2=1e-3, batch_size=16, patience=0)
engine = NumpyEngine("float64")
member = engine.start(c, data, 2)
engine.advance(member, data, 3, np.zeros(1, np.uint8))
print(" ".join(v.hex() for v in member.theta.tolist()))
"""


def test_the_same_source_runs_without_the_compiler(stop):
    told = subprocess.run(
        [sys.executable, "-W", "error", "-c", SCRIPT],
        env={**os.environ, "NUMBA_DISABLE_JIT": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    interpreted = [float.fromhex(word) for word in told.stdout.split()]
    data = make_data(3)
    c = Configuration(hidden_layers=(6, 5), dropout=0.2, l2=1e-3, batch_size=16, patience=0)
    member = NumpyEngine("float64").start(c, data, 2)
    NumpyEngine("float64").advance(member, data, 3, stop)
    np.testing.assert_allclose(member.theta, interpreted, rtol=1e-10, atol=1e-13)


def test_an_improvement_below_min_delta_is_none(stop):
    base = {"hidden_layers": (8,), "learning_rate": 1e-3, "epochs": 60, "patience": 5}
    data, engine = make_data(3, dtype="float32"), NumpyEngine()
    kept = []
    for delta in (0.0, 0.5):
        member = engine.start(Configuration(**base, min_delta=delta), data, seed=0)
        leg = engine.advance(member, data, 60, stop)
        kept.append((leg.epoch, leg.best_epoch, leg.ended))
    assert kept[0] == (60, 60, False)  # it improves a little with every epoch
    assert kept[1] == (6, 1, True)


@pytest.mark.parametrize("schedule", ["step", "cosine", "one_cycle"])
def test_a_schedule_goes_on_where_it_was_after_a_pause(schedule, stop):
    configuration = Configuration(hidden_layers=(8,), schedule=schedule, epochs=20, clip_norm=0.5)
    data, engine = make_data(3, dtype="float32"), NumpyEngine()
    whole = engine.start(configuration, data, seed=0)
    engine.advance(whole, data, 20, stop)
    parts = engine.start(configuration, data, seed=0)
    for epoch in (3, 4, 11, 20):
        engine.advance(parts, data, epoch, stop)
    assert np.array_equal(whole.theta, parts.theta)
