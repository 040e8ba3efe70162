"""`modelshelf dissect`: one network taken apart."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.text import Text

from modelshelf.cli.dissect_view import columns_table, layers_table, row_lines
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
from modelshelf.cli.panel import looking
from modelshelf.cli.words import json_line, number, safe, typed
from modelshelf.core.errors import SettingError, nearest
from modelshelf.core.words import counted

if TYPE_CHECKING:
    from modelshelf.insight.dissection import Dissection

__all__ = ["dissect"]

_LANGUAGES = ("numpy", "torch")


def dissect(
    barcode: Annotated[str, typer.Argument(help="A barcode or copy id, or how it begins.")],
    row: Annotated[
        int | None,
        typer.Option(help="A row of the study's table; the first below its header is 1."),
    ] = None,
    step: Annotated[
        str | None,
        typer.Option(help="Print the first training step as a program: numpy, torch."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="With --step: a folder for the program and the arrays that it reads."),
    ] = None,
    seed: Annotated[int, typer.Option(callback=seed_of, help="Draws rows and permutations.")] = 0,
    data: RowsFile = None,
    test: TestFile = None,
    figure: Figure = None,
    force: Force = False,
    shelf: ShelfPlace = None,
    module: KnownModule = None,
    as_json: AsJson = False,
) -> None:
    """Take one network apart: layers as drawn and trained, columns, one row, one training step."""
    console = make_console(stderr=as_json)
    if step is not None:
        if row is not None or figure is not None:
            raise SettingError("--step is a program: --row and --figure have no part in it.")
        _step(console, barcode, step, out, shelf, data, test, force=force, as_json=as_json)
        return
    if out is not None:
        raise SettingError("--out is the folder of --step numpy or --step torch: add one of them.")
    from modelshelf.insight.figures.theme import page_name, write
    from modelshelf.understanding.dissect import dissect as taken_apart

    page_name(figure, force=force)
    with looking(console):
        found = taken_apart(barcode, row=row, shelf=shelf, data=data, test=test, seed=seed)
    _tell(console, found, shelf)
    if figure is not None:
        from modelshelf.insight.figures.dissection import dissection_figure

        write(dissection_figure(found), figure)
        console.print(safe(f"The figure is in {figure}."))
    if as_json:
        typer.echo(json_line({**asdict(found), "sentences": found.sentences}))


def _tell(console: Console, found: Dissection, shelf: str | None) -> None:
    title = Text(found.barcode, style="bold green")
    console.print(
        title.append(f"  {counted(found.parameters, 'weight')}, {found.activation}", style="dim")
    )
    drawn = f"{found.rows:,} of {found.of:,}" if found.rows < found.of else f"{found.rows:,}"
    sent = f"{drawn} {found.part} rows of the study {found.study} were sent through it."
    console.print(safe(sent), style="dim")
    console.print()
    console.print(layers_table(found, room(console)))
    console.print(
        f"{_legend(found)}∇ sums: gradient of a row's loss by the layer's sums. ∇ weights: of the "
        "mean loss by the weights. norm: of the weights; a step: the share of it that one step at "
        "the full learning rate changes.",
        style="dim",
    )
    console.print()
    for sentence in found.sentences:
        console.print(safe(sentence))
    for note in found.notes:
        console.print(safe(note), style="dim")
    console.print()
    console.print(columns_table(found, room(console)))
    worth = found.importance
    rows = f"{worth.rows:,} of {worth.of:,}" if worth.rows < worth.of else f"{worth.rows:,}"
    console.print(
        f"Each column of {rows} {worth.part} rows was shuffled "
        f"{counted(worth.repeats, 'time')}; with all columns {worth.metric} is "
        f"{number(worth.score)} there. Columns that say the same stand in for each other, and then "
        "lose little.",
        style="dim",
    )
    if found.row is not None:
        console.print()
        for line in row_lines(found.row, room(console)):
            console.print(line)
    console.print()
    row = ["--row", "1"] if found.row is None else []
    more = [each for each in (row, ["--step", "numpy", "--out", "step"]) if each]
    for i, words in enumerate(more):
        next_one = typed("dissect", found.barcode[:9], *words, shelf=shelf)
        put(console, command(next_one, room(console), "      " if i else "Next  "))


def _legend(found: Dissection) -> str:
    bounded = any(each.trained.saturated is not None for each in found.layers)
    return "flat: share of outputs whose slope is below 2 % of the steepest. " if bounded else ""


def _step(
    console: Console,
    barcode: str,
    language: str,
    out: Path | None,
    shelf: str | None,
    data: str | None,
    test: str | None,
    *,
    force: bool,
    as_json: bool,
) -> None:
    """Print the program, and write it with its arrays where a folder is given."""
    if language not in _LANGUAGES:
        raise SettingError(f"--step {language!r}: {nearest(language, _LANGUAGES)}")
    from modelshelf.understanding.step import training_step

    found = training_step(barcode, shelf=shelf, data=data, test=test)
    program = found.program(language)
    path = None if out is None else found.write(out, language, force=force)
    if as_json:
        told = {"program": program, "left_out": found.form.left_out, "file": path and str(path)}
        typer.echo(json_line(told))
        return
    typer.echo(program, nl=False)
    notes = make_console(stderr=True)
    if path is None:
        notes.print("It reads step.npz: --out FOLDER writes both.", style="dim")
    else:
        notes.print(safe(f"{path} and its arrays are written. Run it there: python {path.name}"))
