"""A network taken apart on its study's own rows: layers, columns, and one row if one is asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from modelshelf.core.errors import SettingError
from modelshelf.core.records import Status
from modelshelf.core.seeds import sampled
from modelshelf.data.tensor import as_columns
from modelshelf.insight.dissection import Dissection
from modelshelf.insight.permutation import PermutationImportance, permutation_importance
from modelshelf.understanding.layers import layers_of
from modelshelf.understanding.one_row import look_at
from modelshelf.understanding.taken import Taken, take
from modelshelf.understanding.which_row import find_row

__all__ = ["dissect"]

_ROWS = 512  # sent through each layer


def dissect(
    barcode: str,
    *,
    row: int | None = None,
    shelf: str | Path | None = None,
    data: Any = None,
    test: Any = None,
    seed: int = 0,
) -> Dissection:
    """Take a network apart, layer by layer, on rows of its own study.

    `barcode` is a barcode or copy id, or how one begins. `row` is a row of the study's table, as it
    was given; the first below the header is 1. `data` and `test` are the study's rows where they
    have moved or came from memory: a path, a data frame, or inputs and target. `seed` draws the
    rows, and the permutations.

    Raises `BarcodeError`, `ShelfError`, and `DataError` where the rows cannot be read again.
    """
    with take(barcode, shelf, data, test) as taken:
        return _dissected(taken, row, seed)


def _dissected(taken: Taken, row: int | None, seed: int) -> Dissection:
    model = taken.model
    network, prepared = model.dense("dissect"), taken.prepared
    if not np.isfinite(network.theta).all():
        raise SettingError(
            f"The network {taken.trial.barcode} has no finite weights: it diverged, and there is "
            "nothing to take apart. Its record: modelshelf show."
        )
    found = None if row is None else find_row(taken, row)
    data = prepared.data
    part, x, y = "validation", data.validation_x, data.validation_y
    if len(x) == 0:
        part, x, y = "training", data.x, data.y
    drawn = sampled(len(x), _ROWS, seed, "dissected rows")
    layers = layers_of(model.configuration, network, data, taken.trial.seed, x[drawn], y[drawn])
    return Dissection(
        barcode=taken.trial.barcode,
        copy=taken.trial.copy,
        study=taken.study.name,
        activation=network.activation,
        members=network.layout.members,
        rows=len(drawn),
        of=len(x),
        part=part,
        optimizer=model.configuration.word("optimizer"),
        layers=layers,
        importance=_importance(taken, part, seed),
        row=None if found is None else look_at(model, found, data.x, seed),
        notes=tuple(_notes(taken)),
    )


def _importance(taken: Taken, part: str, seed: int) -> PermutationImportance:
    """On the test rows; where there are none, on validation rows, or at last on training rows."""
    problem, model = taken.problem, taken.model
    if problem.test_frame is not None and problem.test_target is not None:
        part, frame, target = "test", problem.test_frame, problem.test_target
    else:
        train, validation = problem.rows(taken.split)
        rows = train if part == "training" else validation
        frame, target = problem.dataset.frame[rows], problem.dataset.target[rows]
    return permutation_importance(
        lambda some: model.answer(model.preparation.transform(some)),
        as_columns(frame, "The importance of columns"),
        target,
        [each.name for each in model.preparation.schema.inputs],
        problem.metric,
        part=part,
        seed=seed,
    )


def _notes(taken: Taken) -> list[str]:
    trial, layout = taken.trial, taken.model.dense("dissect").layout
    notes = []
    if trial.best_epoch == 0:
        notes.append(
            "It diverged in its first epoch: what is kept, and shown as trained, are the weights "
            "that were drawn."
        )
    elif trial.status is Status.DIVERGED:
        notes.append(f"It diverged later: its weights are those of epoch {trial.best_epoch}.")
    if layout.members > 1:
        notes.append(
            f"It is {layout.members} networks in one: layers are counted over all of them, and a "
            "row's outputs are those of the first."
        )
    if layout.norm == "batch":
        notes.append(
            "Batch normalisation answers by its running statistics; those of the drawn network are "
            "of its first batches."
        )
    return notes
