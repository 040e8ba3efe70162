"""`modelshelf dissect` as a person types it."""

from __future__ import annotations

import math
import subprocess
import sys

import pytest

from tests.cli.conftest import run

SETTINGS = ("--set", "hidden_layers=16,8", "--set", "epochs=6", "--set", "activation=tanh")


@pytest.fixture(scope="module")
def trained(csv, tmp_path_factory):
    where = tmp_path_factory.mktemp("dissect") / "shelf"
    ran = run("train", csv, "--target", "label", *SETTINGS, "--shelf", where, "--json")
    assert ran.status == 0, ran.err
    return ran.json["barcode"], where


def test_a_network_is_taken_apart(trained, tmp_path):
    barcode, where = trained
    figure = tmp_path / "figure.html"
    ran = run("dissect", barcode[:9], "--row", 3, "--shelf", where, "--figure", figure)
    assert ran.status == 0, ran.err
    for words in ("hidden 1", "trained", "accuracy worse by", "Row 3", "Integrated gradients"):
        assert words in ran.out
    assert "plotly" in figure.read_text()
    ran = run("dissect", barcode, "--row", 3, "--shelf", where, "--json")
    told = ran.json
    assert ran.out.count("\n") == 1
    assert "hidden 1" in ran.err
    assert [each["name"] for each in told["layers"]] == ["inputs", "hidden 1", "hidden 2", "output"]
    assert told["layers"][0]["trained"]["weight"] is None  # there are none
    gap = told["row"]["attribution"]["output"] - told["row"]["attribution"]["baseline"]
    amounts = [amount for _, amount in told["row"]["attribution"]["columns"]]
    size = sum(map(abs, amounts))
    assert math.isclose(sum(amounts), gap, abs_tol=0.002 * size)
    assert told["sentences"]


def test_the_table_fits_a_hundred_columns(trained):
    barcode, where = trained
    ran = run("dissect", barcode, "--shelf", where)
    lines = ran.out.splitlines()
    begin = next(i for i, line in enumerate(lines) if line.startswith("layer"))
    assert max(len(line.rstrip()) for line in lines[begin : begin + 9]) <= 100


@pytest.mark.parametrize("language", ["numpy", "torch"])
def test_a_step_is_printed_written_and_runs(trained, tmp_path, language):
    barcode, where = trained
    out = tmp_path / "step"
    ran = run("dissect", barcode, "--step", language, "--out", out, "--shelf", where)
    assert ran.status == 0, ran.err
    path = out / ("step.py" if language == "numpy" else "step_torch.py")
    assert ran.out == path.read_text()
    assert path.name in ran.err
    done = subprocess.run(
        [sys.executable, path.name], cwd=out, capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("loss ")
    assert "modelshelf itself comes within" in done.stdout


def test_bad_input(trained, tmp_path):
    barcode, where = trained
    for arguments, words in (
        ((barcode, "--row", 0), "There is no row 0"),
        ((barcode, "--step", "nunpy"), "did you mean 'numpy'?"),
        ((barcode, "--out", tmp_path), "--step"),
        ((barcode, "--figure", tmp_path / "a.png"), ".html"),
        ((barcode, "--data", tmp_path / "gone.csv"), "gone.csv"),
    ):
        ran = run("dissect", *arguments, "--shelf", where)
        assert ran.status == 2, ran.err
        assert words in ran.err
        assert "Traceback" not in ran.err
