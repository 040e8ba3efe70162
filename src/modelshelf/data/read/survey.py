"""What lies in delimited text, told by a pass over it that keeps nothing: its form and its rows."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from modelshelf.core.errors import DataError
from modelshelf.data.read.limits import LONGEST
from modelshelf.data.read.lines import blocks, first_lines, lines_of

__all__ = ["Form", "Survey", "form_of", "long_fields", "survey"]

_LINES = 200  # that show the delimiter


@dataclass(frozen=True, slots=True)
class Form:
    """How a text says what its fields are."""

    encoding: str
    delimiter: str
    head: tuple[str, ...]  #: its first lines that are not blank


@dataclass(slots=True)
class Survey:
    """What a whole text holds. Every row has as many fields as the header."""

    quoted: bool = False  #: whether it has a quote anywhere
    width: int = 0  #: fields of each row
    rows: int = 0  #: below the header
    size: int = 0  #: bytes, in UTF-8
    blank: bool = False  #: whether lines are blank
    cuts: list[int] = field(default_factory=list)  #: of quoted blocks: where the last record ends


def form_of(path: Path, encoding: str) -> Form:
    """The delimiter is the one that cuts most of the first lines into as many fields."""
    head = [line for line in first_lines(path, encoding, _LINES) if line.strip()]
    best, most = ",", 1.0
    for candidate in (",", ";", "\t", "|"):
        with long_fields():
            counts = [len(row) for row in csv.reader(head, delimiter=candidate)]
        if not counts or counts[0] < 2:
            continue
        agreeing = sum(count == counts[0] for count in counts) / len(counts)
        if agreeing * counts[0] > most:
            best, most = candidate, agreeing * counts[0]
    return Form(encoding, best, tuple(head))


@contextmanager
def long_fields() -> Iterator[None]:
    """Python's reader of CSV without its limit of 131,072 characters a field."""
    before = csv.field_size_limit(2**31 - 1)
    try:
        yield
    finally:
        csv.field_size_limit(before)


def survey(path: Path, form: Form, watch: Callable[[int], None]) -> Survey:
    """Go over a text once; `watch` is told how many bytes there were so far, and may raise.

    Every row must have as many fields as the header, for a reader may fill them up silently.
    Raises `DataError` where one has not.
    """
    lengths = _Lengths(path)
    found = _unquoted(path, form, watch, lengths)
    if found is None:
        lengths = _Lengths(path)
        found = _quoted(path, form, watch, lengths)
    lengths.check()
    found.width, found.rows = lengths.width, lengths.rows
    return found


@dataclass(slots=True)
class _Lengths:
    """The rows' lengths, as they are seen."""

    path: Path
    width: int = 0
    rows: int = -1  #: the header is none
    wrong: int = 0
    first: tuple[int, int] = (0, 0)  #: line and fields of the first that is wrong

    def see(self, lines: Sequence[int], counts: Sequence[int]) -> None:
        """So many fields in these lines, which are not blank."""
        if not len(counts):
            return
        self.width = self.width or int(counts[0])
        self.rows += len(counts)
        odd = np.flatnonzero(np.asarray(counts) != self.width)
        if len(odd) and not self.wrong:
            self.first = int(lines[odd[0]]), int(counts[odd[0]])
        self.wrong += len(odd)

    def check(self) -> None:
        where = repr(str(self.path))
        if self.rows < 0:
            raise DataError(f"{where} is empty: expected a table with a header row.")
        if self.wrong:
            raise DataError(
                f"{where}, line {self.first[0]}: expected {self.width} fields, as in the header, "
                f"and found {self.first[1]} ({self.wrong} such rows in all). Mend the row, or put "
                "quotes around text that holds the delimiter."
            )
        if not self.rows:
            raise DataError(f"{where} has a header and no rows below it: there is nothing to read.")


def _unquoted(
    path: Path, form: Form, watch: Callable[[int], None], lengths: _Lengths
) -> Survey | None:
    """Of text without a quote, counted on bytes; None where there is one."""
    found, line = Survey(), 1
    for block in blocks(path, form.encoding):
        if b'"' in block:
            return None
        found.size += len(block)
        watch(found.size)
        _, ends, blank = lines_of(block)
        at = np.flatnonzero(np.frombuffer(block, np.uint8) == ord(form.delimiter))
        counts = np.diff(np.searchsorted(at, ends), prepend=0) + 1
        kept = np.flatnonzero(~blank)
        lengths.see(kept + line, counts[kept])  # type: ignore[arg-type]
        found.blank |= len(kept) < len(blank)
        line += len(ends)
    return found


def _quoted(path: Path, form: Form, watch: Callable[[int], None], lengths: _Lengths) -> Survey:
    """Of text with quotes, whose records may have several lines."""
    found = Survey(quoted=True)
    ended = 0  # the line that ended the last record

    def lines() -> Iterator[str]:
        fed = quotes = held = 0
        for block in blocks(path, form.encoding):
            found.size += len(block)
            watch(found.size)
            quotes, held = quotes + block.count(b'"'), held + len(block)
            for line in io.StringIO(block.decode()):
                fed += 1
                yield line
            cut = _before(block, fed - ended)
            if (quotes - block.count(b'"', cut)) % 2:
                cut = 0  # Polars counts quotes wherever they stand: it must be a cut for it, too
            found.cuts.append(cut)
            held = len(block) - cut if cut else held
            if held > LONGEST:
                raise DataError(
                    f"{str(path)!r}: the record that begins after line {ended} has more than "
                    f"{LONGEST >> 20} MiB. Probably a quote there is not closed."
                )

    with long_fields():
        reader = csv.reader(lines(), delimiter=form.delimiter)
        try:
            for row in reader:
                ended = reader.line_num
                if row and any(row):
                    lengths.see((ended,), (len(row),))
        except csv.Error as error:
            raise DataError(f"{str(path)!r}, line {reader.line_num}: {error}.") from None
    return found


def _before(block: bytes, lines: int) -> int:
    """Where so many last lines of a block begin; 0 where it has no others."""
    end = len(block)
    while lines and end:
        end = block.rfind(b"\n", 0, end - 1) + 1
        lines -= 1
    return end
