"""Members in a stack become what the compiled engine makes of each, whoever is beside them."""

from __future__ import annotations

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest
import torch

from modelshelf.core.errors import MemberError, SettingError
from modelshelf.core.protocols import TrainingData
from modelshelf.engines.numpy_ import NumpyEngine
from modelshelf.engines.numpy_.look import dropout_mask
from modelshelf.engines.torch_ import devices
from modelshelf.engines.torch_.population import (
    PopulationEngine,
    graph,
    masks,
    resident,
    room,
    runner,
    stack,
)
from modelshelf.engines.torch_.population.rates import mask_seeds
from modelshelf.engines.torch_.population.shape import FREE
from modelshelf.space.catalogue import CATALOGUE
from modelshelf.space.configuration import Configuration
from tests.engine.conftest import make_data
from tests.engine.test_oracle import BASE, GRID, TASKS

#: The engines' oracle's cases, and what these leave at its default.
CASES = [
    *GRID,
    ({"activation": "leaky_relu", "negative_slope": 0.3}, 3),
    ({"optimizer": "nesterov", "momentum": 0.5, "learning_rate": 0.02}, 3),
    ({"optimizer": "rmsprop", "rho": 0.8}, 3),
    ({"clamp_output": "yes", "learning_rate": 0.05}, 0),
]
#: What decides when a member ends (see below), or nothing that a dense network is trained by.
ELSEWHERE = {"patience", "min_delta", "monitor", "network", "module", "max_one_hot"}
GROUPS = {"structure", "training", "regularisation", "preparation"}

EXACT = {"rtol": 1e-9, "atol": 1e-11}
#: Where there is a GPU, it is held against the compiled engine; the CPU is its stand-in.
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
ARRAYS = ("theta", "slots", "average", "best")
CALM = Configuration(
    hidden_layers=(9, 6), batch_size=16, dropout=0.2, learning_rate=5e-3, patience=0
)


@pytest.fixture(scope="module")
def exact():
    engine = PopulationEngine(DEVICE, dtype="float64")
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def data():
    return make_data(3)


@pytest.fixture
def crowds(monkeypatch):
    """How many members each epoch of each stack had."""
    seen = []
    epoch = stack.Stack.epoch

    def counted(self):
        seen.append(len(self.crowd))
        return epoch(self)

    monkeypatch.setattr(stack.Stack, "epoch", counted)
    return seen


@pytest.fixture
def one_wave(monkeypatch):
    """The first of a wave waits for all of it, however slow the machine is."""
    monkeypatch.setattr(runner, "_GATHER", 60.0)


def together(engine, jobs, stop):
    """Train (configuration, data, seed, epochs) jobs at once: (member, leg) of each."""

    def work(job):
        configuration, data, seed, epochs = job
        member = engine.start(configuration, data, seed)
        return member, engine.advance(member, data, epochs, stop)

    with ThreadPoolExecutor(len(jobs)) as pool:
        return list(pool.map(work, jobs))


def alone(job, stop, dtype="float64"):
    configuration, data, seed, epochs = job
    engine = NumpyEngine(dtype)
    member = engine.start(configuration, data, seed)
    return member, engine.advance(member, data, epochs, stop)


def assert_equal(ours, theirs, bounds=EXACT):
    (member, leg), (expected, expected_leg) = ours, theirs
    np.testing.assert_array_equal(member.counters, expected.counters)
    np.testing.assert_allclose(leg.curve, expected_leg.curve, **bounds)
    for name in ARRAYS:
        np.testing.assert_allclose(getattr(member, name), getattr(expected, name), **bounds)
    np.testing.assert_allclose(member.scalars, expected.scalars, **bounds)
    for name in ("epoch", "best_epoch", "steps", "ended", "diverged", "interrupted"):
        assert getattr(leg, name) == getattr(expected_leg, name), name


