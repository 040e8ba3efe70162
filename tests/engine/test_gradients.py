"""Gradients agree with finite differences of the loss."""

from __future__ import annotations

import numpy as np
import pytest

from modelshelf.engines.numpy_ import NumpyEngine
from modelshelf.space.catalogue import CATALOGUE
from modelshelf.space.configuration import Configuration
from tests.engine.conftest import make_data


def loss_at(configuration, data, theta, stop):
    """The training loss of one whole batch, read from the curve of a step of length 0."""
    engine = NumpyEngine("float64")
    member = engine.start(configuration, data, seed=3)
    member.theta[:] = theta
    return engine.advance(member, data, 1, stop).curve[0, 0]


@pytest.mark.parametrize("activation", CATALOGUE["activation"].domain.values)
@pytest.mark.parametrize(
    ("classes", "loss"), [(3, "cross_entropy"), (3, "quadratic"), (0, "quadratic"), (0, "huber")]
)
@pytest.mark.parametrize("extra", [{}, {"dropout": 0.3, "l1": 1e-3, "l2": 1e-2}])
def test_gradient_is_the_slope_of_the_loss(activation, classes, loss, extra, stop):
    # One step of plain SGD with rate 1 moves the weights by exactly the gradient.
    settings = {"activation": activation, "loss": loss, "hidden_layers": (5, 4), **extra}
    still = Configuration(**settings, batch_size=1000, optimizer="sgd", learning_rate=0.0)
    data = make_data(classes, rows=24)
    engine = NumpyEngine("float64")
    member = engine.start(still.replace(learning_rate=1.0), data, seed=3)
    before = member.theta.copy()
    before += 0.05 * np.random.default_rng(0).normal(size=before.size)  # biases off 0
    member.theta[:] = before
    engine.advance(member, data, 1, stop)
    gradient = before - member.theta
    numeric = np.empty_like(before)
    for i in range(before.size):
        shift = np.zeros_like(before)
        shift[i] = 1e-6
        up, down = (loss_at(still, data, before + s * shift, stop) for s in (1, -1))
        numeric[i] = (up - down) / 2e-6
    np.testing.assert_allclose(gradient, numeric, rtol=1e-5, atol=1e-7)
