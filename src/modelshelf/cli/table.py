"""Tables that are written: CSV for a terminal, a pipe or a spreadsheet, and Parquet."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from modelshelf.core.errors import DataError
from modelshelf.core.files import refuse, write
from modelshelf.core.words import printable

if TYPE_CHECKING:
    import polars as pl

__all__ = ["file_name", "for_spreadsheets", "print_table", "refuse_table", "write_table"]

_ROWS = 10_000  # written at a time
_FORMULA = r"^[=+\-@\t\r]"


def file_name(out: Path | None) -> None:
    """Raise `DataError` where a table cannot bear this name."""
    if out is not None and out.suffix.lower() not in (".csv", ".parquet"):
        raise DataError(
            f"--out {str(out)!r}: expected a file name that ends in .csv or .parquet; without "
            "--out, CSV goes to standard output."
        )


def for_spreadsheets(frame: pl.DataFrame) -> pl.DataFrame:
    """The table with a `'` before text that a spreadsheet would take for a formula."""
    import polars as pl

    texts = [pl.col(name) for name, kind in frame.schema.items() if kind == pl.String]
    formula = [each.str.contains(_FORMULA) for each in texts]
    return frame.with_columns(
        pl.when(it).then(pl.lit("'") + each).otherwise(each).name.keep()
        for it, each in zip(formula, texts, strict=True)
    )


def refuse_table(out: Path, columns: Sequence[str], source: str, *, force: bool) -> None:
    """Raise `DataError` where a table of these columns would cost someone another file.

    One with these very columns is taken for an earlier answer, and may be replaced.
    """

    def ours(path: Path) -> bool:
        if path.suffix.lower() == ".parquet":
            return _names(path) == list(columns)
        head = _head(columns)
        with path.open("rb") as file:
            return file.read(len(head)) == head

    refuse(out, inputs=[source], ours=ours, force=force)


def _head(columns: Sequence[str]) -> bytes:
    import polars as pl

    return pl.DataFrame(schema=columns).write_csv().encode()


def _names(path: Path) -> list[str]:
    import polars as pl

    try:
        return list(pl.read_parquet_schema(path))
    except pl.exceptions.PolarsError:
        return []


def write_table(frame: pl.DataFrame, out: Path) -> None:
    """Write a table as CSV or Parquet, by the file's name; as a whole or not at all."""

    def put(file: BinaryIO) -> None:
        if out.suffix.lower() == ".parquet":
            packed = BytesIO()  # Polars' own errors would not say that a disk is full
            frame.write_parquet(packed)
            file.write(packed.getbuffer())
        else:
            _write_csv(frame, file)

    write(out, put)


def print_table(frame: pl.DataFrame) -> None:
    """CSV on standard output: byte for byte in UTF-8 to a file or a pipe; on a terminal in its own
    encoding, without characters that would steer it.
    """
    sys.stdout.flush()
    if sys.stdout.isatty():
        for each in _csv(frame):
            sys.stdout.write(printable(each))
        return
    _write_csv(frame, sys.stdout.buffer)


def _write_csv(frame: pl.DataFrame, file: BinaryIO) -> None:
    """A part at a time, and by Python, whose errors say what happened to a disk or a pipe."""
    for each in _csv(frame):
        file.write(each.encode())


def _csv(frame: pl.DataFrame) -> Iterator[str]:
    yield frame.clear().write_csv()
    for each in frame.iter_slices(_ROWS):
        yield each.write_csv(include_header=False)
