"""`modelshelf diagnose`: what ails a network, and what to try."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.text import Text

from modelshelf.cli.asked import signals
from modelshelf.cli.layout import command, put, room
from modelshelf.cli.options import AsJson, KnownModule, RowsFile, ShelfPlace, TestFile, make_console
from modelshelf.cli.panel import looking
from modelshelf.cli.words import json_line, safe, typed, typed_value

if TYPE_CHECKING:
    from modelshelf.insight.diagnosis import Diagnosis, Finding

__all__ = ["diagnose"]


def diagnose(
    barcode: Annotated[str, typer.Argument(help="A barcode or copy id, or how it begins.")],
    retrain: Annotated[
        int, typer.Option(min=0, help="Train it on so many other seeds: was its own unlucky?")
    ] = 0,
    time_limit: Annotated[str, typer.Option("--time", help="Time for what is trained.")] = "60s",
    workers: Annotated[int | None, typer.Option(min=1, help="Networks trained at a time.")] = None,
    data: RowsFile = None,
    test: TestFile = None,
    shelf: ShelfPlace = None,
    module: KnownModule = None,
    as_json: AsJson = False,
) -> None:
    """Look for what ails a network, with the evidence and what to try.

    Its curve, its gradients and its rows are looked at. Where more training might help, it is
    trained again, longer and faster, to see. Ctrl-C once: tell what was found; twice: leave now.
    """
    console = make_console(stderr=as_json)

    from modelshelf.study.progress import Stopper
    from modelshelf.understanding.diagnose import diagnose as run

    stopper = Stopper()
    with looking(console) as live, signals(stopper, live):
        found = run(
            barcode,
            retrain=retrain,
            time_limit=time_limit,
            workers=workers,
            shelf=shelf,
            data=data,
            test=test,
            stopper=stopper,
        )
    _tell(console, found, shelf)
    if as_json:
        told = {**asdict(found), "healthy": found.healthy}
        for each, one in zip(told["findings"], found.findings, strict=True):
            each["command"] = _command(found, one, shelf)
        typer.echo(json_line(told))
    if stopper.requested:
        raise typer.Exit(130)


def _tell(console: Console, found: Diagnosis, shelf: str | None) -> None:
    head = Text(found.barcode, style="bold green").append(f"  {found.study}", style="dim")
    console.print(head)
    console.print(
        f"Error as a share of a constant answer's: {found.train_error:.3f} on training rows, "
        f"{found.validation_error:.3f} on validation rows; a random forest has "
        f"{found.forest_error:.3f} on rows that it has not seen.",
        style="dim",
    )
    console.print()
    for each in found.findings:
        console.print(
            Text(each.name.capitalize(), style="bold red").append(f"  ({each.sure})", style="dim")
        )
        console.print(safe(each.evidence))
        console.print(safe(each.advice))
        barcode = f"  it will be {each.barcode}" if each.barcode else ""
        put(console, command(_command(found, each, shelf), room(console), "  "))
        if barcode:
            console.print(barcode, style="dim")
        console.print()
    if found.healthy:
        console.print("Nothing wrong was found.", style="bold green")
    console.print(f"Looked for: {', '.join(found.checked)}.", style="dim")
    for line in found.unchecked:
        console.print(safe(f"Not looked for: {line}."), style="dim")
    for note in found.notes:
        console.print(safe(note), style="dim")


def _command(found: Diagnosis, finding: Finding, shelf: str | None) -> str:
    """The command that follows the advice."""
    from modelshelf.data.read import Sample

    if finding.column:
        sample, source = Sample.at(found.rows)
        rows = source.removeprefix("example:")
        where = ("--example", rows) if rows != source else (rows or "DATA",)
        if sample is not None:
            where = (*where, "--rows", str(sample.rows), "--seed", str(sample.seed))
        given = ("--target", found.target, "--column", f"{finding.column}=ignore")
        return typed("tune", *where, *given, shelf=shelf)
    settings = [
        word
        for name, value in finding.changes.items()
        for word in ("--set", f"{name}={typed_value(value)}")
    ]
    seed = [] if finding.barcode else ["--seed", "1"]
    return typed("train", "--like", found.barcode[:9], *settings, *seed, shelf=shelf)
