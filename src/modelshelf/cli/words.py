"""Sentences and small drawings for the terminal."""

from __future__ import annotations

import json
import math
import shlex
import unicodedata
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from modelshelf.core.records import CurvePoint
from modelshelf.core.words import finite, number
from modelshelf.space.barcode import stripes
from modelshelf.space.configuration import Configuration
from modelshelf.space.words import in_words, short
from modelshelf.study.words import explained, label, tested

if TYPE_CHECKING:
    from modelshelf.study.result import StudyResult

__all__ = [
    "barcode_text",
    "chart",
    "in_words",
    "json_line",
    "number",
    "result_lines",
    "safe",
    "short",
    "typed",
    "typed_value",
]

_HUES = {
    "structure": "cyan",
    "training": "magenta",
    "regularisation": "yellow",
    "preparation": "green",
    "text": "blue",
    "images": "red",
    "module": "white",
}
_BARS = "▏▎▍▌▋▊▉"  # none fills its cell, so that stripes stay apart


def safe(text: object) -> Text:
    """Text from data, shown as it is: no markup is obeyed, and no control character is sent."""
    shown = (
        c if c == "\n" or unicodedata.category(c) not in ("Cc", "Cf") else "�" for c in str(text)
    )
    return Text("".join(shown))


def barcode_text(configuration: Configuration) -> Text:
    """The barcode's stripes: one for each active hyperparameter, wider further up its domain."""
    text = Text()
    for stripe in stripes(configuration):
        bar = _BARS[min(int(stripe.position * len(_BARS)), len(_BARS) - 1)]
        text.append(bar, style=_HUES[stripe.group])
    return text


def chart(points: Sequence[CurvePoint], width: int = 60, height: int = 10) -> list[Text]:
    """Training and validation loss over epochs, drawn with characters."""
    series = {
        "·": [(p.epoch, p.train_loss) for p in points if math.isfinite(p.train_loss)],
        "●": [(p.epoch, p.validation_loss) for p in points if math.isfinite(p.validation_loss)],
    }
    values = [y for each in series.values() for _, y in each]
    if not values:
        return [Text("no finite loss to draw")]
    low, high = min(values), max(values)
    # Where losses span decades, the first epochs would flatten all others: use a log scale.
    bend = math.log if low > 0 and high > 20 * low else float
    top, span = bend(high), (bend(high) - bend(low)) or 1.0
    first, last = points[0].epoch, points[-1].epoch
    grid = [[" "] * width for _ in range(height)]
    for mark, each in series.items():
        for x, y in each:
            column = round((x - first) / max(last - first, 1) * (width - 1))
            row = round((top - bend(y)) / span * (height - 1))
            grid[row][column] = mark
    lines = []
    for i, row_marks in enumerate(grid):
        label = number(high) if i == 0 else number(low) if i == height - 1 else ""
        line = Text(f"{label:>10} │")
        for mark in row_marks:
            line.append(mark, style="cyan" if mark == "●" else "dim")
        lines.append(line)
    lines.append(Text(f"{'':>10} └" + "─" * width))
    lines.append(Text(f"{'':>11} epoch {first}{'':>{max(width - 18, 1)}}epoch {last}"))
    scale = "   (log scale)" if bend is math.log else ""
    held = "● validation loss   " if series["●"] else ""
    lines.append(Text(f"{'':>11} {held}· training loss{scale}"))
    return lines


def json_line(told: object) -> str:
    """One line of JSON for `--json`: tuples are lists, dates text, what is not finite null."""
    return json.dumps(finite(told), ensure_ascii=False, default=str)


def typed(*words: str, shelf: str | None) -> str:
    """A command that a person can type as it stands, on the same shelf."""
    command = shlex.join(["modelshelf", *words, *(["--shelf", shelf] if shelf else [])])
    return safe(command).plain


def typed_value(value: object) -> str:
    """A setting's value as `--set` takes it.

    >>> typed_value((64, 32)), typed_value(()), typed_value(0.001)
    ('64,32', 'none', '0.001')
    """
    if isinstance(value, tuple):
        return ",".join(map(str, value)) or "none"
    return str(value)


def result_lines(
    result: StudyResult, command: str, shelf: str | None, module: str | None = None
) -> Iterator[Text | Table | str]:
    """What a person reads at the end of a study.

    `shelf` and `module` are what `--shelf` and `--module` said, if they were said.
    """
    configuration = Configuration.from_json(result.winner.configuration)
    name = result.winner.barcode
    yield ""
    if result.reused:
        yield Text(
            "This study was finished before; here is its result. A longer --time or more "
            "--trials goes on with it.",
            style="yellow",
        )
    title = "Winner" if result.complete else "Best so far"
    yield (
        Text(f"{title}  ", style="bold")
        .append(name, style="bold green")
        .append("  ")
        .append(barcode_text(configuration))
    )
    yield in_words(result.winner.configuration)
    yield ""
    yield _scores(result)
    yield ""
    for sentence, caution in explained(result):
        yield Text(sentence, style="yellow") if caution else sentence
    yield safe(f"All of them are on the shelf {result.shelf}, in the study {result.study}.")
    yield ""
    if result.complete:
        show = typed("show", name[:9], shelf=shelf)
        out = ("--out", "predictions.csv", *(("--module", module) if module else ()))
        predict = typed("predict", name[:9], "NEW.csv", *out, shelf=shelf)
        yield Text("Next  ", style="bold").append(show)
        yield f"      {predict}"
        if result.ensemble is not None and result.ensemble.size > 1:
            whole = ("predict", "NEW.csv", "--ensemble", result.study)
            yield f"      {typed(*whole, *out, shelf=shelf)}"
        if result.bag is not None:
            whole = ("predict", "NEW.csv", "--bag", result.study)
            yield f"      {typed(*whole, *out, shelf=shelf)}"
    else:
        yield Text("To go on, type the same command again:  ", style="bold").append(command)


def _scores(result: StudyResult) -> Table:
    winner = result.winner
    table = Table(box=None, padding=(0, 3, 0, 0), header_style="dim")
    table.add_column(result.metric)
    table.add_column("validation")
    table.add_column("test")
    spread = f" ± {number(winner.validation_std)}" if math.isfinite(winner.validation_std) else ""
    test = tested(winner.test, winner.test_interval)
    table.add_row("this network", number(winner.validation) + spread, test, style="bold")
    found = result.ensemble
    if found is not None and found.size > 1:
        test = tested(found.test, found.test_interval)
        table.add_row(f"ensemble of {found.size} networks", number(found.validation), test)
    if result.bag is not None:
        test = tested(result.bag.test, result.bag.test_interval)
        table.add_row(f"this network, {result.bag.size} folds", "", test)
    for each in result.baselines:
        table.add_row(label(each), number(each.validation), number(each.test))
    return table
