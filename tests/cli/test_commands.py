"""The commands as a person types them, in a process of their own."""

from __future__ import annotations

import csv as csv_module
import os
import re
import shlex
import signal
import subprocess
import time
from xml.etree import ElementTree

import numpy as np
import polars as pl
import pytest

from modelshelf import Configuration, Shelf
from modelshelf.cli.words import in_words
from modelshelf.core.records import Purpose
from modelshelf.space.catalogue import CATALOGUE
from modelshelf.space.domains import Choice
from modelshelf.study import Model
from modelshelf.study.ensemble_model import EnsembleModel
from tests.cli.conftest import program, run


@pytest.fixture(scope="module")
def tuned(csv, space_file, tmp_path_factory):
    where = tmp_path_factory.mktemp("cli") / "shelf"
    ran = run("tune", csv, "--target", "label", "--trials", 12, "--space", space_file,
              "--shelf", where, "--json")  # fmt: skip
    assert ran.status == 0, ran.err
    return ran, where


def test_json_is_the_last_line_and_the_rest_goes_to_standard_error(tuned):
    ran, where = tuned
    assert len(ran.out.splitlines()) == 1
    told = ran.json
    assert told["trials"]["started"] == 12
    assert told["shelf"] == str(where)
    assert told["winner"]["barcode"] in ran.err
    assert "300 rows, 5 inputs (4 numeric, 1 categorical)" in ran.err
    assert "missing values in 1 columns: c" in ran.err
    assert "linear model" in ran.err
    assert "gradient boosting" in ran.err
    assert "\x1b" not in ran.err
    assert "Traceback" not in ran.err


def test_the_person_reads_a_winner_and_what_to_type_next(csv, space_file, tmp_path):
    ran = run("tune", csv, "--target", "label", "--trials", 6, "--space", space_file,
              "--shelf", tmp_path / "s", "--folds", 2)  # fmt: skip
    assert ran.status == 0, ran.err
    barcode = re.search(r"Winner  (\S+)", ran.out)[1]
    assert "hidden layer" in ran.out
    assert "that on 2 fresh splits" in ran.out
    shown = shlex.split(re.search(r"Next  modelshelf (show .+)", ran.out)[1])
    assert shown[1] == barcode[:9]
    assert run(*shown).status == 0  # it works as it stands, on the shelf that was named
    again = run("tune", csv, "--target", "label", "--trials", 6, "--space", space_file,
                "--shelf", tmp_path / "s", "--folds", 2)  # fmt: skip
    assert "was finished before" in again.out
    assert barcode in again.out


def test_shelf_lists_sorts_and_filters(tuned):
    ran, where = tuned
    name = ran.json["study"]
    listed = run("shelf", "--shelf", where)
    assert name in listed.out
    assert ran.json["winner"]["barcode"] in listed.out
    told = run("shelf", "--study", name[:8], "--sort", "epoch", "--limit", 0, "--json",
               MODELSHELF_SHELF=str(where)).json  # fmt: skip
    epochs = [n["epoch"] for n in told["networks"]]
    assert epochs == sorted(epochs)
    assert len(epochs) > 12
    assert told["studies"][0]["winner"]["barcode"] == ran.json["winner"]["barcode"]
    assert run("shelf", "--check", "--shelf", where).status == 0


def test_a_shelf_shows_a_configuration_once_and_says_what_else_there_is(tuned):
    ran, where = tuned
    winner = ran.json["winner"]["barcode"]
    with Shelf.open(where) as shelf:
        trials = shelf.trials(ran.json["study"])
    search = {t.barcode: t.score for t in trials if t.purpose is Purpose.SEARCH}
    again = [t for t in trials if t.purpose is not Purpose.SEARCH]
    rows = re.compile(r"^(.)  ((?:[0-9A-Z]{4}-){3}[0-9A-Z]{4}) +(\S+)", re.M)
    listed = run("shelf", "--shelf", where, "--limit", 0).out
    found = rows.findall(listed)
    assert {code: float(score) for _, code, score in found} == {
        code: round(score, 4) for code, score in search.items()
    }  # once each, with the score that the search gave it
    assert len(found) == len(search) == 12
    assert [code for mark, code, _ in found if mark == "★"] == [winner]
    assert f"{len(again)} re-tests and copies of these besides: --all lists them too" in listed
    assert "accuracy: on the study's validation rows" in listed
    whole = run("shelf", "--shelf", where, "--all", "--limit", 0).out
    assert len(rows.findall(whole)) == len(trials)
    assert "retest" in whole
    assert "compare like with like" in whole
    # The winner is there though others come before it, and the rest is counted.
    few = run("shelf", "--shelf", where, "--limit", 2, "--sort", "number")
    assert winner in [code for _, code, _ in rows.findall(few.out)]
    assert len(rows.findall(few.out)) == 2
    assert "10 more networks: --limit 0 lists all" in few.out
    told = run("shelf", "--shelf", where, "--limit", 0, "--json").json
    assert len(told["networks"]) == len(trials)  # programs are told all, each with its purpose


