"""Delimited text: CSV and its relatives, in any sensible encoding."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Collection
from pathlib import Path

import polars as pl

from modelshelf.core.errors import DataError
from modelshelf.data.dataset import Table
from modelshelf.data.read.limits import check_memory, size_of
from modelshelf.data.read.lines import encoding_of, other_encoding
from modelshelf.data.read.parse import MISSING, clean_text, columns_of, header_of
from modelshelf.data.read.sample import Sample
from modelshelf.data.read.survey import Form, form_of, long_fields, survey

__all__ = ["MISSING", "clean_text", "read_delimited", "unique_names"]

_DECIMAL_COMMA = r"^[+-]?\d+(,\d+)?$"
_SHOWN = 50  # lines that show what a value takes in memory
_INLINE = 12  # characters of a text that polars holds beside nothing else
_UNDERSTOOD = 16  # bytes that a value takes once it is understood, and drawn into training rows
_HELPS = "--rows N, which samples so many rows, fewer columns, or the table as Parquet"


def read_delimited(
    path: Path, sample: Sample | None = None, text: Collection[str] | None = None
) -> Table:
    """Read delimited text; `understand` decides what each column means.

    Every column is text; where `text` names those that must be, another is numbers if all of its
    values are. The file is gone over twice, a block at a time: for its form, and for its rows.
    """
    encoding = encoding_of(path)
    try:
        return _read(path, encoding, sample, text)
    except UnicodeDecodeError as error:
        if encoding != "utf-8":
            told = f"{str(path)!r} begins as {encoding} and is not: {error.reason}."
            raise DataError(told) from None
    return _read(path, other_encoding(path), sample, text)


def _read(path: Path, encoding: str, sample: Sample | None, text: Collection[str] | None) -> Table:
    form = form_of(path, encoding)
    if form.delimiter == ";":
        text = None  # a column must be seen whole to tell a decimal comma
    cost, least = _cost(form, numbers=text is not None), size_of(path)

    def watch(size: int) -> None:
        if sample is None:
            check_memory(path, cost * max(size, least), _HELPS)

    found = survey(path, form, watch)
    chosen = None if sample is None else sample.of(found.rows)
    if sample is not None:
        rows = found.rows if chosen is None else len(chosen)
        check_memory(path, cost * found.size / found.rows * rows, "a smaller --rows")
    names = unique_names(header_of(path, form, found), str(path))
    kept = names if text is None else text
    columns = columns_of(path, form, found, names, wanted=names, text=kept, chosen=chosen)
    lost = [name for name, column in columns.items() if column is None]
    if lost:
        columns |= columns_of(path, form, found, names, wanted=lost, text=lost, chosen=chosen)
    frame = pl.DataFrame([each for each in columns.values() if each is not None])
    if form.delimiter == ";":
        frame = _decimal_points(frame)
    table = Table(path.name, frame)
    return table if sample is None or chosen is None else sample.noted(table, found.rows)


def _cost(form: Form, numbers: bool) -> float:
    """About how many bytes of memory a byte of this text takes."""
    head = form.head[1 : 1 + _SHOWN] or form.head
    with long_fields():
        cells = [each for row in csv.reader(head, delimiter=form.delimiter) for each in row]
    taken = sum(8 if numbers and _is_number(each) else _text_size(each) for each in cells)
    return (taken + _UNDERSTOOD * len(cells)) / max(sum(len(each) + 1 for each in head), 1)


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return cell.strip() in MISSING
    return True


def _text_size(cell: str) -> int:
    return 16 + (len(cell) if len(cell) > _INLINE else 0)


def unique_names(header: list[str], where: str) -> list[str]:
    """Column names; those that are empty are named by their place.

    Raises `DataError` where a name comes twice, or is one that polars takes for a pattern.
    """
    names = [name or f"column_{i}" for i, name in enumerate(header, 1)]
    twice = sorted(name for name, times in Counter(names).items() if times > 1)
    if twice:
        shown = ", ".join(repr(name) for name in twice[:5])
        raise DataError(f"{where!r} has columns of the same name: {shown}. Rename one of each.")
    for name in names:
        if name.startswith("^") and name.endswith("$"):
            raise DataError(
                f"{where!r} has a column {name!r}: a name that begins with ^ and ends with $ would "
                "be taken for a pattern. Rename it."
            )
    return names


def _decimal_points(frame: pl.DataFrame) -> pl.DataFrame:
    """Columns of numbers with decimal commas, as semicolon files have them, with points."""
    for name in frame.columns:
        values = frame[name].drop_nulls()
        some = len(values) > 0 and values.str.contains(",", literal=True).any()
        if some and values.str.contains(_DECIMAL_COMMA).all():
            frame = frame.with_columns(frame[name].str.replace(",", ".", literal=True))
    return frame