@pytest.mark.parametrize(("settings", "classes"), GRID, ids=[f"{i}" for i, _ in enumerate(GRID)])
def test_equals_the_compiled_engine_over_the_catalogue(settings, classes, exact, stop, monkeypatch):
    monkeypatch.setattr(graph, "_WARM", 3)  # on a GPU most steps are replayed
    given = {**BASE, **({} if "recipe" in settings else {"learning_rate": 5e-3}), **settings}
    configuration = Configuration(**given).for_task(TASKS[classes > 0])
    slower = configuration.replace(learning_rate=configuration.number("learning_rate") / 2)
    data = make_data(classes)
    epochs = min(configuration.whole("epochs"), 6)
    jobs = [(configuration, data, 1, epochs), (slower, data, 2, epochs)]
    for ours, job in zip(together(exact, jobs, stop), jobs, strict=True):
        assert_equal(ours, alone(job, stop))


def test_the_cases_leave_no_hyperparameter_of_dense_networks_at_its_default():
    moved = {
        name
        for settings, _ in CASES
        for name, value in Configuration(**settings).items()
        if value != CATALOGUE[name].default
    }
    known = {name for name, each in CATALOGUE.items() if each.group in GROUPS}
    assert known - moved <= ELSEWHERE


def test_the_comparison_can_fail(exact, data, stop):
    """A negative control: one constant that is slightly wrong, and they part."""
    ours = together(exact, [(CALM.replace(beta2=0.9991), data, 1, 8)], stop)[0]
    with pytest.raises(AssertionError):
        assert_equal(ours, alone((CALM, data, 1, 8), stop))


def test_in_float32_it_agrees_to_rounding(stop):
    engine, data = PopulationEngine(), make_data(3, dtype="float32")
    jobs = [(CALM.replace(activation=a), data, 1, 8) for a in ("tanh", "gelu", "mish", "selu")]
    for ours, job in zip(together(engine, jobs, stop), jobs, strict=True):
        assert_equal(ours, alone(job, stop, "float32"), {"rtol": 1e-4, "atol": 1e-5})
    engine.close()


@pytest.mark.parametrize("shape", [(5, 8), (3, 3), (1, 1), (7, 11)])
def test_dropout_masks_are_those_of_the_compiled_engine(shape):
    key, step, layer, rate = np.uint64(0xF00DFACE12345678), 1_000_003, 2, 0.37
    seeds = mask_seeds(np.array([key]), np.array([step]), 1, layer + 2)[0, layer + 1]
    threshold, scale = torch.tensor([[np.floor(rate * 65536)]]), torch.tensor([[1 / (1 - rate)]])
    ours = masks.mask(torch.from_numpy(seeds), threshold, scale.float(), shape[0] * shape[1])
    expected = dropout_mask(key, step, layer, rate, shape)
    assert np.array_equal(ours.numpy().reshape(shape), expected)


def test_members_that_differ_in_numbers_alone_share_a_stack(data, stop, crowds, one_wave):
    engine = PopulationEngine(dtype="float64", width=4)
    variants = [{}, {"learning_rate": 0.02}, {"dropout": 0.5, "beta1": 0.7}, {"patience": 3}]
    jobs = [(CALM.replace(**each), data, i, 6) for i, each in enumerate(variants)]
    for ours, job in zip(together(engine, jobs, stop), jobs, strict=True):
        assert_equal(ours, alone(job, stop))
    engine.close()
    assert crowds[0] == 4


