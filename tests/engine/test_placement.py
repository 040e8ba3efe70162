"""A member's bits do not hang on where its arrays lie in memory."""

from __future__ import annotations

import random

import numpy as np
import pytest

from modelshelf.core.protocols import TrainingData
from modelshelf.engines.numpy_ import NumpyEngine
from modelshelf.engines.numpy_.encoding import waves_shape
from modelshelf.engines.numpy_.pointers import encoders
from modelshelf.space.configuration import Configuration

ROWS, NUMBERS, SWITCHES = 48, 4, 5


def placed(shapes: dict[str, tuple[int, ...]], seed: int) -> dict[str, np.ndarray]:
    """Arrays side by side in one block, in any order, with gaps of any size."""
    rng = random.Random(seed)
    names = rng.sample(sorted(shapes), len(shapes))
    gaps = [rng.choice((0, 1, 4, 8, 33, 64)) for _ in names]
    block = np.empty(sum(int(np.prod(s)) for s in shapes.values()) + sum(gaps), np.float32)
    found, at = {}, 0
    for name, gap in zip(names, gaps, strict=True):
        size = int(np.prod(shapes[name]))
        found[name] = block[at : at + size].reshape(shapes[name])
        at += size + gap
    return found


@pytest.mark.parametrize("encoding", ["piecewise", "periodic"])
def test_encodings_round_alike_wherever_their_arrays_lie(encoding):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(ROWS, NUMBERS + SWITCHES)).astype(np.float32)
    y = np.eye(2, dtype=np.float32)[rng.integers(0, 2, ROWS)]
    data = TrainingData(x, y, x[:0], y[:0], True, (-1,) * NUMBERS + (0,) * SWITCHES)
    bins = {"encoding_bins": 32} if encoding == "piecewise" else {}
    asked = Configuration(numeric_encoding=encoding, encoding_size=10, hidden_layers=(8,), **bins)
    member = NumpyEngine().start(asked, data, 0)
    layout = member.layout
    theta, wide = member.theta.copy(), layout.widths[0]
    begin, end = layout.blocks["numbers"]
    theta[begin:end] = 0.1 * rng.normal(size=end - begin)
    delta = rng.normal(size=(ROWS, wide)).astype(np.float32)
    there, back = encoders(layout, np.dtype(np.float32))
    scratch = waves_shape(layout.form, ROWS)
    shapes = {"theta": theta.shape, "x": x.shape, "into": (ROWS, wide), "waves": scratch,
              "gradient": theta.shape, "delta": delta.shape}  # fmt: skip
    seen = set()
    for seed in range(1000):
        a = placed(shapes, seed)
        a["theta"][:], a["x"][:], a["delta"][:], a["gradient"][:] = theta, x, delta, 0.0
        there(layout.columns, layout.form, a["theta"], a["x"], a["into"], a["waves"])
        back(layout.columns, layout.form, a["theta"], a["x"], a["delta"], a["waves"], a["gradient"])
        seen.add((a["into"].tobytes(), a["gradient"].tobytes()))
    assert len(seen) == 1


KINDS = {
    "plain": {"dropout": 0.2, "label_smoothing": 0.1, "input_dropout": 0.1},
    "residual": {"hidden_layers": (16, 16), "residual": "yes", "l1": 1e-4},
    "normalised": {"normalisation": "batch", "optimizer": "momentum"},
    "ntk": {"parametrisation": "ntk", "input_scale": "yes", "parametric_activation": "yes"},
    "members": {"ensemble_size": 3, "numeric_encoding": "periodic", "activation": "selu"},
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_member_trains_alike_wherever_its_scratch_lies(kind, monkeypatch):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(150, 7)).astype(np.float32)
    y = np.eye(3, dtype=np.float32)[rng.integers(0, 3, 150)]
    data = TrainingData(x[:120], y[:120], x[120:], y[120:], True, (-1,) * 4 + (0,) * 3)
    usual = {"hidden_layers": (17, 13), "batch_size": 32, "epochs": 2, "patience": 0}
    configuration = Configuration(**{**usual, **KINDS[kind]})
    engine, seen = NumpyEngine(), set()
    for seed in range(60):
        monkeypatch.setattr(
            "modelshelf.engines.numpy_.scratch._carved",
            lambda wanted, dtype, seed=seed: placed({n: (s,) for n, s in wanted.items()}, seed),
        )
        member = engine.start(configuration, data, 0)
        engine.advance(member, data, 2, np.zeros(1, np.uint8))
        seen.add(member.theta.tobytes())
    assert len(seen) == 1
