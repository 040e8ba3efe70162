"""Spaces from files, and in words."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from modelshelf.core.errors import SettingError
from modelshelf.space.space import Space
from modelshelf.space.told import told

TOML = """
learning_rate = [1e-4, 1e-2]
optimizer = ["adam", "sgd", "adamw"]
parametrisation = ["standard", "ntk"]
l1 = {range = [1e-7, 1e-3], off = 0.5}
dropout = {range = [0.1, 0.6], off = 0}
hidden_layers = {depth = [2, 3], width = [16, 256]}
activation = ["relu", "leaky_relu", "tanh", "selu"]
batch_size = 64
seed_of = 1
"""
CASES = """
[when.parametrisation.ntk]
learning_rate = [0.02, 0.3]
initialisation = "data"

[when.optimizer."adam or adamw".when.dropout.on]
l2 = 0
"""
ENTRIES = {
    "learning_rate": (1e-4, 1e-2),
    "optimizer": ["adam", "sgd", "adamw"],
    "parametrisation": ["standard", "ntk"],
    "l1": {"range": (1e-7, 1e-3), "off": 0.5},
    "dropout": {"range": (0.1, 0.6), "off": 0},
    "hidden_layers": {"depth": (2, 3), "width": (16, 256)},
    "activation": ["relu", "leaky_relu", "tanh", "selu"],
    "batch_size": 64,
    "when": {
        "parametrisation": {"ntk": {"learning_rate": (0.02, 0.3), "initialisation": "data"}},
        "optimizer": {("adam", "adamw"): {"when": {"dropout": {"on": {"l2": 0}}}}},
    },
}


def write(path, text):
    path.write_text(text)
    return path


def test_toml_python_and_the_constructor_say_the_same(tmp_path):
    toml = write(tmp_path / "space.toml", TOML.replace("seed_of = 1", CASES))
    as_dict = write(tmp_path / "one.py", f"space = {ENTRIES!r}")
    lines = f"from modelshelf import Space\nspace = Space(**{ENTRIES!r})"
    as_space = write(tmp_path / "two.PY", lines)
    wanted = Space(**ENTRIES).to_json()
    assert "when" in wanted
    assert [Space.from_file(each).to_json() for each in (toml, as_dict, as_space)] == [wanted] * 3


def test_a_space_is_told_beside_the_usual_one():
    found = {(each.name, each.where): each for each in told(Space(**ENTRIES))}
    how = {key: each.how for key, each in found.items() if each.how != "usual"}
    ntk, adam = "parametrisation is ntk", "optimizer is adam or adamw and dropout is on"
    assert how == {
        ("hidden_layers", ""): "moved",
        ("activation", ""): "moved",
        ("learning_rate", ""): "widened",
        ("batch_size", ""): "fixed",
        ("optimizer", ""): "narrowed",
        ("dropout", ""): "moved",
        ("l1", ""): "widened",
        ("learning_rate", ntk): "moved",
        ("l2", adam): "fixed",
    }
    assert found["l1", ""].words == "a number from 1e-07 to 0.001, or off (50% of the time)"
    assert found["initialisation", ntk].how == "usual"  # as in every space
    assert found["learning_rate", ntk].usual == "a number from 0.0001 to 0.01"


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("a.py", "space = 3", "expected a Space, or a mapping"),
        ("a.py", "x = 1\nspace = nothing", "fails in line 2: NameError"),
        ("a.py", "space = (", "fails in line 1: SyntaxError"),
        ("a.py", "spaces = {}", "does not say `space`"),
        ("a.py", "space = {1: 2}", "a mapping of hyperparameters' names"),
        ("a.py", "space = {'dropuot': 0}", "did you mean 'dropout'"),
        ("a.txt", "space = {'dropout': 0}", "is not TOML"),
        ("a.toml", TOML, "no hyperparameter 'seed_of'"),
        ("a.toml", "from os import getcwd", "is not TOML"),
    ],
)
def test_a_file_that_says_no_space_is_refused_in_words(name, text, expected, tmp_path):
    with pytest.raises(SettingError, match=expected):
        Space.from_file(write(tmp_path / name, text))


def test_only_a_python_file_s_name_makes_it_run(tmp_path):
    text = f"open({str(tmp_path / 'ran')!r}, 'w').close()\nspace = {{}}"
    with pytest.raises(SettingError, match="is not TOML"):
        Space.from_file(write(tmp_path / "space.toml", text))
    assert not (tmp_path / "ran").exists()
    Space.from_file(write(tmp_path / "space.py", text))
    assert (tmp_path / "ran").exists()


def test_the_spaces_in_the_docs_are_spaces(tmp_path):
    page = (Path(__file__).parents[2] / "docs" / "spaces.md").read_text(encoding="utf-8")
    toml = re.search(r"```toml\n(.*?)```", page, re.DOTALL)[1]
    python = re.search(r"```\n(from modelshelf.*?)```", page, re.DOTALL)[1]
    assert len(Space.from_file(write(tmp_path / "space.toml", toml)).cases) == 4  # ntk's usual one
    assert len(Space.from_file(write(tmp_path / "space.py", python)).cases) == 2