#: Two values of each hyperparameter that is free, and what it needs beside it.
FREE_VALUES = {
    "learning_rate": (1e-3, 1e-2, {}),
    "momentum": (0.8, 0.9, {"optimizer": "momentum"}),
    "beta1": (0.8, 0.9, {}),
    "beta2": (0.99, 0.9, {}),
    "rho": (0.9, 0.8, {"optimizer": "rmsprop"}),
    "epsilon": (1e-8, 1e-5, {}),
    "schedule": ("constant", "cosine", {}),
    "warmup": (0.0, 0.1, {}),
    "epochs": (50, 60, {}),
    "patience": (0, 9, {}),
    "min_delta": (0.0, 0.1, {"patience": 9}),
    "monitor": ("loss", "accuracy", {}),
    "negative_slope": (0.1, 0.2, {"activation": "leaky_relu"}),
    "initialisation": ("he_normal", "orthogonal", {}),
    "periodic_sigma": (0.1, 0.2, {"numeric_encoding": "periodic"}),
    "interval": (0.8, 0.9, {"loss": "quantile"}),
    "huber_delta": (0.5, 1.0, {"loss": "huber"}),
    "dropout": (0.0, 0.2, {}),
    "input_dropout": (0.0, 0.2, {}),
    "l1": (0.0, 0.2, {}),
    "l2": (0.0, 0.2, {}),
    "weight_decay": (0.0, 0.2, {"optimizer": "adamw"}),
    "decay_by_factor": ("no", "yes", {"optimizer": "adamw"}),
    "regularisation_schedule": ("constant", "flat_cosine", {}),
    "label_smoothing": (0.0, 0.2, {}),
    "clip_norm": (0.0, 0.2, {}),
    "averaging": (0.0, 0.9, {}),
    "bias_lr_factor": (1.0, 2.0, {}),
    "scale_lr_factor": (0.5, 2.0, {"input_scale": "yes"}),
    "activation_lr_factor": (0.5, 2.0, {"parametric_activation": "yes"}),
    "encoding_lr_factor": (0.5, 2.0, {"numeric_encoding": "piecewise"}),
}
BOUND_VALUES = {
    "hidden_layers": ((9, 6), (9, 7), {}),
    "activation": ("relu", "tanh", {}),
    "optimizer": ("adam", "sgd", {}),
    "batch_size": (16, 17, {}),
    "normalisation": ("none", "layer", {}),
    "ensemble_size": (1, 2, {}),
}


@pytest.mark.parametrize(
    ("name", "values", "alike"),
    [
        *((name, values, True) for name, values in FREE_VALUES.items()),
        *((name, values, False) for name, values in BOUND_VALUES.items()),
    ],
)
def test_what_may_differ_in_a_stack_is_told(name, values, alike, stop):
    one, other, needed = values
    classes = 0 if name in ("interval", "huber_delta") else 3
    data, engine = make_data(classes), NumpyEngine("float64")
    shapes = []
    for value in (one, other):
        given = Configuration(**{**BASE, "dropout": 0.1, **needed, name: value})
        member = engine.start(given.for_task(TASKS[classes > 0]), data, 0)
        shapes.append(runner.Request(member, data, 1, stop).shape)
    assert (shapes[0] == shapes[1]) is alike


SWITCHED = (
    {"dropout": 0.0},
    {"dropout": 0.3, "averaging": 0.9},
    {"clip_norm": 0.2, "bias_lr_factor": 0.1},
    {"weight_decay": 0.0, "l1": 1e-3, "label_smoothing": 0.1},
)


def test_what_is_on_for_one_does_nothing_to_the_others(data, stop, crowds, one_wave):
    engine = PopulationEngine(dtype="float64", width=4)
    plain = CALM.replace(optimizer="adamw")
    jobs = [(plain.replace(**each), data, i, 6) for i, each in enumerate(SWITCHED)]
    for ours, job in zip(together(engine, jobs, stop), jobs, strict=True):
        assert_equal(ours, alone(job, stop))
    engine.close()
    assert crowds[0] == 4


def test_what_is_on_for_a_newcomer_is_switched_on_as_it_comes(data, stop, monkeypatch):
    """Members that are taken in one by one, each an epoch later than the one before."""
    engine = PopulationEngine(dtype="float64", width=4)
    plain = CALM.replace(optimizer="adamw")
    jobs = [(plain.replace(**each), data, i, 9) for i, each in enumerate(SWITCHED)]
    members = [engine.start(*job[:3]) for job in jobs]
    requests = [runner.Request(m, data, 9, stop) for m in members]
    resident = runner.Resident(torch.device("cpu"), torch.float64)
    shared = stack.Stack(requests[0], resident, torch.device("cpu"), "float64", 4)
    for request in requests:
        assert shared.fits(request)
        shared.invite(request)
        shared.epoch()
    while shared.crowd:
        shared.epoch()
    for member, request, job in zip(members, requests, jobs, strict=True):
        assert_equal((member, request.leg()), alone(job, stop))
    engine.close()


