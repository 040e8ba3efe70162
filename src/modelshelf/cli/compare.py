"""`modelshelf compare`: networks side by side."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from modelshelf.cli.layout import Column, grid, room, wrapped
from modelshelf.cli.options import (
    AsJson,
    Figure,
    Force,
    KnownModule,
    RowsFile,
    ShelfPlace,
    TestFile,
    make_console,
)
from modelshelf.cli.panel import looking
from modelshelf.cli.words import barcode_text, json_line, number, safe
from modelshelf.core.words import counted
from modelshelf.space.configuration import Configuration

if TYPE_CHECKING:
    from modelshelf.insight.comparison import Comparison, Disagreement, Side, TellingRow
    from modelshelf.insight.paired import Difference

__all__ = ["Rows", "compare", "signed"]

_LETTERS = "ABCDEFGH"
_HUES = ("cyan", "magenta", "green", "yellow", "red", "blue", "white", "bright_black")
_HEIGHT = 10
_COLUMNS = 8  # of a row's values that are shown


class Rows(StrEnum):
    """Which rows networks are scored on."""

    VALIDATION = "validation"
    TEST = "test"


def compare(
    barcodes: Annotated[
        list[str], typer.Argument(help="Two to eight barcodes or copy ids, or how they begin.")
    ],
    rows: Annotated[
        Rows, typer.Option(help="The rows that score them; a look at test rows is counted.")
    ] = Rows.VALIDATION,
    everything: Annotated[
        bool, typer.Option("--all", help="Show all settings, not only those that differ.")
    ] = False,
    data: RowsFile = None,
    test: TestFile = None,
    figure: Figure = None,
    force: Force = False,
    shelf: ShelfPlace = None,
    module: KnownModule = None,
    as_json: AsJson = False,
) -> None:
    """Compare networks: settings, learning curves, scores on the same rows, answers, costs.

    Each difference to the first network has an interval, from rows that trained none of them.
    """
    from modelshelf.insight.figures.theme import page_name, write
    from modelshelf.understanding.compare import compare as compared

    page_name(figure, force=force)
    console = make_console(stderr=as_json)
    with looking(console):
        found = compared(barcodes, shelf=shelf, data=data, test=test, rows=rows.value)
    for block in _view(found, everything, room(console)):
        console.print(block)
    if figure is not None:
        from modelshelf.insight.figures.comparison import figure as drawn

        write(drawn(found), figure)
        console.print(f"Drawn in {figure}.")
    if as_json:
        typer.echo(json_line(asdict(found)))


def _view(found: Comparison, everything: bool, width: int) -> Iterator[Any]:
    for i, each in enumerate(found.networks):
        stripes = barcode_text(Configuration.from_json(each.configuration))
        line = Text(f"{_LETTERS[i]}  ", style=f"bold {_HUES[i]}")
        line.append(f"{each.barcode}  ").append(stripes)
        yield line.append(f"  {each.purpose} copy {each.copy}, study ").append(safe(each.study))
    yield ""
    yield from _settings(found, everything, width)
    yield ""
    yield _scores(found, width)
    yield from _how(found)
    yield ""
    yield from _curves(found.networks, max(20, min(70, width - 14)))
    if found.disagreements:
        yield ""
        yield from _apart(found, width)
    for note in found.notes:
        yield Text(safe(note).plain, style="yellow")


def _side_by_side(
    found: Comparison,
    head: str,
    rows: Sequence[tuple[str, Sequence[str]]],
    width: int,
    styles: Sequence[str] = (),
) -> Text:
    """A column for each network; where they are too many, what is said of them one by one."""
    columns = [Column(head)]
    columns += [Column(f"{_LETTERS[i]} {n.barcode[:9]}") for i, n in enumerate(found.networks)]
    cells: list[list[str | Text]] = [[Text(label, style="dim"), *of] for label, of in rows]
    return grid(columns, cells, width, styles)


def _settings(found: Comparison, everything: bool, width: int) -> Iterator[Text]:
    shown = [each for each in found.settings if everything or each.differs]
    if not shown:
        yield Text("All settings are the same: these are copies of one configuration.")
        return
    rows = [(each.name, [_value(value) for value in each.values]) for each in shown]
    styles = ["" if each.differs else "dim" for each in shown]
    yield _side_by_side(found, "setting", rows, width, styles)
    alike = len(found.settings) - len(shown)
    if alike:
        more = f"{counted(alike, 'more setting')} {'is' if alike == 1 else 'are'} the same in all"
        yield Text(f"{more} (--all shows them)", style="dim")


def _value(value: object) -> str:
    if value is None:
        return "–"
    return "×".join(map(str, value)) or "none" if isinstance(value, list) else str(value)


def _scores(found: Comparison, width: int) -> Text:
    rows: list[tuple[str, list[str]]] = []
    scored = [each.scored for each in found.networks]
    if found.rows:
        rows += [
            (f"{found.metric}, {found.rows} rows", [number(s.score) if s else "–" for s in scored]),
            ("  95 %", [_between(s.interval) if s else "–" for s in scored]),
            ("  less A's", [signed(s.difference) if s and s.difference else "–" for s in scored]),
            ("    95 %", [_told(s.difference) if s and s.difference else "–" for s in scored]),
        ]
    networks = found.networks
    rows += [
        ("own validation", [f"{each.metric} {number(each.validation)}" for each in networks]),
        ("status", [each.status for each in networks]),
        ("epochs, best", [f"{each.epoch}, {each.best_epoch}" for each in networks]),
        ("weights", [f"{each.parameters:,}" for each in networks]),
        ("on the shelf", [f"{each.bytes / 1024:,.0f} KiB" for each in networks]),
        ("multiply-adds a row", [f"{each.multiply_adds:,}" for each in networks]),
        ("1,000 answers", [_milliseconds(each.answer_seconds) for each in networks]),
        ("training", [f"{each.training_seconds:.2f} s" for each in networks]),
    ]
    return _side_by_side(found, "score", rows, width)


def signed(difference: Difference) -> str:
    """A difference with its sign, at a score's digits."""
    return f"{'+' if difference.value >= 0 else '-'}{number(abs(difference.value))}"


