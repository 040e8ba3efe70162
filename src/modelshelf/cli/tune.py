"""`modelshelf tune`: search for the right network."""

from __future__ import annotations

import shlex
import sys
from typing import Annotated

import typer

from modelshelf.cli.app import BEGAN
from modelshelf.cli.asked import signals, source
from modelshelf.cli.layout import put, room
from modelshelf.cli.live import Live
from modelshelf.cli.options import (
    AllowWide,
    Columns,
    DeviceName,
    Example,
    SampledRows,
    ShelfPlace,
    make_console,
    parse_columns,
    seed_of,
)
from modelshelf.cli.space import space_lines
from modelshelf.cli.words import json_line, safe
from modelshelf.core.errors import SettingError

__all__ = ["tune"]


def tune(
    data: Annotated[
        str | None,
        typer.Argument(
            help="A table: CSV, Parquet, Arrow, ARFF or npz; - for standard input; or images."
        ),
    ] = None,
    target: Annotated[str | None, typer.Option(help="The column to predict.")] = None,
    example: Example = None,
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
    rows: SampledRows = None,
    space: Annotated[
        str | None,
        typer.Option(help="A TOML or Python file: what to search, name = value."),
    ] = None,
    prefer: Annotated[
        str, typer.Option(help="best; or small or fast: the cheapest of those that score alike.")
    ] = "best",
    until_no_gain: Annotated[
        bool,
        typer.Option("--until-no-gain", help="Stop when more time promises too little."),
    ] = False,
    least_gain: Annotated[
        str | None,
        typer.Option(
            help="With --until-no-gain: what twice the time must promise, a share of what is left "
            "or a number in the metric's unit.  [default: 1%]"
        ),
    ] = None,
    seed: Annotated[
        int, typer.Option(callback=seed_of, help="Every random draw follows from it.")
    ] = 0,
    workers: Annotated[
        int | None,
        typer.Option(help="Networks trained at a time.  [default: all cores; on a GPU, 64]"),
    ] = None,
    device: DeviceName = "auto",
    module: Annotated[
        str | None,
        typer.Option(
            metavar="FILE.PY:NAME",
            help="In place of our own networks, your own PyTorch module; the file is executed.",
        ),
    ] = None,
    hang_seconds: Annotated[
        float, typer.Option(help="With --module: how long a batch may take before it is ended.")
    ] = 60.0,
    shelf: ShelfPlace = None,
    study: Annotated[
        str | None,
        typer.Option(help="A name for the study; by its name it goes on with another space too."),
    ] = None,
    warm_start: Annotated[
        bool,
        typer.Option(
            "--warm-start", help="Begin with what did best on similar data on this shelf."
        ),
    ] = False,
    allow_wide: AllowWide = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object on the last line.")
    ] = False,
) -> None:
    """Train many networks on a table, shelve each, and name the best one honestly.

    The same command goes on where it was if it was cut off. Ctrl-C once: finish tidily; twice:
    leave now. Nothing that was printed as finished is lost.
    """
    from modelshelf.engines import kernels
    from modelshelf.study.budget import Budget, Clock
    from modelshelf.study.progress import Stopper

    clock = Clock(BEGAN[0] if BEGAN else None)
    kernels.begin()  # beside imports and reading
    if least_gain is not None and not until_no_gain:
        raise SettingError("--least-gain goes with --until-no-gain: give both.")
    budget = Budget.of(time, trials, least_gain or until_no_gain)
    console = make_console(stderr=as_json)

    from modelshelf.api import request
    from modelshelf.cli.result import result_lines
    from modelshelf.study import run_study
    from modelshelf.study.modules import declare

    kinds = parse_columns(column)
    asked = request(  # which is the last that needs the table: it is not held beside the study
        *source(data, target, example, "tune", rows=rows, seed=seed, columns=kinds),
        budget=budget,
        seed=seed,
        metric=metric,
        task=task,
        folds=folds,
        test=test,
        space=space,
        prefer=prefer,
        workers=workers,
        device=device,
        module=None if module is None else declare(module),
        hang_seconds=hang_seconds,
        shelf=shelf,
        study=study,
        warm_start=warm_start,
        columns=kinds,
        allow_wide=allow_wide,
        command=shlex.join(["modelshelf", *sys.argv[1:]]),
    )
    for line in asked.dataset.summary():
        console.print(safe(line), style="dim")
    for line in space_lines(asked.space.for_task(asked.dataset.schema.task)) if space else ():
        console.print(safe(line), style="dim")
    stopper = Stopper()
    with Live(console, asked.metric) as live, signals(stopper, live):
        result = run_study(asked, clock=clock, observer=live, stopper=stopper)
    for text in result_lines(result, asked.command, shelf, module, room(console)):
        put(console, text)
    if as_json:
        typer.echo(json_line(result.to_json()))
    if not result.complete:
        raise typer.Exit(130)
