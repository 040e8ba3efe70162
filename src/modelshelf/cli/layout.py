"""Tables and lines for a terminal of any width: no word is broken, and no number is cut.

Where a table is too wide, columns that matter least are left out; where that is not enough, each
row stands as a few lines. In a pipe there is room for everything.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

__all__ = ["Column", "command", "facts", "grid", "put", "room", "wrapped"]

Cell = str | Text
_GAP = 2  # columns between two cells
_ENDLESS = 10_000  # columns of a pipe
_LEAST = 20  # columns for a sentence; with less, it stands below its name
_WORD = re.compile(r"\S+")


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table."""

    head: str
    right: bool = False  #: aligned to the right
    drop: int = 0  #: where room is lacking, the highest goes first; 0 is never left out
    wraps: bool = False  #: of sentences, in as much room as there is; the last column may be


def room(console: Console) -> int:
    """How many columns a line may have."""
    return _ENDLESS if console.soft_wrap else console.width


def grid(
    columns: Sequence[Column],
    rows: Sequence[Sequence[Cell]],
    width: int,
    styles: Sequence[str] = (),
) -> Text:
    """A table without lines, in no more than `width`; `styles` are those of its rows.

    >>> columns = Column("name"), Column("n", right=True), Column("what", drop=1)
    >>> print(grid(columns, [("first", "10", "a word"), ("second", "7", "two")], 24).plain)
    name     n  what
    first   10  a word
    second   7  two
    >>> print(grid(columns, [("first", "10", "a word")], 12).plain)
    name    n
    first  10
    >>> print(grid(columns, [("first", "1,000,000", "a word")], 14).plain)
    name
    first
      n  1,000,000
      what
        a word
    """
    cells = [[_text(cell) for cell in row] for row in rows]
    widths = [
        max([cell_len(column.head), *(row[i].cell_len for row in cells)])
        for i, column in enumerate(columns)
    ]
    shown = _shown(columns, widths, width)
    if not shown:
        return Text("\n").join(_stacked(columns, cells, width, styles))
    if columns[shown[-1]].wraps:
        widths[shown[-1]] = width - sum(widths[i] + _GAP for i in shown[:-1])
    lines = [[Text(column.head, style="dim") for column in columns], *cells]
    return Text("\n").join(
        line
        for row, style in zip(lines, ["", *_padded(styles, cells)], strict=True)
        for line in _lines([(columns[i], widths[i], row[i]) for i in shown], style)
    )


def facts(pairs: Iterable[tuple[str, Cell]], width: int, style: str = "dim") -> Text:
    """Names and what is to be said of each, side by side, or below a name that is too long.

    >>> print(facts([("size", "12 weights"), ("epochs", "3")], 40).plain)
    size    12 weights
    epochs  3
    """
    told = [(name, _text(value)) for name, value in pairs]
    widest = max((value.cell_len for _, value in told), default=0)
    most = width - _GAP - min(_LEAST, widest)
    names = max((n for name, _ in told if (n := cell_len(name)) <= most), default=0)
    lines: list[Text] = []
    for name, value in told:
        head = Text(name, style=style)
        if head.cell_len > most:
            lines += [head, *wrapped(value, width, indent=_GAP)]
            continue
        first, *more = wrapped(value, width - names - _GAP) or [Text()]
        head.pad_right(names + _GAP - head.cell_len)
        lines.append(head.append_text(first))
        lines += [Text(" " * (names + _GAP)).append_text(each) for each in more]
    return Text("\n").join(lines)


def wrapped(text: Cell, width: int, indent: int = 0) -> list[Text]:
    """A text in lines of whole words, each with this indent.

    >>> [line.plain for line in wrapped("one two three", 9, indent=2)]
    ['  one two', '  three']
    """
    most = max(width - indent, 1)
    return [
        Text(" " * indent).append_text(line)
        for paragraph in _text(text).split("\n", allow_blank=True)
        for line in _filled(paragraph, most)
    ]


