"""`modelshelf predict`: use a network, or an ensemble."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from modelshelf.cli.options import Force, KnownModule, ShelfPlace, make_console
from modelshelf.cli.table import (
    file_name,
    for_spreadsheets,
    print_table,
    refuse_table,
    write_table,
)
from modelshelf.cli.words import safe
from modelshelf.core.errors import SettingError
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
    force: Force = False,
    safe_csv: Annotated[
        bool,
        typer.Option(
            "--safe-csv",
            help="A ' before text that a spreadsheet would take for a formula: =, +, -, @ first.",
        ),
    ] = False,
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

    file_name(out)
    model, rows, name = _asked(barcode, data, ensemble, bag, shelf)
    table = read_table(rows)
    intervals = not model.classes and isinstance(model, Model) and model.has_intervals
    files = [FILE] if table.tensor is not None and FILE in table.frame.columns else []
    probabilities = [f"probability_{label}" for label in model.classes]
    names = [*files, "prediction", *probabilities, *(("low", "high") if intervals else ())]
    if out is not None:
        refuse_table(out, names, rows, force=force)
    output, notes = model.output(table)
    answers = [output.tolist()]
    if model.classes:
        answers = [model.labels(output).tolist(), *output.T.tolist()]
    if intervals and isinstance(model, Model):
        answers += model.predict_interval(table).T.tolist()
    told = [*(table.frame[FILE].to_list() for _ in files), *answers]
    frame = pl.DataFrame(dict(zip(names, told, strict=True)), strict=False)
    frame = for_spreadsheets(frame) if safe_csv else frame
    console = make_console(stderr=True)
    for note in notes:
        console.print(safe(note), style="yellow")
    if out is None:
        print_table(frame)
        return
    write_table(frame, out)
    console.print(safe(f"{counted(len(frame), 'prediction')} of {name} in {out}."))


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