def test_a_damaged_shelf_fails_its_check(csv, space_file, tmp_path):
    where = tmp_path / "s"
    run("tune", csv, "--target", "label", "--trials", 3, "--space", space_file, "--shelf", where)
    file = next((where / "networks").rglob("*.safetensors"))
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(data)
    ran = run("shelf", "--check", "--shelf", where)
    assert ran.status == 1
    assert file.name in ran.out


def test_show_tells_all_of_a_network(tuned, tmp_path):
    ran, where = tuned
    barcode = ran.json["winner"]["barcode"]
    picture = tmp_path / "barcode.svg"
    shown = run("show", barcode[:7].lower(), "--shelf", where, "--svg", picture)
    assert shown.status == 0, shown.err
    for word in (barcode, "learning_rate", "epoch 1", "weights", "KiB", "steps", "test"):
        assert word in shown.out
    assert ElementTree.parse(picture).getroot().tag.endswith("svg")
    told = run("show", barcode, "--shelf", where, "--json").json
    assert told["barcode"] == barcode
    assert len(told["curve"]) == told["epoch"]


def test_predict_writes_labels_and_probabilities_of_the_very_network(tuned, table, tmp_path):
    ran, where = tuned
    barcode = ran.json["winner"]["barcode"]
    rows = table.drop("label", "amount").with_columns(pl.lit("Oslo").alias("city"))
    rows.write_csv(tmp_path / "new.csv")
    done = run("predict", barcode, tmp_path / "new.csv", "--out", tmp_path / "out.csv",
               "--shelf", where)  # fmt: skip
    assert done.status == 0, done.err
    found = pl.read_csv(tmp_path / "out.csv")
    assert found.columns == ["prediction", "probability_high", "probability_low",
                             "probability_middle"]  # fmt: skip
    model = Model.from_shelf(barcode, where)
    probabilities = model.predict_proba(rows)
    assert np.array_equal(found.drop("prediction").to_numpy(), probabilities)
    assert found["prediction"].to_list() == model.predict(rows).tolist()
    printed = run("predict", barcode, tmp_path / "new.csv", "--shelf", where)
    assert next(csv_module.reader(printed.out.splitlines()))[0] == "prediction"


def test_predict_answers_with_the_ensemble_of_a_study(tuned, table, tmp_path):
    ran, where = tuned
    name = ran.json["study"]
    rows = table.drop("label", "amount")
    rows.write_csv(tmp_path / "new.csv")
    done = run("predict", tmp_path / "new.csv", "--ensemble", name[:6], "--shelf", where)
    assert done.status == 0, done.err
    found = pl.read_csv(done.out.encode())
    model = EnsembleModel.from_shelf(name, where)
    assert np.array_equal(found.drop("prediction").to_numpy(), model.predict_proba(rows))
    assert found["prediction"].to_list() == model.predict(rows).tolist()
    assert len(model.members) == ran.json["ensemble"]["size"]
    both = run("predict", "7QK4", tmp_path / "new.csv", "--ensemble", name, "--shelf", where)
    assert (both.status, "only one can answer" in both.err) == (2, True)
    neither = run("predict", tmp_path / "new.csv", "--shelf", where)
    assert (neither.status, "predict DATA --ensemble STUDY" in neither.err) == (2, True)
    wrong = run("predict", tmp_path / "new.csv", "--ensemble", f"{name[:-2]}x", "--shelf", where)
    assert (wrong.status, name in wrong.err) == (2, True)


def test_a_bundled_set_needs_no_file(tmp_path):
    ran = run("tune", "--example", "iris", "--trials", 4, cwd=tmp_path)
    assert ran.status == 0, ran.err
    assert (tmp_path / ".modelshelf").is_dir()


def test_colours_are_for_terminals_that_want_them(tuned):
    _, where = tuned
    coloured = run("shelf", "--shelf", where, FORCE_COLOR="1", TERM="xterm-256color")
    plain = run("shelf", "--shelf", where, FORCE_COLOR="1", TERM="xterm-256color", NO_COLOR="1")
    assert re.search("\x1b\\[[0-9;]*3[0-9]", coloured.out) or "\x1b[2m" in coloured.out
    assert not re.search("\x1b\\[[0-9;]*3[0-9]m", plain.out)