def command(typed: str, width: int, lead: str = "") -> Text:
    r"""A command to be copied; one that is too long goes on in further lines, as a shell reads it.

    `put` prints it so that a word that is longer than a line stays whole, to be copied.

    >>> print(command("modelshelf show 9PZA-W06S --shelf s", 30, lead="Next  ").plain)
    Next  modelshelf show \
            9PZA-W06S --shelf s
    """
    head = Text(no_wrap=True, overflow="ignore").append(lead, style="bold")
    indent = " " * cell_len(lead)
    if cell_len(lead) + cell_len(typed) <= width:
        return head.append(typed)
    if 2 * cell_len(lead) > width:
        indent = " " * _GAP
        head.rstrip()
        head.append(f"\n{indent}")
    lines: list[str] = []
    line = ""
    for word in _together(shlex.split(typed)):
        # Two columns for the sign that more follows.
        if line and cell_len(indent) + cell_len(f"{line} {word}") + _GAP > width:
            lines.append(line)
            line = f"  {word}"
        else:
            line = f"{line} {word}" if line else word
    return head.append(f" \\\n{indent}".join([*lines, line]))


def put(console: Console, block: Text | str) -> None:
    """Print what a view yields: a command as it is, all else in lines of whole words."""
    whole = isinstance(block, Text) and block.no_wrap
    console.print(block, soft_wrap=True if whole else None)


def _together(words: Iterable[str]) -> list[str]:
    """Words as a shell takes them, an option with its value."""
    found: list[str] = []
    for word in words:
        quoted = shlex.quote(word)
        option = found and found[-1].startswith("--") and " " not in found[-1]
        if option and not word.startswith("-"):
            found[-1] += f" {quoted}"
        else:
            found.append(quoted)
    return found


def _text(cell: Cell) -> Text:
    return Text(cell) if isinstance(cell, str) else cell


def _padded(styles: Sequence[str], rows: Sequence[object]) -> list[str]:
    return [*styles, *[""] * (len(rows) - len(styles))]


def _shown(columns: Sequence[Column], widths: Sequence[int], width: int) -> list[int]:
    """The places of the columns that there is room for; none, where it is too narrow for those
    that have to stay.
    """
    shown = list(range(len(columns)))
    need = [min(w, _LEAST) if c.wraps else w for c, w in zip(columns, widths, strict=True)]
    while sum(need[i] for i in shown) + _GAP * (len(shown) - 1) > width:
        least = max(shown, key=lambda i: (columns[i].drop, i))
        if not columns[least].drop:
            return []
        shown.remove(least)
    return shown


def _lines(cells: Sequence[tuple[Column, int, Text]], style: str) -> Iterator[Text]:
    """A row: one line, or several where its last cell needs them."""
    line = Text(style=style)
    more: list[Text] = []
    for column, width, cell in cells:
        first = cell
        if column.wraps:
            first, *rest = wrapped(cell, width)
            more = [Text(" " * line.cell_len, style=style).append_text(each) for each in rest]
        space = " " * (width - first.cell_len)
        line.append(space if column.right else "").append_text(first)
        line.append(("" if column.right else space) + " " * _GAP)
    line.rstrip()
    yield line
    yield from more


def _stacked(
    columns: Sequence[Column], rows: Sequence[Sequence[Text]], width: int, styles: Sequence[str]
) -> Iterator[Text]:
    """Each row as lines: first its name, which is all up to the first column with a head."""
    named = next((i for i, column in enumerate(columns) if column.head), 0) + 1
    yield from wrapped(Text(columns[named - 1].head, style="dim"), width)
    for row, style in zip(rows, _padded(styles, rows), strict=True):
        title = Text(" ").join(cell for cell in row[:named] if cell.plain.strip())
        title.stylize(style)
        yield from wrapped(title, width)
        pairs = zip([column.head for column in columns[named:]], row[named:], strict=True)
        told = facts(pairs, width - _GAP)
        yield from (Text(" " * _GAP).append_text(line) for line in told.split("\n"))


def _filled(paragraph: Text, width: int) -> Iterator[Text]:
    """Lines of whole words; a word that is longer than a line is cut, as a terminal would."""
    start = end = None
    for word in _WORD.finditer(paragraph.plain):
        first, last = word.span()
        if start is not None and cell_len(paragraph.plain[start:last]) > width:
            yield paragraph[start:end]
            start = None
        if start is None:
            start = first
            while cell_len(paragraph.plain[start:last]) > width:
                yield paragraph[start : start + width]
                start += width
        end = last
    yield Text() if start is None else paragraph[start:end]
