"""ARFF, Weka's format: a header that declares attributes, and delimited rows."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import polars as pl

from modelshelf.core.errors import DataError
from modelshelf.data.dataset import Table
from modelshelf.data.read.delimited import clean_text, unique_names

__all__ = ["read_arff"]

_ATTRIBUTE = re.compile(
    r"""@attribute\s+(?:'((?:[^'\\]|\\.)*)'|"([^"]*)"|(\S+))\s+(.+)""", re.IGNORECASE
)


def read_arff(path: Path) -> Table:
    """Read dense ARFF: numeric, nominal, string and date attributes, as text columns.

    SciPy's reader refuses string attributes and names that are not ASCII, hence our own. Sparse
    rows (`{0 1, 3 2}`) are refused in words.
    """
    data = path.read_bytes()
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    names, rows = _parse(path, text)
    if not names or not rows:
        missing = "attributes (@attribute)" if not names else "rows below @data"
        raise DataError(f"{str(path)!r} has no {missing}: expected an ARFF file.")
    columns = unique_names(names, str(path))
    values = {name: [row[i] for row in rows] for i, name in enumerate(columns)}
    frame = pl.DataFrame(values, schema=dict.fromkeys(columns, pl.String))
    return Table(path.name, clean_text(frame))


def _parse(path: Path, text: str) -> tuple[list[str], list[list[str]]]:
    names: list[str] = []
    lines = text.splitlines()
    for at, line in enumerate(lines):
        word = line.strip().split(maxsplit=1)[:1]
        if word and word[0].lower() == "@attribute":
            found = _ATTRIBUTE.match(line.strip())
            if found is None:
                raise DataError(f"{str(path)!r}, line {at + 1}: not an ARFF attribute: {line!r}.")
            names.append(next(each for each in found.groups()[:3] if each is not None))
        elif word and word[0].lower() == "@data":
            return names, _rows(path, lines, at + 1, len(names))
    raise DataError(f"{str(path)!r} has no @data line: expected an ARFF file.")


def _rows(path: Path, lines: list[str], start: int, width: int) -> list[list[str]]:
    rows = []
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
        rows.append(row)
    return rows
