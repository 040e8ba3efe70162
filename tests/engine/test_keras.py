"""Runs beside Keras itself: what its defaults are here, and where its rules are others.

Optional: `make test-all` installs Keras and runs it on PyTorch.
"""

from __future__ import annotations

import os

import numpy as np
import pytest
import torch

os.environ.setdefault("KERAS_BACKEND", "torch")
keras = pytest.importorskip("keras")

from modelshelf.engines.numpy_ import NumpyEngine  # noqa: E402
from modelshelf.space.configuration import Configuration  # noqa: E402
from tests.engine.conftest import make_data  # noqa: E402
from tests.engine.oracle import order  # noqa: E402

EPOCHS = 50
BASE = {"hidden_layers": (9, 6), "activation": "tanh", "batch_size": 16, "patience": 0}
NO_EPSILON = 1e-30
RATE = 2**-7  # Keras holds it in float32


@pytest.fixture(autouse=True)
def in_float64():
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    yield
    keras.config.set_floatx("float32")
    keras.config.set_dtype_policy("float32")


def both(configuration, optimizer, stop):
    """Weights after a whole run: ours, and Keras' from the same start on the same batches."""
    data, engine = make_data(3), NumpyEngine("float64")
    member = engine.start(configuration, data, seed=1)
    parts = zip(*member.layout.split(member.theta), strict=True)
    variables = [keras.Variable(each, dtype="float64") for pair in parts for each in pair]
    held = [each.value for each in variables]
    for epoch in range(1, EPOCHS + 1):
        rows = order(member, len(data.x), epoch)
        for start in range(0, len(rows), 16):
            at = rows[start : start + 16]
            x, y = torch.from_numpy(data.x[at]), torch.from_numpy(data.y[at])
            for k in (0, 2, 4):  # Keras' own layers multiply in float32
                x = (x if k == 0 else torch.tanh(x)) @ held[k] + held[k + 1]
            gradients = torch.autograd.grad(torch.nn.functional.cross_entropy(x, y), held)
            with torch.no_grad():
                optimizer.apply(list(gradients), variables)
    engine.advance(member, data, EPOCHS, stop)
    theirs = [each.detach().numpy().reshape(-1) for each in (*held[::2], *held[1::2])]
    return member.theta, np.concatenate(theirs)


@pytest.mark.parametrize(
    ("settings", "optimizer"),
    [
        ({"optimizer": "sgd"}, lambda: keras.optimizers.SGD(RATE)),
        ({"optimizer": "momentum"}, lambda: keras.optimizers.SGD(RATE, momentum=0.9)),
        (
            {"optimizer": "nesterov"},
            lambda: keras.optimizers.SGD(RATE, momentum=0.9, nesterov=True),
        ),
        (
            {"optimizer": "adam", "epsilon": 1e-16},
            lambda: keras.optimizers.Adam(RATE, epsilon=1e-16),
        ),
        (
            {"optimizer": "rmsprop", "rho": 0.9, "epsilon": 1e-16},
            lambda: keras.optimizers.RMSprop(RATE, epsilon=NO_EPSILON),
        ),
    ],
    ids=["sgd", "momentum", "nesterov", "adam", "rmsprop"],
)
def test_rules_are_keras_own_but_for_epsilon(settings, optimizer, stop):
    ours, theirs = both(Configuration(**BASE, learning_rate=RATE, **settings), optimizer(), stop)
    np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-11)


def test_the_recipe_has_keras_defaults():
    adam, rmsprop = keras.optimizers.Adam(), keras.optimizers.RMSprop()
    recipe = Configuration(recipe="keras")
    assert recipe.number("learning_rate") == pytest.approx(float(adam.learning_rate))
    assert (recipe.number("beta1"), recipe.number("beta2")) == (adam.beta_1, adam.beta_2)
    assert recipe.number("epsilon") == adam.epsilon == rmsprop.epsilon
    assert recipe.number("rho") == rmsprop.rho
    assert keras.layers.Dense(1).kernel_initializer.__class__.__name__ == "GlorotUniform"
    assert recipe.word("initialisation") == "xavier_uniform"


@pytest.mark.parametrize("name", ["adam", "rmsprop"])
def test_epsilon_stands_elsewhere_and_changes_little(name, stop):
    """Keras' Adam adds it before the mean square is corrected, its RMSprop under the root."""
    rules = {"adam": keras.optimizers.Adam, "rmsprop": keras.optimizers.RMSprop}
    settings = {**BASE, "optimizer": name, "initialisation": "he_normal"}
    ours, theirs = both(Configuration(recipe="keras", **settings), rules[name](), stop)
    assert not np.allclose(ours, theirs, rtol=1e-9)
    np.testing.assert_allclose(ours, theirs, atol=5e-3)
