"""`modelshelf probe`: one hyperparameter varied around one network."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from modelshelf.cli.asked import signals
from modelshelf.cli.layout import command, put, room
from modelshelf.cli.options import (
    AsJson,
    Figure,
    Force,
    KnownModule,
    RowsFile,
    ShelfPlace,
    TestFile,
    make_console,
    seed_of,
)
from modelshelf.cli.probe_view import Growing, lines_of
from modelshelf.cli.train import parse_settings
from modelshelf.cli.words import json_line, safe, typed, typed_value
from modelshelf.core.words import counted

if TYPE_CHECKING:
    from modelshelf.insight.probe import Probe
from modelshelf.space.own import read_value

__all__ = ["probe"]

_BAD = ("too low", "too high", "worse", "diverges")


def probe(
    barcode: Annotated[str, typer.Argument(help="A barcode or copy id, or how it begins.")],
    vary: Annotated[
        str, typer.Option(help="The hyperparameter to vary; or depth, or width.", metavar="NAME")
    ],
    values: Annotated[
        str | None,
        typer.Option(help="Values to try, such as 0.001,0.01,0.1.  [default: a grid around it]"),
    ] = None,
    points: Annotated[int, typer.Option(min=2, help="How many values the grid has.")] = 9,
    seeds: Annotated[int, typer.Option(min=1, help="Networks for each value.")] = 3,
    given: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="A setting to change first, as in train."),
    ] = None,
    time_limit: Annotated[str, typer.Option("--time", help="Time to train in.")] = "60s",
    seed: Annotated[
        int, typer.Option(callback=seed_of, help="Seeds of the networks follow from it.")
    ] = 0,
    workers: Annotated[int | None, typer.Option(min=1, help="Networks trained at a time.")] = None,
    data: RowsFile = None,
    test: TestFile = None,
    figure: Figure = None,
    force: Force = False,
    shelf: ShelfPlace = None,
    module: KnownModule = None,
    as_json: AsJson = False,
) -> None:
    """Vary one hyperparameter around a network: what is too low, good, too high.

    Several networks for each value, with the same seeds, on the rows that its study searched on.
    It is an experiment: all else is held. Ctrl-C once: compare what was trained; twice: leave now.
    """
    settings = parse_settings(given)
    console = make_console(stderr=as_json)

    from modelshelf.insight.figures.probe import probe_figure
    from modelshelf.insight.figures.theme import page_name, write
    from modelshelf.study.progress import Stopper
    from modelshelf.understanding.probe import probe as run

    page_name(figure, force=force)
    stopper = Stopper()
    with Growing(console, vary) as live, signals(stopper, live):
        found = run(
            barcode,
            vary,
            values=_values(vary, values),
            points=points,
            seeds=seeds,
            changes=settings,
            time_limit=time_limit,
            seed=seed,
            workers=workers,
            shelf=shelf,
            data=data,
            test=test,
            watcher=live,
            stopper=stopper,
        )
    _tell(console, found, shelf, stopped=stopper.requested)
    if figure is not None:
        write(probe_figure(found), figure)
        console.print(safe(f"The figure is in {figure}."))
    if as_json:
        told = {**asdict(found), "sentences": list(found.sentences)}
        typer.echo(json_line(told))
    if stopper.requested:
        raise typer.Exit(130)


def _values(vary: str, text: str | None) -> list[object] | None:
    """Values from `a,b,c`; lists of widths are parted by `;`, for they hold commas themselves."""
    if text is None:
        return None
    parts = [each.strip() for each in text.split(";" if vary == "hidden_layers" else ",")]
    if vary == "hidden_layers":
        return [() if each.lower() == "none" else each for each in parts]
    return [read_value(vary, each) for each in parts]


def _tell(console: Console, found: Probe, shelf: str | None, *, stopped: bool) -> None:
    around = f" with {', '.join(f'{k}={v}' for k, v in found.held.items())}" if found.held else ""
    console.print(
        safe(
            f"{found.vary} around {found.barcode}{around} ({found.study}): "
            f"{counted(found.seeds, 'seed')} a value, "
            f"{counted(found.training_rows, 'training row')}, judged by {found.loss} on "
            f"{counted(found.validation_rows, 'validation row')}."
        )
    )
    console.print()
    for line in lines_of(found, room(console)):
        console.print(line)
    console.print()
    for sentence in found.sentences:
        console.print(safe(sentence))
    for note in found.notes:
        console.print(safe(note), style="dim")
    console.print(
        "An experiment: all else was held, and seeds are paired. The best epoch of each network "
        "was chosen by the rows that judge it.",
        style="dim",
    )
    if found.left_out:
        why = "it was stopped" if stopped else "there was no time"
        console.print(
            f"{found.left_out} of {counted(found.wanted, 'network')} "
            f"{'was' if found.left_out == 1 else 'were'} left out: {why}. The same command goes on "
            f"with {'it' if found.left_out == 1 else 'them'}.",
            style="yellow",
        )
    own = next((each for each in found.points if each.own), None)
    if found.best is not None and own is not None and own.verdict in _BAD:
        put(console, command(_train(found, shelf), room(console), "Train it so: "))


def _train(found: Probe, shelf: str | None) -> str:
    """The command that trains the network with the best value."""
    assert found.best is not None
    changes = {**found.held, **found.best.changes}
    settings = [w for k, v in changes.items() for w in ("--set", f"{k}={typed_value(v)}")]
    return typed("train", "--like", found.barcode[:9], *settings, shelf=shelf)
