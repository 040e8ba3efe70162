"""`modelshelf explain`: which settings mattered in a study, and what each traded for what."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from modelshelf.cli.layout import Column, command, grid, put, room, wrapped
from modelshelf.cli.options import (
    AsJson,
    Figure,
    Force,
    KnownModule,
    ShelfPlace,
    make_console,
    seed_of,
)
from modelshelf.cli.words import json_line, safe, typed
from modelshelf.core.words import counted

if TYPE_CHECKING:
    from modelshelf.insight.course.finding import CourseRow
    from modelshelf.insight.explanation import Explanation
    from modelshelf.insight.importance import Importance

__all__ = ["explain"]

_SHOWN = 10  # settings listed
_BARS = 20  # characters of a whole bar
_STEPS = " ▁▂▃▄▅▆▇█"
_STYLES = {
    "seen here": "green",
    "otherwise here": "yellow",
    "both for and against": "yellow",
    "too little evidence": "dim",
}


def explain(
    study: Annotated[
        str | None,
        typer.Argument(help="A study's name, or how it begins.  [default: the only one]"),
    ] = None,
    evidence: Annotated[
        bool, typer.Option("--evidence", help="With each sentence, the networks it rests on.")
    ] = False,
    seed: Annotated[
        int, typer.Option(callback=seed_of, help="Halves of the networks follow from it.")
    ] = 0,
    figure: Figure = None,
    force: Force = False,
    shelf: ShelfPlace = None,
    module: KnownModule = None,
    as_json: AsJson = False,
) -> None:
    """Tell which settings mattered in a study, which way, and what each traded for what.

    Nothing is trained: it rests on the networks that the study's search has put on the shelf.
    """
    from modelshelf.insight.figures.theme import page_name, write
    from modelshelf.understanding.explain import explain as run

    page_name(figure, force=force)
    console = make_console(stderr=as_json)
    found = run(study or _only(shelf), shelf, seed=seed)
    _tell(console, found, evidence, shelf)
    if figure is not None:
        from modelshelf.insight.figures.explanation import explanation_figure

        write(explanation_figure(found), figure)
        console.print(safe(f"The figure is in {figure}."))
    if as_json:
        typer.echo(json_line(_told(found)))


def _only(shelf: str | None) -> str:
    """The shelf's only study that searched; `ShelfError` where there are several, or none."""
    from modelshelf.core.errors import ShelfError
    from modelshelf.shelf import Shelf

    with Shelf.open(shelf) as opened:
        names = [each.name for each in opened.studies() if "space" in each.settings]
    if len(names) != 1:
        known = ", ".join(names) or "none: `modelshelf tune` makes one"
        raise ShelfError(f"Name the study to explain. On this shelf are: {known}.")
    return names[0]


def _told(found: Explanation) -> dict[str, Any]:
    told = asdict(found)
    for row, each in zip(told["rows"], found.rows, strict=True):
        row["verdict"] = each.verdict.value
    return told


def _tell(console: Console, found: Explanation, evidence: bool, shelf: str | None) -> None:
    few = f", {found.looked_at:,} of them looked at" if found.looked_at < found.networks else ""
    networks = counted(found.networks, "network")
    console.print(safe(f"{found.study}: {networks}{few}, by {found.metric}"))
    console.print()
    if not found.importances:
        console.print(
            "These networks do not tell which settings mattered: they are too few, or one half of "
            "them says other than the other. More of them would tell.",
            style="yellow",
        )
    else:
        console.print(_table(found.importances, room(console)))
        rest = len(found.importances) - _SHOWN
        if rest > 0:
            console.print(f"{rest} more explain{'s' if rest == 1 else ''} less.", style="dim")
        console.print(_how_to_read(), style="dim")
    for pair in found.interactions[:3]:
        console.print(
            f"{pair.first} and {pair.second} hang together: {pair.share:.0%} of the differences "
            "come from neither alone.",
        )
    for row in found.rows:
        console.print()
        for line in _row(row, found, evidence, shelf, room(console)):
            put(console, line)
    for note in found.notes:
        console.print(safe(note), style="yellow")


def _how_to_read() -> str:
    return (
        "Share of the differences between networks that a setting explains by itself, and together "
        "with others; 95 % intervals. From low to high: how good its values are, on average over "
        "the whole space."
    )


def _table(importances: tuple[Importance, ...], width: int) -> Text:
    columns = (
        Column("setting"),
        Column("alone", right=True),
        Column("", drop=3),
        Column("with others", right=True, drop=1),
        Column("from low to high", drop=2),
    )
    rows = []
    for each in importances[:_SHOWN]:
        low, high = each.alone_interval
        alone = f"{max(each.alone, 0):.0%} ({max(low, 0):.0%} to {max(high, 0):.0%})"
        bar = Text("█" * round(_BARS * min(max(each.alone, 0), 1)) or "▏", style="cyan")
        levels = _levels(each) if each.sure else Text("no sure effect", style="dim")
        rows.append((each.name, alone, bar, f"{max(each.total, 0):.0%}", levels))
    styles = ["" if each.sure else "dim" for each in importances[:_SHOWN]]
    return grid(columns, rows, width, styles)


def _levels(each: Importance) -> Text:
    """A small column for each value, the higher the better; names with the best first."""
    stands = [level.standing for level in each.levels]
    low, high = min(stands), max(stands)
    if not each.ordered:
        order = sorted(each.levels, key=lambda level: level.standing)
        return Text(" > ".join(level.label for level in order))
    heights = [1 + round(7 * (high - s) / max(high - low, 1e-9)) for s in stands]
    drawn = "".join(_STEPS[height] for height in heights)
    return Text(f"{each.levels[0].label} {drawn} {each.levels[-1].label}")


def _row(
    row: CourseRow, found: Explanation, evidence: bool, shelf: str | None, width: int
) -> Iterator[Text]:
    verdict = row.verdict.value
    head = Text(f"{row.name[0].upper()}{row.name[1:]}", style="bold")
    yield head.append(f"  {verdict}", style=_STYLES[verdict])
    yield from wrapped(Text(f"The course: {row.course}", style="dim"), width, indent=2)
    for each in row.findings:
        yield from wrapped(each.says, width, indent=2)
        if evidence:
            yield from wrapped(Text(_rests_on(each.trials, found), style="dim"), width, indent=4)
    if verdict == "too little evidence" and row.probe:
        typed_so = typed("probe", found.best[:9], "--vary", row.probe, shelf=shelf)
        line = command(typed_so, width, "  An experiment would tell: ")
        line.stylize("dim")
        yield line


def _rests_on(trials: tuple[int, ...], found: Explanation) -> str:
    names = [f"{number}:{found.barcodes[number][:9]}" for number in trials]
    return f"rests on {len(names)}: {' '.join(names)}"
