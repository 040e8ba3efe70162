"""`modelshelf train`: one network, without a search."""

from __future__ import annotations

import math
import shlex
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from modelshelf.cli.asked import signals, source
from modelshelf.cli.compiling import wait_for_engine
from modelshelf.cli.layout import command, put, room
from modelshelf.cli.options import (
    AllowWide,
    AsJson,
    Columns,
    DeviceName,
    Example,
    SampledRows,
    ShelfPlace,
    TestFile,
    make_console,
    parse_columns,
    seed_of,
)
from modelshelf.cli.panel import Panel, changes
from modelshelf.cli.words import barcode_text, chart, in_words, json_line, number, safe, typed
from modelshelf.core.errors import SettingError
from modelshelf.core.records import CurvePoint
from modelshelf.core.words import counted
from modelshelf.space.own import read_value

if TYPE_CHECKING:
    from modelshelf.space.configuration import Configuration
    from modelshelf.study.engines import OwnModule
    from modelshelf.study.single import Single

__all__ = ["parse_settings", "train"]

_CALM = 0.25  # seconds between two drawings of the curve
_BEAT = 5.0  # seconds between two plain lines


def train(
    data: Annotated[
        str | None,
        typer.Argument(
            help="A table: CSV, Parquet, Arrow, ARFF or npz; - for standard input; or images."
        ),
    ] = None,
    target: Annotated[str | None, typer.Option(help="The column to predict.")] = None,
    example: Example = None,
    given: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="NAME=VALUE",
            help="A hyperparameter, such as learning_rate=0.01 or hidden_layers=64,32, or "
            "recipe=realmlp; may be given several times.",
        ),
    ] = None,
    task: Annotated[str, typer.Option(help="auto, binary, multiclass or regression.")] = "auto",
    metric: Annotated[
        str | None, typer.Option(help="As in tune.  [default: accuracy or rmse]")
    ] = None,
    column: Columns = None,
    rows: SampledRows = None,
    seed: Annotated[
        int, typer.Option(callback=seed_of, help="Every random draw follows from it.")
    ] = 0,
    device: DeviceName = "auto",
    module: Annotated[
        str | None,
        typer.Option(
            metavar="FILE.PY:NAME",
            help="Your own PyTorch module, whose arguments --set takes; the file is executed.",
        ),
    ] = None,
    shelf: ShelfPlace = None,
    study: Annotated[str | None, typer.Option(help="A name for the study it lies in.")] = None,
    allow_wide: AllowWide = False,
    like: Annotated[
        str | None,
        typer.Option(
            metavar="BARCODE",
            help="Begin with the settings of a network on the shelf, on the rows of its study.",
        ),
    ] = None,
    test: TestFile = None,
    as_json: AsJson = False,
) -> None:
    """Train one network, without a search, and put it on the shelf.

    What is not set has its default; `modelshelf hyperparameters` tells what there is. A fifth of
    the rows validates it. With --like, what is not set is as in that network, and it trains on the
    same rows. Ctrl-C once: stop here, and keep it as it is; twice: leave now.
    """
    from modelshelf.engines import kernels

    kernels.begin()  # beside imports and reading

    from modelshelf.study.modules import use_module

    settings = parse_settings(given)
    if like is not None:
        asked = {"--target": target, "--example": example, "--metric": metric, "--study": study,
                 "--column": column, "--rows": rows, "--task": None if task == "auto" else task,
                 "--device": None if device == "auto" else device}  # fmt: skip
        _refuse([name for name, value in asked.items() if value])
        if module is not None:
            use_module(module)
        _train_like(like, settings, seed, data, test, shelf, as_json)
        return
    if test is not None:
        raise SettingError("--test goes with --like: a network by itself has no test rows.")

    from modelshelf.data.metrics import metric_for
    from modelshelf.data.understand import understand
    from modelshelf.space.images import refuse_convolutions
    from modelshelf.study.engines import Engines
    from modelshelf.study.progress import Stopper
    from modelshelf.study.single import train_and_shelve

    configuration, own = _configured(settings, module)
    kinds = parse_columns(column)
    given_rows = source(data, target, example, "train", rows=rows, seed=seed, columns=kinds)
    dataset = understand(*given_rows, task, kinds, allow_wide)
    del given_rows
    configuration = configuration.for_text(dataset.schema.texts)
    configuration.refuse_idle()
    if not dataset.schema.image:
        refuse_convolutions(configuration.word("network"))
    configuration = configuration.for_task(dataset.schema.task)
    found = metric_for(metric, dataset.schema.task)
    console = make_console(stderr=as_json)
    for line in dataset.summary():
        console.print(safe(line), style="dim")
    if configuration.word("network") == "dense":
        wait_for_engine(console)
    stopper = Stopper()
    with (
        closing(Engines(device, own)) as engines,
        _Curve(console) as live,
        signals(stopper, live),
    ):
        single = train_and_shelve(
            dataset,
            found,
            configuration,
            shelf=shelf,
            study=study,
            command=shlex.join(["modelshelf", *sys.argv[1:]]),
            seed=seed,
            watcher=live,
            stopper=stopper,
            engines=engines,
        )
    _end(console, single, dataset.schema.task, found, shelf, as_json)


def _configured(
    settings: dict[str, object], module: str | None
) -> tuple[Configuration, OwnModule | None]:
    """The configuration, and what builds it where it is a module of a person's own."""
    from modelshelf.space.configuration import Configuration
    from modelshelf.study.modules import declare

    if module is None:
        return Configuration(**settings), None
    declared = declare(module)
    named = declared.arguments.named(settings)
    return declared.configuration(
        {n: each if n in settings else read_value(n, each) for n, each in named.items()}
    )


