"""`modelshelf train` and `modelshelf hyperparameters`, in a process of their own."""

from __future__ import annotations

import json
import re
import shlex
import signal
import subprocess
import time

import numpy as np
import polars as pl
import pytest

from modelshelf import Configuration, Shelf, train
from modelshelf.cli.train import parse_settings
from modelshelf.space.catalogue import CATALOGUE
from modelshelf.study import Model
from tests.cli.conftest import program, run

QUICK = ("--set", "hidden_layers=16,8", "--set", "epochs=12", "--set", "patience=0")


@pytest.fixture(scope="module")
def trained(csv, tmp_path_factory):
    where = tmp_path_factory.mktemp("train") / "shelf"
    ran = run("train", csv, "--target", "label", *QUICK, "--shelf", where, "--json")
    assert ran.status == 0, ran.err
    return ran, where


def test_a_network_is_trained_as_it_was_asked_for_and_shelved(trained, csv):
    ran, where = trained
    told = ran.json
    assert told["configuration"]["hidden_layers"] == [16, 8]
    assert told["epoch"] == len(told["curve"]) == 12
    assert told["barcode"] == Configuration(hidden_layers=(16, 8), epochs=12, patience=0).barcode
    with Shelf.open(where) as shelf:
        assert shelf.check() == ()
        assert [each.copy for each in shelf.trials(told["study"])] == [told["copy"]]
        assert shelf.study(told["study"]).status == "done"
    frame = pl.read_csv(csv)
    model = Model.from_shelf(told["barcode"], where)
    again = train(csv, target="label", configuration=model.configuration)
    assert again.copy == model.copy  # Python's train gives the same network
    assert (again.predict_proba(frame) == model.predict_proba(frame)).all()
    assert told["validation"] == again.record.score


def test_what_to_type_next_works(trained, csv, tmp_path):
    where = trained[1]
    ran = run("train", csv, "--target", "label", *QUICK, "--shelf", where)
    assert "on the shelf already" in ran.out
    assert "validation accuracy" in ran.out
    assert "Two hidden layers of 16, 8" in ran.out
    shown = shlex.split(re.search(r"Next  modelshelf (show .+)", ran.out)[1])
    assert run(*shown).status == 0
    out = tmp_path / "p.csv"
    ran = run("predict", shown[1], csv, "--out", out, "--shelf", where)
    assert ran.status == 0, ran.err
    assert pl.read_csv(out).height == 300


def test_networks_of_the_same_data_lie_in_one_study(trained, csv):
    where, first = trained[1], trained[0].json
    ran = run("train", csv, "--target", "label", *QUICK, "--set", "dropout=0.1", "--shelf", where,
              "--json")  # fmt: skip
    assert ran.json["study"] == first["study"]
    assert ran.json["barcode"] != first["barcode"]
    other = run(
        "train", csv, "--target", "label", *QUICK, "--seed", "1", "--shelf", where, "--json"
    )
    assert other.json["study"] != first["study"]
    assert other.json["barcode"] == first["barcode"]


def test_a_recipe_is_one_setting(csv, tmp_path):
    ran = run("train", csv, "--target", "label", "--set", "recipe=realmlp", "--set", "epochs=4",
              "--set", "hidden_layers=8", "--shelf", tmp_path / "s", "--json")  # fmt: skip
    assert ran.status == 0, ran.err
    told = ran.json["configuration"]
    assert told["activation"] == "selu"
    assert told["schedule"] == "coslog"
    assert told["epochs"] == 4


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (["learnign_rate=0.1"], "did you mean 'learning_rate'"),
        (["learning_rate=-1"], "learning_rate"),
        (["learning_rate=fast"], "a number"),
        (["optimizer=adamm"], "adamw"),
        (["learning_rate"], "expected NAME=VALUE"),
        (["epochs=3", "epochs=4"], "given twice"),
        (["hidden_layers=8,x"], "hidden_layers"),
        (["recipe=realmpl"], "did you mean 'realmlp'"),
        (["clamp_output=yes"], "holds classes"),
        (["loss=huber"], "needs numbers"),
        (["momentum=0.5"], "counts where optimizer is momentum or nesterov"),
        (["recipe=realmlp", "rho=0.5"], "rho plays no part"),
        (["normalisation=batch", "ensemble_size=4"], "ensemble_size is off"),
    ],
)
def test_what_cannot_be_set_is_told(settings, said, csv, tmp_path):
    flags = [word for each in settings for word in ("--set", each)]
    ran = run("train", csv, "--target", "label", *flags, "--shelf", tmp_path / "s")
    assert ran.status == 2
    assert said in ran.err
    assert "Traceback" not in ran.err
    assert not (tmp_path / "s").exists()


