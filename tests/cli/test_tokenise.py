"""`modelshelf tokenise`: each step named, any text, and a clear word where something is missing."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

import modelshelf
from modelshelf.cli.program import app
from modelshelf.core.errors import DataError, SettingError
from modelshelf.data.text.bpe import has_bpe

STEPS = ("raw", "normalised", "tokens", "features", "ids", "weights")


def run(*arguments: str):
    result = CliRunner().invoke(app, ["tokenise", *arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.output


def told(*arguments: str):
    return json.loads(run(*arguments, "--json").splitlines()[-1])


def table(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text("said,y\n" + "how far is it,1\nhow much is it,2\nnewer and newest,3\n" * 9)
    return str(path)


@pytest.mark.parametrize("tokeniser", ["whitespace", "words", "characters", "words+characters"])
def test_each_step_has_its_name_and_its_line(tokeniser):
    lines = run("How far is it?", "--tokeniser", tokeniser).splitlines()
    assert [line.split("  ")[0] for line in lines[::2]] == list(STEPS)
    assert all(line.startswith("  ") for line in lines[1::2])


def test_the_steps_are_those_of_the_library():
    found = modelshelf.tokenise("How far is it?", ngrams=1)
    shown = told("How far is it?", "--ngrams", "1")
    assert tuple(shown["tokens"]) == found.tokens == ("how", "far", "is", "it", "?")
    assert tuple(shown["ids"]) == found.ids
    assert "How" in told("How far", "--no-lower")["tokens"]


def test_rows_say_what_is_known_and_what_is_rare(tmp_path):
    shown = told("how far unheard", "--rows", table(tmp_path), "--column", "said", "--ngrams", "1")
    assert shown["rows"] == 27
    assert shown["ids"][2] == 1
    weights = dict(shown["weights"])
    assert weights["far"] > weights["how"]
    assert "unheard" not in weights


@pytest.mark.skipif(not has_bpe(), reason="tokenizers is not installed")
def test_bpe_learns_from_rows(tmp_path):
    rows = ["--rows", table(tmp_path), "--column", "said", "--tokeniser", "bpe"]
    few = told("newest", *rows, "--pieces", "20")["tokens"]
    many = told("newest", *rows, "--pieces", "100")["tokens"]
    assert len(many) < len(few)


@pytest.mark.parametrize(
    "text",
    ["", " \n\t", "كيف حالك؟", "你好世界", "👩‍👩‍👧 🏳️‍🌈", "\x1b[31mred\x07",
     "\udcff broken", "a\x00b"],
    ids=["empty", "blank", "arabic", "chinese", "emoji", "control", "bytes", "nul"],
)  # fmt: skip
def test_any_text_is_shown(text):
    shown = run(text)
    assert len(shown.splitlines()) == 12
    assert "\x1b" not in shown
    assert told(text)["characters"] == len(text)


def test_a_megabyte_is_shortened():
    shown = run("word " * 200_000)
    assert len(shown) < 5_000
    assert "1,000,000 characters" in shown
    assert "first 100,000" in shown


def test_what_is_missing_is_said(tmp_path):
    with pytest.raises(SettingError, match="--rows FILE"):
        run("a", "--tokeniser", "bpe")
    with pytest.raises(SettingError, match="did you mean 'words'"):
        run("a", "--tokeniser", "word")
    with pytest.raises(SettingError, match="--column"):
        run("a", "--rows", table(tmp_path))
    with pytest.raises(DataError, match="no column 'sad'"):
        run("a", "--rows", table(tmp_path), "--column", "sad")
    with pytest.raises(SettingError, match="give both"):
        run("a", "--column", "said")