def _refuse(given: Sequence[str]) -> None:
    if given:
        raise SettingError(
            f"{given[0]} does not go with --like: the network's study has its own. Leave it out."
        )


def _train_like(
    like: str,
    settings: dict[str, object],
    seed: int,
    data: str | None,
    test: str | None,
    shelf: str | None,
    as_json: bool,
) -> None:
    """A network like another one, on that one's rows."""
    from modelshelf.data.metrics import metric_for
    from modelshelf.shelf import Shelf
    from modelshelf.study.progress import Stopper
    from modelshelf.understanding.like import trained_like

    console, stopper = make_console(stderr=as_json), Stopper()
    with _Curve(console) as live, signals(stopper, live):
        single = trained_like(
            like,
            settings,
            seed=seed,
            shelf=shelf,
            data=data,
            test=test,
            watcher=live,
            stopper=stopper,
        )
    with Shelf.open(shelf) as opened:
        study = opened.study(single.record.study)
    console.print(
        safe(f"Trained on the rows of {study.settings['beside']}, beside it."), style="dim"
    )
    _end(console, single, study.task, metric_for(study.metric, study.task), shelf, as_json)


def _end(
    console: Console, single: Single, task: Any, metric: Any, shelf: str | None, as_json: bool
) -> None:
    _tell(console, single, metric.name, shelf)
    if as_json:
        typer.echo(json_line(_told(single, task, metric)))
    if not single.complete:
        raise typer.Exit(130)


def parse_settings(given: Sequence[str] | None) -> dict[str, object]:
    """Settings from `NAME=VALUE`; `SettingError` for what is not of that form, or given twice."""
    settings: dict[str, object] = {}
    for each in given or ():
        name, equals, value = (part.strip() for part in each.partition("="))
        if not equals or not name:
            raise SettingError(f"--set {each!r}: expected NAME=VALUE, such as learning_rate=0.01.")
        if name in settings:
            raise SettingError(f"--set {name} was given twice: give it once.")
        settings[name] = read_value(name, value)
    if str(settings.get("hidden_layers", "")).lower() == "none":
        settings["hidden_layers"] = ()
    return settings


class _Curve(Panel):
    """The learning curve while it grows: a chart on a terminal, plain lines elsewhere."""

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        self._drawn = -math.inf if changes(console) else time.monotonic()

    def __call__(self, points: list[CurvePoint], epochs: int) -> None:
        """Show the curve so far, if it is time to."""
        now = time.monotonic()
        if not points or now - self._drawn < (_CALM if self.is_live else _BEAT):
            return
        self._drawn = now
        line = _line(points, epochs)
        if not self.is_live:
            self.console.print(line)
            return
        width = max(20, min(60, self.console.width - 14))
        self.draw([Text(line, style="bold"), *chart(points, width=width)])


def _line(points: Sequence[CurvePoint], epochs: int) -> str:
    last = points[-1]
    best = min(points, key=lambda p: p.validation_loss)
    return (
        f"epoch {last.epoch} of at most {epochs} · training loss {number(last.train_loss)} · "
        f"validation loss {number(last.validation_loss)}, the least {number(best.validation_loss)} "
        f"at epoch {best.epoch}"
    )


def _tell(console: Console, single: Single, metric: str, shelf: str | None) -> None:
    record, configuration = single.record, single.model.configuration
    for line in chart(single.points, width=max(20, min(60, console.width - 14))):
        console.print(line)
    console.print()
    if single.reused:
        said = "This network was on the shelf already: the same data, settings and seed."
        console.print(said, style="yellow")
    elif not single.complete:
        console.print(f"Stopped after epoch {record.epoch}, as asked.", style="yellow")
    elif record.status.value == "diverged":
        said = f"Training diverged after epoch {record.epoch}: the best epoch before was kept. "
        console.print(said + "A lower learning_rate may help.", style="yellow")
    console.print(
        Text(record.barcode, style="bold green").append("  ").append(barcode_text(configuration))
    )
    console.print(in_words(record.configuration))
    console.print(
        f"validation {metric} {number(record.score)}, loss {number(record.loss)}, from epoch "
        f"{record.best_epoch} of {record.epoch}; {counted(record.parameters, 'weight')}; "
        f"{counted(record.steps, 'step')} in {record.seconds:.1f} s on one core."
    )
    console.print(
        "The rows that chose its best epoch gave this score too: it is a little too good.",
        style="dim",
    )
    console.print()
    code = record.barcode[:9]
    put(console, command(typed("show", code, shelf=shelf), room(console), "Next  "))
    out = ("predict", code, "NEW.csv", "--out", "predictions.csv")
    put(console, command(typed(*out, shelf=shelf), room(console), "      "))


def _told(single: Single, task: Any, metric: Any) -> dict[str, Any]:
    record = single.record
    return {
        "study": record.study,
        "task": task.value,
        "metric": metric.name,
        "direction": metric.direction.value,
        "barcode": record.barcode,
        "copy": record.copy,
        "configuration": record.configuration,
        "status": record.status.value,
        "validation": record.score,
        "loss": record.loss,
        "epoch": record.epoch,
        "best_epoch": record.best_epoch,
        "steps": record.steps,
        "seconds": record.seconds,
        "parameters": record.parameters,
        "curve": [asdict(point) for point in single.points],
        "reused": single.reused,
        "shelf": str(single.shelf),
    }
