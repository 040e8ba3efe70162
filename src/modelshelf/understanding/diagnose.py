"""A diagnosis: what ails one network, and what to try."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from joblib import cpu_count

from modelshelf.core.errors import DataError, SettingError
from modelshelf.core.records import Purpose, Status
from modelshelf.insight.diagnosis import CHECKED, Diagnosis, findings
from modelshelf.insight.evidence import Evidence
from modelshelf.study.budget import parse_time
from modelshelf.study.progress import Stopper
from modelshelf.study.searching import SEARCH_SPLIT
from modelshelf.understanding.evidence import gathered, on_search_rows
from modelshelf.understanding.taken import Taken, take

__all__ = ["diagnose"]

_SECONDS = 60.0


def diagnose(
    barcode: str,
    *,
    retrain: int = 0,
    time_limit: str | float | None = _SECONDS,
    workers: int | None = None,
    shelf: str | Path | None = None,
    data: Any = None,
    test: Any = None,
    stopper: Stopper | None = None,
) -> Diagnosis:
    """Look for what ails a network: from its curve, its gradients, its rows, and short experiments.

    Looked for are those of `insight.diagnosis.CHECKED`. Where more training might help, the network
    is trained again with the same seed: for four times as many epochs, and at ten times the rate
    for a tenth of them. What is trained for it lies on the shelf, beside the network's study.

    Args:
        barcode: A barcode or copy id, or how it begins.
        retrain: On how many other seeds to train it, to tell whether its own was unlucky.
        time_limit: Seconds for what is trained, or text such as `"2m"`; None for no limit.
        workers: Networks trained at a time; all cores if nothing is said.
        shelf: Where it lies; `$MODELSHELF_SHELF`, else `./.modelshelf`.
        data: The study's rows, where they have moved or came from memory.
        test: And those of its test file.
        stopper: Asks it to end; what needs training is then left unchecked.

    Returns:
        A `Diagnosis`, with an empty `findings` where nothing wrong was found.

    Raises:
        UserError: For a barcode or rows that cannot be used, and for a network that has no
            validation rows to be judged by.
    """
    if retrain < 0 or retrain == 1:
        raise SettingError(f"retrain is {retrain}: expected 0, or 2 seeds or more.")
    seconds = None if time_limit is None else parse_time(time_limit)
    with take(barcode, shelf, data, test) as asked:
        taken = on_search_rows(asked)
        if not len(taken.prepared.data.validation_x):
            raise DataError(
                f"{taken.trial.barcode} was trained on all rows, and has none to be judged by. "
                "Train one like it that has: modelshelf train --like "
                f"{taken.trial.barcode[:9]}."
            )
        found = gathered(
            taken,
            retrain=retrain,
            workers=workers or cpu_count(),
            seconds=seconds,
            stopper=stopper,
        )
        unchecked = _unchecked(taken, found, stopper is not None and stopper.requested)
        return Diagnosis(
            barcode=taken.trial.barcode,
            copy=taken.trial.copy,
            study=taken.study.name,
            findings=findings(found),
            checked=tuple(each for each in CHECKED if each not in unchecked),
            unchecked=tuple(f"{name}: {why}" for name, why in unchecked.items()),
            training_rows=found.training_rows,
            train_error=found.train_error,
            validation_error=found.validation_error,
            forest_error=found.forest_error,
            rows=str(taken.study.settings.get("rows", {}).get("source") or ""),
            target=taken.problem.dataset.schema.target,
            notes=_notes(asked, taken),
        )


def _unchecked(taken: Taken, found: Evidence, asked_to_end: bool) -> dict[str, str]:
    """What could not be looked for, and why."""
    missing: dict[str, str] = {}
    if not found.layers:
        for name in CHECKED[1:5]:
            missing[name] = "there is no finished epoch to look into"
    if found.may_gain and (found.longer is None or found.faster is None):
        why = "there was no time to train it longer and faster (--time)"
        if asked_to_end:
            why = "the diagnosis was asked to end"
        if taken.split != SEARCH_SPLIT:
            why = "it was trained on rows of its own"
        missing["learning rate too low"] = missing["stopped too early"] = why
    if len(found.others) < 2:
        missing["unlucky seed"] = "the shelf holds fewer than two others (--retrain 3)"
        if found.status is not Status.FINISHED:
            missing["unlucky seed"] = "it was not trained to its end"
    if found.labels is None:
        few = taken.problem.classes
        missing["label noise"] = "there are too few rows" if few else "its target holds numbers"
    return missing


def _notes(asked: Taken, taken: Taken) -> tuple[str, ...]:
    notes = []
    if asked.trial.copy != taken.trial.copy:
        notes.append(
            f"The copy that was looked into is {taken.trial.copy}: that of the search, whose "
            "validation rows did not train it."
        )
    if taken.trial.status is Status.STOPPED and taken.trial.purpose is Purpose.SEARCH:
        notes.append(f"The search left it at epoch {taken.trial.epoch}: others promised more.")
    return tuple(notes)
