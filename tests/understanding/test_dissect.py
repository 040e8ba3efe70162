"""A network of a study taken apart: against PyTorch, captum, and what was planted."""

from __future__ import annotations

import dataclasses

import numpy as np
import polars as pl
import pytest
import torch
from captum.attr import IntegratedGradients

from modelshelf import Configuration, dissect, train, tune
from modelshelf.core.errors import BarcodeError, DataError
from modelshelf.engines.numpy_ import NumpyEngine
from modelshelf.engines.numpy_.look import alone, batch_order, look, loss_of
from modelshelf.insight.attribution import integrated
from modelshelf.insight.figures.dissection import dissection_figure
from modelshelf.understanding.layers import layers_of
from modelshelf.understanding.one_row import answer_slopes, behind_encoding, columns_of
from modelshelf.understanding.taken import take
from modelshelf.understanding.which_row import find_row
from tests.engine.test_look import FORMS, made, twin_of
from tests.study.conftest import QUICK, make_table

SMALL = {"hidden_layers": (12, 8), "epochs": 8, "patience": 0}


@pytest.fixture
def stop():
    return np.zeros(1, np.uint8)


@pytest.fixture(scope="module")
def csv_path(tmp_path_factory):
    """Rows with a hole in the target, the ninth."""
    table = make_table()
    path = tmp_path_factory.mktemp("rows") / "table.csv"
    label = table["label"].to_list()
    label[8] = None
    table.drop("amount").with_columns(pl.Series("label", label)).write_csv(path)
    return path


@pytest.fixture(scope="module")
def tuned(csv_path, tmp_path_factory):
    """A quick study on a shelf, with test rows."""
    shelf = tmp_path_factory.mktemp("tuned")
    result = tune(csv_path, target="label", trials=8, space=QUICK, shelf=shelf, seed=1)
    return result, shelf


def on_shelf(path, folder, **settings):
    model = train(path, target="label", configuration=Configuration(**{**SMALL, **settings}),
                  shelf=folder)  # fmt: skip
    return model, model.barcode


@pytest.mark.parametrize(
    "form",
    [
        *FORMS[:4],
        {"normalisation": "batch", "activation": "tanh"},
        {"input_scale": "yes", "category_embedding": 3},
        {"ensemble_size": 3},
        {"ensemble_size": 2, "numeric_encoding": "periodic"},
        {"loss": "gaussian", "regression": True},
    ],
    ids=str,
)
def test_parameters_and_weight_gradients_are_whole(form, stop):
    member, data, network = made(form, stop, dtype="float32")
    configuration = member.configuration
    x, y = data.validation_x, data.validation_y
    layers = layers_of(configuration, network, data, 5, x, y)
    assert sum(each.parameters for each in layers) == network.layout.parameters
    weights = network.layout.split(network.theta)[0]
    for each, weight in zip(layers[1:], weights, strict=True):
        assert each.trained.weight == pytest.approx(np.linalg.norm(weight), rel=1e-5)
    drawn = NumpyEngine().start(configuration, data, 5)
    for each, weight in zip(layers[1:], drawn.layout.split(drawn.theta)[0], strict=True):
        assert each.initial.weight == pytest.approx(np.linalg.norm(weight), rel=1e-5)
    # Autograd of torch's form of all members, in float64.
    wide = dataclasses.replace(member, theta=network.theta.astype(np.float64))
    twin = twin_of(wide, data)
    several = network.layout.members
    rows = torch.tensor(np.tile(x, (several, 1)), dtype=torch.float64)
    wanted = torch.tensor(np.tile(y, (several, 1)), dtype=torch.float64)
    twin.loss(twin.forward(rows, 0), wanted).backward()
    hers = twin.ensemble.weights if twin.ensemble else [e.weight for e in twin.linear]
    for each, weight in zip(layers[1:], hers, strict=True):
        assert each.trained.weight_gradient == pytest.approx(weight.grad.norm().item(), rel=1e-4)