@pytest.mark.parametrize(
    ("given", "layers"),
    [([], (128, 128)), (["hidden_layers=none"], ()), (["hidden_layers=8"], (8,))],
)
def test_layers_are_those_that_were_set(given, layers):
    assert Configuration(**parse_settings(given)).hidden_layers == layers


def test_training_that_diverges_says_so(csv, tmp_path):
    ran = run("train", csv, "--target", "label", "--set", "learning_rate=1000", "--set",
              "optimizer=sgd", "--set", "l2=10", "--shelf", tmp_path / "s")  # fmt: skip
    assert ran.status == 2
    assert "lower learning_rate" in ran.err


def test_ctrl_c_keeps_the_network_as_it_is(csv, tmp_path):
    where = tmp_path / "s"
    process = subprocess.Popen(
        program("train", csv, "--target", "label", "--set", "epochs=100000", "--set", "patience=0",
                "--shelf", where, "--json"),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    for line in process.stderr:
        if line.startswith("epoch"):
            break
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    told = json.loads(out.splitlines()[-1])
    assert 0 < told["epoch"] < 100_000
    assert told["status"] == "stopped"
    assert f"Stopped after epoch {told['epoch']}" in err
    assert run("show", told["barcode"], "--shelf", where).status == 0


def test_ctrl_c_twice_leaves_in_the_midst_of_an_epoch(csv, tmp_path):
    """An epoch of these settings takes minutes."""
    slow = ("hidden_layers=1024,1024", "ensemble_size=128", "batch_size=1")
    flags = [word for each in slow for word in ("--set", each)]
    process = subprocess.Popen(
        program("train", csv, "--target", "label", *flags, "--shelf", tmp_path / "s"),
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    for line in process.stdout:
        if "columns" in line:
            break
    time.sleep(2)
    process.send_signal(signal.SIGINT)
    for line in process.stdout:
        if "Press Ctrl-C again" in line:
            break
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 130


def test_a_network_with_intervals_predicts_them(tmp_path):
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(300, 2))
    path = tmp_path / "numbers.csv"
    pl.DataFrame({"x": rows[:, 0], "y": rows[:, 0] + rows[:, 1]}).write_csv(path)
    ran = run("train", path, "--target", "y", "--set", "loss=quantile", "--set", "epochs=20",
              "--shelf", tmp_path / "s", "--json")  # fmt: skip
    assert ran.status == 0, ran.err
    code = json.loads(ran.out.splitlines()[-1])["barcode"]
    answered = run("predict", code, path, "--shelf", tmp_path / "s")
    table = pl.read_csv(answered.out.encode())
    assert table.columns == ["prediction", "low", "high"]
    assert (table["low"] <= table["prediction"]).all()
    assert (table["prediction"] <= table["high"]).all()


def test_the_catalogue_is_listed():
    ran = run("hyperparameters")
    assert ran.status == 0
    shown = {line.split()[0] for line in ran.out.splitlines() if line.startswith("  ")}
    assert set(CATALOGUE) <= shown
    listed = run("hyperparameters", "--json").json
    assert [each["name"] for each in listed] == list(CATALOGUE)


def test_one_hyperparameter_is_explained():
    ran = run("hyperparameters", "dropout")
    each = CATALOGUE["dropout"]
    text = " ".join(ran.out.split())
    for said in (each.meaning, each.too_little, each.too_much, each.source, "there are hidden"):
        assert said in text
    assert run("hyperparameters", "dropout", "--json").json["default"] == 0.0


def test_a_mistyped_hyperparameter_gets_the_nearest():
    ran = run("hyperparameters", "dropuot")
    assert ran.status == 2
    assert "did you mean 'dropout'" in ran.err