def test_all_that_is_free_was_tried():
    assert set(FREE_VALUES) == set(FREE)


def test_seats_are_refilled_and_stacks_of_other_shapes_take_turns(exact, data, stop, crowds):
    """Members end at different epochs, others come as they go, and nobody notices."""
    wider = CALM.replace(hidden_layers=(12,))
    jobs = [
        (wider if i % 5 == 4 else CALM, data, i, epochs)
        for i, epochs in enumerate([40, 3, 9, 2, 7, 5, 4, 6, 3, 11, 2, 8])
    ]
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda job: together(exact, [job], stop)[0], jobs))
    for ours, job in zip(done, jobs, strict=True):
        assert_equal(ours, alone(job, stop))
    assert max(crowds) > 1


def test_a_stack_holds_no_more_than_its_width(data, stop, crowds, one_wave):
    engine = PopulationEngine(dtype="float64", width=2)
    jobs = [(CALM, data, seed, 4) for seed in range(5)]
    for ours, job in zip(together(engine, jobs, stop), jobs, strict=True):
        assert_equal(ours, alone(job, stop))
    engine.close()
    assert max(crowds) == 2


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"optimizer": "adamw", "bias_lr_factor": 0.1, "averaging": 0.9},
        {"normalisation": "batch", "biases": "no", "optimizer": "rmsprop"},
    ],
)
def test_what_one_engine_freezes_the_other_thaws(settings, first, exact, data, stop):
    configuration = CALM.replace(**settings)
    engines = (exact, NumpyEngine("float64")) if first else (NumpyEngine("float64"), exact)
    member = engines[0].start(configuration, data, 3)
    engines[0].advance(member, data, 4, stop)
    frozen = engines[0].network(member, True).tensors() | engines[0].snapshot(member)
    frozen = {name: tensor.copy() for name, tensor in frozen.items()}
    thawed = engines[1].thaw(configuration, data, 3, frozen)
    engines[1].advance(thawed, data, 9, stop)
    whole, _ = alone((configuration, data, 3, 9), stop)
    for name in (*ARRAYS, "counters", "scalars"):
        np.testing.assert_allclose(getattr(thawed, name), getattr(whole, name), **EXACT)
    ours, theirs = (engines[1].network(each, True).predict(data.x) for each in (thawed, whole))
    np.testing.assert_allclose(ours, theirs, **EXACT)


def test_a_member_by_itself_gives_the_same_bits_again(data, stop):
    engine, data = PopulationEngine(), make_data(3, dtype="float32")
    once, again = (together(engine, [(CALM, data, 0, 5)], stop)[0][0] for _ in range(2))
    assert all(np.array_equal(getattr(once, name), getattr(again, name)) for name in ARRAYS)
    engine.close()


def test_a_diverging_member_touches_nobody(data, stop, crowds, one_wave):
    engine = PopulationEngine(dtype="float64", width=3)
    sgd = CALM.replace(optimizer="sgd", l2=1e-3)
    wild = sgd.replace(learning_rate=900.0, l2=1.0)
    jobs = [(sgd, data, 0, 30), (wild, data, 1, 30), (sgd, data, 2, 30)]
    with np.errstate(all="ignore"):
        calm, lost, other = together(engine, jobs, stop)
        expected, leg = alone(jobs[1], stop)
    engine.close()
    assert_equal(calm, alone(jobs[0], stop))
    assert_equal(other, alone(jobs[2], stop))
    assert lost[1].diverged
    assert (lost[1].epoch, lost[1].steps) == (leg.epoch, leg.steps)
    np.testing.assert_allclose(lost[0].best, expected.best, rtol=1e-6)
    assert crowds[0] == 3


