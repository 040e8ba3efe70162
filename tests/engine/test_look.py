"""What `look` sees agrees with PyTorch's autograd in float64, for every form of network."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
import torch

from modelshelf.core.records import Task
from modelshelf.engines.numpy_ import NumpyEngine
from modelshelf.engines.numpy_.look import alone, batch_factors, look, loss_of
from modelshelf.space.configuration import Configuration
from tests.engine.conftest import make_data
from tests.engine.oracle import Twin

FORMS = [
    {},
    {"hidden_layers": ()},
    {"activation": "tanh", "biases": "no"},
    {"activation": "gelu", "hidden_layers": (9, 6, 5)},
    {"parametrisation": "ntk", "initialisation": "standard_normal"},
    {"input_scale": "yes"},
    {"parametric_activation": "yes", "activation": "mish"},
    {"numeric_encoding": "periodic"},
    {"numeric_encoding": "piecewise", "encoding_bins": 6},
    {"category_embedding": 3, "input_scale": "yes"},
    {"normalisation": "layer"},
    {"normalisation": "batch"},
    {"normalisation": "batch", "biases": "no", "parametric_activation": "yes"},
    {"residual": "yes", "hidden_layers": (8, 8, 8, 6, 6)},
    {"residual": "yes", "hidden_layers": (7, 7, 7), "normalisation": "layer"},
    {"residual": "yes", "hidden_layers": (8, 8), "normalisation": "batch"},
    {"loss": "huber", "regression": True},
    {"loss": "gaussian", "regression": True},
    {"loss": "quantile", "regression": True},
    {"loss": "quadratic"},
    {"dropout": 0.4, "class_weight": "balanced", "label_smoothing": 0.1},
]


def made(form, stop, dtype="float64", epochs=3):
    """(member, data, network) after a few epochs, so that nothing is at its start any more."""
    settings = dict(form)
    classes = 0 if settings.pop("regression", False) else 3
    base = {"hidden_layers": (9, 6), "batch_size": 16, "patience": 0, "epochs": 5}
    task = Task.MULTICLASS if classes else Task.REGRESSION
    configuration = Configuration(**{**base, **settings}).for_task(task)
    data = make_data(classes, dtype=dtype)
    engine = NumpyEngine(dtype)
    member = engine.start(configuration, data, seed=5)
    engine.advance(member, data, epochs, stop)
    member.best[:] = member.theta
    return member, data, engine.network(member, classes > 0)


def twin_of(member, data):
    """Torch's form of the member, its batch normalisation with the running statistics."""
    twin = Twin(member, data)
    layout, at = member.layout, 0
    for norm, width in zip(twin.norms, layout.widths[1:-1], strict=False):
        gains, running = (
            torch.tensor(member.theta[slice(*layout.blocks[b])]) for b in ("gains", "statistics")
        )
        here, there = slice(at, at + width), slice(at + width, at + 2 * width)
        with torch.no_grad():
            norm.weight.copy_(gains[here])
            norm.bias.copy_(gains[there])
            if layout.norm == "batch":
                norm.running_mean.copy_(running[here])
                norm.running_var.copy_(running[there])
        at += 2 * width
    return twin


def autograd(twin, x, y, plain):
    """Torch's loss, outputs, gradient by parameters, by the first inputs, and by each sum."""
    kept, encode = [], twin.encode

    def watched(each):
        kept.append(encode(each).requires_grad_() if each is x else encode(each))
        kept[0].retain_grad()
        return kept[0]

    twin.encode = watched
    sums = []

    def hook(layer, given, result):
        result.retain_grad()
        sums.append(result)

    for layer in twin.linear:
        layer.register_forward_hook(hook)
    output = twin.forward(x, 0)
    twin.configuration = plain
    value = twin.loss(output, y)
    value.backward()
    return value.item(), output.detach().numpy(), kept[0].grad.numpy(), [s.grad for s in sums]