@pytest.mark.parametrize("presses", [1, 2])
def test_ctrl_c_finishes_tidily_or_leaves_now(presses, csv, space_file, tmp_path):
    where = tmp_path / "s"
    arguments = ("tune", csv, "--target", "label", "--space", space_file, "--shelf", where)
    process = subprocess.Popen(
        program(*arguments, "--time", "60s"), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    for line in process.stdout:
        if "best accuracy" in line:
            break
    for _ in range(presses):
        process.send_signal(signal.SIGINT)
        time.sleep(0.01)
    rest, _ = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "Traceback" not in rest
    if presses == 1:
        assert "Best so far" in rest
        assert "type the same command again" in rest
        assert "--time 60s" in rest
    with Shelf.open(where) as shelf:
        assert shelf.check() == ()
        assert shelf.trials()


def test_every_command_and_option_is_told_of_in_the_readme_or_the_docs():
    from pathlib import Path

    root = Path(__file__).parents[2]
    told = (root / "README.md").read_text() + (root / "docs/commands.md").read_text()
    for command in ("tune", "shelf", "show", "predict"):
        assert f"modelshelf {command}" in told
        for option in re.findall(r"--[a-z][a-z-]+", run(command, "--help").out):
            assert option in told, f"{command} {option} is not documented"


@pytest.mark.parametrize("name", CATALOGUE)
def test_any_configuration_can_be_put_in_words(name):
    domain = CATALOGUE[name].domain
    for value in domain.values if isinstance(domain, Choice) else ():
        classes = in_words(Configuration(**{name: value}).to_json())
        assert "learning rate of 0.001" in classes


def test_the_front_is_listed_drawn_and_told_as_json(tuned, tmp_path):
    _, where = tuned
    told = run("shelf", "--pareto", "--json", "--limit", 0, "--shelf", where).json
    assert told["compared"] == 12
    assert 1 <= len(told["front"]) == told["members"] <= 12
    losses = [each["loss"] for each in told["front"]]
    assert losses == sorted(losses)
    assert all(0 < each["prediction_seconds"] < 1 for each in told["front"])
    for width in (80, 120):
        shown = run("shelf", "--pareto", "--against", "training", "--shelf", where,
                    FORCE_COLOR="1", NO_COLOR="1", TERM="xterm", COLUMNS=str(width))  # fmt: skip
        plain = re.sub("\x1b\\[[0-9;]*m", "", shown.out)
        assert max(map(len, plain.splitlines())) <= width
        assert "…" not in plain.split("answers:")[0] or width >= 110
        assert "●" in plain
        for each in told["front"]:
            assert each["barcode"] in plain
    few = run("shelf", "--pareto", "--limit", 1, "--shelf", where)
    assert few.out.count(" ms ") == 1


def test_a_front_is_of_one_study(csv, space_file, tmp_path):
    for seed in (0, 1):
        run("tune", csv, "--target", "label", "--trials", 1, "--space", space_file, "--shelf",
            tmp_path / "s", "--seed", seed, "--study", f"seed {seed}")  # fmt: skip
    ran = run("shelf", "--pareto", "--shelf", tmp_path / "s")
    assert ran.status == 2
    assert "'seed 0', 'seed 1'" in ran.err
    assert "--study" in ran.err
    one = run("shelf", "--pareto", "--study", "seed 1", "--shelf", tmp_path / "s")
    assert "one network" in one.out


def test_tune_says_what_more_and_what_less_would_buy(csv, space_file, tmp_path):
    asked = ("tune", csv, "--target", "label", "--trials", 40, "--space", space_file, "--shelf",
             tmp_path / "s")  # fmt: skip
    ran = run(*asked, "--prefer", "small")
    assert ran.status == 0, ran.err
    assert "Twice the number of networks is expected to improve accuracy by" in ran.out
    assert "Chosen for being smaller" in ran.out or "No smaller finalist" in ran.out
    told = run(*asked, "--prefer", "small", "--json").json
    assert told["prefer"] == "small"
    assert told["more_time"]["networks"] >= 32
    for wrong, words in (
        (("--until-no-gain",), "leave the trials out"),
        (("--least-gain", "1%"), "--until-no-gain"),
        (("--prefer", "tiny"), "There is no preference"),
    ):
        refused = run(*asked, *wrong)
        assert refused.status == 2
        assert words in refused.err
