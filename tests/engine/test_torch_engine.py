"""PyTorch's engine follows the compiled one, and says in words what is wrong with a module."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest
import torch

from modelshelf.core.errors import MemberError, SettingError
from modelshelf.engines.numpy_ import NumpyEngine
from modelshelf.engines.torch_.answers import Asking
from modelshelf.engines.torch_.batches import batches
from modelshelf.engines.torch_.engine import TorchEngine
from modelshelf.engines.torch_.memory import available, estimate, refuse_if_too_large
from modelshelf.engines.torch_.network import TorchNetwork
from modelshelf.space.configuration import Configuration
from tests.engine.conformance import perceptron
from tests.engine.conftest import make_data

BASE = {"hidden_layers": (9, 6), "batch_size": 16, "epochs": 30, "patience": 0}
RATES = {
    "sgd": 0.1, "momentum": 0.02, "rmsprop": 2e-3, "adam": 5e-3, "nesterov": 0.02, "adagrad": 0.05,
    "adamw": 5e-3,
}  # fmt: skip
CASES = [
    *({"optimizer": name, "learning_rate": rate} for name, rate in RATES.items()),
    *({"schedule": each} for each in ("step", "cosine", "one_cycle", "coslog")),
    {"warmup": 0.2, "schedule": "cosine"},
    {"clip_norm": 0.2},
    {"l1": 1e-3, "l2": 1e-2},
    {"averaging": 0.95},
    {"loss": "quadratic"},
    {"reduction": "sum", "optimizer": "sgd", "learning_rate": 2e-3},
    {"label_smoothing": 0.15, "class_weight": "balanced"},
    {"optimizer": "adamw", "weight_decay": 0.5, "regularisation_schedule": "flat_cosine"},
    {"monitor": "accuracy", "patience": 5, "min_delta": 0.01},
    {"normalisation": "batch", "batch_size": 13},
    {"normalisation": "batch", "averaging": 0.9, "optimizer": "momentum", "learning_rate": 0.02},
]
NUMBERS = [
    {"loss": "quadratic"},
    {"loss": "absolute", "clamp_output": "yes"},
    {"loss": "huber", "huber_delta": 0.3},
    {"loss": "quadratic", "reduction": "sum", "optimizer": "sgd", "learning_rate": 2e-3},
]


def in_double(configuration, data):
    return perceptron(configuration, data).double()


def twins(settings, classes, build=in_double):
    """The compiled engine's member, PyTorch's with the same weights, and their data."""
    configuration = Configuration(**{**BASE, "learning_rate": 5e-3, **settings})
    data = make_data(classes)
    ours, theirs = NumpyEngine("float64"), TorchEngine(build)
    compiled, member = ours.start(configuration, data, 1), theirs.start(configuration, data, 1)
    linear = [each for each in member.module if isinstance(each, torch.nn.Linear)]
    weights, biases = compiled.layout.split(compiled.theta)
    with torch.no_grad():
        for layer, weight, bias in zip(linear, weights, biases, strict=True):
            layer.weight.copy_(torch.from_numpy(weight.T.copy()))
            layer.bias.copy_(torch.from_numpy(bias.copy()))
    return ours, compiled, theirs, member, data


@pytest.mark.parametrize(
    ("settings", "classes"),
    [*((each, 3) for each in CASES), ({}, 2), *((each, 0) for each in NUMBERS)],
    ids=str,
)
def test_agrees_with_the_compiled_engine_to_rounding(settings, classes, stop):
    ours, compiled, theirs, member, data = twins(settings, classes)
    a = ours.advance(compiled, data, 30, stop)
    b = theirs.advance(member, data, 30, stop)
    assert (a.epoch, a.best_epoch, a.steps, a.ended) == (b.epoch, b.best_epoch, b.steps, b.ended)
    np.testing.assert_allclose(a.curve, b.curve, rtol=1e-9, atol=1e-12)
    answers = [
        e.network(m, classes > 0).predict(data.x) for e, m in ((ours, compiled), (theirs, member))
    ]
    np.testing.assert_allclose(*answers, rtol=1e-9, atol=1e-12)


def test_the_agreement_can_fail(stop):
    """A negative control: another epsilon, and the runs part."""
    ours, compiled, theirs, member, data = twins({}, 3)
    member.optimizer.param_groups[0]["eps"] = 1e-5
    a, b = ours.advance(compiled, data, 30, stop), theirs.advance(member, data, 30, stop)
    assert not np.allclose(a.curve, b.curve, rtol=1e-9, atol=1e-12)


def test_in_float32_the_two_stay_close(stop):
    configuration, data = Configuration(**BASE), make_data(3, dtype="float32")
    ours, theirs = NumpyEngine(), TorchEngine(perceptron)
    compiled, member = ours.start(configuration, data, 1), theirs.start(configuration, data, 1)
    weights, biases = compiled.layout.split(compiled.theta)
    with torch.no_grad():
        for i, layer in enumerate(e for e in member.module if isinstance(e, torch.nn.Linear)):
            layer.weight.copy_(torch.from_numpy(weights[i].T.copy()))
            layer.bias.copy_(torch.from_numpy(biases[i].copy()))
    a, b = ours.advance(compiled, data, 30, stop), theirs.advance(member, data, 30, stop)
    np.testing.assert_allclose(a.curve[:, :2], b.curve[:, :2], rtol=1e-3)


@pytest.mark.parametrize("pause", [30, 17])
def test_dropout_fades_where_it_is_to(pause, stop):
    configuration = Configuration(**BASE, dropout=0.4, regularisation_schedule="flat_cosine")
    data, engine = make_data(3, dtype="float32"), TorchEngine(perceptron)
    member, rates = engine.start(configuration, data, 0), []
    dropout = next(e for e in member.module if isinstance(e, torch.nn.Dropout))

    def note(part, given, output):
        if part.training:
            rates.append(part.p)

    dropout.register_forward_hook(note)
    for epoch in (pause, 30):
        engine.advance(member, data, epoch, stop)
    way = np.clip(2 * np.arange(150) / 150 - 1, 0, None)
    np.testing.assert_allclose(rates, 0.4 * 0.5 * (1 + np.cos(np.pi * way)))


class Given(torch.nn.Module):
    """A linear layer whose output is changed by a function."""

    def __init__(self, data, change):
        super().__init__()
        self.linear = torch.nn.Linear(data.inputs, data.outputs)
        self.change = change

    def forward(self, x):
        return self.change(self.linear(x))


def changed(change):
    return lambda configuration, data: Given(data, change)


def train(build, classes=3, epochs=3, **settings):
    data, engine = make_data(classes, dtype="float32"), TorchEngine(build)
    loss = {} if classes else {"loss": "quadratic"}
    member = engine.start(Configuration(batch_size=16, **loss, **settings), data, 0)
    return engine, member, engine.advance(member, data, epochs, np.zeros(1, np.uint8)), data


WRONG = {
    "shape": (
        lambda z: z[:, :2],
        SettingError,
        r"Given gave shape \(2, 2\), .* give logits of shape \(2, 3\)",
    ),
    "scalar": (lambda z: z.sum(), SettingError, r"gave shape \(\), for 2 rows of shape \(7,\)"),
    "nothing": (lambda z: None, SettingError, "gave a NoneType, not a tensor"),
    "classes": (lambda z: z.argmax(1), SettingError, "gave torch.int64, which has no gradients"),
    "cut off": (lambda z: z.detach(), MemberError, "does not depend on its parameters"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_output_is_told_in_words(name):
    change, error, words = WRONG[name]
    with pytest.raises(error, match=words):
        train(changed(change))


def test_a_module_without_parameters_and_what_is_no_module_are_refused():
    with pytest.raises(SettingError, match="Flatten has no parameters to learn"):
        train(lambda c, d: torch.nn.Flatten())
    frozen = lambda c, d: torch.nn.Linear(d.inputs, 3).requires_grad_(False)  # noqa: E731
    with pytest.raises(SettingError, match="Linear has no parameters to learn"):
        train(frozen)
    with pytest.raises(SettingError, match="gave a int: it must return a torch"):
        train(lambda c, d: 5)


@pytest.mark.parametrize("loss", ["gaussian", "quantile"])
def test_losses_with_several_outputs_for_a_number_are_refused(loss):
    data = make_data(0, dtype="float32")
    with pytest.raises(SettingError, match=f"loss = {loss} needs . outputs"):
        TorchEngine(perceptron).start(Configuration(loss=loss), data, 0)


def test_rows_that_are_no_numbers_are_refused():
    data = replace(make_data(3), x=np.full((77, 7), "word"))
    with pytest.raises(SettingError, match="no number to PyTorch"):
        TorchEngine(perceptron).start(Configuration(), data, 0)


def test_nan_outputs_diverge():
    _, member, leg, _ = train(changed(lambda z: z * float("nan")))
    assert leg.diverged
    assert all(torch.isfinite(each).all() for each in member.best.values())


@pytest.mark.parametrize("shape", [lambda z: z[:, 1] - z[:, 0], lambda z: z[:, 1:] - z[:, :1]])
def test_one_logit_of_two_classes_is_two(shape):
    engine, member, leg, data = train(changed(shape), classes=2)
    other, twin, expected, _ = train(changed(lambda z: z), classes=2)
    np.testing.assert_allclose(leg.curve, expected.curve, rtol=1e-4)
    answers = engine.network(member, True).predict(data.x)
    np.testing.assert_allclose(answers, other.network(twin, True).predict(data.x), atol=1e-5)
    np.testing.assert_allclose(answers.sum(1), 1.0)


def test_numbers_may_come_flat():
    _, _, flat, _ = train(changed(lambda z: z[:, 0]), classes=0)
    _, _, whole, _ = train(changed(lambda z: z), classes=0)
    assert np.array_equal(flat.curve, whole.curve)


class Meddler(torch.nn.Module):
    """Changes what belongs to the process, in every pass."""

    def __init__(self, data):
        super().__init__()
        self.linear = torch.nn.Linear(data.inputs, data.outputs)

    def forward(self, x):
        out = self.linear(x)
        torch.set_default_dtype(torch.float64)
        torch.set_default_device("meta")
        torch.set_num_threads(3)
        torch.manual_seed(0)
        np.random.seed(0)  # noqa: NPY002 - as people write it
        random.seed(0)
        return out


def test_what_a_module_does_to_its_process_is_undone():
    def state():
        device, numbers = torch.get_default_device(), np.random.get_state()[1].tolist()  # noqa: NPY002
        return (
            torch.get_default_dtype(), device, torch.get_num_threads(), torch.is_grad_enabled(),
            torch.get_rng_state().tolist(), random.getstate(), numbers,
        )  # fmt: skip

    before = state()
    with torch.inference_mode():  # nor does what its caller does reach the module
        _, _, leg, _ = train(lambda c, d: Meddler(d))
    assert state() == before
    _, _, plain, _ = train(changed(lambda z: z))
    assert np.array_equal(leg.curve, plain.curve)


class Noisy(Given):
    """Draws from every generator there is."""

    def forward(self, x):
        noise = torch.randn(1).item() + np.random.rand() + random.random()  # noqa: NPY002
        return super().forward(x) + (0.1 * noise if self.training else 0.0)


def test_every_generator_goes_on_where_it_was_after_a_pause(stop):
    build = lambda c, d: Noisy(d, lambda z: z)  # noqa: E731
    engine, _, leg, data = train(build, epochs=6)
    _, member, first, _ = train(build, epochs=2)
    frozen = engine.network(member, True).tensors() | engine.snapshot(member)
    thawed = engine.thaw(member.configuration, data, 0, frozen)
    rest = engine.advance(thawed, data, 6, stop)
    assert np.array_equal(np.concatenate([first.curve, rest.curve]), leg.curve)


def lazy(configuration, data):
    return torch.nn.Sequential(torch.nn.LazyLinear(5), torch.nn.ReLU(), torch.nn.LazyLinear(3))


def narrow(configuration, data):
    """Parameters of several dtypes, and counters."""

    class Mixed(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.first = torch.nn.Linear(data.inputs, 4)
            self.norm = torch.nn.BatchNorm1d(4)
            self.last = torch.nn.Linear(4, 3).to(torch.bfloat16)
            self.register_buffer("mask", torch.tensor([True, False, True, True]))

        def forward(self, x):
            return self.last((self.norm(self.first(x)) * self.mask).bfloat16()).float()

    return Mixed()


@pytest.mark.parametrize("build", [lazy, narrow])
def test_a_network_goes_through_tensors_to_the_bit(build):
    engine, member, _, data = train(build, optimizer="momentum")
    network = engine.network(member, True)
    tensors = network.tensors()
    again = TorchNetwork.from_tensors(build, member.configuration, data, tensors)
    assert np.array_equal(network.predict(data.x), again.predict(data.x))
    assert again.parameters == sum(p.numel() for p in member.module.parameters())
    assert {str(each.dtype) for each in tensors.values()} <= {"float32", "int64", "bool", "float64"}


def test_state_that_is_no_tensor_is_refused():
    class Extra(Given):
        def get_extra_state(self):
            return {"anything": 1}

    with pytest.raises(SettingError, match="nothing but tensors goes on the shelf"):
        train(lambda c, d: Extra(d, lambda z: z))


def convolutional(configuration, data):
    channels, height, width = data.shape
    return torch.nn.Sequential(
        torch.nn.Conv2d(channels, 4, 3, padding=1), torch.nn.BatchNorm2d(4), torch.nn.ReLU(),
        torch.nn.Flatten(), torch.nn.Linear(4 * height * width, data.outputs),
    )  # fmt: skip


def images(rows=40):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(rows, 2 * 5 * 6)).astype(np.float32)
    y = np.eye(3, dtype=np.float32)[rng.integers(0, 3, rows)]
    return replace(make_data(3), x=x, y=y, validation_x=x[:9], validation_y=y[:9], shape=(2, 5, 6))


def test_images_get_their_shape_and_go_through_a_pause(stop):
    data, engine = images(), TorchEngine(convolutional)
    configuration = Configuration(batch_size=13, optimizer="adam", averaging=0.9)  # a batch of one
    whole = engine.start(configuration, data, 0)
    engine.advance(whole, data, 4, stop)
    assert whole.module[0].weight.is_contiguous(memory_format=torch.channels_last)
    member = engine.start(configuration, data, 0)
    engine.advance(member, data, 2, stop)
    frozen = engine.network(member, True).tensors() | engine.snapshot(member)
    thawed = engine.thaw(configuration, data, 0, frozen)
    engine.advance(thawed, data, 4, stop)
    for name, value in engine.snapshot(whole).items():
        assert np.array_equal(value, engine.snapshot(thawed)[name]), name


def test_rows_for_training_are_augmented_and_no_others(stop):
    seen = []

    class Augmented(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.linear = torch.nn.Linear(7, 3)

        def augment(self, x, generator):
            seen.append(torch.rand(1, generator=generator).item())
            return x * 0 + 7

        def forward(self, x):
            assert self.training == bool((x == 7).all())
            return self.linear(x)

    train(lambda c, d: Augmented(), epochs=2)
    first = list(seen)
    assert len(set(first)) == 2 * 5  # each batch its own
    seen.clear()
    train(lambda c, d: Augmented(), epochs=2)
    assert seen == first


class Linear(torch.nn.Linear):
    def __init__(self, called):
        super().__init__(7, 3)
        self.called = called


class AsDocumented(Linear):
    def augment(self, x, generator):
        self.called.append(torch.rand(1, generator=generator).item())
        return x


class OfPairs(Linear):
    def augment(self, x, y):
        self.called.append(x)
        return x, y


class OfRows(Linear):
    def augment(self, x):
        self.called.append(x)
        return x


class AsPart(Linear):
    def __init__(self, called):
        super().__init__(called)
        self.augment = torch.nn.Dropout(1.0)


class AsSwitch(Linear):
    augment = True


@pytest.mark.parametrize("kind", [AsDocumented, OfPairs, OfRows, AsPart, AsSwitch])
def test_a_module_of_ones_own_augments_where_its_method_is_as_documented(kind):
    called = []
    train(lambda c, d: kind(called), epochs=2, network="module", module="Net")
    assert len(called) == (2 * 5 if kind is AsDocumented else 0)


class Rows:
    """Rows that are read when asked for."""

    def __init__(self, x):
        self.x, self.shape, self.dtype, self.reads = x, x.shape, x.dtype, []

    def __len__(self):
        return len(self.x)

    def take(self, at):
        self.reads.append(np.asarray(at))
        return self.x[at]


def test_rows_that_are_read_when_asked_for_come_in_blocks():
    x = np.arange(50_000)[:, None]
    lazy = Rows(x)
    places, sizes = [], []
    for at, rows in batches(lazy, seed=3, epoch=1, size=64):
        assert np.array_equal(x[at], rows)
        places.append(at)
        sizes.append(len(at))
    assert np.array_equal(np.sort(np.concatenate(places)), np.arange(50_000))
    assert set(sizes[:-1]) == {64}
    assert max(len(each) for each in lazy.reads) <= 16_384
    breaks = sum((np.diff(each) != 1).sum() for each in lazy.reads)
    assert breaks < 30  # neighbours are read together
    moves = np.diff(np.concatenate(places))
    assert (np.abs(moves) > 64).mean() > 0.9  # and yet they are mixed
    again = [at for at, _ in batches(Rows(x), seed=3, epoch=2, size=64)]
    assert not np.array_equal(again[0], places[0])


def test_a_member_learns_from_rows_that_are_read_when_asked_for(stop):
    data = make_data(3, rows=400, dtype="float32")
    lazy = replace(data, x=Rows(data.x), validation_x=Rows(data.validation_x))
    engine = TorchEngine(lambda c, d: torch.nn.Linear(7, 3))
    member = engine.start(Configuration(learning_rate=0.02), lazy, 0)
    leg = engine.advance(member, lazy, 20, stop)
    assert leg.curve[-1, 1] < 0.7 * leg.curve[0, 1]
    answers = engine.network(member, True).predict(lazy.validation_x)
    assert np.array_equal(answers, engine.network(member, True).predict(data.validation_x))


def test_the_estimate_of_memory_counts_what_training_holds():
    data = make_data(3, dtype="float32")
    module = torch.nn.Sequential(torch.nn.Linear(7, 100), torch.nn.ReLU(), torch.nn.Linear(100, 3))
    learned = 4 * (7 * 100 + 100 + 100 * 3 + 3)
    adam = Configuration(optimizer="adam", batch_size=16, averaging=0.5)
    assert estimate(module, adam, data, row=100.0) == learned * (1 + 2 + 2) + 1600
    assert estimate(module, adam.replace(optimizer="sgd"), data, 0.0) == learned * (1 + 2)
    assert 0 < available() < 2**50


def test_too_large_a_module_is_told_with_both_numbers(monkeypatch):
    monkeypatch.setattr("modelshelf.engines.torch_.engine.available", lambda device: 100)
    with pytest.raises(MemberError, match=r"Given needs about .* GB, and 0\.0 GB are free"):
        train(changed(lambda z: z))
    refuse_if_too_large(10, 10, "nothing")


def test_whole_numbers_stay_what_they_are():
    data = replace(make_data(3), x=np.arange(77)[:, None], validation_x=np.arange(9)[:, None])
    build = lambda c, d: torch.nn.Sequential(torch.nn.Embedding(77, 3), torch.nn.Flatten())  # noqa: E731
    module = build(None, data)
    asking = Asking.of(module, data, (-np.inf, np.inf))
    assert asking.put(np.array([[3]])).dtype == torch.int64
    data = replace(data, validation_y=data.validation_y[:9])
    engine = TorchEngine(build)
    member = engine.start(Configuration(), data, 0)
    assert engine.advance(member, data, 2, np.zeros(1, np.uint8)).epoch == 2
