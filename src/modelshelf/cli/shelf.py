"""`modelshelf shelf`: what is there."""

from __future__ import annotations

import json
import math
from enum import StrEnum
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from modelshelf.cli.options import AsJson, KnownModule, ShelfPlace, make_console
from modelshelf.cli.pareto import Against, draw_front
from modelshelf.cli.show_objective import parameters_in_words
from modelshelf.cli.words import barcode_text, number, safe, short

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
    sort: Annotated[Order, typer.Option(help="What to sort networks by.")] = Order.SCORE,
    limit: Annotated[int, typer.Option(help="How many networks to list; 0 for all.")] = 15,
    check: Annotated[
        bool,
        typer.Option("--check", help="Check every record and file; exit status 1 if any fails."),
    ] = False,
    pareto: Annotated[
        bool,
        typer.Option("--pareto", help="The networks of a study that nothing beats in everything."),
    ] = False,
    against: Annotated[
        Against, typer.Option(help="With --pareto: what scores are drawn against.")
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
        shown = trials[:limit] if limit > 0 else trials
        if as_json:
            networks = [_plain(t) for t in (shown if limit > 0 else trials)]
            found = {
                "shelf": str(opened.path),
                "studies": [_study(s, opened) for s in studies],
                "networks": networks,
            }
            typer.echo(json.dumps(found, ensure_ascii=False))
            return
        console.print(_studies(studies, opened, console.width))
        if chosen is not None:
            console.print()
            console.print(_networks(shown, chosen, console.width))
            if len(trials) > len(shown):
                console.print(f"{len(trials) - len(shown)} more: --limit 0 lists all.", style="dim")
            console.print("Take one down: modelshelf show BARCODE", style="dim")
        elif studies:
            console.print("The networks of one: modelshelf shelf --study NAME", style="dim")


def _check(opened: Any, console: Console, as_json: bool) -> None:
    problems = opened.check()
    if as_json:
        typer.echo(json.dumps({"shelf": str(opened.path), "problems": list(problems)}))
    for problem in problems:
        console.print(safe(problem), style="red")
    if problems:
        raise typer.Exit(1)
    console.print(f"The shelf {opened.path} is sound.")


def _key(trial: Any, sort: Order, descending: bool) -> tuple[bool, float]:
    value = float(getattr(trial, sort.value))
    return not math.isfinite(value), -value if descending else value


def _table(cells: list[dict[str, Any]], left: tuple[str, ...]) -> Table:
    """A table without lines; what is not `left` is aligned to the right."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for name in cells[0] if cells else ():
        table.add_column(name, justify="left" if name in left else "right", overflow="fold")
    for row in cells:
        table.add_row(*row.values())
    return table


def _studies(studies: list[Any], opened: Any, width: int) -> Table:
    cells = []
    for each in studies:
        winner = each.result["winner"] if each.result else {}
        row = {
            "study": safe(each.name),
            "networks": str(sum(opened.counts(each.name).values())),
            "winner": winner.get("barcode", f"({each.status})"),
            "metric": each.metric,
            "test": number(winner.get("test")),
        }
        if width >= 110:
            row["validation"] = number(winner.get("validation"))
            row["task"] = each.task.value
            row["begun (UTC)"] = each.created[:16].replace("T", " ")
        cells.append(row)
    return _table(cells, ("study", "winner", "metric", "task", "begun (UTC)"))


def _networks(trials: list[Any], study: Any, width: int) -> Table:
    from modelshelf.space.configuration import Configuration

    what = parameters_in_words if study.is_objective else short
    cells = []
    for t in trials:
        row: dict[str, Any] = {
            "barcode": t.barcode,
            study.metric: number(t.score),
            "loss": number(t.loss),
            "epochs": f"{t.epoch}",
            "for": t.purpose.value,
            "status": t.status.value,
        }
        if width >= 110:
            configuration = Configuration.from_json(t.configuration)
            row["weights"] = f"{t.parameters:,}"
            row["stripes"] = barcode_text(configuration)
            row["what"] = what(configuration)
        cells.append(row)
    return _table(cells, ("barcode", "for", "status", "stripes", "what"))


def _plain(trial: Any) -> dict[str, Any]:
    from dataclasses import asdict

    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in asdict(trial).items()
    }


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
