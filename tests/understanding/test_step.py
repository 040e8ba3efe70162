"""The programs of a training step are run, and do what the engine does."""

from __future__ import annotations

import contextlib
import io

import numpy as np
import pytest

from modelshelf.core.errors import DataError
from modelshelf.core.records import Task
from modelshelf.engines.numpy_ import NumpyEngine
from modelshelf.space.catalogue import CATALOGUE
from modelshelf.space.configuration import Configuration
from modelshelf.understanding.step import Language, TrainingStep, step_of
from tests.engine.conftest import make_data

BASE = {"hidden_layers": (9, 6), "batch_size": 32, "learning_rate": 0.01}
PLAIN = [
    {"optimizer": "sgd"},
    {"optimizer": "momentum"},
    {"optimizer": "adam"},
    {"optimizer": "adam", "dropout": 0.4},
]
EXTRA = [
    {"hidden_layers": ()},
    *({"optimizer": o} for o in ("nesterov", "adagrad", "rmsprop")),
    {"optimizer": "adamw", "weight_decay": 0.3, "bias_lr_factor": 0.1},
    *({"activation": a} for a in CATALOGUE["activation"].domain.values if a != "relu"),
    {"loss": "quadratic"},
    {"label_smoothing": 0.2, "input_dropout": 0.2},
    {"class_weight": "balanced", "optimizer": "sgd"},
    {"reduction": "sum", "l1": 1e-3, "l2": 1e-2, "clip_norm": 0.5, "optimizer": "sgd"},
    {"biases": "no", "normalisation": "layer", "optimizer": "sgd", "clip_norm": 0.1},
    {"normalisation": "batch", "optimizer": "sgd", "dropout": 0.3},
    {"residual": "yes", "hidden_layers": (8, 8, 8, 6, 6), "optimizer": "sgd", "dropout": 0.3},
    {"residual": "yes", "hidden_layers": (7, 7, 7), "normalisation": "layer"},
    {"parametric_activation": "yes", "activation": "tanh", "dropout": 0.3, "optimizer": "sgd"},
    {"parametrisation": "ntk", "input_scale": "yes", "scale_lr_factor": 6.0, "optimizer": "sgd"},
    {"numeric_encoding": "periodic", "category_embedding": 3, "optimizer": "sgd"},
    {"ensemble_size": 3, "dropout": 0.2, "optimizer": "sgd"},
    {"schedule": "coslog", "warmup": 0.1, "optimizer": "sgd"},
    *({"loss": each, "regression": True} for each in
      ("quadratic", "absolute", "huber", "gaussian", "quantile")),
]  # fmt: skip


def made(form) -> tuple[TrainingStep, Configuration]:
    settings = {**BASE, **form}
    classes = 0 if settings.pop("regression", False) else 3
    task = Task.MULTICLASS if classes else Task.REGRESSION
    configuration = Configuration(**settings).for_task(task)
    data = make_data(classes, dtype="float32")
    return step_of(configuration, data, 5, "A step."), configuration


def ran(step: TrainingStep, language: str, folder, monkeypatch):
    """The program's variables, and what it printed."""
    path = step.write(folder, language)
    monkeypatch.chdir(folder)
    held: dict[str, object] = {}
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(compile(path.read_text(), path.name, "exec"), held)
    return held, printed.getvalue()


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize("form", PLAIN + EXTRA, ids=str)
def test_the_program_does_the_engines_step(form, language, tmp_path, monkeypatch):
    step, _ = made(form)
    held, printed = ran(step, language, tmp_path, monkeypatch)
    for i in range(step.form.layers):
        for name, mine in (("W", held["W"][i]), ("b", held["b"][i])):
            mine = mine.detach().numpy() if language == "torch" else mine
            before, after = step.arrays[f"{name}{i}"], step.arrays[f"after_{name}{i}"]
            assert mine.dtype == np.float32
            # An optimizer that divides by the gradient's size magnifies what rounding leaves of 0.
            np.testing.assert_allclose(mine, after, rtol=1e-4, atol=2e-6)
            moved = np.abs(after - before).max()
            assert np.abs(mine - after).max() < 0.02 * moved or moved < 1e-7
    assert printed.startswith("loss ")


@pytest.mark.parametrize("form", PLAIN, ids=str)
def test_a_plain_step_is_short_and_leaves_nothing_out(form):
    step, _ = made(form)
    program = step.program("numpy")
    code = [e for e in program.splitlines() if e.strip() and not e.strip().startswith("#")]
    assert len(code) <= 45
    assert max(map(len, program.splitlines())) <= 100
    assert "Left out" not in program
    assert "modelshelf" not in program.split('"""')[2].split("print")[0]


def test_it_is_the_very_first_step_of_training():
    # Where all rows are one batch, an epoch is a step, and the engine's epoch is the truth.
    data = make_data(3, rows=40, dtype="float32")
    configuration = Configuration(**{**BASE, "batch_size": 64, "dropout": 0.3})
    engine = NumpyEngine()
    member = engine.start(configuration, data, seed=5)
    engine.advance(member, data, 1, np.zeros(1, np.uint8))
    step = step_of(configuration, data, 5, "A step.")
    for i, weight in enumerate(member.layout.split(member.theta)[0]):
        np.testing.assert_allclose(step.arrays[f"after_W{i}"], weight, rtol=1e-5, atol=1e-7)


def test_a_changed_batch_would_be_seen(tmp_path, monkeypatch):
    # Negative control: with two targets exchanged, the weights are others.
    step, _ = made({"optimizer": "sgd"})
    step.arrays["y"] = step.arrays["y"][::-1].copy()
    held, _ = ran(step, "numpy", tmp_path, monkeypatch)
    assert not np.allclose(held["W"][0], step.arrays["after_W0"], rtol=1e-4, atol=2e-6)


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"ensemble_size": 3}, "3 members"),
        ({"numeric_encoding": "periodic", "clip_norm": 1.0}, "clipped"),
        ({"schedule": "cosine"}, "schedule"),
    ],
)
def test_what_is_left_out_is_said(form, words):
    step, _ = made(form)
    for language in Language:
        assert words in step.program(language).replace("\n", " ")


def test_a_folder_that_cannot_be_written(tmp_path):
    step, _ = made({})
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="cannot be written"):
        step.write(tmp_path / "file")
