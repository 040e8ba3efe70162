"""Several networks in one, and answers with several outputs."""

from __future__ import annotations

import numpy as np
import pytest

from modelshelf import Configuration, train
from modelshelf.core.errors import SettingError
from modelshelf.engines.numpy_ import Network, NumpyEngine
from modelshelf.engines.numpy_.compile import from_python
from modelshelf.engines.numpy_.ensemble import expand
from tests.engine.conftest import make_data


@pytest.mark.parametrize("classes", [3, 0])
def test_each_member_is_a_plain_network_and_their_mean_the_answer(classes, stop):
    data, engine = make_data(classes), NumpyEngine("float64")
    loss = "cross_entropy" if classes else "quadratic"
    configuration = Configuration(
        hidden_layers=(6, 5), ensemble_size=4, loss=loss, category_embedding=2, epochs=20
    )
    member = engine.start(configuration, data, 0)
    engine.advance(member, data, 20, stop)
    whole = engine.network(member, classes > 0)
    layout, answers = member.layout, []
    for j in range(4):
        own = np.empty(layout.one.size)
        from_python(expand)(layout.sizes, 4, j, whole.theta, own)
        plain = Network(layout.one, "relu", 0.0, classes > 0, own)
        answers.append(plain.predict(data.validation_x))
    assert not np.allclose(answers[0], answers[1])
    mean = np.mean(answers, axis=0)
    np.testing.assert_allclose(whole.predict(data.validation_x), mean, rtol=1e-12)


def test_members_share_hidden_weights_and_little_else():
    data = make_data(3)
    one, eight = (
        NumpyEngine().start(Configuration(ensemble_size=k), data, 0).layout.parameters
        for k in (1, 8)
    )
    hidden = 7 * 128 + 128 * 128
    last_and_biases, adapters = 128 * 3 + 3 + 2 * 128, 7 + 128 + 128 + 128
    assert one == hidden + last_and_biases
    assert eight == hidden + 8 * (last_and_biases + adapters)


@pytest.mark.parametrize(
    ("settings", "idle"),
    [
        ({"ensemble_size": 4, "normalisation": "batch"}, "normalisation"),
        ({"ensemble_size": 4, "initialisation": "data"}, "ensemble_size"),
        ({"loss": "gaussian", "clamp_output": "yes"}, "clamp_output"),
        ({"loss": "gaussian", "ensemble_size": 2}, "ensemble_size"),
        ({"normalisation": "batch", "batch_size": 1}, "normalisation"),
    ],
)
def test_what_does_not_go_together_is_refused_before_anything_trains(settings, idle):
    configuration = Configuration(**settings)
    assert idle not in configuration  # a search may propose it: the one gives way to the other
    with pytest.raises(SettingError, match=f"{idle} plays no part"):
        configuration.refuse_idle()


@pytest.mark.parametrize("loss", ["gaussian", "quantile"])
def test_intervals_hold_their_share_of_new_rows(loss):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(4000, 2))
    spread = np.exp(X[:, 1])  # the noise depends on the row
    y = 100 + 5 * X[:, 0] + spread * rng.normal(size=4000)
    settings = {"interval": 0.8} if loss == "quantile" else {}
    configuration = Configuration(hidden_layers=(16,), loss=loss, epochs=60, **settings)
    model = train(X[:3000], y[:3000], configuration)
    ends = model.predict_interval(X[3000:], 0.8)
    inside = (ends[:, 0] < y[3000:]) & (y[3000:] < ends[:, 1])
    assert 0.74 < inside.mean() < 0.86
    middle = model.predict(X[3000:])
    assert ((ends[:, 0] <= middle) & (middle <= ends[:, 1])).all()
    wide = ends[:, 1] - ends[:, 0]
    assert np.corrcoef(np.log(wide), X[3000:, 1])[0, 1] > 0.9


def test_intervals_that_a_network_cannot_give_are_refused():
    X = np.random.default_rng(0).normal(size=(100, 2))
    few = {"hidden_layers": (4,), "epochs": 2}
    plain = train(X, X[:, 0], Configuration(loss="quadratic", **few))
    with pytest.raises(SettingError, match="a number alone"):
        plain.predict_interval(X)
    quantile = train(X, X[:, 0], Configuration(loss="quantile", **few))
    with pytest.raises(SettingError, match="knows no others"):
        quantile.predict_interval(X, 0.5)
    gaussian = train(X, X[:, 0], Configuration(loss="gaussian", **few))
    with pytest.raises(SettingError, match="between 0 and 1"):
        gaussian.predict_interval(X, 1.5)
