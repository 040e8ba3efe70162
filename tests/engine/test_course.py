"""The course's programs are configurations of the engine: the same losses at each of 500 steps.

The notes print two runs of "exactly the same model", and the losses differ: 25 million against 680
at the first step. The first draws its weights from a standard normal and has no biases; the second
begins as `torch.nn.Linear` does, and has them. From one start they are one model, as shown here.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch

from modelshelf.core.protocols import TrainingData
from modelshelf.engines.numpy_ import NumpyEngine
from modelshelf.space.configuration import Configuration

N, D_IN, H, D_OUT, STEPS = 64, 1000, 100, 10, 500
BOTH = {
    "hidden_layers": (H,), "activation": "relu", "loss": "quadratic", "reduction": "sum",
    "optimizer": "sgd", "batch_size": N, "epochs": STEPS, "patience": 0,
}  # fmt: skip
VANILLA = Configuration(**BOTH, learning_rate=1e-6, biases="no", initialisation="standard_normal")
TWO_LAYER_NET = Configuration(**BOTH, learning_rate=1e-4, initialisation="pytorch")


def random_data(inputs: int = D_IN, outputs: int = D_OUT) -> TrainingData:
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((N, inputs)), rng.standard_normal((N, outputs))
    return TrainingData(x, y, np.zeros((0, inputs)), np.zeros((0, outputs)), False)


def trained(configuration: Configuration, data: TrainingData, stop: np.ndarray):
    """Weights and biases of the start, and the losses of all steps."""
    engine = NumpyEngine("float64")
    member = engine.start(configuration, data, seed=0)
    start = member.layout.split(member.theta.copy())
    leg = engine.advance(member, data, configuration.whole("epochs"), stop)
    return start, leg.curve[:, 0]


def vanilla_program(x, y, w1, w2, learning_rate=1e-6):
    """The notes' vanilla NumPy network, line by line."""
    losses = []
    for _ in range(STEPS):
        h = x.dot(w1)
        h_relu = np.maximum(h, 0)
        y_pred = h_relu.dot(w2)
        losses.append(np.square(y_pred - y).sum())
        grad_y_pred = 2.0 * (y_pred - y)
        grad_w2 = h_relu.T.dot(grad_y_pred)
        grad_h = grad_y_pred.dot(w2.T)
        grad_h[h < 0] = 0
        grad_w1 = x.T.dot(grad_h)
        w1 = w1 - learning_rate * grad_w1
        w2 = w2 - learning_rate * grad_w2
    return losses


class TwoLayerNet(torch.nn.Module):
    """The notes' PyTorch version."""

    def __init__(self, D_in, H, D_out):
        super().__init__()
        self.linear1 = torch.nn.Linear(D_in, H)
        self.linear2 = torch.nn.Linear(H, D_out)

    def forward(self, x):
        return self.linear2(self.linear1(x).clamp(min=0))


def torch_program(x, y, weights, biases, learning_rate):
    model = TwoLayerNet(D_IN, H, D_OUT).double()
    for linear, weight, bias in zip((model.linear1, model.linear2), weights, biases, strict=True):
        with torch.no_grad():
            linear.weight.copy_(torch.from_numpy(weight.T))
            linear.bias.copy_(torch.from_numpy(bias))
    if not any(bias.any() for bias in biases):  # the NumPy version has none to learn
        model.linear1.bias.requires_grad_(False)
        model.linear2.bias.requires_grad_(False)
    learned = [p for p in model.parameters() if p.requires_grad]
    criterion = torch.nn.MSELoss(reduction="sum")
    optimizer = torch.optim.SGD(learned, lr=learning_rate)
    x, y, losses = torch.from_numpy(x), torch.from_numpy(y), []
    for _ in range(STEPS):
        loss = criterion(model(x), y)
        losses.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return losses


def test_the_vanilla_numpy_network(stop):
    data = random_data()
    (weights, biases), losses = trained(VANILLA, data, stop)
    assert not np.concatenate(biases).any()
    assert 2e7 < losses[0] < 5e7  # as in the notes: a standard normal start is far off
    assert losses[-1] < 1e-3 * losses[0]
    np.testing.assert_allclose(losses, vanilla_program(data.x, data.y, *weights), rtol=1e-9)


def test_two_layer_net(stop):
    data = random_data()
    (weights, biases), losses = trained(TWO_LAYER_NET, data, stop)
    assert 500 < losses[0] < 1000  # as in the notes
    assert losses[-1] < 1e-3 * losses[0]
    expected = torch_program(data.x, data.y, weights, biases, 1e-4)
    np.testing.assert_allclose(losses, expected, rtol=1e-9)


def test_the_numpy_and_the_pytorch_version_are_the_same_model(stop):
    """From one start and with no biases, both programs and the engine make the same 500 losses."""
    data = random_data()
    (weights, biases), losses = trained(VANILLA, data, stop)
    pytorch = torch_program(data.x, data.y, weights, biases, 1e-6)
    np.testing.assert_allclose(pytorch, vanilla_program(data.x, data.y, *weights), rtol=1e-9)
    np.testing.assert_allclose(losses, pytorch, rtol=1e-9)


@pytest.mark.parametrize("name", ["biases", "reduction", "initialisation"])
def test_what_makes_it_the_vanilla_network_matters(name, stop):
    data = random_data()
    _, losses = trained(VANILLA, data, stop)
    settings = {n: v for n, v in VANILLA.items() if n != name}
    _, other = trained(Configuration(**settings), data, stop)
    assert not np.allclose(losses[1:], other[1:], rtol=1e-6)


def test_simple_nn(stop):
    """`SimpleNN` (5, 8, 1) answers as the notes' module does, before training and after."""
    data = random_data(inputs=5, outputs=1)
    configuration = Configuration(
        hidden_layers=(8,), initialisation="pytorch", loss="quadratic", optimizer="sgd",
        learning_rate=0.05, batch_size=N, epochs=STEPS, patience=0,
    )  # fmt: skip
    engine = NumpyEngine("float64")
    member = engine.start(configuration, data, seed=0)
    model = torch.nn.Sequential(
        torch.nn.Linear(5, 8), torch.nn.ReLU(), torch.nn.Linear(8, 1)
    ).double()
    with torch.no_grad():
        for linear, weight, bias in zip(
            (model[0], model[2]), *member.layout.split(member.theta), strict=True
        ):
            linear.weight.copy_(torch.from_numpy(weight.T))
            linear.bias.copy_(torch.from_numpy(bias))
    x, y = torch.from_numpy(data.x), torch.from_numpy(data.y)
    answers = engine.network(member, False).predict(data.x)
    np.testing.assert_allclose(answers, model(x).detach().numpy()[:, 0], rtol=1e-12)
    losses = engine.advance(member, data, STEPS, stop).curve[:, 0]
    optimizer, expected = torch.optim.SGD(model.parameters(), lr=0.05), []
    for _ in range(STEPS):
        loss = torch.nn.functional.mse_loss(model(x), y)
        expected.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    np.testing.assert_allclose(losses, expected, rtol=1e-9)
    answers = engine.network(member, False).predict(data.x)
    np.testing.assert_allclose(answers, model(x).detach().numpy()[:, 0], rtol=1e-9)
