"""Modules through the whole product: the course's own, unchanged, and a person's."""

from __future__ import annotations

import json
import sys

import numpy as np
import polars as pl
import pytest
import torch
from torch.utils.data import DataLoader, Dataset, IterableDataset, TensorDataset

from modelshelf import Configuration, Model, UserError, train, tune, use_module
from modelshelf.cli.app import main
from modelshelf.study import engines
from tests.modules.nets import LittleNet, Net, SimpleNN, TwoLayerNet, stacked

QUICK = {"epochs": 4, "batch_size": 16, "optimizer": "adam"}
ASKED = {"trials": 3, "folds": 2, "workers": 1}
RNG = np.random.default_rng(0)


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """The notes' `TwoLayerNet`, on tensors as the notes make them."""
    torch.manual_seed(0)
    x = torch.randn(200, 20)
    y = x[:, :2].sum(dim=1) * 3.0 + 10.0
    place = tmp_path_factory.mktemp("course")
    space = {"H": (8, 128), "D_in": 20, "D_out": 1, **QUICK}
    return tune(x, y, module=TwoLayerNet, space=space, shelf=place, **ASKED), x, y


def test_the_courses_two_layer_net_is_searched(course):
    result, _, y = course
    winner = result.winner
    assert winner.configuration["module"] == "TwoLayerNet"
    assert 8 <= winner.configuration["module.H"] <= 128
    assert winner.test < float(y.std())  # in the target's unit: it was standardised meanwhile
    assert any("processes of their own" in note for note in result.notes)
    assert {each.name for each in result.baselines} == {"linear", "gradient boosting"}


def test_what_comes_off_the_shelf_is_the_network_that_was_scored(course):
    result, x, _ = course
    model = result.model
    module = model.to_torch()
    assert isinstance(module, TwoLayerNet)
    with torch.no_grad():
        raw = module(x)[:, 0].double().numpy()
    scale = model.preparation
    low, high = model.network.asking.limits
    expected = np.clip(raw, low, high) * scale.target_scale + scale.target_center
    np.testing.assert_allclose(model.predict(x), expected, rtol=1e-5)
    again = Model.from_shelf(result.winner.copy, result.shelf)
    assert np.array_equal(model.predict(x), again.predict(x))
    assert np.array_equal(model.predict(x.double()), again.predict(x))


def test_the_same_seed_gives_the_same_answer(course, tmp_path):
    result, x, y = course
    space = {"H": (8, 128), "D_in": 20, "D_out": 1, **QUICK}
    second = tune(x, y, module=TwoLayerNet, space=space, shelf=tmp_path, trials=3, folds=2)
    assert second.winner == result.winner


def test_a_finished_study_is_read_and_other_code_is_another_study(course):
    result, x, y = course
    space = {"H": (8, 128), "D_in": 20, "D_out": 1, **QUICK}
    again = tune(x, y, module=TwoLayerNet, space=space, shelf=result.shelf, **ASKED)
    assert again.reused
    more = tune(x, y, module=TwoLayerNet, space=space, shelf=result.shelf, **{**ASKED, "trials": 4})
    assert not more.reused
    assert more.study == result.study
    assert more.trials["started"] == 4
    with pytest.raises(UserError, match="the module's code"):
        tune(x, y, module=Net, shelf=result.shelf, study=result.study, **ASKED)


def test_without_its_builder_a_network_says_what_it_needs(course, monkeypatch):
    result, x, _ = course
    monkeypatch.setattr(engines, "_KNOWN", {})
    with pytest.raises(UserError, match=r"TwoLayerNet, .* --module file.py:NAME; in Python: use"):
        Model.from_shelf(result.winner.copy, result.shelf)
    use_module(TwoLayerNet)
    assert len(Model.from_shelf(result.winner.copy, result.shelf).predict(x)) == 200


def test_rows_of_another_form_are_refused_in_words(course):
    model = course[0].model
    with pytest.raises(UserError, match=r"rows of shape \(7,\): expected \(20,\)"):
        model.predict(np.zeros((3, 7)))
    with pytest.raises(UserError, match=r"Expected an array or tensor of rows of shape \(20,\)"):
        model.predict(pl.DataFrame({"a": [1.0]}))
    with pytest.raises(UserError, match=r"has the shape \(20,\): expected \(rows"):
        model.predict(np.zeros(20))


def test_the_courses_simple_nn_answers_two_classes_with_one_output(tmp_path):
    x = RNG.normal(size=(80, 5))
    frame = pl.DataFrame(
        {f"x{i}": x[:, i] for i in range(5)} | {"y": np.where(x[:, 0] > 0, "a", "b")}
    )
    use = Configuration(epochs=30, learning_rate=0.03, batch_size=16)
    model = train(frame, None, use, target="y", module=SimpleNN, shelf=tmp_path)
    assert model.record.score > 0.8
    assert set(model.predict(frame)) == {"a", "b"}
    np.testing.assert_allclose(model.predict_proba(frame).sum(axis=1), 1.0)
    again = train(frame, None, use, target="y", module=SimpleNN, shelf=tmp_path)
    assert again.copy == model.copy


class Pictures(Dataset):
    """As people write them: one picture and its label at a time."""

    def __init__(self, images, labels, transform=None):
        self.images, self.labels, self.transform = images, labels, transform

    def __len__(self):
        return len(self.images)

    def __getitem__(self, i):
        image = self.images[i]
        return (self.transform(image) if self.transform else image), int(self.labels[i])


