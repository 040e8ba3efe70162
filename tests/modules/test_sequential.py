"""`nn.Sequential` recognised: the same network in the compiled engine, and back again."""

from __future__ import annotations

import re

import numpy as np
import pytest
import torch
from torch import nn

from modelshelf.core.protocols import TrainingData
from modelshelf.engines.torch_.engine import TorchEngine
from modelshelf.engines.torch_.recognised import RecognisedEngine, RecognisedMember
from modelshelf.engines.torch_.remote import RemoteEngine, RemoteMember
from modelshelf.engines.torch_.sequential import recognise
from modelshelf.space.configuration import Configuration

RNG = np.random.default_rng(1)
ROWS = RNG.normal(size=(96, 6)).astype(np.float32)
CLASSES = np.eye(3, dtype=np.float32)[ROWS[:, :3].argmax(axis=1)]
NUMBERS = ROWS[:, :1] - ROWS[:, 1:2]
SETTINGS = {
    "network": "module",
    "module": "N",
    "epochs": 4,
    "batch_size": 16,
    "learning_rate": 0.01,
}


def data(y):
    return TrainingData(ROWS[:64], y[:64], ROWS[64:], y[64:], classes=y.shape[1] > 1)


def plain(configuration, data):
    return nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 5), nn.Tanh(),
                         nn.Linear(5, data.outputs))  # fmt: skip


def normed(configuration, data):
    return nn.Sequential(
        nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.GELU()),
        nn.Sequential(nn.Linear(8, 5), nn.BatchNorm1d(5), nn.GELU()),
        nn.Linear(5, data.outputs),
    )


def layered(configuration, data):
    return nn.Sequential(nn.Linear(6, 8, bias=False), nn.LayerNorm(8), nn.LeakyReLU(0.2),
                         nn.Linear(8, data.outputs, bias=False))  # fmt: skip


def again(configuration, data):
    act = nn.ReLU()
    return nn.Sequential(nn.Linear(6, 8), act, nn.Linear(8, 8), act, nn.Linear(8, data.outputs))


def linear(configuration, data):
    return nn.Sequential(nn.Linear(6, data.outputs))


BUILDS = {"plain": plain, "normed": normed, "layered": layered, "linear": linear, "again": again}


def by_name(configuration, data):
    return BUILDS[configuration["module.build"]](configuration, data)


@pytest.fixture(scope="module")
def engine():
    found = RecognisedEngine(RemoteEngine(by_name))
    yield found
    found.close()


def trained(engine, configuration, rows, legs=(4,)):
    member, stop = engine.start(configuration, rows, 3), np.zeros(1, np.uint8)
    for epoch in legs:
        leg = engine.advance(member, rows, epoch, stop)
        if epoch != legs[-1]:
            kept = engine.network(member, rows.classes).tensors() | engine.snapshot(member)
            member = engine.thaw(configuration, rows, 3, kept)
    return member, leg


@pytest.mark.parametrize("y", [CLASSES, NUMBERS], ids=["classes", "numbers"])
@pytest.mark.parametrize("name", BUILDS)
def test_it_is_the_network_that_pytorch_trains(engine, name, y):
    rows = data(y)
    loss = "cross_entropy" if rows.classes else "quadratic"
    configuration = Configuration(
        # Adam would blow up the rounding of gradients that are 0: of biases below a batch norm.
        **SETTINGS,
        loss=loss,
        optimizer="momentum",
        l2=1e-3,
        **{"module.build": name},
    )
    member, leg = trained(engine, configuration, rows)
    assert isinstance(member, RecognisedMember)
    alone = TorchEngine(by_name)
    theirs, told = trained(alone, configuration, rows)
    np.testing.assert_allclose(leg.curve, told.curve, rtol=1e-5, atol=1e-6)
    network = engine.network(member, rows.classes)
    expected = alone.network(theirs, rows.classes)
    assert set(network.tensors()) == set(expected.tensors())
    assert network.parameters == expected.parameters
    for key, each in network.tensors().items():
        if "num_batches" not in key:
            np.testing.assert_allclose(each, expected.tensors()[key], atol=1e-5)
    # The user's own module with these weights answers as the compiled engine's network does.
    module = by_name(configuration, rows)
    state = {n.removeprefix("state."): torch.from_numpy(np.array(each))
             for n, each in network.tensors().items() if n.startswith("state.")}  # fmt: skip
    module.load_state_dict(state)
    with torch.no_grad():
        answers = module.eval()(torch.from_numpy(ROWS)).double().numpy()
    inner = engine._compiled.network(member.inner, rows.classes)
    low, high = inner.limits
    np.testing.assert_allclose(inner.raw(ROWS), np.clip(answers, low, high), atol=1e-5)
    probe = network.predict(ROWS)
    direct = inner.predict(ROWS)
    np.testing.assert_allclose(probe, direct, atol=1e-5)


def test_frozen_and_thawed_it_goes_on_to_the_same_bits(engine):
    rows, configuration = data(CLASSES), Configuration(**SETTINGS, **{"module.build": "normed"})
    ends = [trained(engine, configuration, rows, legs)[0] for legs in ((4,), (1, 3, 4))]
    first, second = (engine.network(each, classes=True).tensors() for each in ends)
    assert all(np.array_equal(first[name], second[name]) for name in first)


