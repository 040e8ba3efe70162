"""Whole training runs follow PyTorch's own in float64."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from modelshelf.core.records import Task
from modelshelf.engines.numpy_ import NumpyEngine
from modelshelf.engines.numpy_.initialise import INITIALISERS
from modelshelf.space.catalogue import CATALOGUE
from modelshelf.space.configuration import Configuration
from tests.engine.conftest import make_data
from tests.engine.oracle import Twin

RATES = {
    "sgd": 0.1, "momentum": 0.02, "rmsprop": 2e-3, "adam": 5e-3, "nesterov": 0.02, "adagrad": 0.05,
    "adamw": 5e-3,
}  # fmt: skip
BASE = {"hidden_layers": (9, 6), "batch_size": 16, "patience": 0, "epochs": 50}
CASES = [
    *({"optimizer": o, "learning_rate": r} for o, r in RATES.items()),
    *({"activation": a} for a in CATALOGUE["activation"].domain.values),
    *({"initialisation": i} for i in INITIALISERS if i != "he_normal"),
    *({"schedule": s} for s in ("step", "cosine", "one_cycle")),
    {"schedule": "one_cycle", "optimizer": "adamw", "weight_decay": 0.3},
    {"schedule": "coslog", "learning_rate": 0.02},
    {"warmup": 0.2},
    {"warmup": 0.1, "schedule": "cosine", "optimizer": "momentum", "learning_rate": 0.02},
    {"clip_norm": 0.2},
    {"clip_norm": 1.0, "l2": 1e-2, "optimizer": "sgd", "learning_rate": 0.1},
    {"label_smoothing": 0.15},
    {"loss": "quadratic"},
    {"biases": "no"},
    {"biases": "no", "clip_norm": 0.2, "optimizer": "adamw"},
    {"parametrisation": "ntk", "initialisation": "standard_normal", "learning_rate": 0.05},
    {"input_scale": "yes", "scale_lr_factor": 6.0},
    {"parametric_activation": "yes", "activation": "selu", "dropout": 0.3},
    {"parametric_activation": "yes", "activation_lr_factor": 0.1, "activation": "mish"},
    {"bias_lr_factor": 0.1, "optimizer": "momentum", "learning_rate": 0.02},
    {"initialisation": "data"},
    {"reduction": "sum", "optimizer": "sgd", "learning_rate": 2e-3},
    {"class_weight": "balanced"},
    {"class_weight": "balanced", "label_smoothing": 0.1},
    {"input_dropout": 0.3},
    {"averaging": 0.95},
    {"dropout": 0.4, "regularisation_schedule": "flat_cosine"},
    {"optimizer": "adamw", "weight_decay": 0.5, "regularisation_schedule": "flat_cosine"},
    {"numeric_encoding": "periodic"},
    {"numeric_encoding": "periodic", "periodic_sigma": 2.0, "encoding_lr_factor": 0.1},
    {"category_embedding": 3},
    {"numeric_encoding": "piecewise", "encoding_bins": 6},
    {"numeric_encoding": "piecewise", "encoding_bins": 2, "encoding_lr_factor": 3.0, "l1": 1e-3},
    {"normalisation": "layer"},
    {"normalisation": "layer", "dropout": 0.3, "optimizer": "adamw", "weight_decay": 0.5},
    {"normalisation": "batch", "biases": "no"},
    {"normalisation": "batch", "optimizer": "sgd", "learning_rate": 0.1},
    {
        "biases": "no",
        "normalisation": "batch",
        "parametric_activation": "yes",
        "activation": "tanh",
    },
    {"residual": "yes", "hidden_layers": (8, 8, 8, 6, 6)},
    {"residual": "yes", "hidden_layers": (8, 8), "normalisation": "batch", "biases": "no"},
    {"residual": "yes", "hidden_layers": (7, 7, 7), "normalisation": "layer", "input_scale": "yes"},
    {"ensemble_size": 4},
    {"ensemble_size": 3, "dropout": 0.3, "input_dropout": 0.1, "initialisation": "pytorch"},
    {"ensemble_size": 2, "optimizer": "adamw", "weight_decay": 0.5, "l2": 1e-3, "clip_norm": 1.0},
    {
        "ensemble_size": 3,
        "numeric_encoding": "piecewise",
        "encoding_bins": 5,
        "category_embedding": 2,
        "normalisation": "layer",
        "residual": "yes",
        "hidden_layers": (6, 6),
    },
    {"recipe": "tabm", "hidden_layers": (9, 6), "epochs": 60, "ensemble_size": 5, "patience": 0},
    {
        "category_embedding": 2,
        "numeric_encoding": "periodic",
        "input_dropout": 0.2,
        "input_scale": "yes",
        "encoding_size": 2,
        "periodic_features": 5,
    },
    {"recipe": "realmlp", "hidden_layers": (9, 6, 5), "epochs": 60},
    {"dropout": 0.4},
    {"l1": 1e-3},
    {"l2": 1e-2},
    {"l1": 1e-4, "l2": 1e-3, "dropout": 0.2, "optimizer": "momentum", "learning_rate": 0.02},
    {"hidden_layers": ()},
    {"hidden_layers": (5,)},
    {"hidden_layers": (8, 7, 6, 5, 4)},
    {"batch_size": 1, "epochs": 4},
    {"batch_size": 1000, "epochs": 250},
    {"optimizer": "adam", "beta1": 0.5, "beta2": 0.9, "epsilon": 1e-3},
]

TASKS = {True: Task.MULTICLASS, False: Task.REGRESSION}
NUMBERS = [
    {"dropout": 0.2},
    {"loss": "absolute"},
    {"loss": "gaussian"},
    {"loss": "gaussian", "reduction": "sum", "optimizer": "sgd", "learning_rate": 2e-4},
    {"loss": "quantile"},
    {"loss": "quantile", "interval": 0.5, "ensemble_size": 3},
    {"ensemble_size": 4, "loss": "huber"},
    {"loss": "huber", "huber_delta": 0.3},
    {"loss": "huber", "clip_norm": 0.1, "schedule": "cosine"},
    {"reduction": "sum", "optimizer": "sgd", "learning_rate": 2e-3},
    {"recipe": "realmlp", "hidden_layers": (9, 6), "epochs": 60, "learning_rate": 0.02},
]


GRID = [*itertools.product(CASES, (3,)), ({}, 2), *((each, 0) for each in NUMBERS)]


@pytest.mark.parametrize(
    ("settings", "classes"),
    GRID,
    ids=[
        "-".join([f"case{i}", *(f"{n}={v}" for n, v in each.items()), str(classes)])
        for i, (each, classes) in enumerate(GRID)
    ],
)
def test_follows_pytorch_for_a_whole_run(settings, classes, stop):
    given = {**BASE, **({} if "recipe" in settings else {"learning_rate": 5e-3}), **settings}
    configuration = Configuration(**given).for_task(TASKS[classes > 0])
    data, engine = make_data(classes), NumpyEngine("float64")
    member = engine.start(configuration, data, seed=1)
    twin = Twin(member, data)
    epochs = configuration.whole("epochs")
    leg = engine.advance(member, data, epochs, stop)
    losses = [twin.epoch(e) for e in range(1, epochs + 1)]
    assert leg.steps == twin.step >= 200
    np.testing.assert_allclose(leg.curve[:, 0], losses, rtol=1e-9)
    expected = twin.theta()  # what is not learned, and adapters, come last
    np.testing.assert_allclose(member.theta[: len(expected)], expected, rtol=1e-9, atol=1e-12)
    for norm, found in zip(twin.norms, statistics(member), strict=False):
        expected = np.concatenate([norm.running_mean, norm.running_var])
        np.testing.assert_allclose(found, expected, rtol=1e-9)
    if twin.ensemble:
        for own, theirs in zip(
            member.layout.adapters(member.theta), twin.ensemble.adapters, strict=True
        ):
            for a, b in zip(own, theirs, strict=True):
                np.testing.assert_allclose(a, b.detach(), rtol=1e-9, atol=1e-12)
    if "averaging" in configuration:
        np.testing.assert_allclose(member.average, twin.theta(twin.averaged), rtol=1e-9, atol=1e-12)
        assert not np.allclose(member.average, member.theta)
    assert not np.allclose(member.theta, engine.start(configuration, data, seed=1).theta)


def statistics(member):
    begin, end = member.layout.blocks["statistics"]
    sizes = 2 * np.array(member.layout.widths[1:-1])
    return np.split(member.theta[begin:end], np.cumsum(sizes)[:-1]) if end > begin else []


def test_the_oracle_can_fail(stop):
    """A negative control: one wrong constant, and the runs part."""
    configuration = Configuration(**BASE, optimizer="adam", learning_rate=5e-3)
    data, engine = make_data(3), NumpyEngine("float64")
    member = engine.start(configuration, data, seed=1)
    twin = Twin(member, data)
    twin.optimizer.param_groups[0]["betas"] = (0.9, 0.9991)
    leg = engine.advance(member, data, 50, stop)
    losses = [twin.epoch(e) for e in range(1, 51)]
    assert not np.allclose(leg.curve[:, 0], losses, rtol=1e-9)


def test_validation_loss_is_log_loss_whatever_was_trained(stop):
    configuration = Configuration(**BASE, loss="quadratic", dropout=0.3, l2=0.01)
    data, engine = make_data(3), NumpyEngine("float64")
    member = engine.start(configuration, data, seed=1)
    leg = engine.advance(member, data, 50, stop)
    probabilities = engine.network(member, True).predict(data.validation_x)
    truth = probabilities[np.arange(len(data.validation_y)), data.validation_y.argmax(1)]
    assert leg.loss == pytest.approx(-np.log(truth).mean(), rel=1e-9)
    at_best = leg.curve[leg.best_epoch - 1]
    assert at_best[1] == pytest.approx(leg.loss)
    right = (probabilities.argmax(1) == data.validation_y.argmax(1)).mean()
    assert at_best[2] == pytest.approx(right)
