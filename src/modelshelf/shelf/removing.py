"""Taking studies and networks off the shelf: first their rows, then their files.

Killed in between, the rows are gone, and the files are what a sweep takes for left behind.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from sqlalchemy import bindparam, delete, select, update

from modelshelf.core.errors import BarcodeError, ShelfError, nearest
from modelshelf.core.records import Status, TrialRecord
from modelshelf.shelf.database import Database
from modelshelf.shelf.files import Files
from modelshelf.shelf.problems import told
from modelshelf.shelf.reading import files as files_of
from modelshelf.shelf.reading import named
from modelshelf.shelf.resolve import resolve
from modelshelf.shelf.schema import REMOVED, configuration, curve, job, study, trial
from modelshelf.shelf.studies import Studies

__all__ = [
    "Removal",
    "networks_named",
    "of_networks",
    "of_study",
    "remove_networks",
    "remove_study",
]


@dataclass(frozen=True, slots=True)
class Removal:
    """What is to be taken off the shelf, or was."""

    study: str
    whole: bool  #: whether the study itself goes, with its log and its result
    trials: tuple[int, ...]  #: numbers of the trials whose networks go
    files: tuple[str, ...]  #: those that were there
    bytes: int  #: of these files
    winner: bool  #: whether the network that the study recommends is among them


def of_study(database: Database, files: Files, studies: Studies, name: str) -> Removal:
    """What removing a study takes: its networks, and what they alone were prepared with."""
    number = studies.id(name)
    with told(files.root):
        own = set(files.networks(number))
    shared = named(database) - named(database, but=number)
    whole = tuple(sorted(files_of(database, number)))
    winner = bool(studies.named(name).winner)
    return Removal(name, True, whole, *_there(files, own | shared), winner)


def of_networks(
    database: Database, files: Files, studies: Studies, found: Sequence[TrialRecord]
) -> Removal:
    """What removing the networks of these trials of one study takes.

    Raises `ShelfError` where they have none, or their study may go on with one of them.
    """
    name = found[0].study
    kept = files_of(database, studies.id(name))
    there = [each for each in found if each.number in kept]
    if not there:
        raise ShelfError(
            f"Trial {found[0].number} of study {name!r} has no network on the shelf at "
            f"{files.root}: there is nothing to remove."
        )
    for each in there:
        if each.status in (Status.RUNNING, Status.PAUSED):
            raise ShelfError(
                f"Trial {each.number} of study {name!r} is {each.status.value}: the study may go "
                "on with it. Let it end first (the command that began it goes on), or remove the "
                "whole study."
            )
    own = {kept[each.number].file.name for each in there}
    winner = studies.named(name).winner.get("copy") in {each.copy for each in there}
    numbers = tuple(sorted(each.number for each in there))
    return Removal(name, False, numbers, *_there(files, own), winner)


def networks_named(
    database: Database, studies: Studies, barcode: str, of: str | None
) -> tuple[TrialRecord, ...]:
    """The trials of one study that a barcode or a copy id names.

    Raises `BarcodeError` where there are none, or they lie in several studies.
    """
    found = resolve(database, barcode)
    names = list(dict.fromkeys(each.study for each in found))
    if of is not None:
        wanted = studies.named(of).name
        found = tuple(each for each in found if each.study == wanted)
        if not found:
            raise BarcodeError(
                f"{barcode!r} names no network of the study {wanted!r}: {nearest(wanted, names)}"
            )
    elif len(names) > 1:
        shown = ", ".join(map(repr, names[:5])) + (", …" if len(names) > 5 else "")
        raise BarcodeError(
            f"{barcode!r} names networks of {len(names)} studies: {shown}. Say with --study whose."
        )
    return found


def _there(files: Files, names: set[str]) -> tuple[tuple[str, ...], int]:
    """Of these files those that are there, and how many bytes they have."""
    sizes = {}
    with told(files.root):
        for each in sorted(names):
            with suppress(FileNotFoundError, NotADirectoryError, ValueError):
                sizes[each] = (files.root / each).stat().st_size
    return tuple(sizes), sum(sizes.values())


def remove_study(database: Database, files: Files, study_id: int) -> None:
    """Take a study and all that is its own off the shelf. Its lock is held."""
    unused = ~select(trial.c.barcode).where(trial.c.barcode == configuration.c.barcode).exists()
    with database.writing() as connection:
        for table in (curve, job, trial):
            connection.execute(delete(table).where(table.c.study_id == study_id))
        connection.execute(delete(configuration).where(unused))
        connection.execute(delete(study).where(study.c.id == study_id))
    with told(files.root):
        for name in files.networks(study_id):
            (files.root / name).unlink(missing_ok=True)
    with suppress(OSError):  # not empty, or never made
        (files.root / f"networks/{study_id}").rmdir()


def remove_networks(
    database: Database, files: Files, study_id: int, numbers: Sequence[int]
) -> None:
    """Take networks off the shelf; the log of their study stays. Its lock is held."""
    kept = files_of(database, study_id)
    with database.writing() as connection:
        connection.execute(
            update(trial)
            .where(trial.c.study_id == study_id, trial.c.number == bindparam("of_trial"))
            .values(file="", size=0, checksum=REMOVED, preparation=""),
            [{"of_trial": number} for number in numbers],
        )
    files.remove(kept[number].file.name for number in numbers if number in kept)