def test_a_step_of_plain_sgd_is_the_rate_times_the_gradient(stop):
    member, data, network = made({"optimizer": "sgd", "learning_rate": 0.05}, stop, "float32")
    layers = layers_of(member.configuration, network, data, 5, data.x, data.y)
    batch = batch_order(member.key, len(data.x), 1)[:16]
    output = look(network, data.x[batch]).outputs[-1]
    _, delta = loss_of(member.configuration, True, output, data.y[batch])
    gradients = network.layout.split(look(network, data.x[batch], delta).gradient)[0]
    for each, gradient in zip(layers[1:], gradients, strict=True):
        assert each.trained.update == pytest.approx(0.05 * np.linalg.norm(gradient), rel=1e-3)


def test_looking_changes_nothing(stop):
    member, data, network = made({"normalisation": "batch"}, stop, dtype="float32")
    before = network.theta.copy(), data.x.copy()
    layers_of(member.configuration, network, data, 5, data.x, data.y)
    np.testing.assert_array_equal(network.theta, before[0])
    np.testing.assert_array_equal(data.x, before[1])


def test_dead_units_that_were_planted_are_found_and_told(csv_path, tmp_path):
    model, _ = on_shelf(csv_path, tmp_path, activation="relu")
    with take(model.barcode, tmp_path) as taken:
        data, seed = taken.prepared.data, taken.trial.seed
    healthy = layers_of(model.configuration, model.network, data, seed, data.x, data.y)
    theta = model.network.theta.copy()
    theta_of = model.network.layout.split(theta)
    theta_of[1][1][[2, 5]] = -1e3  # biases of hidden 2
    sick = dataclasses.replace(model.network, theta=theta)
    layers = layers_of(model.configuration, sick, data, seed, data.x, data.y)
    assert layers[2].trained.dead == (healthy[2].trained.dead or 0) + 2
    assert layers[2].initial == healthy[2].initial
    found = dataclasses.replace(dissect(model.barcode, shelf=tmp_path), layers=layers)
    assert any("of 8 units of hidden 2 are dead" in each for each in found.sentences)


def test_saturated_and_vanishing_networks_are_told(csv_path, tmp_path):
    _, barcode = on_shelf(
        csv_path, tmp_path, activation="sigmoid", hidden_layers=(12, 12, 12, 12, 12),
        initialisation="standard_normal", epochs=1, learning_rate=1e-6,
    )  # fmt: skip
    _, steep = on_shelf(
        csv_path, tmp_path, activation="tanh", hidden_layers=(200, 200),
        initialisation="standard_normal", epochs=1, learning_rate=1e-6,
    )  # fmt: skip
    assert any("saturated" in each for each in dissect(steep, shelf=tmp_path).sentences)
    shallow = dissect(barcode, shelf=tmp_path)
    assert not any("saturated" in each for each in shallow.sentences)


def test_what_is_drawn_is_where_training_began(csv_path, tmp_path):
    model, barcode = on_shelf(csv_path, tmp_path)
    with take(barcode, tmp_path) as taken:
        engine, data = NumpyEngine(), taken.prepared.data
        member = engine.start(model.configuration, data, taken.trial.seed)
        first = np.linalg.norm(member.layout.split(member.theta)[0][0])
        engine.advance(member, data, taken.trial.epoch, np.zeros(1, np.uint8))
        np.testing.assert_array_equal(member.best, taken.model.network.theta)
    found = dissect(barcode, shelf=tmp_path)
    assert found.layers[1].initial.weight == pytest.approx(first, rel=1e-6)


def test_rows_have_the_part_that_they_had(tuned, csv_path):
    result, shelf = tuned
    table = pl.read_csv(csv_path)
    with take(result.winner.barcode, shelf) as taken:
        rows = [find_row(taken, n) for n in range(1, table.height + 1)]
        problem = taken.problem
        train_rows, validation = problem.rows(taken.split)
        parts = {"test": problem.test_frame, "training": problem.dataset.frame[train_rows]}
        if len(validation):
            parts["validation"] = problem.dataset.frame[validation]
        targets = {"test": problem.test_target, "training": problem.dataset.target[train_rows]}
    assert rows[8].part == "without a target"
    assert rows[8].target is None
    for part, frame in parts.items():
        mine = [each for each in rows if each.part == part]
        assert len(mine) == frame.height
        # The table's order is kept by splits, so the very rows can be held side by side.
        assert pl.concat([each.frame for each in mine]).equals(frame)
    for part, target in targets.items():
        mine = [each.target[0] for each in rows if each.part == part]
        np.testing.assert_array_equal(mine, target)
    assert {each.part for each in rows} <= {*parts, "held out", "without a target"}


