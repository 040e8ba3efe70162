"""float32 stays within the bound that docs/decisions/0010-float32.md derives.

The bound is a running error analysis: it is computed, in float64, beside the numbers themselves.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from modelshelf.engines.numpy_ import NumpyEngine
from modelshelf.space.configuration import Configuration
from tests.engine.conftest import make_data

U = 2.0**-24  #: half of the distance between 1 and the next float32
ELEMENTARY = 8 * U  #: of exponential and hyperbolic, see test_elementary


def gamma(terms: int) -> float:
    """The most that a sum of so many rounded products is off, by its terms' sizes. Higham 2002."""
    return terms * U / (1 - terms * U)


def bounds(layout, theta, x, y, activation):
    """Gradient of the mean cross-entropy by all weights in float64, and float32's distance from it.

    Every pair is (value, error): |float32's value - value| <= error, element by element.
    """
    weights, biases = layout.split(theta)
    a, slopes = [(x, np.zeros_like(x))], []
    for i, (w, b) in enumerate(zip(weights, biases, strict=True)):
        value, error = a[-1]
        z = value @ w + b
        size = np.abs(value) @ np.abs(w) + np.abs(b)
        off = gamma(len(w) + 2) * (size + error @ np.abs(w)) + error @ np.abs(w)
        if i == len(weights) - 1:
            break
        if activation == "relu":
            slope = (z > 0).astype(float)
            unsure = (np.abs(z) <= off).astype(float)  # float32 may stand on the other side
            a.append((np.maximum(z, 0), off))
            slopes.append((slope, unsure))
        else:
            t = np.tanh(z)
            wrong = off + ELEMENTARY
            a.append((t, wrong))
            slopes.append((1 - t**2, 2 * wrong + wrong**2 + 2 * U))
    # A softmax of shifted numbers: each exponential, their sum, and one division.
    p = np.exp(z - z.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    most = off.max(1, keepdims=True)
    spread = np.abs(z - z.max(1, keepdims=True)).max(1, keepdims=True)
    relative = np.expm1(2 * most + U * spread) + gamma(p.shape[1] + 4) + 2 * ELEMENTARY
    rows = len(x)
    delta = (p - y) / rows, (p * relative + 2 * U * np.abs(p - y)) / rows * (1 + 4 * U)
    found = []
    for i in range(len(weights) - 1, -1, -1):
        (value, error), (d, wrong) = a[i], delta
        whole = np.abs(value) + error, np.abs(d) + wrong
        off = gamma(rows) * (whole[0].T @ whole[1]) + error.T @ whole[1] + whole[0].T @ wrong
        below = gamma(rows) * whole[1].sum(0) + wrong.sum(0)
        found.append(((value.T @ d, off), (d.sum(0), below)))
        if i == 0:
            break
        w = np.abs(weights[i])
        back, lost = d @ weights[i].T, gamma(w.shape[1]) * (whole[1] @ w.T) + wrong @ w.T
        slope, unsure = slopes[i - 1]
        off = lost * (slope + unsure) + np.abs(back) * unsure
        delta = back * slope, off + U * (np.abs(back * slope) + off)
    found.reverse()
    order = [*(pair[0] for pair in found), *(pair[1] for pair in found)]
    return tuple(np.concatenate([each[k].reshape(-1) for each in order]) for k in (0, 1))


@pytest.mark.parametrize("activation", ["relu", "tanh"])
@pytest.mark.parametrize("layers", [(), (16,), (32, 16)])
def test_a_step_in_float32_is_as_near_as_the_bound_says(layers, activation, stop):
    data = make_data(3, rows=800, inputs=20, dtype="float32")
    data = replace(data, validation_x=data.x[:0], validation_y=data.y[:0])
    configuration = Configuration(
        hidden_layers=layers, activation=activation, optimizer="sgd", learning_rate=1.0,
        batch_size=1000, epochs=1,
    )  # fmt: skip
    engine = NumpyEngine()
    member = engine.start(configuration, data, seed=2)
    before = member.theta.astype(np.float64)
    x, y = data.x.astype(np.float64), data.y.astype(np.float64)
    gradient, error = bounds(member.layout, before, x, y, activation)
    engine.advance(member, data, 1, stop)
    after = before - gradient
    off = np.abs(member.theta - after)
    bound = error + U * (np.abs(after) + error) * 2
    assert (off <= bound).all()
    assert off.max() > 0  # it is float32
    one_percent_wrong = np.abs(member.theta - (before - 1.01 * gradient))
    assert (one_percent_wrong > bound).any()  # and the bound says something
