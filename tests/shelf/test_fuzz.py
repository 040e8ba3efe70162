"""A shelf that someone tampered with is answered in a sentence, by every command."""

from __future__ import annotations

import json
import random
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest

from modelshelf.core.errors import ModelshelfError
from modelshelf.shelf import Shelf, schema
from tests.study.conftest import QUICK, make_table

TABLES = tuple(schema.METADATA.sorted_tables)
TEXTS = ("", "x", "é\0\x1b[31m", "x" * 100_000, "networks/1/0-1.safetensors", "../../x")
NUMBERS = (-1, 0, 1, 7, 2**31, 2**63 - 1, -(2**63), float("inf"), -float("inf"), 1e308, 0.5, -0.0)
DEEP = "[" * 99_999, '{"a":' * 99_999, "[" * 500 + "]" * 500
JSONS = ("[", "{}", "[]", "null", "3", '"x"', "NaN", '{"winner": 3}', *DEEP)
JSON_COLUMNS = (
    (schema.study, "settings"),
    (schema.study, "understood"),
    (schema.study, "result"),
    (schema.configuration, "settings"),
)
#: What stands where JSON held something else.
ODD = (None, True, -1, 2**70, 0.5, float("nan"), float("inf"), "", "x", [], {}, [[]], {"x": []})
#: SQL for text that is not UTF-8, and for bytes.
RAW = ("cast(X'ff00fe' as text)", "X''", "X'7b7d'", "null")


@pytest.fixture(scope="session")
def small(tmp_path_factory) -> Path:
    """A folder with a table, a shelf with one study of few networks, and its database relaxed."""
    from modelshelf import tune

    folder = tmp_path_factory.mktemp("fuzzed")
    make_table(120).write_csv(folder / "table.csv")
    space = {**QUICK, "hidden_layers": (8,), "epochs": 4}
    tune(folder / "table.csv", target="label", trials=8, space=space, folds=2,
         shelf=folder / "shelf", study="small")  # fmt: skip
    relax(folder / "shelf/shelf.sqlite", folder / "relaxed.sqlite")
    return folder


def relax(database: Path, copy: Path) -> None:
    """Write the same shelf anew without types and constraints, as someone who means harm can."""
    here = sqlite3.connect(copy)
    here.execute("attach ? as old", [str(database)])
    for table in TABLES:
        names = ", ".join(column.name for column in table.columns)
        kept = "id integer primary key" if table is schema.study else "id_ integer primary key"
        rest = names.removeprefix("id, ")
        here.execute(f"create table {table.name} ({kept}, {rest})")
        here.execute(f"insert into {table.name} ({names}) select {names} from old.{table.name}")
    here.execute(f"pragma application_id = {schema.APPLICATION_ID}")
    here.commit()
    here.close()


def tampered(folder: Path, small: Path, draw: random.Random) -> str:
    """A copy of the shelf with one column of one table changed; returns what was changed."""
    folder.mkdir()
    for name in ("networks", "preparations", "ensembles"):
        shutil.copytree(small / "shelf" / name, folder / name)
    strict = draw.random() < 0.3
    origin = small / ("shelf/shelf.sqlite" if strict else "relaxed.sqlite")
    shutil.copy(origin, folder / "shelf.sqlite")
    table = draw.choice(TABLES)
    column = draw.choice(table.columns.keys())
    if draw.random() < 0.3:  # much more may be wrong in these than in one number
        table, column = draw.choice(JSON_COLUMNS)
    connection = sqlite3.connect(folder / "shelf.sqlite")
    (rows,) = connection.execute(f"select count(*) from {table.name}").fetchone()
    one = draw.choice((None, draw.randrange(rows)))
    place = "" if one is None else f"limit 1 offset {one}"
    keys = ", ".join(each.name for each in table.primary_key) or "version_num"
    where = f"where ({keys}) in (select {keys} from {table.name} {place})"
    (old,) = connection.execute(f"select {column} from {table.name} {where}").fetchone()
    sql, value = _other(column in ("settings", "understood", "result"), old, draw)
    try:
        connection.execute(f"update {table.name} set {column} = {sql} {where}", value)
        connection.commit()
    except sqlite3.Error:  # the strict one may refuse it
        connection.rollback()
    connection.close()
    return f"{origin.name}: {table.name}.{column} {place} = {sql} {value!r:.300}"