def test_a_row_on_its_way(tuned, csv_path):
    result, shelf = tuned
    found = dissect(result.winner.barcode, row=3, shelf=shelf)
    row, table = found.row, pl.read_csv(csv_path)
    assert dict(row.values)["a"] == str(table["a"][2])
    assert row.truth == table["label"][2]
    with take(result.winner.barcode, shelf) as taken:
        model, data = taken.model, taken.prepared.data
        probabilities = model.predict_proba(table[2:3])[0]
        x = model.preparation.transform(find_row(taken, 3).frame)
    assert dict(row.probabilities) == pytest.approx(
        dict(zip(map(str, model.classes), probabilities, strict=True))
    )
    assert [value for _, _, value in row.prepared] == pytest.approx(x[0].tolist())
    right = dict(row.probabilities)[row.truth]
    assert row.loss == pytest.approx(-np.log(right), rel=1e-4)
    names = [each.name for each in row.layers]
    assert names == [each.name for each in found.layers]
    seen = look(alone(model.network), x).outputs
    assert row.layers[1].strongest[0][1] == pytest.approx(
        seen[1][0][row.layers[1].strongest[0][0] - 1]
    )
    # Integrated gradients: complete, and against the mean of the training rows.
    told = row.attribution
    gap, size = told.output - told.baseline, sum(abs(amount) for _, amount in told.columns)
    assert sum(amount for _, amount in told.columns) == pytest.approx(gap, abs=0.002 * size)
    assert told.output == pytest.approx(seen[-1][0].max(), rel=1e-5)
    mean = look(alone(model.network), data.x.mean(axis=0, keepdims=True)).outputs[-1][0]
    assert told.baseline == pytest.approx(mean[seen[-1][0].argmax()], rel=1e-4)
    assert {name for name, _ in told.columns} == {"a", "b", "c", "d", "city"}


@pytest.mark.parametrize("settings", [{}, {"activation": "tanh"}, {"normalisation": "batch"}])
def test_integrated_gradients_are_those_of_captum(settings, csv_path, tmp_path):
    model, barcode = on_shelf(csv_path, tmp_path, **settings)
    with take(barcode, tmp_path) as taken:
        x = taken.prepared.data.validation_x[:4]
        baseline = taken.prepared.data.x.mean(axis=0)
    module = model.to_torch()
    for row in x:
        best = int(module(torch.from_numpy(row[None])).argmax())
        hers = IntegratedGradients(module).attribute(
            torch.from_numpy(row[None]), torch.from_numpy(baseline[None]), target=best,
            n_steps=64, method="riemann_middle",
        )  # fmt: skip
        mine = integrated(answer_slopes(model.network, best), row, baseline, 64)
        np.testing.assert_allclose(mine, hers.numpy()[0], rtol=1e-3, atol=1e-5)
        other = integrated(answer_slopes(model.network, 1 - min(best, 1)), row, baseline, 64)
        assert not np.allclose(other, hers.numpy()[0], rtol=1e-3, atol=1e-5)  # negative control


