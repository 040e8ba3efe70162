"""One more network like another one, with changes, on the rows of that one's study."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from modelshelf.space.configuration import Configuration
from modelshelf.study.beside import train_one_beside
from modelshelf.study.model import Model
from modelshelf.study.progress import Stopper
from modelshelf.study.single import Single, Watcher
from modelshelf.understanding.changes import changed
from modelshelf.understanding.taken import take

__all__ = ["train_like", "trained_like"]


def train_like(
    barcode: str,
    changes: Mapping[str, Any] | None = None,
    *,
    seed: int = 0,
    shelf: str | Path | None = None,
    data: Any = None,
    test: Any = None,
) -> Model:
    """Train a network like one on the shelf, with changes, on the same rows, and shelve it.

    It trains and validates on the rows that the network's study searched on, never on its test
    rows, and lies in a study of its own (`beside-STUDY`). What is there already is read.

    Args:
        barcode: A barcode or copy id, or how it begins.
        changes: Settings that differ, such as `{"learning_rate": 0.01}`.
        seed: Its random draws follow from it and from its barcode: with other settings it begins
            with other weights. A probe pairs them.
        shelf: Where it lies; `$MODELSHELF_SHELF`, else `./.modelshelf`.
        data: The study's rows, where they have moved or came from memory.
        test: And those of its test file.

    Raises:
        UserError: For a barcode, settings or rows that cannot be used.
    """
    return trained_like(barcode, changes, seed=seed, shelf=shelf, data=data, test=test).model


def trained_like(
    barcode: str,
    changes: Mapping[str, Any] | None = None,
    *,
    seed: int = 0,
    shelf: str | Path | None = None,
    data: Any = None,
    test: Any = None,
    watcher: Watcher = lambda points, epochs: None,
    stopper: Stopper | None = None,
) -> Single:
    """`train_like`, watched while it trains, with its curve and record."""
    with take(barcode, shelf, data, test) as taken:
        own = Configuration.from_json(taken.trial.configuration)
        configuration = changed(own, changes or {}, taken.study.task)
        return train_one_beside(
            taken.shelf,
            taken.study,
            taken.problem,
            configuration,
            seed=seed,
            watcher=watcher,
            stopper=stopper,
        )
