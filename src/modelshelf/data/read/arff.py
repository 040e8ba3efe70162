"""ARFF, Weka's format: a header that declares attributes, and delimited rows."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import polars as pl

from modelshelf.core.errors import DataError
from modelshelf.data.dataset import Table
from modelshelf.data.read.delimited import clean_text, unique_names
from modelshelf.data.read.limits import check_memory, size_of
from modelshelf.data.read.survey import long_fields

__all__ = ["read_arff"]

_COST = 8  # bytes of memory for each of the file: its text, its lines, and the columns
_AT_A_TIME = 10_000  # rows

_ATTRIBUTE = re.compile(
    r"""@attribute\s+(?:'((?:[^'\\]|\\.)*)'|"([^"]*)"|(\S+))\s+(.+)""", re.IGNORECASE
)


def read_arff(path: Path) -> Table:
    """Read dense ARFF: numeric, nominal, string and date attributes, as text columns.

    SciPy's reader refuses string attributes and names that are not ASCII, hence our own. Sparse
    rows (`{0 1, 3 2}`) are refused in words.
    """
    check_memory(path, _COST * size_of(path), "the table as CSV or Parquet, or fewer columns")
    data = path.read_bytes()
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    lines = text.splitlines()
    names, start = _header(path, lines)
    if not names:
        raise DataError(f"{str(path)!r} has no attributes (@attribute): expected an ARFF file.")
    columns = unique_names(names, str(path))
    with long_fields():
        rows = _rows(path, lines, start, len(columns))
        parts = [
            pl.DataFrame(part, schema=dict.fromkeys(columns, pl.String), orient="row")
            for part in iter(lambda: list(islice(rows, _AT_A_TIME)), [])
        ]
    if not parts:
        raise DataError(f"{str(path)!r} has no rows below @data: expected an ARFF file.")
    return Table(path.name, clean_text(pl.concat(parts, rechunk=True)))


def _header(path: Path, lines: list[str]) -> tuple[list[str], int]:
    """The attributes' names, and where the rows begin."""
    names: list[str] = []
    for at, line in enumerate(lines):
        word = line.strip().split(maxsplit=1)[:1]
        if word and word[0].lower() == "@attribute":
            found = _ATTRIBUTE.match(line.strip())
            if found is None:
                raise DataError(f"{str(path)!r}, line {at + 1}: not an ARFF attribute: {line!r}.")
            names.append(next(each for each in found.groups()[:3] if each is not None))
        elif word and word[0].lower() == "@data":
            return names, at + 1
    raise DataError(f"{str(path)!r} has no @data line: expected an ARFF file.")


def _rows(path: Path, lines: list[str], start: int, width: int) -> Iterator[list[str]]:
    for at, line in enumerate(lines[start:], start + 1):
        stripped = line.strip()
        if not stripped or stripped.startswith("%"):
            continue
        if stripped.startswith("{"):
            raise DataError(f"{str(path)!r} is sparse ARFF, which is not read: write it densely.")
        quote = "'" if "'" in stripped else '"'
        row = next(csv.reader([stripped], quotechar=quote, escapechar="\\", skipinitialspace=True))
        if len(row) != width:
            raise DataError(
                f"{str(path)!r}, line {at}: expected {width} fields, as declared, and found "
                f"{len(row)}."
            )
        yield row
