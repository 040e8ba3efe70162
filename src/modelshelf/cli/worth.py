"""`modelshelf worth`: is a deep network worth it here?"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from modelshelf.cli.layout import Column, command, grid, put, room
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
from modelshelf.cli.panel import Panel
from modelshelf.cli.words import json_line, number, safe, typed
from modelshelf.core.words import counted

if TYPE_CHECKING:
    from modelshelf.insight.worth import Contender, CurveOverRows, Worth

__all__ = ["worth"]

_DRAWING = 2.0  # seconds kept for the figure
_BEAT = 5.0  # seconds between two plain lines


def worth(
    study: Annotated[str, typer.Argument(help="A study's name, or how it begins.")],
    limit: Annotated[
        str, typer.Option("--time", help="Time for everything, such as 60s or 5m.")
    ] = "60s",
    seed: Annotated[
        int, typer.Option(callback=seed_of, help="Every random draw follows from it.")
    ] = 0,
    data: RowsFile = None,
    test: TestFile = None,
    figure: Figure = None,
    force: Force = False,
    shelf: ShelfPlace = None,
    module: KnownModule = None,
    as_json: AsJson = False,
) -> None:
    """Say whether a deep network is worth it here, against plain models, and what more rows bring.

    The winner and the ensemble against one answer for all, a linear model, nearest neighbours and
    gradient boosting: scores on the same rows with intervals, time, size. A look at test rows is
    counted in the study.
    """
    began = time.monotonic() - time.process_time()  # the program's start counts too
    from modelshelf.insight.figures.theme import page_name, write
    from modelshelf.study.budget import parse_time
    from modelshelf.understanding.worth import worth as judged

    page_name(figure, force=force)
    console = make_console(stderr=as_json)
    seconds = parse_time(limit)
    with _Told(console) as told:
        spent = time.monotonic() - began + (_DRAWING if figure is not None else 0.0)
        left = max(seconds - spent, 0.1)
        found = judged(
            study, shelf=shelf, data=data, test=test, time_limit=left, seed=seed, progress=told
        )
    for block in _view(found, shelf, room(console)):
        put(console, block)
    if figure is not None:
        from modelshelf.insight.figures.worth import figure as drawn

        write(drawn(found), figure)
        console.print(f"Drawn in {figure}.")
    if as_json:
        typer.echo(json_line({**asdict(found), "told": found.told, "deep": found.deep}))


class _Told(Panel):
    """What is being done: one line that changes on a terminal, a line now and then elsewhere."""

    _said = -math.inf

    def __call__(self, what: str, over: float) -> None:
        line = f"[{100 * over:3.0f} % of the time] {what}"
        if self.is_live:
            self.draw([Text(line)])
        elif time.monotonic() - self._said >= _BEAT:
            self._said = time.monotonic()
            self.console.print(line)


def _view(found: Worth, shelf: str | None, width: int) -> Iterator[Any]:
    yield ""
    title = "Worth it" if found.deep else "Not worth a deep network"
    if not found.told:
        title = "Cannot be told"
    yield Text(title, style="bold green" if found.deep else "bold yellow").append_text(
        safe(f"  {found.study}, the network {found.barcode}")
    )
    yield from found.advice
    yield ""
    yield _contenders(found, width)
    yield from _how(found)
    if found.curves:
        yield ""
        yield _curves(found, width)
    if found.left_out:
        left = ", ".join(found.left_out)
        yield Text(f"Left out for want of time: {left}. Give it more --time.", style="yellow")
    for note in found.notes:
        yield Text(safe(note).plain, style="yellow")
    yield ""
    yield command(typed("show", found.barcode[:9], shelf=shelf), width, "Next  ")


def _contenders(found: Worth, width: int) -> Text:
    columns = (
        Column("model"),
        Column(found.metric),
        Column("less the network's (95 %)"),
        Column("fitted", right=True, drop=3),
        Column("1,000 answers", right=True, drop=2),
        Column("numbers", right=True, drop=1),
        Column("size", right=True, drop=4),
    )
    rows, styles = [], []
    for each in found.contenders:
        chosen = each.name == found.choice.name
        rows.append((f"{'★ ' if chosen else '  '}{each.name}", *_cells(each)))
        styles.append("bold green" if chosen else "")
    return grid(columns, rows, width, styles)


def _cells(each: Contender) -> list[str]:
    apart = "–"
    if each.to_network is not None:
        it = each.to_network
        said = ("better" if it.better > 0 else "worse") if it.told else "alike"
        sign = "+" if it.value >= 0 else "-"
        apart = f"{sign}{number(abs(it.value))} ({number(it.low)} to {number(it.high)}) {said}"
    fit = f"{each.fit_seconds:.2f} s" if math.isfinite(each.fit_seconds) else "–"
    return [
        f"{number(each.score)} ({number(each.interval[0])} to {number(each.interval[1])})",
        apart,
        fit,
        f"{1000 * each.answer_seconds:.2f} ms",
        f"{each.parameters:,}",
        f"{each.bytes / 1024:,.1f} KiB",
    ]


def _how(found: Worth) -> Iterator[Text]:
    drawn = f", drawn of {found.drawn_from:,}" if found.drawn_from > found.row_count else ""
    seconds = found.search_seconds
    searched = f": its study took {seconds:.0f} s to find it" if seconds else ""
    yield Text(
        f"All answered the same {counted(found.row_count, f'{found.rows} row')}{drawn}. "
        f"Differences: {found.method}. Plain models have their defaults, and "
        f"{counted(found.fitted_on, 'row')} to learn from. All times are of one core; the "
        f"network's is that of its own training{searched}. "
        "Numbers: weights, coefficients, leaves, or what is kept."
        + "".join(
            f" {each.name.capitalize()}: {each.note}." for each in found.contenders if each.note
        ),
        style="dim",
    )
    if found.test_uses > 1:
        yield Text(
            f"The test rows have now been looked at {found.test_uses} times: the more often, the "
            "less they say.",
            style="yellow",
        )


def _curves(found: Worth, width: int) -> Text:
    counts = sorted({point.rows for each in found.curves for point in each.points})
    columns = [Column(f"validation {found.metric} by rows")]
    # Where room is lacking, the fewest rows are left out first.
    columns += [Column(f"{n:,}", right=True, drop=len(counts) - i) for i, n in enumerate(counts)]
    columns.append(Column("twice the rows"))
    rows = []
    for each in found.curves:
        scores = {point.rows: number(point.score) for point in each.points}
        rows.append((each.name, *(scores.get(count, "–") for count in counts), _gain(each)))
    return grid(columns, rows, width)


def _gain(each: CurveOverRows) -> str:
    if each.more is None:
        return "cannot be told"
    if not each.more.rising:
        low, high = each.more.last
        return f"cannot be told (half to all: {number(low)} to {number(high)})"
    ends = f"({number(each.more.low)} to {number(each.more.high)})"
    if not each.more.told:
        return f"cannot be told {ends}"
    return f"better by {number(each.more.gain)} {ends}"
