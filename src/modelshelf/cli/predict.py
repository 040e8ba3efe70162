"""`modelshelf predict`: use a network."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from modelshelf.cli.options import ShelfPlace, make_console
from modelshelf.cli.words import safe
from modelshelf.core.errors import DataError

__all__ = ["predict"]


def predict(
    barcode: Annotated[str, typer.Argument(help="A barcode or copy id, or how it begins.")],
    data: Annotated[str, typer.Argument(help="The rows to answer: a table like the training one.")],
    out: Annotated[
        Path | None, typer.Option(help="A .csv or .parquet file.  [default: CSV to the terminal]")
    ] = None,
    shelf: ShelfPlace = None,
) -> None:
    """Predict with the very weights on the shelf: a label and probabilities for each row.

    A network trained with loss gaussian or quantile adds the ends of an interval, low and high.
    """
    import polars as pl

    from modelshelf.data.read import read_table
    from modelshelf.study.model import Model

    if out is not None and out.suffix.lower() not in (".csv", ".parquet"):
        raise DataError(f"--out {str(out)!r}: expected a file name that ends in .csv or .parquet.")
    model = Model.from_shelf(barcode, shelf)
    table = read_table(data)
    output, notes = model.output(table)
    if model.classes:
        columns = {"prediction": model.labels(output).tolist()}
        for k, label in enumerate(model.classes):
            columns[f"probability_{label}"] = output[:, k].tolist()
    else:
        columns = {"prediction": output.tolist()}
        if model.has_intervals:
            low, high = model.predict_interval(table).T.tolist()
            columns |= {"low": low, "high": high}
    frame = pl.DataFrame(columns, strict=False)
    console = make_console(stderr=True)
    for note in notes:
        console.print(safe(note), style="yellow")
    if out is None:
        frame.write_csv(sys.stdout)
        return
    try:
        frame.write_parquet(out) if out.suffix.lower() == ".parquet" else frame.write_csv(out)
    except OSError as error:
        raise DataError(f"{str(out)!r} cannot be written: {error}.") from None
    console.print(f"{len(frame):,} predictions of {model.barcode} in {out}.")
