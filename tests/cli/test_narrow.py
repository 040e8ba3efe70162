"""Terminals of 40 columns, terminals that only print, and encodings without our characters."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess

import pytest

from modelshelf import Shelf
from modelshelf.cli.layout import Column, command, facts, grid, wrapped
from modelshelf.core.words import counted
from tests.cli.conftest import program, run

#: A terminal of 40 columns, without colours; the pipe of a test is none by itself.
NARROW = {"FORCE_COLOR": "1", "NO_COLOR": "1", "TERM": "xterm", "COLUMNS": "40"}
BARCODE = r"\b(?:[0-9A-Z]{4}-){3}[0-9A-Z]{4}\b"


def plain(text: str) -> list[str]:
    return re.sub("\x1b\\[[0-9;?]*[a-zA-Z]", "", text).splitlines()


def check(text: str) -> str:
    """No line is too long, no barcode is broken, no number gave way to an ellipsis."""
    lines = plain(text)
    assert max(map(len, lines)) <= 40, [line for line in lines if len(line) > 40]
    for line in lines:
        for part in re.findall(r"\b[0-9A-Z]{4}-[0-9A-Z-]*", line):
            assert re.fullmatch(rf"{BARCODE}|[0-9A-Z]{{4}}-[0-9A-Z]{{4}}", part), line
        assert not re.search(r"\d…|…\d", line), line
    # A column of single characters would be many lines that hold next to nothing.
    assert sum(len(line.strip()) == 1 for line in lines if line.strip() not in "│·●") < 5
    return "\n".join(lines)


@pytest.fixture(scope="module")
def tuned(csv, space_file, tmp_path_factory):
    where = tmp_path_factory.mktemp("narrow") / "shelf"
    ran = run("tune", csv, "--target", "label", "--trials", 5, "--space", space_file, "--shelf",
              where, "--study", "narrow", "--folds", 2, **NARROW)  # fmt: skip
    assert ran.status == 0, ran.err
    return ran, where


def test_the_result_of_tune_keeps_to_forty_columns(tuned):
    ran, where = tuned
    shown = "\n".join(plain(ran.out[ran.out.index("Winner") :]))
    # The shelf's own name is longer than a line, and stays whole where it is to be copied.
    told, after = shown.replace(str(where), "S").split("Next  ")
    check(f"{told}Next  {after}")
    barcode = re.search(BARCODE, told)[0]
    first = shown.split("Next  ")[1].split("      modelshelf")[0]
    words = shlex.split(first.replace("\\\n", " "))
    assert words == ["modelshelf", "show", barcode[:9], "--shelf", str(where)]
    for word in ("validation", "test", "±", "linear model"):
        assert word in told


def test_a_shelf_keeps_to_forty_columns(tuned):
    _, where = tuned
    for more in ((), ("--all", "--limit", 0), ("--pareto",)):
        told = check(run("shelf", "--shelf", where, *more, **NARROW).out)
        assert "★" in told
        assert len(re.findall(rf"{BARCODE} +\d\.\d{{4}}", told)) >= 1


def test_a_network_keeps_to_forty_columns(tuned):
    _, where = tuned
    with Shelf.open(where) as shelf:
        barcode = shelf.study("narrow").result["winner"]["barcode"]
    shown = run("show", barcode, "--shelf", where, **NARROW).out.replace(str(where), "S")
    told = check(shown)
    assert re.search(r"learning_rate +0\.\d+", told)
    assert barcode in told


@pytest.mark.parametrize(
    "arguments",
    [("--help",), ("shelf", "--help"), ("tune", "--help"), ("hyperparameters",),
     ("hyperparameters", "dropout")],
)  # fmt: skip
def test_help_and_the_catalogue_keep_to_forty_columns(arguments):
    told = check(run(*arguments, **NARROW).out)
    assert "…" not in told


def test_errors_are_in_lines_of_whole_words():
    reader, writer = os.openpty()
    subprocess.run(
        program("hyperparameters", "nothing-so"), stderr=writer, check=False, timeout=60,
        env={**os.environ, "COLUMNS": "40"},
    )  # fmt: skip
    os.close(writer)
    lines = os.read(reader, 10_000).decode().split("\r\n")
    os.close(reader)
    assert lines[0] == "Error: There is no hyperparameter"
    assert max(map(len, lines)) <= 40
    assert "known are 'network'" in " ".join(lines)


def test_a_terminal_that_only_prints_is_shown_lines(csv, space_file, tmp_path):
    ran = run("tune", csv, "--target", "label", "--trials", 3, "--space", space_file, "--shelf",
              tmp_path / "s", "--folds", 2, **{**NARROW, "TERM": "dumb"})  # fmt: skip
    assert ran.status == 0, ran.err
    assert "\x1b" not in ran.out
    assert "started" in ran.out.split("Winner")[0]
    assert max(len(line) for line in ran.out.split("Winner")[0].splitlines()) <= 40


def test_an_encoding_without_our_characters_is_no_error(tuned, csv, space_file, tmp_path):
    _, where = tuned
    ascii_only = {"PYTHONIOENCODING": "ascii"}
    with Shelf.open(where) as shelf:
        barcode = shelf.study("narrow").result["winner"]["barcode"]
    for arguments in (
        ("--help",),
        ("shelf", "--shelf", where),
        ("shelf", "--pareto", "--shelf", where),
        ("show", barcode, "--shelf", where),
        ("hyperparameters",),
        ("explain", "--shelf", where),
        ("tokenise", "Zürich → 3 ± 1"),
        ("tune", csv, "--target", "label", "--trials", 5, "--space", space_file, "--shelf", where,
         "--study", "narrow", "--folds", 2),
    ):  # fmt: skip
        ran = run(*arguments, **ascii_only)
        assert (ran.status, ran.err) == (0, ""), arguments
        assert ran.out.isascii()
    assert "+-" in ran.out


def test_what_programs_read_hangs_on_no_width_and_no_encoding(tuned, tmp_path):
    _, where = tuned
    with Shelf.open(where) as shelf:
        barcode = shelf.trials()[0].barcode
    for arguments in (("shelf", "--shelf", where), ("show", barcode, "--shelf", where),
                      ("hyperparameters",)):  # fmt: skip
        wide = run(*arguments, "--json", COLUMNS="300")
        assert run(*arguments, "--json", **NARROW).out == wide.out
        assert run(*arguments, "--json", PYTHONIOENCODING="ascii").json == wide.json
    text = "Zürich ×"
    told = run("tokenise", text, "--json", PYTHONIOENCODING="ascii")
    assert told.out.isascii()
    assert told.json == json.loads(run("tokenise", text, "--json").out)


def test_predictions_are_in_utf_8_whatever_the_terminal_has(tmp_path):
    rows = "\n".join(f"{i},{i % 5},{'ja×' if i % 2 else 'nö'}" for i in range(40))
    (tmp_path / "t.csv").write_text(f"größe,b,t\n{rows}\n", encoding="utf-8")
    made = run("train", tmp_path / "t.csv", "--target", "t", "--set", "epochs=2", "--shelf",
               tmp_path / "s", "--json")  # fmt: skip
    assert made.status == 0, made.err
    ran = run("predict", made.json["barcode"], tmp_path / "t.csv", "--shelf", tmp_path / "s",
              PYTHONIOENCODING="ascii")  # fmt: skip
    assert ran.status == 0, ran.err
    assert ran.out.splitlines()[0] == "prediction,probability_ja×,probability_nö"


def test_columns_are_dropped_and_then_stacked_and_never_cut():
    columns = [Column("name"), Column("score", right=True), Column("more", drop=1)]
    rows = [("a network", "0.9757", "many words"), ("another", "0.5", "few")]
    for width in range(10, 40):
        told = grid(columns, rows, width).plain
        assert max(map(len, told.splitlines())) <= width
        assert "0.9757" in told
    assert "many words" in grid(columns, rows, 40).plain
    assert "more" not in grid(columns, rows, 20).plain
    assert len(grid(columns, rows, 12).plain.splitlines()) > 3


def test_words_stay_whole_where_there_is_room_for_them():
    assert [line.plain for line in wrapped("over-long words", 9)] == ["over-long", "words"]
    assert [line.plain for line in wrapped("abcdef", 4)] == ["abcd", "ef"]
    told = facts([("a very long name indeed", "3 words of it"), ("n", "1")], 24).plain
    assert told.splitlines() == ["a very long name indeed", "  3 words of it", "n  1"]
    typed = "modelshelf predict 7QK4 'my rows.csv' --out predictions.csv"
    lines = command(typed, 30, "Next  ").plain.splitlines()
    assert max(map(len, lines)) <= 30
    assert shlex.split(" ".join(lines).replace("\\ ", " "))[1:] == shlex.split(typed)


def test_one_is_not_several():
    assert [counted(n, "seed") for n in (0, 1, 2, 1000)] == [
        "0 seeds", "1 seed", "2 seeds", "1,000 seeds"
    ]  # fmt: skip