def test_a_member_that_diverges_unvalidated_ends(data, exact, stop):
    unvalidated = replace(data, validation_x=data.validation_x[:0], validation_y=data.y[:0])
    wild = CALM.replace(optimizer="sgd", learning_rate=1e3, l2=10.0)
    member, leg = together(exact, [(wild, unvalidated, 0, 100)], stop)[0]
    assert leg.diverged
    assert np.isfinite(member.best).all()
    calm = (CALM, unvalidated, 0, 5)
    ours = together(exact, [calm], stop)[0]
    assert_equal(ours, alone(calm, stop))
    assert ours[1].best_epoch == 5


def test_weights_that_overflow_in_the_last_step_are_not_kept(stop):
    """All inputs are 0: the loss is finite while decay drives the weights to infinity."""
    engine, data = PopulationEngine(), make_data(3, dtype="float32")
    nothing = TrainingData(data.x * 0, data.y, data.x[:0], data.y[:0], True)
    decayed = {"optimizer": "adamw", "weight_decay": 100.0, "learning_rate": 1e3, "biases": "no"}
    wild = Configuration(hidden_layers=(4,), batch_size=1000, **decayed)
    member, leg = together(engine, [(wild, nothing, 0, 100)], stop)[0]
    assert leg.diverged
    assert leg.steps == leg.epoch + 1  # the loss of that step was finite
    assert np.isinf(member.theta).any()
    assert np.isfinite(member.best).all()
    engine.close()


@pytest.mark.parametrize(
    "settings", [{"patience": 2}, {"min_delta": 0.05, "patience": 5}, {"monitor": "accuracy"}]
)
def test_patience_ends_where_the_compiled_engine_ends(settings, exact, data, stop):
    quick = {"learning_rate": 0.1, "patience": 4}
    job = (CALM.replace(**{**quick, **settings}), data, 0, 100)
    ours = together(exact, [job], stop)[0]
    assert ours[1].ended
    assert_equal(ours, alone(job, stop))


def test_long_epochs_are_fed_in_parts(exact, data, stop, monkeypatch):
    monkeypatch.setattr(stack, "_STEPS", 2)
    job = (CALM.replace(schedule="cosine", warmup=0.1, epochs=6), data, 0, 6)
    assert_equal(together(exact, [job], stop)[0], alone(job, stop))


def test_held_out_rows_are_answered_in_chunks(exact, stop, monkeypatch):
    monkeypatch.setattr("modelshelf.engines.torch_.population.step._ELEMENTS", 100)
    for classes, settings in ((3, {"ensemble_size": 3}), (0, {"loss": "quadratic"})):
        job = (CALM.replace(**settings), make_data(classes), 0, 3)
        assert_equal(together(exact, [job], stop)[0], alone(job, stop))


def test_a_set_flag_brings_everybody_back(data):
    engine, flag = PopulationEngine(dtype="float64"), np.zeros(1, np.uint8)
    threading.Timer(0.2, lambda: flag.fill(1)).start()
    done = together(engine, [(CALM, data, seed, 10**6) for seed in range(3)], flag)
    assert all(leg.interrupted for _, leg in done)
    engine.close()


def test_one_that_is_told_to_stop_leaves_the_others(data, stop):
    engine, flag = PopulationEngine(dtype="float64"), np.ones(1, np.uint8)
    with ThreadPoolExecutor(2) as pool:
        calm = pool.submit(together, engine, [(CALM, data, 0, 30)], stop)
        stopped = pool.submit(together, engine, [(CALM, data, 1, 30)], flag)
    assert stopped.result()[0][1].interrupted
    assert_equal(calm.result()[0], alone((CALM, data, 0, 30), stop))
    engine.close()