@pytest.fixture(scope="module")
def pictures():
    labels = np.arange(60) % 10
    images = torch.randn(60, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    return Pictures(images, labels)


def test_the_tutorials_convolutions_take_a_loader(pictures, tmp_path):
    loader = DataLoader(pictures, batch_size=20, shuffle=True)
    space = {"epochs": 1, "optimizer": "adam"}
    result = tune(loader, module=LittleNet, space=space, shelf=tmp_path, test=0.2, **ASKED)
    assert result.winner.configuration["batch_size"] == 20
    assert 4 <= result.winner.configuration["module.maps"] <= 12
    assert any("read once, item by item" in each for each in result.understood)
    assert any("shuffling" in each for each in result.understood)
    assert result.model.predict(pictures.images).shape == (60,)


class Endless(IterableDataset):
    def __iter__(self):
        yield torch.zeros(3), 0


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (Endless(), r"Endless tells neither how many items"),
        (TensorDataset(torch.zeros(4, 3)), r"Item 0 of TensorDataset is a tuple: expected a pair"),
        (DataLoader(TensorDataset(torch.zeros(4, 3), torch.zeros(4)), collate_fn=list),
         r"a collate_fn of its own"),
        (Pictures([torch.zeros(3), torch.zeros(4)], [0, 1]), r"Item 1 has the shape \(4,\)"),
        (Pictures([torch.zeros(3)], ["x"]), r"Item 0 cannot be read: ValueError"),
        (Pictures([], []), r"Pictures has no items"),
        (TensorDataset(torch.zeros(4, 3), torch.zeros(4, 2)), r"item 0 has the shape \(2,\)"),
    ],
)  # fmt: skip
def test_data_sets_that_cannot_be_read_are_refused(data, told):
    with pytest.raises(UserError, match=told):
        tune(data, module=Net, trials=1)


def test_arrays_that_do_not_fit_are_refused(tmp_path):
    x, y = np.zeros((20, 3), np.float32), np.arange(20) % 2
    for given, told in (
        ({"X": x, "y": y[:5]}, r"X has 20 rows and y has 5"),
        ({"X": np.full((20, 3), np.nan), "y": y}, r"Row 1 has a number that is missing"),
        ({"X": x, "target": "y"}, r"no column 'y': give the target as y"),
        ({"X": torch.zeros(20, 3, dtype=torch.bfloat16), "y": y}, r"Give it as float32"),
        ({"X": x, "y": y, "test": (x, y + 1)}, r"holds classes that the training rows have not: 2"),
        ({"X": x, "y": y, "hang_seconds": 0}, r"hang_seconds is 0"),
    ):
        with pytest.raises(UserError, match=told):
            tune(**given, module=Net, trials=1, shelf=tmp_path)


def test_a_lambda_goes_in_and_a_recognised_sequential_comes_back(tmp_path):
    x = RNG.normal(size=(120, 6)).astype(np.float32)
    y = (x[:, 0] + x[:, 1] > 0).astype(int)
    made = lambda inputs, outputs, width=8: stacked(inputs, outputs, width, depth=1)  # noqa: E731
    result = tune(x, y, module=made, space={"width": (4, 16), **QUICK}, shelf=tmp_path, **ASKED)
    assert any("nn.Sequential that the compiled engine has too" in each for each in result.notes)
    model = result.model
    with torch.no_grad():
        logits = model.to_torch()(torch.from_numpy(x)).double()
    expected = torch.softmax(logits, 1).numpy()
    np.testing.assert_allclose(model.predict_proba(x), expected, atol=1e-6)


NETS = """
from typing import Annotated
from torch import nn
from modelshelf import Integer

class Mine(nn.Module):
    def __init__(self, inputs, outputs, width: Annotated[int, Integer(4, 32)] = 8):
        super().__init__()
        self.first, self.last = nn.Linear(inputs, width), nn.Linear(width, outputs)

    def forward(self, x):
        return self.last(self.first(x).relu())
"""


def called(monkeypatch, capsys, *words):
    monkeypatch.setattr(sys, "argv", ["modelshelf", *words])
    try:
        main()
        status = 0
    except SystemExit as end:
        status = end.code or 0
    told = capsys.readouterr()
    return status, told.out, told.err


def test_the_command_line_takes_a_file_and_a_name(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "nets.py").write_text(NETS)
    mine, iris = ("--module", "nets.py:Mine"), ("--example", "iris")
    (tmp_path / "space.toml").write_text('width = [4, 16]\nepochs = 3\noptimizer = "adam"\n')
    asked = ("tune", *iris, *mine, "--space", "space.toml", "--trials", "2", "--folds", "2")
    status, out, err = called(monkeypatch, capsys, *asked, "--workers", "1", "--json")
    assert status == 0, err
    found = json.loads(out.splitlines()[-1])
    code, study = found["winner"]["barcode"], found["study"]
    settings = ("--set", "width=5", "--set", "epochs=2")
    status, out, _ = called(monkeypatch, capsys, "train", *iris, *mine, *settings)
    assert status == 0
    assert "Mine(width=5), trained by Adam" in out
    assert "Mine(width=" in called(monkeypatch, capsys, "shelf", "--study", study)[1]
    assert "module.width" in called(monkeypatch, capsys, "show", code)[1]
    monkeypatch.setattr(engines, "_KNOWN", {})
    for words in (("worth", study), ("diagnose", code), ("dissect", code)):
        status, _, err = called(monkeypatch, capsys, *words)
        assert status == 2
        assert "--module file.py:NAME" in err
    _, _, err = called(monkeypatch, capsys, "dissect", code, *mine)
    assert "dissect needs a dense network" in err