@pytest.mark.parametrize("form", FORMS, ids=str)
def test_every_form_agrees_with_autograd(form, stop):
    member, data, network = made(form, stop)
    twin = twin_of(member, data)
    plain = member.configuration.replace(label_smoothing=0.0, class_weight="none", dropout=0.0)
    x, y = data.validation_x, data.validation_y
    value, output, inputs, sums = autograd(twin, torch.tensor(x), torch.tensor(y), plain)

    single = alone(network)
    seen = look(single, x)
    np.testing.assert_allclose(seen.outputs[-1], output, rtol=1e-9, atol=1e-11)
    loss, delta = loss_of(plain, data.classes, seen.outputs[-1], y)
    assert loss == pytest.approx(value, rel=1e-9)
    seen = look(single, x, delta)
    np.testing.assert_allclose(seen.back[0], inputs, rtol=1e-7, atol=1e-11)
    if not member.layout.ntk:  # there the sums are not a torch layer's outputs
        # Behind a folded normalisation, the sums are those after it.
        factors = batch_factors(network) or [1.0] * len(sums)
        for mine, hers, factor in zip(seen.back[1:], sums, [*factors, 1.0], strict=False):
            np.testing.assert_allclose(mine * factor, hers.numpy(), rtol=1e-7, atol=1e-11)
    mine = [each.copy() for each in single.layout.split(seen.gradient)[0]]
    for each, factor in zip(mine, batch_factors(network), strict=False):
        each *= factor
    for each, layer in zip(mine, twin.linear, strict=True):
        np.testing.assert_allclose(each, layer.weight.grad.T.numpy(), rtol=1e-7, atol=1e-11)
    for name in ("scales", "mixes", "numbers", "tables"):
        own = seen.gradient[slice(*single.layout.blocks[name])]
        if own.size:
            hers = twin.extra[name].grad.numpy()
            np.testing.assert_allclose(own, hers, rtol=1e-7, atol=1e-11)


@pytest.mark.parametrize("form", [{}, {"numeric_encoding": "piecewise", "encoding_bins": 5}])
def test_each_member_of_several_agrees_with_autograd(form, stop):
    member, data, network = made({"ensemble_size": 3, **form}, stop)
    twin = twin_of(member, data)
    x = np.tile(data.validation_x, (3, 1))
    with torch.no_grad():
        hers = twin.forward(torch.tensor(x), 0).numpy().reshape(3, len(data.validation_x), -1)
    mine = [look(alone(network, i), data.validation_x).outputs[-1] for i in range(3)]
    np.testing.assert_allclose(mine, hers, rtol=1e-9, atol=1e-11)
    shares = np.exp(hers) / np.exp(hers).sum(axis=2, keepdims=True)
    np.testing.assert_allclose(
        network.predict(data.validation_x), shares.mean(axis=0), rtol=1e-9, atol=1e-12
    )


def test_a_wrong_slope_would_be_seen(stop):
    # Negative control: another leak below 0 in the twin, and the comparison fails.
    member, data, network = made({"activation": "leaky_relu"}, stop)
    twin = twin_of(member, data)
    twin.activation = torch.nn.LeakyReLU(0.02)
    x, y = data.validation_x, data.validation_y
    _, _, inputs, _ = autograd(twin, torch.tensor(x), torch.tensor(y), member.configuration)
    output = look(alone(network), x).outputs[-1]
    _, delta = loss_of(member.configuration, True, output, y)
    assert not np.allclose(look(alone(network), x, delta).back[0], inputs, rtol=1e-3)


def test_rows_are_seen_one_by_one(stop):
    member, data, network = made({"activation": "tanh"}, stop)
    x = data.validation_x
    _, delta = loss_of(member.configuration, True, look(network, x).outputs[-1], data.validation_y)
    together, apart = look(network, x, delta), look(network, x[3:4], delta[3:4])
    for whole, one in zip(together.back, apart.back, strict=True):
        np.testing.assert_array_equal(whole[3:4], one)
    for outputs, slopes in zip(together.outputs[1:-1], together.slopes, strict=True):
        np.testing.assert_allclose(slopes, 1 - outputs**2, atol=1e-12)


def test_what_is_seen_is_what_is_answered(stop):
    _, data, network = made({}, stop, dtype="float32")
    seen = look(alone(network), data.validation_x).outputs[-1]
    np.testing.assert_allclose(seen, network.raw(data.validation_x), rtol=1e-5, atol=1e-6)


@pytest.mark.slow
def test_it_sees_the_same_with_the_compiler_off(stop):
    code = (
        "import numpy as np; from tests.engine.test_look import made; "
        "from modelshelf.engines.numpy_.look import alone, look\n"
        "_, data, network = made({'hidden_layers': (5,)}, np.zeros(1, np.uint8), epochs=0)\n"
        "x = data.validation_x\n"
        "seen = look(alone(network), x, np.ones((len(x), 3)))\n"
        "print(repr(float(np.abs(seen.back[0]).sum())))"
    )
    found = []
    for off in ("0", "1"):
        done = subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "NUMBA_DISABLE_JIT": off},
            capture_output=True,
            text=True,
            check=True,
        )
        found.append(float(done.stdout))
    assert found[0] == pytest.approx(found[1], rel=1e-12)


def test_data_is_not_written(stop):
    _, data, network = made({"normalisation": "batch"}, stop)
    before = network.theta.copy()
    look(alone(network), data.x)
    np.testing.assert_array_equal(network.theta, before)
