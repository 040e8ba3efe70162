"""What programs are told of errors, and people of what cannot be."""

from __future__ import annotations

import json

import pytest

from modelshelf import Shelf, train, tune
from modelshelf.cli.words import json_line
from modelshelf.core.errors import SettingError, ShelfError
from modelshelf.core.seeds import MOST
from tests.cli.conftest import run
from tests.study.conftest import QUICK, make_table

#: Commands that take --json, with something that ends each; the last three are Click's own.
ENDED = [
    ("tune", "nowhere.csv", "--target", "y"),
    ("train", "nowhere.csv", "--target", "y"),
    ("shelf", "--shelf", "nowhere"),
    ("show", "7QK4", "--shelf", "nowhere"),
    ("explain", "--shelf", "nowhere"),
    ("dissect", "7QK4", "--shelf", "nowhere"),
    ("compare", "7QK4", "8QK4", "--shelf", "nowhere"),
    ("worth", "study", "--shelf", "nowhere"),
    ("probe", "7QK4", "--vary", "dropout", "--shelf", "nowhere"),
    ("diagnose", "7QK4", "--shelf", "nowhere"),
    ("hyperparameters", "nothing"),
    ("tokenise", "text", "--tokeniser", "none"),
    ("tune", "t.csv", "--trials", "many"),
    ("show",),
    ("shwo",),
]


@pytest.mark.parametrize("command", ENDED, ids=" ".join)
def test_an_error_is_the_json_line_and_stands_on_standard_error_too(command, tmp_path):
    ran = run(*command, "--json", cwd=tmp_path)
    assert len(ran.out.splitlines()) == 1, ran.out
    assert set(ran.json) == {"error", "status"}
    assert ran.json["status"] == ran.status == 2
    assert ran.json["error"]
    assert ran.json["error"] in ran.err
    assert run(*command, cwd=tmp_path).out == ""


def test_json_steers_no_terminal_and_tells_the_same():
    told = {"a": "\x9b31m \x1b[0m \u202e name 名 \udc80"}
    line = json_line(told)
    assert line.isprintable()
    assert "名" in line
    assert json.loads(line) == told


def test_an_error_steers_no_terminal(tmp_path):
    (tmp_path / "t.csv").write_text("a,\x1b[31mred,\u202eleft\n1,2,3\n", encoding="utf-8")
    ran = run("tune", "t.csv", cwd=tmp_path)
    assert ran.status == 2
    assert "red" in ran.err
    assert all(c.isprintable() or c == "\n" for c in ran.err)


def test_an_empty_shelf_says_so_and_how_to_begin(tmp_path):
    Shelf.open(tmp_path / "s", create=True).close()
    ran = run("shelf", "--shelf", tmp_path / "s")
    assert ran.status == 0
    assert "is empty" in ran.out
    assert f"modelshelf tune DATA.csv --target COLUMN --shelf {tmp_path / 's'}" in ran.out
    assert run("shelf", "--shelf", tmp_path / "s", "--json").json["studies"] == []


@pytest.mark.parametrize("seed", [MOST + 1, -1, 2**70])
def test_a_seed_out_of_its_range_is_told_the_range(seed, tmp_path):
    for command in ("tune", "train"):
        ran = run(command, "--example", "iris", f"--seed={seed}", "--shelf", tmp_path / "s")
        assert ran.status == 2
        assert f"up to {MOST:,}" in ran.err
        assert "shelf" not in ran.err
    assert not (tmp_path / "s").exists()


def test_the_largest_seed_can_be_shelved_and_no_other_word_is_one(tmp_path):
    table = make_table(60).drop("amount")
    result = tune(table, target="label", trials=2, space=QUICK, seed=MOST, shelf=tmp_path / "s")
    with Shelf.open(tmp_path / "s") as shelf:
        assert shelf.study(result.study).seed == MOST
    for wrong in ("1", 1.0, True, None, MOST + 1):
        with pytest.raises(SettingError, match=r"2\*\*63 - 1"):
            tune(table, target="label", trials=2, seed=wrong, shelf=tmp_path / "s")
        with pytest.raises(SettingError, match=r"2\*\*63 - 1"):
            train(table, target="label", seed=wrong)


def test_a_finished_study_is_shown_though_its_shelf_cannot_be_written(tmp_path, monkeypatch):
    table = make_table(60).drop("amount")
    asked = {"target": "label", "trials": 2, "space": QUICK, "shelf": tmp_path / "s"}
    made = tune(table, **asked)
    named = tune(table, **asked, study="by name")
    # Root may write anywhere.
    monkeypatch.setattr("modelshelf.shelf.database.writable", lambda path: False)
    for again, first in ((tune(table, **asked), made),
                         (tune(table, **asked, study="by name"), named)):  # fmt: skip
        assert again.reused
        assert (again.study, again.winner) == (first.study, first.winner)
    for more in ({"trials": 3}, {"seed": 1}, {"study": "another"}):
        with pytest.raises(ShelfError, match="cannot be written"):
            tune(table, **{**asked, **more})
