"""`modelshelf hyperparameters`: the catalogue, and one hyperparameter explained."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from modelshelf.cli.layout import Column, facts, grid, room
from modelshelf.cli.options import AsJson, make_console
from modelshelf.cli.space import space_table
from modelshelf.cli.words import json_line
from modelshelf.space.catalogue import CATALOGUE, lookup
from modelshelf.space.hyperparameter import Hyperparameter
from modelshelf.space.space import Space
from modelshelf.space.told import told

__all__ = ["hyperparameters"]


def hyperparameters(
    name: Annotated[str | None, typer.Argument(help="One of them, to be explained.")] = None,
    space: Annotated[
        str | None, typer.Option(help="A TOML or Python file: check a space, and tell it in words.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List every hyperparameter, or explain one with its trade-off; or check a space."""
    made = Space() if space is None else Space.from_file(space)
    if space is not None and name is None:
        _tell_space(made, as_json)
        return
    searched = made.varied
    named = list(CATALOGUE.values()) if name is None else [lookup(name)]
    told = [
        _told(each, searched[each.name].words() if each.name in searched else "") for each in named
    ]
    if as_json:
        typer.echo(json_line(told if name is None else told[0]))
        return
    console = make_console()
    if name is not None:
        _explain(console, told[0])
        return
    console.print(_listed(told, room(console)))
    console.print("\nOne of them explained: modelshelf hyperparameters NAME")


def _tell_space(space: Space, as_json: bool) -> None:
    """A space in words: first what always holds, then its cases."""
    if as_json:
        lines = [each.to_json() for each in told(space)]
        shown = {"dimensions": space.dimensions, "hyperparameters": lines}
        typer.echo(json_line(shown))
        return
    console = make_console()
    for where in dict.fromkeys(("", *(case.words for case in space.cases))):
        console.print(f"\nwhere {where}" if where else "the space", style="bold")
        console.print(space_table(space, where, room(console)))
    console.print("\nAll others keep their defaults.")


def _told(each: Hyperparameter, searched: str) -> dict[str, Any]:
    """What the catalogue says of one, as plain JSON values."""
    default = list(each.default) if isinstance(each.default, tuple) else each.default
    return {
        "name": each.name,
        "group": each.group,
        "domain": each.domain.words(),
        "default": default,
        "off": each.off,
        "active_when": each.active_when or None,
        "searched": searched or None,
        "meaning": each.meaning,
        "too_little": each.too_little,
        "too_much": each.too_much,
        "source": each.source,
    }


def _listed(told: Sequence[dict[str, Any]], width: int) -> Text:
    """All of them by group: names, defaults, and where there is room, meanings."""
    columns = Column("name"), Column("default"), Column("what it is", drop=1, wraps=True)
    rows: list[tuple[str | Text, ...]] = []
    groups: list[str] = []
    for each in told:
        if each["group"] not in groups:
            rows += [("", "", "")] * bool(groups) + [(Text(each["group"], "bold"), "", "")]
            groups.append(each["group"])
        default = Text(_plain(each["default"]), "dim")
        rows.append((Text(f"  {each['name']}", "cyan"), default, each["meaning"]))
    return grid(columns, rows, width)


def _explain(console: Console, each: dict[str, Any]) -> None:
    console.print(each["name"], style="bold cyan")
    console.print(each["meaning"])
    console.print()
    rows = {
        "values": f"{each['domain']}; default {_plain(each['default'])}",
        "switched off by": "" if each["off"] is None else _plain(each["off"]),
        "active when": each["active_when"] or "",
        "searched": each["searched"] or "no: it keeps its default unless --space names it",
        "too little": each["too_little"],
        "too much": each["too_much"],
        "source": each["source"],
    }
    console.print(facts([(word, value) for word, value in rows.items() if value], room(console)))


def _plain(value: object) -> str:
    return "×".join(map(str, value)) if isinstance(value, list) else f"{value}"
