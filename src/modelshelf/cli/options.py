"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from shutil import get_terminal_size
from typing import Annotated, NoReturn

import typer
from rich.console import Console, ConsoleDimensions

from modelshelf.core.errors import SettingError

__all__ = [
    "AllowWide",
    "AsJson",
    "Columns",
    "DeviceName",
    "Example",
    "Figure",
    "Force",
    "KnownModule",
    "RowsFile",
    "SampledRows",
    "ShelfPlace",
    "TestFile",
    "make_console",
    "parse_columns",
    "seed_of",
]

ShelfPlace = Annotated[
    str | None,
    typer.Option(help="Where the shelf is.  [default: $MODELSHELF_SHELF, else ./.modelshelf]"),
]
Example = Annotated[
    str | None,
    typer.Option(help="A bundled data set: digits, breast_cancer, wine, iris, diabetes."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object on the last line.")]
RowsFile = Annotated[
    str | None,
    typer.Option("--data", help="The study's rows, where they have moved or came from memory."),
]

SampledRows = Annotated[
    int | None,
    typer.Option(
        "--rows", min=1, metavar="N", help="So many rows, sampled at random by the seed.  [all]"
    ),
]


def _use(module: str | None) -> str | None:
    if module is not None:
        from modelshelf.study.modules import use_module

        use_module(module)
    return module


#: Known to the process once it is read: what takes networks down asks for it by its name.
KnownModule = Annotated[
    str | None,
    typer.Option(
        "--module",
        metavar="FILE.PY:NAME",
        callback=_use,
        help="What builds networks that are modules of your own; the file is executed.",
    ),
]
TestFile = Annotated[str | None, typer.Option("--test", help="And those of its test file.")]
Figure = Annotated[
    Path | None, typer.Option("--figure", help="Draw it into this .html file, which works offline.")
]


def seed_of(given: int) -> int:
    """The seed, in its range: an option's callback."""
    from modelshelf.core.seeds import checked

    return checked(given)


Force = Annotated[
    bool, typer.Option("--force", help="Replace a file that is there, and is not one of ours.")
]
DeviceName = Annotated[
    str,
    typer.Option(
        "--device",
        help="auto (a GPU where PyTorch has one), cpu, cuda or mps. On a GPU, networks of equal "
        "shape are trained together.",
    ),
]
AllowWide = Annotated[
    bool, typer.Option("--allow-wide", help="Accept a table with more columns than rows.")
]
Columns = Annotated[
    list[str] | None,
    typer.Option(
        help="NAME=numeric, categorical, date, text or ignore; may be given several times."
    ),
]


class _Console(Console):
    """A console that ends the program without a word where its reader went away, as `head` does."""

    def on_broken_pipe(self) -> NoReturn:
        """What Rich takes for a failure."""
        raise BrokenPipeError


def make_console(*, stderr: bool = False) -> Console:
    """A console that obeys NO_COLOR, takes no markup from data, and cuts no lines in a pipe."""
    console = _Console(stderr=stderr, highlight=False, markup=False, emoji=False)
    if console.is_dumb_terminal:
        console.size = ConsoleDimensions(*get_terminal_size())  # Rich takes it to have 80 columns
    if console.is_terminal:
        return console
    return _Console(
        stderr=stderr, highlight=False, markup=False, emoji=False, width=160, soft_wrap=True
    )


def parse_columns(given: list[str] | None) -> dict[str, str]:
    """Column kinds from `NAME=kind`; a name may hold `=` itself."""
    kinds: dict[str, str] = {}
    for each in given or ():
        name, equals, kind = each.rpartition("=")
        if not equals or not name:
            raise SettingError(
                f"--column {each!r}: expected NAME=numeric, NAME=categorical, NAME=date, "
                "NAME=text or NAME=ignore."
            )
        kinds[name] = kind
    return kinds
