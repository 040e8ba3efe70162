"""`modelshelf report`: a study as one page that stands alone."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from modelshelf.cli.options import Force, KnownModule, ShelfPlace, make_console
from modelshelf.cli.words import safe

__all__ = ["report"]


def report(
    study: Annotated[str, typer.Argument(help="A study's name, or how it begins.")],
    out: Annotated[Path, typer.Option(help="A .html file, or .md.")] = Path("report.html"),
    force: Force = False,
    shelf: ShelfPlace = None,
    module: KnownModule = None,
) -> None:
    """Write a study down for one who was not there: a page that works offline, or Markdown.

    The question, the data, the winner and its honest score, what each setting traded for what,
    learning curves, what was tried, and how to reproduce it. Nothing is trained.
    """
    from modelshelf.reports.page import report as write

    path = write(study, out, shelf, force=force)
    make_console(stderr=True).print(safe(f"The report is in {path}."))
