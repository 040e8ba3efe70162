"""Delimited text whose form is known, parsed by polars a part at a time."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import repeat
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from modelshelf.core.errors import DataError
from modelshelf.data.read.compact import as_numbers, joined
from modelshelf.data.read.lines import BLOCK, blocks, lines_of
from modelshelf.data.read.survey import Form, Survey

__all__ = ["MISSING", "clean_text", "columns_of", "header_of"]

#: What stands for a missing value in text, after spaces are taken off.
MISSING = ("", "NA", "N/A", "NaN", "nan", "null", "NULL", "None", "?", "-")

_A_COLUMN = 1 << 13  # bytes of each column, about, that are parsed at a time


def header_of(path: Path, form: Form, found: Survey) -> list[str]:
    """The fields of the first row, without outer spaces."""
    for frame in _frames(path, form, found):
        return ["" if each is None else str(each).strip() for each in frame.row(0)]
    raise _changed(path)


def columns_of(
    path: Path,
    form: Form,
    found: Survey,
    names: list[str],
    *,
    wanted: Collection[str],
    text: Collection[str],
    chosen: NDArray[np.int64] | None,
) -> dict[str, pl.Series | None]:
    """The columns that are wanted, of the chosen rows, or all; without a marker of what is missing.

    Those in `text` are text; of the others, those that are numbers throughout are held as such.
    None stands for one that must be read again, as text.
    """
    parts: dict[str, list[pl.Series]] = {name: [] for name in names if name in wanted}
    begin = 0
    for at, frame in enumerate(_frames(path, form, found)):
        frame.columns = names
        rows = pl.DataFrame([frame[name] for name in parts])[0 if at else 1 :]
        height = rows.height
        if chosen is not None:
            low, high = np.searchsorted(chosen, [begin, begin + height])
            rows = _on_its_own(rows[chosen[low:high] - begin])
        begin += height
        if rows.height:
            for column in clean_text(rows):
                name = column.name
                parts[name].append(column if name in text else as_numbers(column))
    if not begin or (chosen is not None and begin != found.rows):
        raise _changed(path)
    return {name: joined(parts.pop(name)) for name in tuple(parts)}


def clean_text(frame: pl.DataFrame) -> pl.DataFrame:
    """Text columns without outer spaces, and with nulls where a marker stands for missing."""
    names = frame.columns
    numbered = frame.rename(dict(zip(names, map(str, range(len(names))), strict=True)))
    cleaned = numbered.with_columns(  # by number: polars takes a name such as ^a$ for a pattern
        pl.when(pl.col(name).str.strip_chars().is_in(MISSING))
        .then(None)
        .otherwise(pl.col(name).str.strip_chars())
        .alias(name)
        for name, dtype in numbered.schema.items()
        if dtype == pl.String
    )
    cleaned.columns = names
    return cleaned


def _frames(path: Path, form: Form, found: Survey) -> Iterator[pl.DataFrame]:
    """The table with its header as the first row, a part at a time; every column is text."""
    for text in _texts(path, form, found):
        try:
            frame = pl.read_csv(
                text,
                separator=form.delimiter,
                has_header=False,
                schema={str(i): pl.String for i in range(found.width)},
                truncate_ragged_lines=False,
            )
        except (pl.exceptions.PolarsError, UnicodeError) as error:
            raise DataError(f"{str(path)!r} cannot be read as a table: {error}.") from None
        if found.quoted:
            frame = frame.filter(~pl.all_horizontal(pl.all().is_null() | (pl.all() == "")))
        if frame.height:
            yield frame


def _texts(path: Path, form: Form, found: Survey) -> Iterator[bytes]:
    """Parts of a text that are tables by themselves."""
    least, size = max(BLOCK, found.width * _A_COLUMN), 0
    held: list[bytes] = []
    cuts = found.cuts if found.quoted else repeat(None)
    for block, cut in zip(blocks(path, form.encoding), cuts, strict=False):
        part = _without_blank(block) if found.blank else block
        if not held:
            part = part.lstrip(b"\n")  # the first line tells polars how many fields there are
        cut = len(part) if cut is None else cut - (len(block) - len(part))
        size += len(part)
        if cut > 0 and size >= least:
            yield b"".join([*held, part[:cut]])
            part = part[cut:].lstrip(b"\n")
            held, size = [], len(part)
        if part:
            held.append(part)
    if size:
        yield b"".join(held)


def _without_blank(block: bytes) -> bytes:
    starts, ends, blank = lines_of(block)
    lengths = np.minimum(ends + 1, len(block)) - starts
    return np.frombuffer(block, np.uint8)[np.repeat(~blank, lengths)].tobytes()


def _on_its_own(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows that do not hold on to the text of those around them."""
    return pl.DataFrame({each.name: each.to_list() for each in rows}, schema=rows.schema)


def _changed(path: Path) -> DataError:
    return DataError(
        f"{str(path)!r} does not read twice as the same rows: it has changed meanwhile, or has "
        "quotes in the middle of its fields. Mend it, or read it again."
    )
