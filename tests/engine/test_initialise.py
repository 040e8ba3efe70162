"""How weights begin: as PyTorch's own initialisers draw them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.stats import ks_2samp

from modelshelf.engines.numpy_ import NumpyEngine
from modelshelf.engines.numpy_.initialise import INITIALISERS
from modelshelf.space.catalogue import CATALOGUE
from modelshelf.space.configuration import Configuration
from tests.engine.conftest import make_data

init = torch.nn.init
TORCH = {
    "he_normal": lambda w: init.kaiming_normal_(w, nonlinearity="relu"),
    "he_uniform": lambda w: init.kaiming_uniform_(w, nonlinearity="relu"),
    "xavier_normal": init.xavier_normal_,
    "xavier_uniform": init.xavier_uniform_,
    "lecun_normal": lambda w: init.kaiming_normal_(w, nonlinearity="linear"),
    "lecun_uniform": lambda w: init.kaiming_uniform_(w, nonlinearity="linear"),
    "orthogonal": init.orthogonal_,
    "pytorch": lambda w: torch.nn.Linear(w.shape[1], w.shape[0]).weight,
    "standard_normal": init.normal_,
}


def test_every_choice_is_drawn():
    assert set(TORCH) == set(INITIALISERS)
    assert {*TORCH, "data"} == set(CATALOGUE["initialisation"].domain.values)


@pytest.mark.parametrize("shape", [(150, 80), (60, 200)])
@pytest.mark.parametrize("name", TORCH)
def test_weights_are_drawn_as_pytorch_draws_them(name, shape):
    """One distribution, by Kolmogorov and Smirnov; 20 % wider is told from it."""
    ours = INITIALISERS[name](np.random.default_rng(1), *shape)
    assert ours.shape == shape
    torch.manual_seed(1)
    theirs = TORCH[name](torch.empty(shape[1], shape[0])).detach().numpy()
    assert ks_2samp(ours.ravel(), theirs.ravel()).pvalue > 1e-3
    assert ks_2samp(1.2 * ours.ravel(), theirs.ravel()).pvalue < 1e-6


@pytest.mark.parametrize("shape", [(30, 12), (12, 30), (9, 9)])
def test_orthogonal_is(shape):
    w = INITIALISERS["orthogonal"](np.random.default_rng(0), *shape)
    gram = w.T @ w if shape[0] >= shape[1] else w @ w.T
    np.testing.assert_allclose(gram, np.eye(min(shape)), atol=1e-12)


def test_biases_begin_at_0_but_for_pytorchs():
    data, engine = make_data(3), NumpyEngine()
    for name in INITIALISERS:
        member = engine.start(Configuration(initialisation=name), data, seed=0)
        weights, biases = member.layout.split(member.theta)
        for weight, bias in zip(weights, biases, strict=True):
            if name == "pytorch":
                assert 0.5 < np.abs(bias).max() * np.sqrt(weight.shape[0]) <= 1.0
            else:
                assert not bias.any()


@pytest.mark.parametrize("form", ["standard", "ntk"])
def test_data_fits_each_layer_to_the_rows(form):
    """Sums without their biases have deviation 1; each bias lies within its sums' range."""
    data = make_data(3, rows=400)
    configuration = Configuration(
        initialisation="data", parametrisation=form, hidden_layers=(30, 20), activation="selu"
    )
    member = NumpyEngine("float64").start(configuration, data, seed=0)
    x = torch.from_numpy(data.x)
    for weight, bias in zip(*member.layout.split(member.theta), strict=True):
        sums = x @ torch.from_numpy(weight) / (weight.shape[0] ** 0.5 if form == "ntk" else 1.0)
        np.testing.assert_allclose(sums.std(0, correction=0), 1.0, rtol=1e-9)
        low, high = sums.min(0).values.numpy(), sums.max(0).values.numpy()
        assert (low <= -bias).all()
        assert (-bias <= high).all()
        assert bias.std() > 0.1
        x = torch.selu(sums + torch.from_numpy(bias))