def test_an_error_reaches_everybody_in_the_stack_and_nobody_else(data, stop, monkeypatch, one_wave):
    engine = PopulationEngine(dtype="float64", width=4)
    train_step = stack.train_step

    def broken(shape, *rest):
        if shape.activation == "tanh":
            raise RuntimeError("out of memory\nand a long story")
        train_step(shape, *rest)

    monkeypatch.setattr(stack, "train_step", broken)
    doomed = CALM.replace(activation="tanh")
    jobs = [(doomed, data, 0, 5), (CALM, data, 0, 5), (doomed, data, 1, 5), (CALM, data, 1, 5)]

    def outcome(job):
        try:
            return together(engine, [job], stop)[0]
        except MemberError as error:
            return error

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(outcome, jobs))
    for got, job in zip(found, jobs, strict=True):
        if job[0] is CALM:
            assert_equal(got, alone(job, stop))
        else:
            assert str(got).endswith("failed: RuntimeError: out of memory")
    monkeypatch.undo()
    assert_equal(together(engine, [jobs[0]], stop)[0], alone(jobs[0], stop))
    engine.close()


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_device_that_is_not_there_is_told_and_nobody_waits(data, stop):
    engine = PopulationEngine("cuda")
    for _ in range(2):
        with pytest.raises(MemberError, match="population on cuda"):
            together(engine, [(CALM, data, 0, 1)], stop)
    engine.close()


def test_memory_decides_how_many_share_a_stack(data, stop, crowds, monkeypatch, one_wave):
    engine = PopulationEngine(dtype="float64", width=6)
    member = engine.start(CALM, data, 0)
    shape = runner.Request(member, data, 1, stop).shape
    monkeypatch.setattr(room, "available", lambda device: 10**9)
    each = 0.5 * 10**9 / room.room_for(shape, len(data.x), torch.device("cpu"), 8, 0)
    monkeypatch.setattr(room, "available", lambda device: 2 * 3.5 * each)
    together(engine, [(CALM, data, seed, 2) for seed in range(6)], stop)
    assert max(crowds) == 3
    monkeypatch.setattr(runner, "_GATHER", 0.0)
    monkeypatch.setattr(room, "available", lambda device: each)
    with pytest.raises(MemberError, match=r"needs .* MiB of memory.* hidden_layers"):
        engine.advance(member, data, 1, stop)
    engine.close()


@pytest.mark.parametrize(("device", "dtype"), [("cpu", "float64"), ("cuda", "float32")])
def test_rows_that_a_device_does_not_hold_yet_leave_less_room(
    data, stop, monkeypatch, device, dtype
):
    monkeypatch.setattr(resident, "to_device", lambda array, *_: torch.from_numpy(array))
    place, number = torch.device(device), getattr(torch, dtype)
    held = resident.Resident(place, number)
    every = (data.x, data.y, data.validation_x, data.validation_y)
    singles = TrainingData(*(np.array(each, np.float32) for each in every), data.classes)
    wanted = number.itemsize * sum(each.size for each in every)
    assert held.missing(singles) == wanted
    assert resident.Resident(torch.device("cpu"), torch.float32).missing(singles) == 0  # shared
    if device == "cuda":
        held(singles.x)
        assert held.missing(singles) == wanted - 4 * data.x.size
    monkeypatch.setattr(room, "available", lambda device: 10**9)
    member = PopulationEngine(dtype="float64").start(CALM, data, 0)
    asked = runner.Request(member, data, 1, stop).shape, len(data.x), torch.device("cpu"), 8
    assert room.room_for(*asked, 250_000_000) == pytest.approx(room.room_for(*asked, 0) / 2, abs=1)
    with pytest.raises(MemberError, match=r"477 of them for the rows.*: take fewer rows"):
        room.room_for(*asked, 500_000_000)


def test_the_thread_ends_by_itself_and_comes_back(data, stop):
    engine = PopulationEngine(dtype="float64")
    for epoch in (1, 2):
        together(engine, [(CALM, data, 0, epoch)], stop)
        thread = next(each for each in threading.enumerate() if each.name == "modelshelf-cpu")
        assert not thread.daemon
        thread.join(60)
        assert not thread.is_alive()
    engine.close()


def test_a_member_at_its_end_is_not_trained_on(exact, data, stop, crowds):
    member, _ = together(exact, [(CALM, data, 0, 3)], stop)[0]
    before = member.theta.copy()
    crowds.clear()
    leg = exact.advance(member, data, 3, stop)
    assert (leg.epoch, leg.steps, len(leg.curve)) == (3, 0, 0)
    assert np.array_equal(member.theta, before)
    assert crowds == []


