"""`modelshelf predict`: use a network, or an ensemble."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from modelshelf.cli.options import KnownModule, ShelfPlace, make_console
from modelshelf.cli.words import safe
from modelshelf.core.errors import DataError, SettingError
from modelshelf.core.words import counted

if TYPE_CHECKING:
    from modelshelf.study.ensemble_model import EnsembleModel
    from modelshelf.study.model import Model

__all__ = ["predict"]


def predict(
    barcode: Annotated[
        str,
        typer.Argument(
            help="A barcode or copy id, or how it begins; with --ensemble or --bag, leave it out."
        ),
    ],
    data: Annotated[
        str | None, typer.Argument(help="The rows to answer: a table like the training one.")
    ] = None,
    ensemble: Annotated[
        str | None,
        typer.Option(
            help="In place of a barcode: the study, or how its name begins, whose ensemble answers."
        ),
    ] = None,
    bag: Annotated[
        str | None,
        typer.Option(
            help="In place of a barcode: the study whose winner answers with the networks of all "
            "its folds."
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="A .csv or .parquet file.  [default: CSV to the terminal]")
    ] = None,
    shelf: ShelfPlace = None,
    module: KnownModule = None,
) -> None:
    """Predict with the very weights on the shelf: a label and probabilities for each row.

    A network trained with loss gaussian or quantile adds the ends of an interval, low and high.
    With --ensemble STUDY, the mean of that study's ensemble answers: give the rows alone.
    """
    import polars as pl

    from modelshelf.data.read import FILE, read_table
    from modelshelf.study.model import Model

    if out is not None and out.suffix.lower() not in (".csv", ".parquet"):
        raise DataError(f"--out {str(out)!r}: expected a file name that ends in .csv or .parquet.")
    model, rows, name = _asked(barcode, data, ensemble, bag, shelf)
    table = read_table(rows)
    output, notes = model.output(table)
    if model.classes:
        columns = {"prediction": model.labels(output).tolist()}
        for k, label in enumerate(model.classes):
            columns[f"probability_{label}"] = output[:, k].tolist()
    else:
        columns = {"prediction": output.tolist()}
        if isinstance(model, Model) and model.has_intervals:
            low, high = model.predict_interval(table).T.tolist()
            columns |= {"low": low, "high": high}
    if table.tensor is not None and FILE in table.frame.columns:
        columns = {FILE: table.frame[FILE].to_list()} | columns
    frame = pl.DataFrame(columns, strict=False)
    console = make_console(stderr=True)
    for note in notes:
        console.print(safe(note), style="yellow")
    if out is None:
        sys.stdout.flush()
        frame.write_csv(sys.stdout.buffer)  # in UTF-8, as a file is, whatever the terminal has
        return
    try:
        frame.write_parquet(out) if out.suffix.lower() == ".parquet" else frame.write_csv(out)
    except OSError as error:
        raise DataError(f"{str(out)!r} cannot be written: {error}.") from None
    console.print(f"{counted(len(frame), 'prediction')} of {name} in {out}.")


def _asked(
    barcode: str,
    data: str | None,
    ensemble: str | None,
    bag: str | None,
    shelf: str | None,
) -> tuple[Model | EnsembleModel, str, str]:
    """What is to answer, the rows, and what it is called."""
    from modelshelf.study.ensemble_model import EnsembleModel
    from modelshelf.study.model import Model

    if ensemble is not None and bag is not None:
        raise SettingError("Both --ensemble and --bag: leave one out, for only one can answer.")
    kind, study = ("ensemble", ensemble) if bag is None else ("bag", bag)
    if study is None:
        if data is None:
            raise SettingError(
                "Expected a barcode and a table: `modelshelf predict BARCODE DATA`, or "
                "`modelshelf predict DATA --ensemble STUDY`."
            )
        model = Model.from_shelf(barcode, shelf)
        return model, data, model.barcode
    if data is not None:
        raise SettingError(
            f"Both a barcode ({barcode!r}) and --{kind}: leave one out, for only one can answer."
        )
    found = EnsembleModel.from_shelf(study, shelf, kind=kind)
    return found, barcode, counted(len(found.members), "network")
