from __future__ import annotations

import numpy as np

from modelshelf.engines.numpy_.elementary import hyperbolic


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
