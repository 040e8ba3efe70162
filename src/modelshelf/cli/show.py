"""`modelshelf show`: one network."""

from __future__ import annotations

import math
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from modelshelf.cli.options import AsJson, ShelfPlace, make_console
from modelshelf.cli.show_objective import show_objective
from modelshelf.cli.words import barcode_text, chart, in_words, json_line, number, safe, typed
from modelshelf.core.errors import ShelfError

__all__ = ["show"]

_WHY = {
    "search": "trained by the search, and judged on the study's validation rows",
    "retest": "a finalist's re-test, on a fresh split and seed",
    "confirm": "the winner once more, scored on rows that chose nothing",
    "refit": "the winner, trained on all training rows",
    "train": "trained by name, without a search",
    "probe": "trained by a probe, beside others that differ from it in one setting",
}


def show(
    barcode: Annotated[str, typer.Argument(help="A barcode or copy id, or how it begins.")],
    svg: Annotated[
        Path | None, typer.Option(help="Write the drawn barcode to this SVG file.")
    ] = None,
    shelf: ShelfPlace = None,
    as_json: AsJson = False,
) -> None:
    """Show one network: its settings, scores, learning curve, size, time and barcode."""
    from modelshelf.shelf import Shelf
    from modelshelf.shelf.best import best_copy
    from modelshelf.space.barcode import svg as drawn
    from modelshelf.space.configuration import Configuration

    console = make_console(stderr=as_json)
    with Shelf.open(shelf) as opened:
        trial = best_copy(opened, barcode)
        study = opened.study(trial.study)
        points = opened.curve(trial.study, trial.number)
        copies = opened.resolve(trial.barcode)
    configuration = Configuration.from_json(trial.configuration)
    if svg is not None:
        try:
            svg.write_text(drawn(configuration), encoding="utf-8")
        except OSError as error:
            raise ShelfError(f"The barcode cannot be written to {str(svg)!r}: {error}.") from None
    winner = study.result["winner"] if study.result else {}
    winner = winner if winner.get("barcode") == trial.barcode else {}
    if as_json:
        found = {**asdict(trial), "curve": [asdict(p) for p in points], "winner": winner or None}
        typer.echo(json_line(found))
        return
    if study.is_objective:
        show_objective(console, trial, study, points, configuration)
        return
    console.print(
        Text(trial.barcode, style="bold green").append("  ").append(barcode_text(configuration))
    )
    console.print(in_words(trial.configuration))
    console.print()
    console.print(_facts(trial, study, winner, len(copies)))
    console.print()
    console.print(_settings(configuration))
    if points:
        console.print()
        for line in chart(points, width=max(20, min(60, console.width - 14))):
            console.print(line)
    console.print()
    out = ("NEW.csv", "--out", "predictions.csv")
    console.print(f"Use it: {typed('predict', trial.barcode[:9], *out, shelf=shelf)}")


def _facts(trial: Any, study: Any, winner: dict[str, Any], copies: int) -> Table:
    table = Table(box=None, show_header=False, padding=(0, 3, 0, 0))
    table.add_column(style="dim")
    table.add_column()
    what = f"{_WHY[trial.purpose.value]} ({trial.status.value})"
    table.add_row("this copy", f"{trial.copy}, {what}")
    if copies > 1:
        table.add_row("copies", f"{copies} networks of this barcode are on the shelf")
    table.add_row("study", safe(study.name))
    if winner:
        spread = winner["validation_std"]
        table.add_row(
            "winner",
            f"validation {study.metric} {number(winner['validation'])}"
            + (f" ± {number(spread)}" if spread is not None else "")
            + f" over {winner['retests']} re-tests, test {number(winner['test'])}",
        )
    if math.isfinite(trial.score):
        table.add_row(f"validation {study.metric}", number(trial.score))
        table.add_row("validation loss", number(trial.loss))
    table.add_row("epochs", f"{trial.epoch}, the best of them {trial.best_epoch}")
    table.add_row(
        "size", f"{trial.parameters:,} weights, {trial.size / 1024:,.0f} KiB on the shelf"
    )
    table.add_row("time", f"{trial.seconds:.2f} s on one core, {trial.steps:,} steps")
    if trial.reason:
        table.add_row("reason", trial.reason)
    return table


def _settings(configuration: Any) -> Table:
    from modelshelf.space.catalogue import lookup

    table = Table(box=None, padding=(0, 3, 0, 0), header_style="dim")
    table.add_column("hyperparameter")
    table.add_column("value")
    table.add_column("what it is", style="dim", overflow="fold")
    for name, value in configuration.items():
        shown = ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
        table.add_row(name, shown, lookup(name).meaning)
    return table