def test_what_it_does_not_train_it_names():
    engine = PopulationEngine()
    assert engine.supports(CALM) is None
    assert "network = conv" in engine.supports(Configuration(network="conv"))
    with pytest.raises(SettingError, match="mps has no float64"):
        PopulationEngine("mps", dtype="float64")
    with pytest.raises(SettingError, match="at least 1"):
        PopulationEngine(width=0)


@pytest.mark.parametrize("fails", [False, True])
def test_captured_steps_are_replayed_on_what_they_are_given(fails, monkeypatch, caplog):
    """On the CPU, with a graph that does what CUDA's does: it runs nothing but when replayed."""
    seen, recording = [], []

    class Graph:
        def replay(self):
            note(*self.given)

    @contextmanager
    def capture(recorded, **options):
        recording.append(recorded)
        yield
        recording.clear()

    def note(*given):
        seen.append(tuple(each.clone() for each in given))

    def run(*given):
        if not recording:
            note(*given)
        elif fails:
            recording.clear()
            raise RuntimeError("this operation cannot be captured")
        else:
            recording[0].given = given

    monkeypatch.setattr(torch.cuda, "CUDAGraph", Graph)
    monkeypatch.setattr(torch.cuda, "current_stream", lambda: None)
    monkeypatch.setattr(torch.cuda, "graph", capture)
    caplog.set_level("DEBUG", logger=graph.__name__)
    graph._tell.cache_clear()
    stepper = graph.Stepper(torch.device("cuda"), True, run)
    steps = [tuple(torch.full((2,), 3 * i + j) for j in range(3)) for i in range(graph._WARM + 8)]
    for i, given in enumerate(steps):
        stepper(*given, whole=i != graph._WARM + 3)
    told = [each.getMessage() for each in caplog.records if each.name == graph.__name__]
    assert told == [
        "A step is not captured as a CUDA graph, and so is slower: RuntimeError: this operation "
        "cannot be captured"
        if fails
        else "A step was captured."
    ]
    graph.Stepper(torch.device("cuda"), True, run)._capture(*steps[0])
    if fails:
        assert len([each for each in caplog.records if each.name == graph.__name__]) == 1  # once
    assert len(seen) == len(steps)
    for given, got in zip(steps, seen, strict=True):
        assert all(torch.equal(a, b) for a, b in zip(given, got, strict=True))


def test_the_cpu_is_a_device_and_what_is_not_there_is_refused(monkeypatch):
    assert devices.find_device("cpu").name == "cpu"
    assert not devices.find_device("cpu").is_gpu
    monkeypatch.setattr(devices, "_there", lambda: {"cpu": devices.Device("cpu", "some")})
    with pytest.raises(SettingError, match=r"no cuda device here\. There is cpu"):
        devices.find_device("cuda")
    with pytest.raises(SettingError, match="auto, cpu, cuda, mps"):
        devices.find_device("gpu")


def test_auto_takes_a_gpu_where_there_is_one(monkeypatch):
    gpu = devices.Device("cuda", "a GPU")
    monkeypatch.setattr(devices, "_there", lambda: {"cuda": gpu, "cpu": gpu})
    for traced, expected in ((True, "cuda"), (False, "cpu")):
        monkeypatch.setattr(devices, "_traced", lambda traced=traced: traced)
        assert devices.find_device().name == expected
    monkeypatch.setattr(devices, "_traced", lambda: True)
    monkeypatch.setattr(devices, "find_spec", lambda name: None)
    assert devices.find_device().name == "cpu"
    with pytest.raises(SettingError, match=r"modelshelf\[torch\]"):
        devices.find_device("cuda")


def test_without_a_trace_of_a_gpu_torch_is_not_imported():
    script = (
        "import sys\n"
        "from modelshelf.engines.torch_ import devices\n"
        "devices._traced = lambda: False\n"
        "assert devices.find_device().name == 'cpu'\n"
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
