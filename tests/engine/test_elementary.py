from __future__ import annotations

import numpy as np
import pytest

from modelshelf.engines.numpy_.activations import ACTIVATIONS
from modelshelf.engines.numpy_.compile import from_python
from modelshelf.engines.numpy_.elementary import circular as circular_kernel
from modelshelf.engines.numpy_.elementary import exponential as exponential_kernel
from modelshelf.engines.numpy_.elementary import hyperbolic as hyperbolic_kernel

circular = from_python(circular_kernel)
exponential = from_python(exponential_kernel)
hyperbolic = from_python(hyperbolic_kernel)


def test_the_fast_tanh_is_tanh_to_a_few_units_in_the_last_place():
    x = np.concatenate([np.linspace(-12, 12, 200_001), np.logspace(-30, 0, 1000)]).astype("f4")
    exact = np.tanh(x.astype(np.float64))
    found = x.copy()
    hyperbolic(found, np.float32(1.0))
    assert np.abs(found - exact).max() < 3e-7
    small = (np.abs(x) < 0.1) & (x != 0)
    assert np.abs(found[small] / exact[small] - 1).max() < 6e-7
    assert np.abs(found).max() <= 1.0


def test_nan_and_infinity_go_through():
    x = np.array([np.nan, np.inf, -np.inf], dtype="f4")
    hyperbolic(x, np.float32(1.0))
    assert np.isnan(x[0])
    np.testing.assert_allclose(x[1:], [1.0, -1.0], atol=3e-7)


def test_the_fast_exp_is_exp_to_a_few_units_in_the_last_place():
    x = np.concatenate([np.linspace(-87, 88, 400_001), np.logspace(-30, 0, 1000)]).astype("f4")
    found = x.copy()
    exponential(found)
    assert np.abs(found / np.exp(x.astype(np.float64)) - 1).max() < 4e-7
    ends = np.array([np.nan, np.inf, -np.inf, 0.0, 500.0, -500.0], dtype="f4")
    exponential(ends)
    assert np.isnan(ends[0])
    assert np.isfinite(ends[1:]).all()
    assert ends[3] == 1.0
    assert max(ends[2], ends[5]) < 1.3e-38
    assert min(ends[1], ends[4]) > 2e38


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_float32_activations_stay_within_a_bound_of_float64(name):
    """Within 1e-6 of the larger of 1 and |x|: a few units in the last place of what goes in."""
    x = np.linspace(-30, 30, 60_001)
    single, double = x.astype("f4"), x.astype("f4").astype(np.float64)
    bound = 1e-6 * np.maximum(1.0, np.abs(double))
    slopes = np.empty_like(single), np.empty_like(double)
    activation = from_python(ACTIVATIONS[name])
    activation(single, slopes[0], 0.01)
    activation(double, slopes[1], 0.01)
    assert (np.abs(single - double) <= bound).all()
    assert (np.abs(slopes[0] - slopes[1]) <= bound).all()
    hole = np.array([np.nan], dtype="f4")
    activation(hole, hole.copy(), 0.01)
    assert np.isnan(hole[0])


def test_the_fast_cosine_and_sine_are_right_to_a_few_units_in_the_last_place():
    x = np.concatenate([np.linspace(-1000, 1000, 400_001), np.logspace(-30, 0, 1000)]).astype("f4")
    exact = x.astype(np.float64)
    cosine, sine = x.copy(), np.empty_like(x)
    circular(cosine, sine)
    assert np.abs(cosine - np.cos(exact)).max() < 1e-7
    assert np.abs(sine - np.sin(exact)).max() < 1e-7
    hole = np.array([np.nan], dtype="f4")
    circular(hole, hole.copy())
    assert np.isnan(hole[0])
