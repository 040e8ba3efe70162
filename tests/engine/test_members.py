"""The compiled engine's members, beyond what `test_conformance` asks of every engine."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

from modelshelf.core.protocols import TrainingData
from modelshelf.engines.numpy_ import Network, NumpyEngine
from modelshelf.space.configuration import Configuration
from tests.engine.conftest import make_data
from tests.engine.oracle import mask, order

CALM = Configuration(hidden_layers=(16, 8), dropout=0.2, batch_size=8, epochs=30, patience=0)


@pytest.fixture(scope="module")
def data():
    return make_data(3, dtype="float32")


def run(configuration, data, epochs=30, seed=5):
    engine = NumpyEngine()
    member = engine.start(configuration, data, seed)
    leg = engine.advance(member, data, epochs, np.zeros(1, np.uint8))
    return member, leg


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
    member = engine.start(CALM, data, 0)
    assert engine.advance(member, data, 3, stop).diverged


def test_dropout_masks_are_fair_scaled_and_fresh(data):
    member, _ = run(CALM, data, epochs=1)
    first = mask(member, 200_000, step=1, layer=0, rate=0.3)
    assert set(np.unique(first)) == {0.0, 1.0 / 0.7}
    assert (first == 0).mean() == pytest.approx(0.3, abs=0.005)
    for other in (mask(member, 200_000, 2, 0, 0.3), mask(member, 200_000, 1, 1, 0.3)):
        both = ((first == 0) & (other == 0)).mean()
        assert both == pytest.approx(0.09, abs=0.005)


def test_orders_are_permutations_and_fresh(data):
    member, _ = run(CALM, data, epochs=1)
    first, second = order(member, 1000, 1), order(member, 1000, 2)
    assert np.array_equal(np.sort(first), np.arange(1000))
    assert not np.array_equal(first, second)
    firsts = [order(member, 10, epoch)[0] for epoch in range(2000)]
    assert np.bincount(firsts, minlength=10).min() > 140  # 200 each, on average


def test_a_network_goes_through_tensors_to_the_bit(data):
    member, _ = run(CALM, data)
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


def test_a_member_that_is_halted_ends_its_epoch_and_goes_on_to_the_same_bits(data):
    engine, halt, go = NumpyEngine(), np.full(1, 2, np.uint8), np.zeros(1, np.uint8)
    member = engine.start(CALM, data, 5)
    for epoch in range(1, 4):
        leg = engine.advance(member, data, 30, halt)
        assert (leg.epoch, leg.interrupted, leg.ended) == (epoch, False, False)
        assert np.isfinite(leg.loss)
    engine.advance(member, data, 30, go)
    straight, _ = run(CALM, data)
    assert member.theta.tobytes() == straight.theta.tobytes()
