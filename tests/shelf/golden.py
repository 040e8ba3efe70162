"""Writes the golden shelf of the newest revision: `python -m tests.shelf.golden`.

Run it once, when a revision is made. A golden shelf that was released is never written again.
"""

from __future__ import annotations

import re
import shutil
import sqlite3
import tempfile
from pathlib import Path

import numpy as np

from modelshelf.core.records import Status
from modelshelf.shelf import Completed, Job, Shelf
from modelshelf.shelf.schema import HEAD
from tests.shelf.helpers import new_trial, outcome, study

FOLDER = Path(__file__).parent / "golden" / HEAD
NAME = "Größe 'a'"


def fill(shelf: Shelf) -> None:
    shelf.add_study(study(NAME, created="2026-01-02T03:04:05+00:00"))
    shelf.update_study(NAME, result={"winner": None}, test_uses=1)
    jobs = [Job(0, 0, 0, 0, 4), Job(1, 1, 0, 0, 4, keep=0.25), Job(2, 2, 0, 0, 4)]
    shelf.write(NAME, trials=[new_trial(n) for n in range(3)], jobs=jobs)
    weights = {"weights": np.array([0.5, -1.25], np.float32)}
    for number, status in enumerate((Status.FINISHED, Status.PAUSED)):
        file = shelf.write_network(NAME, number, 4, weights, {"trial": str(number)})
        preparation = shelf.write_preparation({"columns": ["é"]}, {"mean": np.array([1.5])})
        ended = outcome(1, 4, status, score=0.1 + 0.2)
        done = Completed(number, number, ended, file, preparation)
        shelf.write(NAME, completed=[done], retired=[(number, number)], seconds=1.5)


def _portable(dump: str) -> str:
    """Numbers as every SQLite reads them: infinity by overflow, floats in shortest form."""
    dump = re.sub(r"(?<=[,(])(-?)Inf(?=[,)])", r"\g<1>9e999", dump)
    return re.sub(r"\b\d\.\d{10,}e[-+]\d+", lambda found: repr(float(found[0])), dump)


def main() -> None:
    if FOLDER.exists():
        raise SystemExit(f"{FOLDER} is there: a golden shelf is written once")
    with tempfile.TemporaryDirectory() as temporary:
        made = Path(temporary) / "shelf"
        with Shelf.open(made, create=True) as shelf:
            fill(shelf)
        for folder in ("networks", "preparations"):
            shutil.copytree(made / folder, FOLDER / "files" / folder)
        connection = sqlite3.connect(made / "shelf.sqlite")
        dump = _portable("\n".join(connection.iterdump()))
        connection.close()
    (FOLDER / "shelf.sql").write_text(dump + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
