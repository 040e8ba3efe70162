"""Cases of a space: which domain holds where, and coordinates there and back."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelshelf.core.errors import SettingError
from modelshelf.core.records import Task
from modelshelf.space.catalogue import CATALOGUE
from modelshelf.space.configuration import Configuration
from modelshelf.space.defaults import entries_for
from modelshelf.space.portfolio import PORTFOLIO
from modelshelf.space.space import Space

NTK = {"learning_rate": (0.02, 0.3), "initialisation": "data", "batch_size": 256}
SPACES = {
    "default": Space(),
    "regression": Space(loss=["quadratic", "huber", "quantile"]).for_task(Task.REGRESSION),
    "ntk": Space(
        parametrisation=["standard", "ntk"],
        learning_rate=(3e-4, 1e-2),
        when={"parametrisation": {"ntk": NTK}},
    ),
    "chained": Space(
        hidden_layers={"depth": (0, 3)},
        activation=["relu", "selu", "tanh"],
        normalisation=["none", "batch", "layer"],
        schedule={"values": ["cosine", "coslog"], "off": 0.4},
        label_smoothing={"range": (0.01, 0.2), "off": 0.5},
        numeric_encoding=["none", "periodic", "piecewise"],
        encoding_bins=(8, 64),
        l1={"range": (1e-7, 1e-3), "off": 0},
        patience=(5, 50),
        when={
            "activation": {"selu": {"initialisation": "lecun_normal", "dropout": (0.0, 0.1)}},
            "dropout": {"on": {"l2": 0.0}, "off": {"l2": {"range": (1e-5, 1e-3), "off": 0.1}}},
            "optimizer": {
                "sgd or momentum": {
                    "learning_rate": (1e-2, 1.0),
                    "when": {"schedule": {"off": {"learning_rate": 0.05}}},
                }
            },
            "numeric_encoding": {"periodic": {"periodic_sigma": (1e-2, 1.0)}},
        },
    ),
    "widths": Space(
        scaling=["standard", "quantile"],
        when={"scaling": {"quantile": {"hidden_layers": [[64], [32, 16], []]}}},
    ),
}


@pytest.mark.parametrize("name", SPACES)
@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_a_vector_leads_back_to_its_configuration(name, data):
    space = SPACES[name]
    unit = data.draw(
        st.lists(
            st.floats(0, 1, exclude_max=True),
            min_size=space.dimensions,
            max_size=space.dimensions,
        )
    )
    configuration = space.configuration(unit)
    vector = space.vector(configuration)
    assert len(vector) == space.dimensions
    assert all(math.isnan(each) or 0 <= each < 1 for each in vector)
    assert space.configuration(vector) == configuration
    assert configuration in space
    shelved = Configuration.from_json(json.loads(json.dumps(configuration.to_json())))
    assert shelved in space
    assert space.restrict(shelved) == configuration
    assert space.configuration(space.vector(shelved)) == configuration


def test_the_case_decides_the_domain():
    space = SPACES["ntk"]
    seen = set()
    for step in range(40):
        c = space.configuration([(step * 0.37 + 0.61 * k) % 1 for k in range(space.dimensions)])
        seen.add(c.word("parametrisation"))
        low, high = (0.02, 0.3) if c.word("parametrisation") == "ntk" else (3e-4, 1e-2)
        assert low <= c.number("learning_rate") <= high
        assert (c.word("initialisation") == "data") == (c.word("parametrisation") == "ntk")
    assert seen == {"standard", "ntk"}


def test_what_a_case_fixes_has_no_coordinate_of_its_own():
    plain = Space(parametrisation=["standard", "ntk"])
    assert SPACES["ntk"].dimensions == plain.dimensions
    ntk = SPACES["ntk"].restrict(Configuration(parametrisation="ntk", learning_rate=0.1))
    assert ntk is not None
    assert (ntk["initialisation"], ntk["batch_size"]) == ("data", 256)
    standard = Configuration(learning_rate=1e-3)
    unused = [sum(map(math.isnan, SPACES["ntk"].vector(each))) for each in (ntk, standard)]
    assert unused == [12, 13]  # what is off, inactive, or fixed there: initialisation in ntk alone


def test_a_later_case_wins():
    space = Space(
        when={
            "optimizer": {"adam": {"batch_size": 32}},
            "activation": {"relu": {"batch_size": 64}},
        }
    )
    inside = space.restrict(Configuration(optimizer="adam", activation="relu"))
    other = space.restrict(Configuration(optimizer="adam", activation="tanh"))
    assert inside is not None
    assert other is not None
    assert (inside["batch_size"], other["batch_size"]) == (64, 32)


def test_restrict_asks_the_case_that_holds():
    space = SPACES["ntk"]
    assert space.restrict(Configuration(learning_rate=0.1)) is None
    assert space.restrict(Configuration(learning_rate=0.1, parametrisation="ntk")) is not None
    assert Configuration(schedule="cosine") not in Space()
    assert Configuration(label_smoothing=0) not in Space(label_smoothing=(0.1, 0.2))


def test_the_task_takes_its_losses_out_of_the_cases():
    space = Space(
        loss=["cross_entropy", "quadratic", "huber"],
        when={
            "loss": {"cross_entropy": {"dropout": 0.1}, "huber": {"dropout": 0.2}},
            "optimizer": {"sgd": {"loss": ["cross_entropy", "huber"]}},
        },
    )
    number, classes = space.for_task(Task.REGRESSION), space.for_task(Task.BINARY)
    assert set(number.words()) - set(Space().words()) == {
        "dropout, where loss is huber",
        "loss, where optimizer is sgd",
    }
    assert classes.words()["loss, where optimizer is sgd"] == "always cross_entropy"


def test_cases_count_for_epochs_and_for_the_key():
    space = Space(when={"optimizer": {"sgd": {"epochs": 400}}})
    assert (space.most_epochs, space.for_epochs(60).most_epochs) == (400, 400)
    assert Space().for_epochs(60).fixed["epochs"] == 60
    assert Space(epochs=7).for_epochs(60).fixed["epochs"] == 7
    assert space.to_json() != Space().to_json()
    assert Space(l1={"range": (1e-7, 1e-4), "off": 0.8}).to_json() == Space().to_json()
    assert Space(l1={"range": (1e-7, 1e-4), "off": 0.5}).to_json() != Space().to_json()


def test_known_configurations_come_along():
    good, outside = Configuration(learning_rate=0.01), Configuration(learning_rate=5.0)
    usual = Space(dropout=0.2).for_epochs(60)
    space = usual.with_known([good, outside, good])
    here = good.replace(dropout=0.2, epochs=60, schedule="coslog", patience=0)
    assert space.known == (*usual.known, here)
    assert len(usual.known) == len(PORTFOLIO)


@pytest.mark.parametrize(
    ("entries", "told"),
    [
        ({"when": {"optimiser": {"sgd": {}}}}, "did you mean 'optimizer'"),
        ({"when": {"optimizer": {"sgdd": {}}}}, "optimizer must be one of"),
        ({"when": {"optimizer": {"sgd": {"dropout": 2}}}}, "dropout must be"),
        ({"when": {"optimizer": {"adagrad": {"dropout": 0}}}}, "never is so here"),
        (
            {"parametrisation": "standard", "when": {"parametrisation": {"ntk": {"dropout": 0}}}},
            "always standard",
        ),
        ({"when": {"optimizer": {"sgd": {"optimizer": "adam"}}}}, "in a circle"),
        ({"when": {"activation": {"tanh": {"hidden_layers": [8]}}}}, "hidden_layers decides"),
        ({"when": {"optimizer": "sgd"}}, "must hold cases"),
        ({"l1": {"range": (1e-7, 1e-3), "off": 1}}, "always off"),
        ({"l1": {"rang": (1e-7, 1e-3), "off": 0.1}}, "range = "),
        ({"optimizer": {"values": ["sgd"], "off": 0.1}}, "cannot be off"),
        ({"patience": (0, 10)}, "a range above 0"),
    ],
)
def test_a_wrong_case_is_refused_in_words(entries, told):
    with pytest.raises(SettingError, match=told):
        Space(**entries)


@pytest.mark.parametrize("space", SPACES.values(), ids=SPACES)
def test_a_model_sees_as_many_features_of_each_and_names_as_columns(space):
    rng = np.random.default_rng(0)
    found = [space.configuration(rng.random(space.dimensions)) for _ in range(40)]
    features = np.array([space.features(each) for each in found])
    assert features.shape[0] == 40
    assert np.isfinite(features).all()
    assert len(np.unique(features, axis=0)) == len(set(found))


def test_names_have_a_column_each_in_place_of_a_coordinate():
    space = Space(activation=["relu", "selu", "tanh"], **_fixed_but("activation"))
    found = {a: space.features(Configuration(activation=a)) for a in ("relu", "selu", "tanh")}
    assert found == {"relu": (1, 0, 0), "selu": (0, 1, 0), "tanh": (0, 0, 1)}


def _fixed_but(name):
    """The usual space's hyperparameters at their defaults, but for one."""
    return {each: CATALOGUE[each].default for each in entries_for(["dense"]) if each != name}
