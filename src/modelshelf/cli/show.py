"""`modelshelf show`: one network."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from modelshelf.cli.layout import Column, command, facts, grid, put, room
from modelshelf.cli.options import AsJson, Force, ShelfPlace, make_console
from modelshelf.cli.show_objective import show_objective
from modelshelf.cli.words import barcode_text, chart, in_words, json_line, number, safe, typed
from modelshelf.core.files import refuse, write_text
from modelshelf.core.words import counted

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
    force: Force = False,
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
        refuse(svg, "--svg", force=force)
        write_text(svg, drawn(configuration))
    winner = study.winner
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
    console.print(facts(_facts(trial, study, winner, len(copies)), room(console)))
    console.print()
    console.print(_settings(configuration, room(console)))
    if points:
        console.print()
        for line in chart(points, width=max(20, min(60, console.width - 14))):
            console.print(line)
    console.print()
    out = ("NEW.csv", "--out", "predictions.csv")
    use = typed("predict", trial.barcode[:9], *out, shelf=shelf)
    put(console, command(use, room(console), "Use it: "))


def _facts(
    trial: Any, study: Any, winner: dict[str, Any], copies: int
) -> Iterator[tuple[str, str | Text]]:
    yield "this copy", f"{trial.copy}, {_WHY[trial.purpose.value]} ({trial.status.value})"
    if copies > 1:
        yield "copies", f"{copies} networks of this barcode are on the shelf"
    yield "study", safe(study.name)
    if winner:
        yield "winner", _won(study.metric, winner)
    if math.isfinite(trial.score):
        yield f"validation {study.metric}", number(trial.score)
        yield "validation loss", number(trial.loss)
    yield "epochs", f"{trial.epoch}, the best of them {trial.best_epoch}"
    size = counted(trial.parameters, "weight")
    yield "size", f"{size}, {trial.size / 1024:,.0f} KiB on the shelf"
    yield "time", f"{trial.seconds:.2f} s on one core, {counted(trial.steps, 'step')}"
    if trial.reason:
        yield "reason", safe(trial.reason)


def _won(metric: str, winner: dict[str, Any]) -> str:
    """The scores for which the study chose it."""
    spread, retests = winner["validation_std"], counted(winner["retests"], "re-test")
    around = f" ± {number(spread)}" if spread is not None else ""
    validation = f"validation {metric} {number(winner['validation'])}{around} over {retests}"
    return f"{validation}, test {number(winner['test'])}"


def _settings(configuration: Any, width: int) -> Text:
    from modelshelf.space.catalogue import lookup

    columns = Column("hyperparameter"), Column("value"), Column("what it is", drop=1, wraps=True)
    rows = []
    for name, value in configuration.items():
        shown = ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
        rows.append((name, shown, Text(lookup(name).meaning, style="dim")))
    return grid(columns, rows, width)
