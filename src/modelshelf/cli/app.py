"""The program `modelshelf`: its commands, and how errors and signals end it."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from modelshelf.cli.compare import compare
from modelshelf.cli.diagnose import diagnose
from modelshelf.cli.dissect import dissect
from modelshelf.cli.explain import explain
from modelshelf.cli.hyperparameters import hyperparameters
from modelshelf.cli.predict import predict
from modelshelf.cli.probe import probe
from modelshelf.cli.report import report
from modelshelf.cli.shelf import shelf
from modelshelf.cli.show import show
from modelshelf.cli.tokenise import tokenise
from modelshelf.cli.train import train
from modelshelf.cli.tune import tune
from modelshelf.cli.warm import warm
from modelshelf.cli.worth import worth
from modelshelf.core.errors import ModelshelfError, StoppedError, UserError
from modelshelf.core.version import __version__

__all__ = ["app", "entry", "main"]

app = typer.Typer(
    name="modelshelf",
    help="Which neural network should I use for my table, and why?",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (
    tune,
    train,
    shelf,
    show,
    predict,
    hyperparameters,
    explain,
    probe,
    dissect,
    compare,
    worth,
    diagnose,
    report,
    tokenise,
    warm,
):
    app.command()(command)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"modelshelf {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    """Which neural network should I use for my table, and why?"""


def main() -> None:
    """Run the program. Exit status: 0 done, 1 failed, 2 bad input, 130 stopped by Ctrl-C."""
    try:
        app()
    except UserError as error:
        _end(f"Error: {error}", 2)
    except StoppedError as error:
        _end(str(error), 130)
    except ModelshelfError as error:
        _end(f"Error: {error}", 1)
    except KeyboardInterrupt:
        _end("Stopped.", 130)
    except BrokenPipeError:  # the reader of our output went away, as `head` does
        sys.stderr.close()
        sys.exit(0)
    except OSError as error:  # a full disk, say
        _end(f"Error: {error}.", 1)


def entry() -> None:
    """Run the program, and leave at once when it is done.

    A baseline that is still being fitted when the time is up cannot be stopped; Python would wait
    for its thread. Everything that matters was written and flushed by then.
    """
    status: int | str | None = 0
    try:
        main()
    except SystemExit as ended:
        status = ended.code
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (OSError, ValueError, AttributeError):  # the reader went away, or there never was one
        pass
    os._exit(status if isinstance(status, int) else int(status is not None))


def _end(message: str, status: int) -> None:
    typer.echo(message, err=True)
    sys.exit(status)
