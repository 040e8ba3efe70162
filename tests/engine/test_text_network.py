"""Networks that read tokens: padding says nothing, and order says something where it should."""

from __future__ import annotations

import numpy as np
import pytest

from modelshelf.core.errors import SettingError
from modelshelf.core.protocols import TrainingData
from modelshelf.core.seeds import generator
from modelshelf.space.configuration import Configuration

torch = pytest.importorskip("torch")

from modelshelf.engines.torch_.engine import TorchEngine  # noqa: E402
from modelshelf.engines.torch_.families.text import build_text  # noqa: E402

KINDS = ("mean", "conv", "recurrent")


def rows(count: int, length: int, seed: int) -> TrainingData:
    """Texts of tokens 2 to 9; the answer is whether a 2 stands before the 3."""
    rng = generator(seed, "tokens")
    x = rng.integers(4, 10, (count, length))
    y = np.zeros((count, 2), np.float32)
    for i in range(count):
        first = int(rng.integers(0, length - 1))
        pair = (2, 3) if i % 2 else (3, 2)
        x[i, first : first + 2] = pair
        y[i, i % 2] = 1.0
    half = count // 2
    return TrainingData(x[:half], y[:half], x[half:], y[half:], True)


def settings(kind: str, **more) -> Configuration:
    return Configuration(
        network="text", text_network=kind, vocabulary_size=16, embedding_size=16, text_width=16,
        text_length=12, learning_rate=0.01, batch_size=32, **more,
    )  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_padding_changes_no_answer(kind):
    data = rows(8, 6, 0)
    torch.manual_seed(0)
    module = build_text(settings(kind), data).eval()
    x = torch.from_numpy(data.x)
    x[1, 1:] = 0  # one token
    padded = torch.nn.functional.pad(x, (0, 9))
    with torch.no_grad():
        torch.testing.assert_close(module(padded), module(x))
        torch.testing.assert_close(module(padded)[1:2], module(x[1:2, :1]))
        assert not torch.allclose(module(x[:1]), module(x[1:2]))


@pytest.mark.parametrize(("kind", "learns"), [("mean", False), ("conv", True), ("recurrent", True)])
def test_what_reads_in_order_learns_order_and_the_mean_does_not(kind, learns):
    engine, data = TorchEngine(build_text), rows(600, 8, 1)
    member = engine.start(settings(kind, epochs=12, patience=0), data, 0)
    leg = engine.advance(member, data, 12, np.zeros(1, np.uint8))
    answers = engine.network(member, True).predict(data.validation_x)
    right = float((answers.argmax(1) == data.validation_y.argmax(1)).mean())
    assert leg.epoch == 12
    assert (right > 0.95) is learns
    assert learns or right < 0.65


def test_rows_that_are_no_tokens_are_refused():
    table = TrainingData(*(np.zeros((4, 2), np.float32) for _ in range(4)), True)
    with pytest.raises(SettingError, match="network = text reads tokens"):
        build_text(settings("mean"), table)
