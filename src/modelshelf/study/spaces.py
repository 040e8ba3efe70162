"""Going on with another space: what a study keeps of its spaces, and which old trials count."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from modelshelf.core.records import Task
from modelshelf.shelf import Shelf, StudyRecord
from modelshelf.space.space import Space

__all__ = ["first_trial", "go_on_with", "logged", "notes_on_space"]


def logged(space: Space, task: Task, *, first: int, command: str) -> dict[str, Any]:
    """A space's entry in the log of a study, which begins with trial number `first`."""
    return {
        "space": json.loads(json.dumps(space.for_task(task).to_json())),
        "first_trial": first,
        "began": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": command,
    }


def go_on_with(
    space: Space, shelf: Shelf, record: StudyRecord, *, key: str, command: str
) -> StudyRecord:
    """The study's record, with this space as its present one; the shelf then says so too.

    A study that goes on with another space is open again and its time begins anew. `key` is what
    now defines it. The entry of the space before it keeps the seconds that it had, and the
    winner that it found. One update holds it all, so that a kill leaves either space, whole.
    """
    log: list[dict[str, Any]] = record.settings.get("spaces", [])
    entry = logged(space, record.task, first=len(shelf.trials(record.name)), command=command)
    if not log or log[-1]["space"] == entry["space"]:
        return record
    done = record.status == "done" and record.result is not None
    winner = record.winner.get("barcode") if done else None
    past = {**log[-1], "seconds": record.seconds, "winner": winner}
    settings = {**record.settings, "space": entry["space"], "spaces": [*log[:-1], past, entry]}
    changes: Mapping[str, Any] = {"status": "open", "seconds": 0.0, "key": key}
    shelf.update_study(record.name, settings=settings, **changes)
    return replace(record, settings=settings, **changes)


def first_trial(record: StudyRecord) -> int:
    """The number of the first trial of the present space; those before it count if they fit."""
    log = record.settings.get("spaces", [])
    return int(log[-1]["first_trial"]) if log else 0


def notes_on_space(record: StudyRecord, outside: int) -> list[str]:
    """What a reader should know of the spaces before, and of where the search began."""
    notes = []
    if outside:
        verb = "network lies" if outside == 1 else "networks lie"
        notes.append(
            f"{outside} {verb} outside the space that this study now has: still on the shelf, but "
            "no evidence for the search, and none of them can win."
        )
    warm = record.settings.get("warm_start")
    if warm is not None:
        notes.append(
            f"It was given {len(warm['configurations'])} configurations to try early, which did "
            f"best on similar data in {', '.join(warm['studies'])}."
            if warm["studies"]
            else "There was no finished study on similar data to begin from."
        )
    return notes
