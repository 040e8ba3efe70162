"""From the first letters of a barcode, or of a copy id, to the trials that they name."""

from __future__ import annotations

import difflib

from sqlalchemy import Column, ColumnElement, or_, select

from modelshelf.core.errors import BarcodeError
from modelshelf.core.records import TrialRecord
from modelshelf.shelf.database import Database
from modelshelf.shelf.fitting import column_of, rows_of, undamaged
from modelshelf.shelf.reading import TRIALS, sorted_by, trials
from modelshelf.shelf.schema import study, trial
from modelshelf.space.barcode import clean

__all__ = ["resolve"]

_SHOWN = 5
_COMPARED = 5000  # barcodes that a mistyped one is compared with


def resolve(database: Database, prefix: str) -> tuple[TrialRecord, ...]:
    """All trials of the one configuration, or of the one copy, that a prefix names, best first.

    A configuration comes before a copy: where the prefix begins both the barcode of some trials
    and copy ids of theirs, all trials of that barcode are meant.

    Raises `BarcodeError` where it matches nothing, or several different barcodes.
    """
    wanted = clean(prefix)
    by_barcode, by_copy = _begins(trial.c.barcode, wanted), _begins(trial.c.copy, wanted)
    query = select(trial.c.barcode).where(or_(by_barcode, by_copy)).distinct().limit(2)
    with database.reading() as connection, undamaged(database.path):
        barcodes = column_of(connection, query)
    if not barcodes:
        raise _nothing(database, prefix, wanted)
    if len(barcodes) > 1:
        raise _several(database, prefix, or_(by_barcode, by_copy))
    found = trials(database, sorted_by(TRIALS.where(by_barcode), "score"))
    found = found or trials(database, sorted_by(TRIALS.where(by_copy), "score"))
    with undamaged(database.path):
        if not found:
            raise ValueError(f"trials of {barcodes[0]} are of no study, or no configuration")
    return found


def _begins(column: Column[str], wanted: str) -> ColumnElement[bool]:
    # A range and not LIKE, which would read the whole table: every letter comes before "~".
    return (column >= wanted) & (column < wanted + "~")


def _nothing(database: Database, prefix: str, wanted: str) -> BarcodeError:
    query = select(trial.c.barcode).distinct().limit(_COMPARED)
    with database.reading() as connection, undamaged(database.path):
        known = {each[: len(wanted)]: each for each in column_of(connection, query)}
    if not known:
        return BarcodeError(
            f"{prefix!r} names no network: the shelf at {database.path} is empty. "
            "Fill it with `modelshelf tune --example digits`."
        )
    near = difflib.get_close_matches(wanted, known, n=1, cutoff=0.6)
    offer = f"did you mean {known[near[0]]}? " if near else ""
    return BarcodeError(
        f"{prefix!r} names no network on the shelf at {database.path}: {offer}"
        "`modelshelf shelf` lists what is there."
    )


def _several(database: Database, prefix: str, begins: ColumnElement[bool]) -> BarcodeError:
    query = (
        select(trial.c.barcode, study.c.name)
        .join(study, study.c.id == trial.c.study_id)
        .where(begins)
        .group_by(trial.c.barcode)
        .order_by(trial.c.barcode)
        .limit(_SHOWN + 1)
    )
    with database.reading() as connection, undamaged(database.path):
        rows = rows_of(connection, query)
    shown = ", ".join(f"{barcode} (study {name!r})" for barcode, name in rows[:_SHOWN])
    more = ", …" if len(rows) > _SHOWN else ""
    return BarcodeError(f"{prefix!r} names several networks: {shown}{more}. Say more letters.")
