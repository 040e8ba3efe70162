"""The rules of a diagnosis on made-up evidence, and what rows alone tell, against scikit-learn."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier

from modelshelf.core.records import CurvePoint, Status
from modelshelf.insight.diagnosis import CHECKED, findings
from modelshelf.insight.dissection import Flow, Layer
from modelshelf.insight.evidence import Again, Evidence
from modelshelf.insight.suspicion import Labels, Lone, error_of, forest_on, labels_seen, lone_column
from modelshelf.space.configuration import Configuration

FLOW = Flow(0.0, 1.0, 0.1, 0.05, 0, 1.0, 8.0, 0.1, 0.01)


def layer(name, *, initial=FLOW, trained=FLOW):
    return Layer(name, 10, 20, 1, 220, initial, trained)


def curve(train, validation):
    return tuple(CurvePoint(k + 1, t, v, 0.9) for k, (t, v) in
                 enumerate(zip(train, validation, strict=True)))  # fmt: skip


HEALTHY = Evidence(
    configuration=Configuration(hidden_layers=(20,), epochs=60, patience=0),
    status=Status.FINISHED,
    epoch=60,
    best_epoch=40,
    curve=curve(np.linspace(0.6, 0.1, 60), np.linspace(0.6, 0.2, 60)),
    loss=0.2,
    chance=0.69,
    train_loss=0.1,
    validation_loss=0.2,
    train_error=0.05,
    validation_error=0.1,
    training_rows=1000,
    forest_error=0.1,
    layers=(layer("inputs"), layer("hidden 1"), layer("output")),
    lone=Lone("a", 0.5, 0.6, 0.1),
    labels=Labels(1000, 0.01, 0.02),
)


def told(**changes):
    return [each.name for each in findings(replace(HEALTHY, **changes))]


def flowing(**changes):
    return replace(FLOW, **changes)


HAS_LAYERS = {"dead units", "saturated units", "vanishing gradients", "exploding gradients"}

RISING = curve([*np.linspace(0.6, 0.2, 20), *np.linspace(0.2, 0.01, 40)],
               [*np.linspace(0.6, 0.2, 20), *np.linspace(0.2, 0.5, 40)])  # fmt: skip

ILL = {
    "diverged": ("diverging", {"status": Status.DIVERGED, "layers": ()}),
    "wild": ("diverging", {"train_loss": 9.0, "curve": curve([1.0, 9.0, 8.0], [1.0, 9.0, 8.0])}),
    "thrown": ("diverging", {"layers": (layer("inputs"), layer("hidden 1", trained=flowing(
        update=20.0)), layer("output"))}),
    "dead": ("dead units", {"train_error": 0.9, "layers": (layer("inputs"), layer(
        "hidden 1", trained=flowing(dead=15)), layer("output"))}),
    "saturated": ("saturated units", {"layers": (layer("inputs"), layer(
        "hidden 1", trained=flowing(saturated=0.9)), layer("output"))}),
    "vanishing": ("vanishing gradients", {"train_error": 0.9, "layers": (layer("inputs"), layer(
        "hidden 1", initial=flowing(gradient=1e-6)), layer("output"))}),
    "exploding": ("exploding gradients", {"train_error": 0.9, "layers": (layer("inputs"), layer(
        "hidden 1", initial=flowing(gradient=1e6)), layer("output"))}),
    "slow": ("learning rate too low", {"best_epoch": 60, "longer": Again(240, 240, 0.1, 1e-3),
             "faster": Again(6, 6, 0.19, 1e-2)}),
    "early": ("stopped too early", {"best_epoch": 60, "longer": Again(240, 240, 0.1, 1e-3),
              "faster": Again(6, 6, 0.5, 1e-2)}),
    "under": ("underfitting", {"train_error": 0.3}),
    "over": ("overfitting", {"best_epoch": 20, "curve": RISING}),
    "by heart": ("overfitting", {"train_error": 0.0, "validation_error": 0.4}),
    "seed": ("unlucky seed", {"others": (0.12, 0.121, 0.119)}),
    "leak": ("leak", {"lone": Lone("paid", 0.01, 0.5, 0.3)}),
    "noise": ("label noise", {"labels": Labels(1000, 0.3, 0.3)}),
}  # fmt: skip


def test_a_healthy_network_is_left_in_peace():
    assert told() == []
    assert told(layers=()) == []
    assert told(longer=Again(240, 90, 0.199, 1e-3), faster=Again(6, 6, 0.19, 1e-2)) == []
    assert told(others=(0.19, 0.2, 0.21)) == []
    assert told(lone=Lone("petal", 0.05, 0.07, 0.05)) == []  # others tell as much


@pytest.mark.parametrize("case", ILL)
def test_each_illness_is_told_by_its_evidence(case):
    name, changes = ILL[case]
    assert name in CHECKED
    found = findings(replace(HEALTHY, **changes))
    assert [each.name for each in found] == [name]
    assert any(c.isdigit() for c in found[0].evidence)
    if name in ("leak", "unlucky seed"):
        assert found[0].changes == {}
        return
    changed = HEALTHY.configuration.replace(**found[0].changes)
    assert found[0].barcode == changed.barcode != HEALTHY.configuration.barcode


@pytest.mark.parametrize("case", sorted(set(ILL) - {"seed", "leak"}))
@pytest.mark.parametrize(
    "settings",
    [
        {"hidden_layers": (), "patience": 16},
        {"hidden_layers": (2048,), "dropout": 0.4, "l2": 0.1, "label_smoothing": 0.2},
        {"optimizer": "sgd", "learning_rate": 1e-4, "patience": 16, "normalisation": "layer"},
        {"hidden_layers": (8,) * 8, "activation": "sigmoid", "parametrisation": "ntk"},
    ],
)
def test_what_to_try_differs_from_what_is(case, settings):
    own = Configuration(**{"epochs": 60, **settings})
    if not own.hidden_layers and HAS_LAYERS & {ILL[case][0]}:
        return
    for each in findings(replace(HEALTHY, **{**ILL[case][1], "configuration": own})):
        assert each.barcode == own.replace(**each.changes).barcode != own.barcode


def test_a_table_that_is_answered_without_any_loss_is_no_illness():
    falling = np.linspace(0.6, 0.001, 60)
    done = {"loss": 0.0, "best_epoch": 20, "train_error": 0.0, "validation_error": 0.0}
    assert told(**done, curve=curve(falling, [0.6] * 19 + [0.0] * 40 + [1e-6])) == []
    assert told(**done, curve=curve(falling, [0.6] * 19 + [0.0] * 40 + [0.5])) == ["overfitting"]


@pytest.mark.parametrize("searched", [True, False])
def test_a_network_that_was_halted_is_to_be_trained_to_its_own_end(searched):
    halted = {"status": Status.STOPPED, "epoch": 15, "best_epoch": 15, "searched": searched}
    found = findings(replace(HEALTHY, **halted, longer=Again(60, 60, 0.1, 1e-3)))
    assert [each.name for each in found] == ["stopped too early"]
    assert "after epoch 15 of 60" in found[0].evidence
    assert ("its search left it" in found[0].evidence) is searched
    assert "epochs were over" not in found[0].evidence
    assert found[0].changes == {}
    assert found[0].barcode == HEALTHY.configuration.barcode


def test_a_network_that_was_halted_is_not_called_unlucky():
    assert told(others=(0.12, 0.121, 0.119)) == ["unlucky seed"]
    assert told(others=(0.12, 0.121, 0.119), status=Status.STOPPED, epoch=15) == []


def test_the_cause_is_told_and_not_what_follows():
    dead = ILL["dead"][1]
    assert told(**{**dead, **ILL["under"][1], "best_epoch": 20, "curve": RISING}) == ["dead units"]
    assert told(**{**dead, **ILL["leak"][1]}) == ["dead units", "leak"]


def test_few_rows_do_not_make_labels_noisy():
    assert told(labels=Labels(40, 0.2, 0.2)) == []
    assert Labels(1000, 0.3, 0.3).at_least == pytest.approx(0.267, abs=2e-3)


# -- rows -------------------------------------------------------------------------------------


def rows(count=600, seed=0, classes=3):
    rng = np.random.default_rng(seed)
    label = rng.integers(0, classes, count)
    x = (np.eye(classes)[label] * 3 + rng.normal(size=(count, classes))).astype(np.float32)
    return x, np.eye(classes, dtype=np.float32)[label]


def test_out_of_bag_answers_are_scikit_learns():
    x, y = rows()
    found = forest_on(x, y, (x[:100], y[:100]), True, 5)
    forest = RandomForestClassifier(100, oob_score=True, random_state=5).fit(x, y.argmax(axis=1))
    assert found.answers == pytest.approx(forest.oob_decision_function_)


def test_errors_are_shares_of_a_constants():
    y = np.eye(2)[[0, 0, 0, 1]]
    assert error_of(y, np.tile([1.0, 0.0], (4, 1)), True) == 1.0
    assert error_of(y, y, True) == 0.0
    numbers = np.array([[1.0], [2.0], [3.0]])
    assert error_of(numbers, np.full((3, 1), 2.0), False) == pytest.approx(1.0)


@pytest.mark.parametrize("share", [0.0, 0.3])
def test_wrong_labels_are_counted(share):
    x, y = rows(2000)
    rng = np.random.default_rng(1)
    wrong = rng.random(len(y)) < share
    y[wrong] = np.roll(y[wrong], 1, axis=1)
    found = labels_seen(y, forest_on(x, y, (x, y), True, 0))
    assert found.surest == pytest.approx(share, abs=0.06)
    assert found.doubted == pytest.approx(share, abs=0.08)


@pytest.mark.parametrize("classes", [True, False])
def test_a_column_that_decides_all_is_found(classes):
    rng = np.random.default_rng(2)
    x = rng.normal(size=(800, 4)).astype(np.float32)
    number = x[:, 0] + x[:, 1] + 2.0 * rng.normal(size=800)
    y = np.eye(2, dtype=np.float32)[(number > 0).astype(int)] if classes else number[:, None]
    y = y.astype(np.float32)
    x = np.column_stack([x, number + 0.01 * rng.normal(size=800)]).astype(np.float32)
    train, held = (x[:600], y[:600]), (x[600:], y[600:])
    names = ["a", "b", "c", "d", "paid"]
    found = lone_column(*train, held, names, forest_on(*train, held, classes, 0), classes, 0)
    assert found.name == "paid"
    assert found.error < 0.05
    assert found.without > 0.5
    alone = (x[:, :1], y)
    one = lone_column(*alone, alone, ["a"], forest_on(*alone, alone, classes, 0), classes, 0)
    assert one is None


def test_a_finding_has_no_nan_in_its_sentence():
    for _, changes in ILL.values():
        for each in findings(replace(HEALTHY, **changes)):
            assert "nan" not in each.evidence
            assert math.isfinite(HEALTHY.left)
