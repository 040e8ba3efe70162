"""`modelshelf tune`: search for the right network."""

from __future__ import annotations

import json
import os
import shlex
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Annotated, Any

import typer

from modelshelf.cli.live import Live
from modelshelf.cli.options import AllowWide, Columns, ShelfPlace, make_console, parse_columns
from modelshelf.cli.words import result_lines, safe
from modelshelf.core.errors import SettingError

__all__ = ["tune"]


def tune(
    data: Annotated[
        str | None, typer.Argument(help="A table: CSV, Parquet, Arrow, ARFF or npz.")
    ] = None,
    target: Annotated[str | None, typer.Option(help="The column to predict.")] = None,
    example: Annotated[
        str | None,
        typer.Option(help="A bundled data set: digits, breast_cancer, wine, iris, diabetes."),
    ] = None,
    time: Annotated[
        str | None, typer.Option(help="Time for everything, such as 60s or 10m.  [default: 60s]")
    ] = None,
    trials: Annotated[
        int | None, typer.Option(help="In place of a time: how many networks to start.")
    ] = None,
    task: Annotated[str, typer.Option(help="auto, binary, multiclass or regression.")] = "auto",
    metric: Annotated[
        str | None,
        typer.Option(
            help="accuracy, balanced_accuracy, f1, auc, log_loss, rmse, mae or r2.  "
            "[default: accuracy or rmse]"
        ),
    ] = None,
    folds: Annotated[
        int | None, typer.Option(help="Folds on which the finalists are re-tested.")
    ] = None,
    test: Annotated[
        str | None,
        typer.Option(help="Rows to test on: a share of the table, or a file.  [default: 0.2]"),
    ] = None,
    column: Columns = None,
    space: Annotated[
        str | None, typer.Option(help="A TOML file: what to search (name = value, a line each).")
    ] = None,
    seed: Annotated[int, typer.Option(help="Every random draw follows from it.")] = 0,
    workers: Annotated[
        int | None, typer.Option(help="Networks trained at a time.  [default: all cores]")
    ] = None,
    shelf: ShelfPlace = None,
    study: Annotated[str | None, typer.Option(help="A name for the study.")] = None,
    allow_wide: AllowWide = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object on the last line.")
    ] = False,
) -> None:
    """Train many networks on a table, shelve each, and name the best one honestly.

    The same command goes on where it was if it was cut off. Ctrl-C once: finish tidily; twice:
    leave now. Nothing that was printed as finished is lost.
    """
    from modelshelf.study.budget import Budget, Clock
    from modelshelf.study.progress import Stopper

    clock = Clock()
    budget = Budget.of(time, trials)
    console = make_console(stderr=as_json)

    from modelshelf.api import request
    from modelshelf.study import run_study

    table, column_name = _source(data, target, example)
    asked = request(
        table,
        column_name,
        budget=budget,
        seed=seed,
        metric=metric,
        task=task,
        folds=folds,
        test=test,
        space=space,
        workers=workers,
        shelf=shelf,
        study=study,
        columns=parse_columns(column),
        allow_wide=allow_wide,
        command=shlex.join(["modelshelf", *sys.argv[1:]]),
    )
    for line in asked.dataset.summary():
        console.print(safe(line), style="dim")
    stopper = Stopper()
    with Live(console, asked.metric) as live, _signals(stopper, live):
        result = run_study(asked, clock=clock, observer=live, stopper=stopper)
    for text in result_lines(result, asked.command, shelf):
        console.print(text)
    if as_json:
        sys.stdout.write(json.dumps(result.to_json(), ensure_ascii=False) + "\n")
    if not result.complete:
        raise typer.Exit(130)


def _source(data: str | None, target: str | None, example: str | None) -> tuple[Any, str]:
    from modelshelf.data.read import bundled, read_table

    if example is not None:
        if data is not None:
            raise SettingError("Give a file or --example, not both.")
        table, usual = bundled(example)
        return table, target or usual
    if data is None:
        raise SettingError(
            "Give a table and its target, such as `modelshelf tune data.csv --target price`, "
            "or try `modelshelf tune --example digits`."
        )
    table = read_table(data)
    if target is None:
        names = ", ".join(table.frame.columns[:12])
        raise SettingError(f"Name the column to predict with --target. The table has: {names}.")
    return table, target


@contextmanager
def _signals(stopper: Any, live: Live) -> Iterator[None]:
    """Ctrl-C once asks the study to finish tidily, twice leaves now; what is shelved stays."""

    def handle(number: int, frame: FrameType | None) -> None:
        if stopper.requested:
            live.restore()
            os._exit(130)
        stopper.stop()
        live.say("Finishing tidily. Press Ctrl-C again to leave now.")

    before = {each: signal.signal(each, handle) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
