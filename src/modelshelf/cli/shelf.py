"""`modelshelf shelf`: what is there."""

from __future__ import annotations

import math
import re
import stat
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from modelshelf.cli.layout import command, put, room
from modelshelf.cli.options import AsJson, KnownModule, ShelfPlace, make_console
from modelshelf.cli.pareto import Against, draw_front
from modelshelf.cli.shelf_view import networks_lines, studies_table
from modelshelf.cli.words import json_line, safe, typed
from modelshelf.core.errors import SettingError, ShelfError
from modelshelf.core.words import counted

__all__ = ["Order", "shelf"]

_MOST = 3  # problems of a kind that are told in lines; a broken disk has thousands
_PARTICULAR = re.compile(r"'[^']*'|\S*\d\S*")


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
    repair: Annotated[
        bool,
        typer.Option(
            "--repair",
            help="With --check: delete what was left behind or is damaged, so that a study that "
            "goes on trains it again.",
        ),
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

    if repair and not check:
        raise SettingError("--repair mends what --check finds: give both, --check --repair.")
    console = make_console(stderr=as_json)
    if check:
        _check(shelf, console, as_json, repair=repair)
        return
    with Shelf.open(shelf) as opened:
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


def _check(where: str | None, console: Console, as_json: bool, *, repair: bool) -> None:
    """Say all that is wrong, and what was done about it; a shelf that cannot be read is wrong."""
    from modelshelf.shelf import Shelf

    done: tuple[str, ...] = ()
    try:
        with Shelf.open(where) as opened:
            if repair:
                done = opened.repair()
            problems = opened.check()
    except ShelfError as error:
        if _nothing_at(Shelf.locate(where)):
            raise
        problems = (str(error),)
    place = Shelf.locate(where)
    if as_json:
        found = {"shelf": str(place), "problems": list(problems)}
        typer.echo(json_line(found | {"repaired": list(done)} if repair else found))
    for each in done:
        console.print(safe(each))
    for line in _summed(problems):
        console.print(safe(line), style="red")
    if problems:
        raise typer.Exit(1)
    console.print(f"The shelf {place} is sound.")


def _summed(problems: Sequence[str]) -> Iterator[str]:
    """The first few of each kind of problem, and how many more there are like them.

    Those are alike that differ in numbers, names, barcodes and files alone.
    """
    kinds: dict[str, list[str]] = defaultdict(list)
    for each in problems:
        kinds[_PARTICULAR.sub("", each)].append(each)
    for alike in kinds.values():
        yield from alike[:_MOST]
        if len(alike) > _MOST:
            more = counted(len(alike) - _MOST, "more problem")
            yield f"And {more} like these: --json lists all."


def _nothing_at(place: Path) -> bool:
    """Whether there is no shelf that could be damaged."""
    try:
        return not stat.S_ISREG((place / "shelf.sqlite").stat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False


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
        "winner": study.winner or None,
    }
