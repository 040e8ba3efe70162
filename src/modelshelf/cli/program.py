"""The program's commands. Each is imported when it is asked for, and what it needs with it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from shutil import get_terminal_size
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from modelshelf.cli.app import tell_program
from modelshelf.core.errors import StoppedError, nearest
from modelshelf.core.version import __version__

__all__ = ["COMMANDS", "Command", "Context", "Program", "app", "load"]

#: Each command, a function of its module's name, and how its help begins: a test holds that they
#: are the same.
COMMANDS = {
    "tune": "Train many networks on a table, shelve each, and name the best one honestly.",
    "train": "Train one network, without a search, and put it on the shelf.",
    "shelf": "List the studies on the shelf, the networks of one, or its front of score against "
    "cost.",
    "show": "Show one network: its settings, scores, learning curve, size, time and barcode.",
    "predict": "Predict with the very weights on the shelf: a label and probabilities for each "
    "row.",
    "hyperparameters": "List every hyperparameter, or explain one with its trade-off; or check a "
    "space.",
    "explain": "Tell which settings mattered in a study, which way, and what each traded for what.",
    "probe": "Vary one hyperparameter around a network: what is too low, good, too high.",
    "dissect": "Take one network apart: layers as drawn and trained, columns, one row, one "
    "training step.",
    "compare": "Compare networks: settings, learning curves, scores on the same rows, answers, "
    "costs.",
    "worth": "Say whether a deep network is worth it here, against plain models, and what more "
    "rows bring.",
    "diagnose": "Look for what ails a network, with the evidence and what to try.",
    "report": "Write a study down for one who was not there: a page that works offline, or "
    "Markdown.",
    "tokenise": "Take one text apart, step by step: tokens, features, ids, weights.",
    "remove": "Take a study off the shelf, with all its networks, or the networks of one barcode.",
    "warm": "Compile the engine for this processor, once: for an image, a classroom, or before a "
    "race.",
}
_SETTINGS = {"help_option_names": ["-h", "--help"]}
_NAMES = {"study", "ensemble", "bag", "target"}  # arguments that name what lies on a shelf
_NARROW = 52  # columns; below, what an option means stands under its name


class Context(typer.Context):
    """A command at work, whose help keeps to a narrow terminal too."""

    def make_formatter(self) -> Any:
        """Click's own formatter, but for terminals that it takes to be wider than they are."""
        formatter = super().make_formatter()
        columns = get_terminal_size().columns
        if columns < _NARROW:
            formatter.width = columns
            formatter.write_dl = partial(formatter.write_dl, col_max=2)  # type: ignore[method-assign]
        return formatter


class Command(TyperCommand):
    """One command."""

    context_class = Context

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read what was typed; names are text, even where the locale knows ASCII alone."""
        rest: list[str] = super().parse_args(ctx, args)
        for name in _NAMES & ctx.params.keys():
            if isinstance(given := ctx.params[name], str):
                ctx.params[name] = _as_text(ctx, given)
        return rest


class Program(TyperGroup):
    """The commands by name: to list them, or to help with one, the others are not imported."""

    context_class = Context

    def list_commands(self, ctx: Any) -> list[str]:
        """Their names, in the order in which they are needed."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of this name, imported now."""
        return load(cmd_name) if cmd_name in COMMANDS else None

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """List them in the help."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that was typed; for one that there is none of, the nearest."""
        if args and args[0] not in COMMANDS:
            ctx.fail(f"There is no command {args[0]!r}: {nearest(args[0], COMMANDS)}")
        return super().resolve_command(ctx, args)

    def make_context(self, *arguments: Any, **named: Any) -> Any:
        """Read what was typed."""
        with _told():
            return super().make_context(*arguments, **named)

    def invoke(self, ctx: Any) -> Any:
        """Run what was typed."""
        with _told():
            return super().invoke(ctx)


def _as_text(ctx: Any, given: str) -> str:
    """An argument whose bytes the locale could not read, as the UTF-8 that they are."""
    try:
        return os.fsencode(given).decode()
    except UnicodeError:
        ctx.fail(f"{given!r} is no text: expected UTF-8.")
        raise


@contextmanager
def _told() -> Iterator[None]:
    """What Typer would end the program with: without a word, or without one for `--json`."""
    try:
        yield
    except KeyboardInterrupt:
        raise StoppedError("Stopped.") from None
    except BrokenPipeError:  # Typer takes it for a failure
        raise typer.Exit(0) from None
    except Exception as error:
        if hasattr(error, "format_message"):  # Click's own, which it then prints
            tell_program(error.format_message(), error.exit_code)  # type: ignore[attr-defined]
        raise


def load(name: str) -> Any:
    """The command of this name, as Click has it."""
    function = getattr(import_module(f"modelshelf.cli.{name}"), name)
    one = typer.Typer(add_completion=False, rich_markup_mode=None, context_settings=_SETTINGS)
    one.command(name, cls=Command)(function)
    return typer.main.get_command(one)


app = typer.Typer(
    name="modelshelf",
    cls=Program,
    help="Which neural network should I use for my table, and why?",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings=_SETTINGS,
)


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