def _other(holds_json: bool, old: Any, draw: random.Random) -> tuple[str, list[object]]:
    """SQL, and its values, for something else than what was there."""
    if holds_json and draw.random() < 0.8:
        return "?", [json.dumps(mutated(json.loads(old), draw))]
    kind = draw.randrange(4)
    if kind == 0:
        return draw.choice(RAW), []
    return "?", [draw.choice((TEXTS, NUMBERS, JSONS)[kind - 1])]


def mutated(tree: Any, draw: random.Random) -> Any:
    """The same tree with one thing in it replaced, taken out, or put in."""
    if isinstance(tree, dict) and tree and draw.random() < 0.9:
        key = draw.choice(sorted(tree))
        if draw.random() < 0.15:
            return {name: each for name, each in tree.items() if name != key}
        return {**tree, key: mutated(tree[key], draw)}
    if isinstance(tree, list) and tree and draw.random() < 0.8:
        place = draw.randrange(len(tree))
        return [*tree[:place], mutated(tree[place], draw), *tree[place + 1 :]]
    return draw.choice(ODD)


def program(*arguments: object) -> Callable[[Path, dict[str, Any]], None]:
    """A command in this process; `{}` of its arguments are the names of what is there."""

    def call(shelf: Path, names: dict[str, Any]) -> None:
        from modelshelf.cli.program import load

        command, *rest = (str(each).format(**names) for each in arguments)
        load(command).main([*rest, "--shelf", str(shelf)], command, standalone_mode=False)

    return call


def in_python(shelf: Path, names: dict[str, Any]) -> None:
    from modelshelf.study.result import StudyResult

    with Shelf.open(shelf) as opened:
        for study in opened.studies():
            opened.counts(study.name), opened.curves(study.name), opened.jobs(study.name)
            opened.lost(study.name), opened.files(study.name)
            for each in opened.trials(study.name):
                opened.curve(study.name, each.number)
            if study.result is not None:
                StudyResult.from_json({**study.result, "shelf": str(shelf)})
        opened.orphans()
        opened.removal("small")


COMMANDS: tuple[Callable[[Path, dict[str, Any]], None], ...] = (
    in_python,
    program("shelf"),
    program("shelf", "--study", "small", "--all", "--json"),
    program("shelf", "--check"),
    program("shelf", "--pareto"),
    program("show", "{copy}"),
    program("show", "{barcode}", "--json"),
    program("predict", "{barcode}", "{data}", "--out", "{out}/predicted.csv"),
    program("predict", "{data}", "--ensemble", "small", "--out", "{out}/predicted.csv"),
    program("explain"),
    program("report", "small", "--out", "{out}/report.html"),
    program("report", "small", "--out", "{out}/report.md"),
    program("compare", "{copy}", "{other}"),
    program("diagnose", "{copy}"),
    program("dissect", "{copy}"),
    program("tune", "{data}", "--target", "label", "--trials", 8, "--folds", 2, "--study", "small"),
    program("remove", "small", "--yes"),
    program("remove", "{copy}", "--yes"),
)


@pytest.fixture(scope="session")
def names(small) -> dict[str, Any]:
    with Shelf.open(small / "shelf") as shelf:
        winner = shelf.study("small").result["winner"]
        others = [t for t in shelf.trials("small") if t.barcode != winner["barcode"] and t.size]
    return {**winner, "other": others[0].copy, "data": small / "table.csv", "out": small}


def case(number: int, small: Path, names: dict[str, Any], folder: Path, commands: int) -> None:
    draw = random.Random(number)
    what = tampered(folder, small, draw)
    for command in draw.sample(COMMANDS, commands):
        try:
            command(folder, names)
        except (ModelshelfError, click.ClickException, click.exceptions.Exit):
            pass
        except Exception as error:
            raise AssertionError(f"case {number}, {what}: {error!r}") from error


@pytest.mark.parametrize("number", range(40))
def test_what_was_tampered_with_is_told(small, names, tmp_path, number):
    case(number, small, names, tmp_path / "shelf", commands=2)


@pytest.mark.slow
@pytest.mark.parametrize("hundred", range(100))
def test_ten_thousand_tampered_shelves_are_told(small, names, tmp_path, hundred):
    for number in range(100 * hundred, 100 * (hundred + 1)):
        case(number, small, names, tmp_path / "shelf", commands=1)
        shutil.rmtree(tmp_path / "shelf")


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_does_without_tampering(small, names, tmp_path, command):
    """Else a refusal of everything would pass for an answer."""
    shelf = Path(shutil.copytree(small / "shelf", tmp_path / "shelf"))
    shutil.copy(small / "relaxed.sqlite", shelf / "shelf.sqlite")
    command(shelf, names)
