"""Delimited text: CSV and its relatives, in any sensible encoding."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import zlib
from pathlib import Path

import numpy as np
import polars as pl

from modelshelf.core.errors import DataError
from modelshelf.data.dataset import Table

__all__ = ["MISSING", "clean_text", "read_delimited", "unique_names"]

#: What stands for a missing value in text, after spaces are taken off.
MISSING = ("", "NA", "N/A", "NaN", "nan", "null", "NULL", "None", "?", "-")

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_DECIMAL_COMMA = r"^[+-]?\d+(,\d+)?$"


def read_delimited(path: Path) -> Table:
    """Read delimited text. Every column is text; `understand` decides what it means."""
    # Lines end where CSV says, and not at the other marks that Python's splitlines knows.
    text = _decode(path).replace("\r\n", "\n").replace("\r", "\n")
    lines = text.split("\n")
    if not any(line.strip() for line in lines):
        raise DataError(f"{str(path)!r} is empty: expected a table with a header row.")
    delimiter = _delimiter(lines)
    _check_lengths(path, text, lines, delimiter)
    header, frame = _parse(path, text, delimiter)
    if frame.height == 0:
        raise DataError(
            f"{str(path)!r} has a header and no rows: expected at least 10 rows below it."
        )
    frame.columns = unique_names(header, str(path))
    frame = clean_text(frame)
    return Table(path.name, _decimal_points(frame) if delimiter == ";" else frame)


def _decode(path: Path) -> str:
    data = path.read_bytes()
    if data.startswith(b"\x1f\x8b"):
        data = _unpacked(path, data)
    for bom, encoding in _BOMS:
        if data.startswith(bom):
            return _decoded(path, data, encoding)
    if b"\x00" in data[:65536]:
        raise DataError(
            f"{str(path)!r} is binary, not text: expected CSV, or a name that ends in .parquet, "
            ".arrow, .arff or .npz."
        )
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        text = data.decode("cp1252", errors="replace")
    odd = sum(1 for c in text[:65536] if c == "\ufffd" or (c < " " and c not in "\t\r\n\f\v"))
    if odd > 0.02 * min(len(text), 65536):
        raise DataError(
            f"{str(path)!r} is not text in any encoding that is known here: expected CSV in "
            "UTF-8, UTF-16 or Windows-1252."
        )
    return data.decode("latin-1") if "\ufffd" in text else text


def _unpacked(path: Path, data: bytes) -> bytes:
    try:
        return gzip.decompress(data)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{str(path)!r} cannot be unpacked as gzip: {error}.") from None


def _decoded(path: Path, data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise DataError(f"{str(path)!r} begins as {encoding} and is not: {error.reason}.") from None


def _delimiter(lines: list[str]) -> str:
    """The delimiter that cuts most of the first lines into the same number of fields."""
    head = [line for line in lines[:200] if line.strip()]
    best, most = ",", 1.0
    for candidate in (",", ";", "\t", "|"):
        counts = [len(row) for row in csv.reader(head, delimiter=candidate)]
        if not counts or counts[0] < 2:
            continue
        agreeing = sum(count == counts[0] for count in counts) / len(counts)
        if agreeing * counts[0] > most:
            best, most = candidate, agreeing * counts[0]
    return best


def _check_lengths(path: Path, text: str, lines: list[str], delimiter: str) -> None:
    """Every row must have as many fields as the header; a reader may fill them up silently."""
    if '"' in text:
        reader = csv.reader(io.StringIO(text), delimiter=delimiter)
        try:
            counted = [(reader.line_num, len(row)) for row in reader if row and any(row)]
        except csv.Error as error:
            raise DataError(f"{str(path)!r}, line {reader.line_num}: {error}.") from None
        where = np.array([line for line, _ in counted])
        counts = np.array([count for _, count in counted])
    else:
        kept = [(i, line) for i, line in enumerate(lines, 1) if line.strip()]
        where = np.array([i for i, _ in kept])
        counts = np.array([line.count(delimiter) + 1 for _, line in kept])
    wrong = np.flatnonzero(counts != counts[0])
    if len(wrong):
        first = int(wrong[0])
        raise DataError(
            f"{str(path)!r}, line {where[first]}: expected {counts[0]} fields, as in the header, "
            f"and found {counts[first]} ({len(wrong)} such rows in all). Mend the row, or put "
            "quotes around text that holds the delimiter."
        )


def _parse(path: Path, text: str, delimiter: str) -> tuple[list[str], pl.DataFrame]:
    kept = text
    if '"' not in text:
        kept = "\n".join(line for line in text.split("\n") if line.strip())
    try:
        frame = pl.read_csv(
            io.BytesIO(kept.encode("utf-8", "surrogatepass")),
            separator=delimiter,
            has_header=False,
            infer_schema=False,
            truncate_ragged_lines=False,
        )
    except (pl.exceptions.PolarsError, UnicodeError) as error:
        raise DataError(f"{str(path)!r} cannot be read as a table: {error}.") from None
    if '"' in text:
        frame = frame.filter(~pl.all_horizontal(pl.all().is_null() | (pl.all() == "")))
    header = ["" if each is None else str(each).strip() for each in frame.row(0)]
    return header, frame[1:]


def unique_names(header: list[str], where: str) -> list[str]:
    """Column names; those that are empty are named by their place. No name may come twice."""
    names = [name or f"column_{i}" for i, name in enumerate(header, 1)]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        shown = ", ".join(repr(name) for name in twice[:5])
        raise DataError(f"{where!r} has columns of the same name: {shown}. Rename one of each.")
    return names


def clean_text(frame: pl.DataFrame) -> pl.DataFrame:
    """Text columns without outer spaces, and with nulls where a marker stands for missing."""
    return frame.with_columns(
        pl.when(pl.col(name).str.strip_chars().is_in(MISSING))
        .then(None)
        .otherwise(pl.col(name).str.strip_chars())
        .alias(name)
        for name, dtype in frame.schema.items()
        if dtype == pl.String
    )


def _decimal_points(frame: pl.DataFrame) -> pl.DataFrame:
    """Columns of numbers with decimal commas, as semicolon files have them, with points."""
    commas = []
    for name in frame.columns:
        values = frame[name].drop_nulls()
        some = len(values) > 0 and values.str.contains(",", literal=True).any()
        if some and values.str.contains(_DECIMAL_COMMA).all():
            commas.append(pl.col(name).str.replace(",", ".", literal=True))
    return frame.with_columns(commas)
