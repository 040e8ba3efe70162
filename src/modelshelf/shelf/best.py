"""The copy that a barcode stands for."""

from __future__ import annotations

from modelshelf.core.errors import BarcodeError
from modelshelf.core.records import TrialRecord
from modelshelf.shelf.store import Shelf

__all__ = ["best_copy"]

_RANK = {"refit": 0, "train": 1, "confirm": 2, "retest": 3, "search": 4, "probe": 5}


def best_copy(shelf: Shelf, barcode: str) -> TrialRecord:
    """The copy that a barcode stands for, where its configuration was trained several times.

    Raises `BarcodeError` where those are of several tables: one of them would answer for the other.
    """
    found = shelf.resolve(barcode)
    names = {each.study for each in found}
    studies = [each for each in shelf.studies() if each.name in names]
    winners = {each.winner["copy"] for each in studies if each.winner}

    kept = any(each.size for each in found)  # not so of an objective's, or where all were removed

    def rank(record: TrialRecord) -> tuple[bool, bool, bool, int, float]:
        removed, usable = kept and not record.size, record.best_epoch > 0
        won = record.copy in winners
        return removed, not won, not usable, _RANK[record.purpose], record.loss

    if len({each.fingerprint for each in studies}) > 1:
        best = [min((e for e in found if e.study == s.name), key=rank) for s in studies]
        told = ", ".join(f"{each.copy[:9]} in {each.study}" for each in best)
        raise BarcodeError(
            f"Networks of {found[0].barcode} were trained on several tables. Name the copy that "
            f"you mean: {told}."
        )
    return min(found, key=rank)
