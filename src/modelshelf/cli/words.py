"""Sentences and small drawings for the terminal."""

from __future__ import annotations

import json
import math
import shlex
import sys
from collections.abc import Sequence

from rich.text import Text

from modelshelf.core.records import CurvePoint
from modelshelf.core.words import finite, number, printable
from modelshelf.space.barcode import stripes
from modelshelf.space.configuration import Configuration
from modelshelf.space.words import in_words, short

__all__ = [
    "barcode_text",
    "chart",
    "in_words",
    "json_line",
    "number",
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
    return Text(printable(str(text)))


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
    """One line of JSON for `--json`: tuples are lists, dates text, what is not finite null.

    Characters that standard output cannot take, or that steer a terminal, are escaped, as JSON
    allows.
    """
    line = json.dumps(finite(told), ensure_ascii=False, default=str)
    if not line.isprintable():
        line = "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in line)
    try:
        line.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        return json.dumps(finite(told), default=str)
    return line


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