def _between(ends: tuple[float, float]) -> str:
    return f"{number(ends[0])} to {number(ends[1])}"


def _told(difference: Difference) -> str:
    """The interval of a difference, and what it says."""
    said = "alike"
    if difference.told:
        said = "better" if difference.better > 0 else "worse"
    return f"{number(difference.low)} to {number(difference.high)}: {said}"


def _milliseconds(seconds: float | None) -> str:
    return "–" if seconds is None else f"{1000 * seconds:.2f} ms"


def _how(found: Comparison) -> Iterator[Text]:
    if found.rows:
        drawn = f" drawn of {found.drawn_from:,}" if found.drawn_from > found.row_count else ""
        clean = "trained none" if found.rows == "validation" else "neither trained nor chose any"
        yield Text(
            f"Scores: {counted(found.row_count, f'{found.rows} row')}{drawn} that {clean} of these "
            f"networks. Differences: {found.method}.",
            style="dim",
        )
    if found.test_uses:
        times = counted(found.test_uses, "time")
        said = f"The test rows have now been looked at {times}."
        yield Text(said, style="yellow")
    yield Text(
        "Times are of one core; answers, of prepared rows, were timed just now.", style="dim"
    )


def _curves(networks: Sequence[Side], width: int) -> Iterator[Text]:
    """Validation losses over epochs, a letter for each network."""
    series = [
        [(p.epoch, p.validation_loss) for p in each.curve if math.isfinite(p.validation_loss)]
        for each in networks
    ]
    values = [loss for each in series for _, loss in each]
    if not values:
        yield Text("There is no validation loss to draw.", style="dim")
        return
    low, high = min(values), max(values)
    bend = math.log if low > 0 and high > 5 * low else float
    top, span = bend(high), (bend(high) - bend(low)) or 1.0
    last = max(epoch for each in series for epoch, _ in each)
    grid = [[-1] * width for _ in range(_HEIGHT)]
    for i in reversed(range(len(series))):  # the first lies on top
        for epoch, loss in series[i]:
            x = round((epoch - 1) / max(last - 1, 1) * (width - 1))
            grid[round((top - bend(loss)) / span * (_HEIGHT - 1))][x] = i
    for y, cells in enumerate(grid):
        label = number(high) if y == 0 else number(low) if y == _HEIGHT - 1 else ""
        line = Text(f"{label:>10} │")
        for i in cells:
            line.append(_LETTERS[i] if i >= 0 else " ", style=_HUES[i] if i >= 0 else "")
        yield line
    yield Text(f"{'':>10} └" + "─" * width)
    yield Text(f"{'':>11} epoch 1{'':>{max(width - 17, 1)}}epoch {last}")
    scale = ", a log scale" if bend is math.log else ""
    yield Text(f"{'':>11} validation loss{scale}", style="dim")


def _apart(found: Comparison, width: int) -> Iterator[Any]:
    for each in found.disagreements:
        yield _disagree(each, found)
    if found.telling:
        yield ""
        yield Text("Where they differ most:", style="bold")
        for row in found.telling:
            yield from _row(row, width)


def _disagree(each: Disagreement, found: Comparison) -> str:
    first, second = _LETTERS[each.first], _LETTERS[each.second]
    share, rows = 100 * each.rows / max(found.row_count, 1), counted(each.rows, "row")
    if found.task.is_classification:
        neither = f", neither on {each.neither:,}" if each.neither else ""
        return (
            f"{first} and {second} answer {rows} differently ({share:.1f} %): {first} "
            f"is right on {each.first_right:,}, {second} on {each.second_right:,}{neither}."
        )
    return (
        f"{first} and {second} are more than a tenth of the target's standard deviation apart on "
        f"{rows} ({share:.1f} %): {first} is closer on {each.first_right:,}, {second} "
        f"on {each.second_right:,}."
    )


def _row(row: TellingRow, width: int) -> Iterator[Text]:
    line = Text(f"row {row.row} of {safe(row.table)}, truly {_shown(row.target)}: ")
    for i, answer in enumerate(row.answers):
        line.append(f"{_LETTERS[i]} ", style=_HUES[i]).append(_shown(answer))
        if row.chances:
            line.append(f" ({100 * row.chances[i]:.0f} % for the truth)")
        line.append("  ")
    yield from wrapped(line, width, indent=2)
    shown = list(row.values.items())[:_COLUMNS]
    values = [f"{safe(name)} {_shown(value)}" for name, value in shown]
    more = f", and {len(row.values) - _COLUMNS} more" if len(row.values) > _COLUMNS else ""
    yield from wrapped(Text(f"{', '.join(values)}{more}", style="dim"), width, indent=4)


def _shown(value: object) -> str:
    if value is None:
        return "missing"
    if isinstance(value, float):
        return f"{value:,.6g}"
    return safe(value).plain