def test_its_tensors_are_copies_and_a_paused_member_keeps_its_limits(engine):
    rows = data(NUMBERS)
    configuration = Configuration(
        **SETTINGS, loss="quadratic", clamp_output="yes", **{"module.build": "plain"}
    )
    member, _ = trained(engine, configuration, rows)
    tensors = engine.network(member, classes=False).tensors()
    for each in tensors.values():
        assert not np.shares_memory(each, member.inner.best)
    frozen = tensors | engine.snapshot(member)
    zeros = TrainingData(ROWS[:1] * 0, NUMBERS[:1] * 0, ROWS[:0], NUMBERS[:0], classes=False)
    thawed = engine.thaw(configuration, zeros, 0, frozen)
    again = engine.network(thawed, classes=False).tensors()
    np.testing.assert_array_equal(again["limits"], tensors["limits"])
    assert tensors["limits"][0] < 0 < tensors["limits"][1]


def test_seeds_are_the_modules_own(engine):
    rows, configuration = data(CLASSES), Configuration(**SETTINGS, **{"module.build": "plain"})
    one, other = (engine.start(configuration, rows, seed) for seed in (0, 1))
    assert not np.array_equal(one.inner.theta, other.inner.theta)
    assert np.abs(one.inner.theta).max() <= 1 / np.sqrt(5) + 1e-6  # as nn.Linear draws them


def strange():
    hooked = nn.Linear(6, 3)
    hooked.register_forward_hook(lambda *given: None)
    frozen = nn.Linear(6, 3)
    frozen.weight.requires_grad_(False)
    shared = nn.Linear(6, 6)
    act = nn.ReLU
    return {
        r"^$": nn.Linear(6, 3),
        r"its layer 1 \(ELU\) is no activation": nn.Sequential(
            nn.Linear(6, 4), nn.ELU(), nn.Linear(4, 3)
        ),
        r"its layer 1 \(Dropout\) is no activation": nn.Sequential(
            nn.Linear(6, 4), nn.Dropout(), act(), nn.Linear(4, 3)
        ),
        r"its layer 0.0 \(Dropout\) before the first": nn.Sequential(
            nn.Sequential(nn.Dropout(), nn.Linear(6, 3))
        ),
        r"its layer 1 \(LogSoftmax\) after the last": nn.Sequential(
            nn.Linear(6, 3), nn.LogSoftmax(1)
        ),
        r"hidden layers differ": nn.Sequential(
            nn.Linear(6, 4), act(), nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 3)
        ),
        r"layer 1 \(BatchNorm1d\) has settings of its own": nn.Sequential(
            nn.Linear(6, 4), nn.BatchNorm1d(4, momentum=0.5), act(), nn.Linear(4, 3)
        ),
        r"layer 2 \(LayerNorm\) is not where": nn.Sequential(
            nn.Linear(6, 4), act(), nn.LayerNorm(4), nn.Linear(4, 3)
        ),
        r"no activation$": nn.Sequential(nn.Linear(6, 4), nn.Linear(4, 3)),
        r"share their weights": nn.Sequential(shared, act(), shared, act(), nn.Linear(6, 3)),
        r"^0 has hooks": nn.Sequential(hooked),
        r"not learned": nn.Sequential(frozen),
        r"maps 6 inputs to 1 outputs": nn.Sequential(nn.Linear(6, 1)),
        r"is an approximation": nn.Sequential(
            nn.Linear(6, 4), nn.GELU(approximate="tanh"), nn.Linear(4, 3)
        ),
    }


@pytest.mark.parametrize(("why", "module"), strange().items(), ids=range(len(strange())))
def test_what_the_compiled_engine_has_not_is_left_to_pytorch(why, module):
    found = recognise(module, Configuration(**SETTINGS), data(CLASSES))
    assert isinstance(found, str)
    assert re.search(why, found)


def beyond():
    deep = [each for _ in range(17) for each in (nn.Linear(6, 6), nn.ReLU())]
    return {
        "dropout": nn.Sequential(nn.Linear(6, 4), nn.ReLU(), nn.Dropout(0.97), nn.Linear(4, 3)),
        "negative_slope": nn.Sequential(nn.Linear(6, 4), nn.LeakyReLU(-0.1), nn.Linear(4, 3)),
        "hidden_layers": nn.Sequential(nn.Linear(6, 10_000), nn.ReLU(), nn.Linear(10_000, 3)),
        "hidden_layers ": nn.Sequential(*deep, nn.Linear(6, 3)),
    }


@pytest.mark.parametrize(("name", "module"), beyond().items(), ids=range(len(beyond())))
def test_what_lies_outside_the_catalogue_is_left_to_pytorch(name, module):
    found = recognise(module, Configuration(**SETTINGS), data(CLASSES))
    assert isinstance(found, str)
    assert name.strip() in found
    assert not found.endswith(".")


def test_settings_that_play_no_part_in_modules_do_not_come_into_play():
    configuration = Configuration(
        **SETTINGS, ensemble_size=4, dropout=0.3, hidden_layers=(9,), clip_norm=1.0
    )
    plan = recognise(plain(configuration, data(CLASSES)), configuration, data(CLASSES))
    dense = plan.dense(configuration)
    assert dense.hidden_layers == (8, 5)
    assert dense["activation"] == "tanh"
    assert "ensemble_size" not in dense
    assert "dropout" not in dense
    assert dense["clip_norm"] == 1.0


def elu(configuration, data):
    return nn.Sequential(nn.Linear(6, 4), nn.ELU(), nn.Linear(4, data.outputs))


def test_pytorch_trains_the_others_and_says_why():
    engine, rows = RecognisedEngine(RemoteEngine(elu)), data(CLASSES)
    member, leg = trained(engine, Configuration(**SETTINGS), rows, (1, 2))
    assert isinstance(member, RemoteMember)
    assert leg.epoch == 2
    assert "its layer 1 (ELU) is no activation" in engine.notes[0]
    engine.close()
