"""What the program says of a study that an objective made."""

from __future__ import annotations

import json
import sys

import pytest

import modelshelf.optuna as optuna
from modelshelf.cli.app import main


@pytest.fixture
def run(capsys, monkeypatch):
    """The program in this process: exit status, and what it wrote."""

    def ran(*arguments, columns=100):
        monkeypatch.setenv("COLUMNS", str(columns))
        monkeypatch.setattr(sys, "argv", ["modelshelf", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        return ended.value.code or 0, *capsys.readouterr()

    return ran


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    place = tmp_path_factory.mktemp("objective") / "shelf"
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)

    def objective(trial):
        x = trial.suggest_float("x", -10, 10)
        trial.suggest_int("idle", 0, 100)
        for step in range(3):
            trial.report(x**2 + 3 - step, step)
        return x**2

    study = optuna.create_study(storage=place, study_name="mine")
    study.optimize(objective, n_trials=45)
    optuna.logging.set_verbosity(before)
    return place, study.best_trial


def test_it_is_listed_with_its_parameters(made, run):
    place, best = made
    status, out, err = run("shelf", "--shelf", place, columns=160)
    assert status == 0, err
    assert best.barcode in out
    assert f"x = {best.params['x']}" in out
    assert run("shelf", "--shelf", place, "--check")[0] == 0


def test_one_trial_is_shown_as_what_it_is(made, run):
    place, best = made
    status, out, err = run("show", best.barcode, "--shelf", place)
    assert status == 0, err
    assert f"x = {best.params['x']}" in out
    assert "what it reported" in out
    assert "learning_rate" not in out  # not the objective's
    found = json.loads(run("show", best.barcode, "--shelf", place, "--json")[1])
    assert found["score"] == best.value
    assert [each["validation_score"] for each in found["curve"]] == [
        best.intermediate_values[step] for step in range(3)
    ]


def test_explain_finds_the_parameter_that_decides(made, run, tmp_path):
    place, _ = made
    page = tmp_path / "page.html"
    status, out, err = run("explain", "mine", "--shelf", place, "--json", "--figure", page)
    assert status == 0, err
    told = json.loads(out.splitlines()[-1])
    assert told["importances"][0]["name"] == "module.x"
    assert told["importances"][0]["alone"] > 0.5
    assert told["rows"] == []
    assert page.exists()


@pytest.mark.parametrize(
    "command",
    [
        ("report", "mine"), ("diagnose", "BEST"), ("dissect", "BEST"), ("worth", "mine"),
        ("probe", "BEST", "--vary", "learning_rate"), ("predict", "BEST", "none.csv"),
        ("shelf", "--pareto"), ("tune", "--example", "iris", "--trials", "1", "--study", "mine"),
    ],
)  # fmt: skip
def test_what_needs_networks_says_that_there_are_none(made, run, command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    place, best = made
    asked = (best.barcode if each == "BEST" else each for each in command)
    status, _, err = run(*asked, "--shelf", place)
    assert status == 2
    assert err.splitlines()[-1].startswith("Error: ")
