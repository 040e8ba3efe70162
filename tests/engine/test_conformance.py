"""Every engine: a member's bits depend on itself alone, and it ends as it should."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from modelshelf.core.protocols import TrainingData
from modelshelf.engines.numpy_.compile import single_threaded
from modelshelf.space.configuration import Configuration
from tests.engine.conformance import EPOCHS, SUBJECTS, frozen, kept, same
from tests.engine.conftest import make_data

CALM = Configuration(hidden_layers=(16, 8), dropout=0.2, batch_size=8, patience=0)
WILD = Configuration(hidden_layers=(16,), optimizer="sgd", learning_rate=900.0, l2=1.0)


@pytest.fixture(scope="module", params=SUBJECTS)
def subject(request):
    return SUBJECTS[request.param]


@pytest.fixture(scope="module")
def engine(subject):
    made = subject.make()
    yield made
    getattr(made, "close", lambda: None)()


@pytest.fixture(scope="module")
def data():
    return make_data(3, dtype="float32")


def run(engine, configuration, data, epochs=EPOCHS, seed=5):
    member = engine.start(configuration, data, seed)
    return member, engine.advance(member, data, epochs, np.zeros(1, np.uint8))


@pytest.mark.parametrize("pauses", [(1,), (3, 4, 11), tuple(range(1, EPOCHS))])
def test_freezing_and_thawing_changes_no_bit(engine, subject, pauses, data, stop):
    for configuration in subject.configurations:
        whole, whole_leg = run(engine, configuration, data)
        member, curves = engine.start(configuration, data, 5), []
        for pause in (*pauses, EPOCHS):
            curves.append(engine.advance(member, data, pause, stop).curve)
            member = engine.thaw(configuration, data, 5, frozen(engine, member))
        assert same(frozen(engine, whole), frozen(engine, member))
        assert np.array_equal(np.concatenate(curves), whole_leg.curve)


def test_another_engine_goes_on_to_the_same_bits(engine, subject, data, stop):
    other = subject.make()
    member, _ = run(engine, CALM, data, epochs=5)
    thawed = other.thaw(CALM, data, 5, frozen(engine, member))
    for each, by in ((member, engine), (thawed, other)):
        by.advance(each, data, EPOCHS, stop)
    assert same(frozen(engine, member), frozen(other, thawed))
    getattr(other, "close", lambda: None)()


def test_a_seed_decides_all(engine, data):
    first, again, other = (frozen(engine, run(engine, CALM, data, seed=s)[0]) for s in (1, 1, 2))
    assert same(first, again)
    assert not same(first, other)


def test_neighbours_and_threads_change_no_bit(engine, subject, data):
    configurations = subject.configurations

    def train(configuration):
        return frozen(engine, run(engine, configuration, data)[0])

    alone = [train(each) for each in configurations]
    with single_threaded(), ThreadPoolExecutor(2) as pool:
        together = list(pool.map(train, configurations * 3))
    for i, each in enumerate(together):
        assert same(alone[i % len(configurations)], each, subject.bound)


def test_a_diverging_member_ends_with_its_last_finite_state(engine, subject, data):
    member, leg = run(engine, WILD, data, epochs=30)
    assert leg.diverged
    assert leg.epoch < 30
    assert all(np.isfinite(each).all() for each in kept(engine, member).values())
    before = frozen(engine, run(engine, CALM, data)[0])
    with ThreadPoolExecutor(2) as pool:
        _, beside = pool.map(lambda c: run(engine, c, data)[0], [WILD, CALM])
    assert same(before, frozen(engine, beside), subject.bound)


def test_a_member_that_diverges_unvalidated_ends_at_once(engine, data):
    unvalidated = TrainingData(data.x, data.y, data.x[:0], data.y[:0], True)
    wild = WILD.replace(learning_rate=1e3, l2=10.0, batch_size=8)
    member, leg = run(engine, wild, unvalidated, epochs=100)
    assert leg.diverged
    assert all(np.isfinite(each).all() for each in kept(engine, member).values())
    assert leg.steps < -(-len(data.x) // 8) * (leg.epoch + 1)  # not at the end of the epoch


def test_early_stopping_waits_for_its_patience_and_keeps_the_best(engine, data):
    configuration = Configuration(hidden_layers=(64,), learning_rate=0.05, patience=4, epochs=500)
    member, leg = run(engine, configuration, data, epochs=500)
    assert leg.ended
    assert leg.epoch == leg.best_epoch + 4 < 500
    assert leg.best_epoch == int(leg.curve[:, 1].argmin()) + 1
    assert leg.loss == leg.curve[:, 1].min()
    again, _ = run(engine, configuration.replace(patience=0), data, epochs=leg.best_epoch)
    assert same(kept(engine, again), kept(engine, member))


def test_an_improvement_below_min_delta_is_none(engine, data):
    base = {"hidden_layers": (8,), "learning_rate": 1e-3, "epochs": 60, "patience": 5}
    ends = []
    for delta in (0.0, 0.5):
        _, leg = run(engine, Configuration(**base, min_delta=delta), data, epochs=60, seed=0)
        ends.append((leg.epoch, leg.best_epoch, leg.ended))
    assert ends[0] == (60, 60, False)  # it improves a little with every epoch
    assert ends[1] == (6, 1, True)


def test_a_set_flag_brings_a_member_back(engine, data):
    run(engine, CALM, data, epochs=1)  # what must be compiled or imported is
    flag = np.zeros(1, np.uint8)
    member = engine.start(CALM, data, 0)
    threading.Timer(0.2, lambda: flag.fill(1)).start()
    assert engine.advance(member, data, 100_000, flag).interrupted


def test_without_validation_rows_the_last_epoch_is_kept(engine, data):
    bare = replace(data, validation_x=data.validation_x[:0], validation_y=data.validation_y[:0])
    member, leg = run(engine, CALM.replace(patience=2), bare)
    assert (leg.epoch, leg.best_epoch) == (EPOCHS, EPOCHS)
    assert np.isnan(leg.loss)
    assert np.isnan(leg.curve[:, 1]).all()
    early, _ = run(engine, CALM.replace(patience=2), bare, epochs=EPOCHS - 1)
    assert not same(kept(engine, member), kept(engine, early))


def test_what_a_network_answers_is_what_was_measured(engine, data):
    member, leg = run(engine, CALM, data)
    answers = engine.network(member, True).predict(data.validation_x)
    truth = data.validation_y.argmax(1)
    loss = -np.log(answers[np.arange(len(truth)), truth]).mean()
    assert loss == pytest.approx(leg.loss, rel=1e-5)
    assert (answers.argmax(1) == truth).mean() == leg.curve[leg.best_epoch - 1, 2]


def test_numbers_are_measured_by_squared_error(engine):
    data = make_data(0, dtype="float32")
    configuration = Configuration(hidden_layers=(16,), loss="quadratic", learning_rate=0.01)
    member, leg = run(engine, configuration, data)
    answers = engine.network(member, False).predict(data.validation_x)
    assert answers.shape == (len(data.validation_x),)
    error = ((answers - data.validation_y[:, 0]) ** 2).mean()
    assert error == pytest.approx(leg.loss, rel=1e-5)
    assert leg.loss < data.validation_y.var()
