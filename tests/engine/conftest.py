from __future__ import annotations

import numpy as np
import pytest

from modelshelf.core.protocols import TrainingData


def make_data(classes: int, rows: int = 103, inputs: int = 7, dtype: str = "float64"):
    """A small problem that can be learned; `classes` 0 is regression. 103 leaves a short batch."""
    rng = np.random.default_rng(classes)
    x = rng.normal(size=(rows, inputs))
    x[:, -1] = rng.integers(0, 4, rows)  # a category's code
    x[:, -2] = x[:, -2] > 0  # a switch
    signal = x @ rng.normal(size=(inputs, max(classes, 1))) + 0.1 * rng.normal(
        size=(rows, max(classes, 1))
    )
    y = np.eye(classes)[signal.argmax(1)] if classes else np.tanh(signal)
    train = rows * 3 // 4
    parts = [a.astype(dtype) for a in (x[:train], y[:train], x[train:], y[train:])]
    columns = (*[-1] * (inputs - 2), 0, 4)
    return TrainingData(*(np.ascontiguousarray(a) for a in parts), classes > 0, columns)


@pytest.fixture
def stop():
    return np.zeros(1, np.uint8)
