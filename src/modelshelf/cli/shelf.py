"""`modelshelf shelf`: what is there."""

from __future__ import annotations

import math
from dataclasses import asdict
from enum import StrEnum
from typing import Annotated, Any

import typer
from rich.console import Console

from modelshelf.cli.layout import command, put, room
from modelshelf.cli.options import AsJson, KnownModule, ShelfPlace, make_console
from modelshelf.cli.pareto import Against, draw_front
from modelshelf.cli.shelf_view import networks_lines, studies_table
from modelshelf.cli.words import json_line, safe, typed

__all__ = ["Order", "shelf"]


class Order(StrEnum):
    """What networks are sorted by."""

    SCORE = "score"
    LOSS = "loss"
    NUMBER = "number"
    EPOCH = "epoch"
    SECONDS = "seconds"
    PARAMETERS = "parameters"
    SIZE = "size"


def shelf(
    study: Annotated[
        str | None, typer.Option(help="Only this study: its name, or how it begins.")
    ] = None,
    sort: Annotated[
        Order,
        typer.Option(metavar="ORDER", help=f"Sort networks by {', '.join(Order)}."),
    ] = Order.SCORE,
    limit: Annotated[int, typer.Option(help="How many networks to list; 0 for all.")] = 15,
    everything: Annotated[
        bool,
        typer.Option("--all", help="List re-tests and other copies of a configuration too."),
    ] = False,
    check: Annotated[
        bool,
        typer.Option("--check", help="Check every record and file; exit status 1 if any fails."),
    ] = False,
    pareto: Annotated[
        bool,
        typer.Option("--pareto", help="The networks of a study that nothing beats in everything."),
    ] = False,
    against: Annotated[
        Against,
        typer.Option(
            metavar="COST",
            help=f"With --pareto: draw scores against {', '.join(Against)}.",
        ),
    ] = Against.SIZE,
    shelf: ShelfPlace = None,
    module: KnownModule = None,
    as_json: AsJson = False,
) -> None:
    """List the studies on the shelf, the networks of one, or its front of score against cost."""
    from modelshelf.shelf import Shelf

    console = make_console(stderr=as_json)
    with Shelf.open(shelf) as opened:
        if check:
            _check(opened, console, as_json)
            return
        studies = [opened.study(study)] if study else list(opened.studies())
        if pareto:
            draw_front(opened, studies, against, limit, console, as_json)
            return
        chosen = studies[0] if study or len(studies) == 1 else None
        trials: list[Any] = []
        if chosen is not None:
            descending = chosen.direction == "maximize" and sort is Order.SCORE
            trials = sorted(opened.trials(chosen.name), key=lambda t: _key(t, sort, descending))
        if as_json:
            found = {
                "shelf": str(opened.path),
                "studies": [_study(s, opened) for s in studies],
                "networks": [asdict(t) for t in (trials[:limit] if limit > 0 else trials)],
            }
            typer.echo(json_line(found))
            return
        if not studies:
            begin = typed("tune", "DATA.csv", "--target", "COLUMN", shelf=shelf)
            put(console, safe(f"The shelf {opened.path} is empty. A study puts networks on it:"))
            put(console, command(begin, room(console), "  "))
            return
        console.print(studies_table(studies, opened, room(console)))
        if chosen is not None:
            console.print()
            for line in networks_lines(trials, chosen, limit, room(console), everything=everything):
                console.print(line)
        elif studies:
            console.print("The networks of one: modelshelf shelf --study NAME", style="dim")


def _check(opened: Any, console: Console, as_json: bool) -> None:
    problems = opened.check()
    if as_json:
        typer.echo(json_line({"shelf": str(opened.path), "problems": list(problems)}))
    for problem in problems:
        console.print(safe(problem), style="red")
    if problems:
        raise typer.Exit(1)
    console.print(f"The shelf {opened.path} is sound.")


def _key(trial: Any, sort: Order, descending: bool) -> tuple[bool, float]:
    value = float(getattr(trial, sort.value))
    return not math.isfinite(value), -value if descending else value


def _study(study: Any, opened: Any) -> dict[str, Any]:
    return {
        "study": study.name,
        "task": study.task.value,
        "metric": study.metric,
        "direction": study.direction.value,
        "status": study.status,
        "created": study.created,
        "seconds": study.seconds,
        "trials": {s.value: n for s, n in opened.counts(study.name).items()},
        "winner": study.result["winner"] if study.result else None,
    }
