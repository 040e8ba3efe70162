"""`modelshelf remove`: what is not needed any more."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from modelshelf.cli.options import AsJson, ShelfPlace, make_console
from modelshelf.cli.words import json_line, safe
from modelshelf.core.errors import SettingError
from modelshelf.core.words import counted

if TYPE_CHECKING:
    from modelshelf.shelf.removing import Removal

__all__ = ["remove"]


def remove(
    what: Annotated[
        str,
        typer.Argument(
            metavar="STUDY|BARCODE",
            help="A study, a barcode or a copy id, or how it begins. A copy id is one network.",
        ),
    ],
    study: Annotated[
        str | None, typer.Option(help="Of a barcode in several studies: the study that is meant.")
    ] = None,
    yes: Annotated[
        bool, typer.Option("--yes", help="Do not ask. Needed where there is no terminal.")
    ] = False,
    shelf: ShelfPlace = None,
    as_json: AsJson = False,
) -> None:
    """Take a study off the shelf, with all its networks, or the networks of one barcode."""
    from modelshelf.shelf import Shelf

    console = make_console(stderr=as_json)
    with Shelf.open(shelf) as opened:
        wanted = opened.removal(what, study)
        if not yes:
            console.print(safe(f"This removes {_told(wanted)}"))
            if not sys.stdin.isatty():
                raise SettingError("Nothing was removed: there is no one to ask. Say --yes.")
            if not typer.confirm("Remove it for good?", err=as_json):
                console.print("Nothing was removed.")
                raise typer.Exit(1)
        if wanted.whole:
            taken = opened.remove_study(wanted.study)
        else:
            taken = opened.remove_network(what, study=wanted.study)
        if as_json:
            typer.echo(json_line({"shelf": str(opened.path), "removed": asdict(taken)}))
    console.print(safe(f"Removed {_told(taken)}"))


def _told(removal: Removal) -> str:
    """What is removed, how much that is, and what stays."""
    networks = counted(len(removal.trials), "network")
    files = f"{counted(len(removal.files), 'file')}, {removal.bytes / 2**20:,.1f} MiB"
    if removal.whole:
        return f"the study {removal.study!r}: its log, its result and {networks} ({files})."
    told = f"{networks} of study {removal.study!r} ({files}). The study's log stays."
    if removal.winner:
        told += " The network that the study recommends is among them: it will not predict."
    return told