def test_members_are_explained_together_as_captum_does(csv_path, tmp_path):
    model, barcode = on_shelf(csv_path, tmp_path, ensemble_size=3, numeric_encoding="periodic",
                              activation="tanh")  # fmt: skip
    members = [behind_encoding(alone(model.network, i)) for i in range(3)]
    parts = [[torch.from_numpy(w) for w in each.layout.split(each.theta)[0]] for each in members]
    biases = [[torch.from_numpy(b) for b in each.layout.split(each.theta)[1]] for each in members]

    def together(points):
        shares = []
        for weights, shifts in zip(parts, biases, strict=True):
            z = points
            for i, (w, b) in enumerate(zip(weights, shifts, strict=True)):
                z = (torch.tanh(z) if i else z) @ w + b
            shares.append(torch.softmax(z, dim=1))
        return torch.log(torch.stack(shares).mean(dim=0))

    with take(barcode, tmp_path) as taken:
        data = taken.prepared.data
        first = look(alone(model.network), data.validation_x[:2]).outputs[0]
        answers = model.network.predict(data.validation_x[:2])
    np.testing.assert_allclose(
        np.exp(together(torch.from_numpy(first)).numpy()), answers, atol=1e-5
    )
    row, baseline = first[0], np.zeros_like(first[0])
    hers = IntegratedGradients(together).attribute(
        torch.from_numpy(row[None]), torch.from_numpy(baseline[None]), target=1, n_steps=64,
        method="riemann_middle",
    )  # fmt: skip
    mine = integrated(answer_slopes(model.network, 1), row, baseline, 64)
    np.testing.assert_allclose(mine, hers.numpy()[0], rtol=2e-3, atol=1e-5)
    found = dissect(barcode, row=1, shelf=tmp_path)
    told = found.row.attribution
    assert abs(told.error) <= 0.002 * abs(told.output - told.baseline) + 1e-6
    assert "mean probability" in told.what
    assert found.layers[0].name == "encoding"
    assert any("3 networks in one" in each for each in found.notes)


def test_a_number_is_explained_in_its_own_unit(tmp_path):
    frame = make_table().drop("label")
    model = train(frame, target="amount", configuration=Configuration(**SMALL), shelf=tmp_path)
    found = dissect(model.barcode, row=5, shelf=tmp_path, data=frame)
    told = found.row.attribution
    assert told.output == pytest.approx(model.predict(frame[4:5])[0], rel=1e-4)
    gap, size = told.output - told.baseline, sum(abs(each) for _, each in told.columns)
    assert sum(each for _, each in told.columns) == pytest.approx(gap, abs=0.002 * size)
    assert found.row.probabilities == ()
    assert found.importance.part == "validation"  # `train` sets no test rows apart
    assert columns_of(model.preparation).count("c") == 2  # the number, and that it is missing


def test_it_is_the_same_again_and_other_with_another_seed(tuned):
    result, shelf = tuned
    code = result.winner.barcode[:9]
    first, again, other = (dissect(code, row=2, shelf=shelf, seed=s) for s in (0, 0, 1))
    assert first == again
    assert first.importance != other.importance
    assert first.importance.part == "test"


def test_figures_draw_the_record(tuned):
    result, shelf = tuned
    found = dissect(result.winner.barcode, row=2, shelf=shelf)
    figure = dissection_figure(found)
    drawn = {tuple(each.y) for each in figure.data if each.type == "scatter"}
    assert tuple(each.trained.gradient for each in found.layers) in drawn
    bars = [each for each in figure.data if each.type == "bar"]
    assert sorted(bars[0].x) == sorted(each.drop for each in found.importance.columns)
    assert list(bars[1].x)[::-1] == [amount for _, amount in found.row.attribution.columns]
    assert not any("<b>" in label for each in bars for label in each.y)
    assert len([e for e in dissection_figure(dataclasses.replace(found, row=None)).data
                if e.type == "bar"]) == 1  # fmt: skip


def test_bad_input_is_told(tuned):
    result, shelf = tuned
    with pytest.raises(BarcodeError):
        dissect("ZZZZ", shelf=shelf)
    with pytest.raises(DataError, match="300 rows, and the first"):
        dissect(result.winner.barcode, row=301, shelf=shelf)
    with pytest.raises(DataError, match="no row 0"):
        dissect(result.winner.barcode, row=0, shelf=shelf)


def test_a_linear_model_and_one_that_diverged_are_told(csv_path, tmp_path):
    _, linear = on_shelf(csv_path, tmp_path, hidden_layers=())
    found = dissect(linear, row=1, shelf=tmp_path)
    assert "linear model" in found.sentences[-1]
    assert [each.name for each in found.layers] == ["inputs", "output"]
    _, wild = on_shelf(csv_path, tmp_path, optimizer="sgd", learning_rate=30.0, epochs=40)
    assert np.isfinite(dissect(wild, shelf=tmp_path).layers[1].trained.weight)
