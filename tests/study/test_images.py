"""Studies of images: convolutions and dense networks on one shelf, and without PyTorch too."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest

from modelshelf import Configuration, Model, train, tune
from modelshelf.core.errors import SettingError
from modelshelf.shelf import Shelf
from modelshelf.space.images import for_images
from modelshelf.space.space import Space
from modelshelf.study import engines
from modelshelf.study.costs import front_of

SIDE = 10
FEW = {"epochs": 6, "batch_size": 32, "conv_width": 4, "hidden_layers": (16,)}


def images(rows: int = 120) -> tuple[np.ndarray, np.ndarray]:
    """Stripes that lie or stand, somewhere in noise: (rows, height, width) uint8, and labels."""
    rng = np.random.default_rng(0)
    x = rng.integers(0, 60, (rows, SIDE, SIDE))
    y = rng.integers(0, 2, rows)
    for image, standing in zip(x, y, strict=True):
        lines = image.T if standing else image
        lines[rng.integers(0, SIDE), 1:-1] += 180
    return x.astype(np.uint8), np.array(["lying", "standing"])[y]


def test_both_kinds_are_searched_and_what_wins_answers_off_the_shelf(tmp_path):
    pytest.importorskip("torch")
    X, y = images()
    result = tune(X, y, trials=3, space=FEW, folds=2, workers=1, shelf=tmp_path)
    with Shelf.open(tmp_path) as shelf:
        tried = [each.configuration for each in shelf.trials(result.study)]
        compared = front_of(shelf, shelf.study(result.study)).compared
    costs = [e.cost for e in compared if e.trial.configuration.get("network") == "conv"]
    assert costs
    assert all(each.multiply_adds > 5 * each.parameters for each in costs)  # at many places
    assert {each.get("network", "dense") for each in tried} == {"dense", "conv"}
    assert result.trials["failed"] == 0
    assert [each.name for each in result.baselines] == ["linear"]
    assert not any("baseline" in note for note in result.notes)
    again = Model.from_shelf(result.winner.barcode, tmp_path)
    assert np.array_equal(again.predict_proba(X), result.model.predict_proba(X))


def test_a_convolutional_network_is_trained_alone(tmp_path):
    pytest.importorskip("torch")
    X, y = images()
    c = Configuration(network="conv", epochs=12, conv_width=8, learning_rate=0.01, patience=0)
    model = train(X, y, c, shelf=tmp_path)
    assert (model.predict(X) == y).mean() > 0.9
    larger = np.repeat(np.repeat(X, 2, axis=1), 2, axis=2)
    assert (model.predict(larger) == y).mean() > 0.8  # resized to what it learned from


def test_without_pytorch_dense_networks_are_searched(tmp_path, monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(engines, "find_spec", lambda name: name != "torch" and find(name))
    X, y = images()
    result = tune(X, y, trials=2, space=FEW, folds=2, workers=1, shelf=tmp_path)
    assert "network" not in result.winner.configuration
    assert result.trials["failed"] == 0


def test_convolutions_of_a_table_are_refused(tmp_path):
    X = np.random.default_rng(0).normal(size=(30, 4))
    y = np.arange(30) % 2
    with pytest.raises(SettingError, match="reads images"):
        tune(X, y, space={"network": "conv"}, trials=1, shelf=tmp_path)
    with pytest.raises(SettingError, match="reads images"):
        train(X, y, Configuration(network="conv"), shelf=tmp_path)


def test_what_was_given_stands_in_a_space_of_images():
    space = for_images(Space(batch_size=64, network="conv"), (1, 28, 28), torch=True)
    assert space.fixed["batch_size"] == 64
    assert {each["network"] for each in space.known} == {"conv"}
    assert all(each["batch_size"] == 64 for each in space.known)
    assert not any(name.startswith("hidden") for name in space.varied)
    dense = for_images(Space(), (1, 28, 28), torch=False)
    assert {each.get("network", "dense") for each in dense.known} == {"dense"}
    both = for_images(Space(), (1, 28, 28), torch=True)
    assert {each.get("network", "dense") for each in both.known} == {"dense", "conv"}
    assert all(each in both for each in both.known)
