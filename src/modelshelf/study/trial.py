"""Trials as a study plans them, and the identity of the networks that they become."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

from modelshelf.core.records import Purpose
from modelshelf.core.seeds import derive
from modelshelf.data.split import Split
from modelshelf.shelf import Job, StoredFile
from modelshelf.space.barcode import crockford
from modelshelf.space.configuration import Configuration

__all__ = ["Leg", "Trial", "copy_id", "data_key", "trial_seed"]


@dataclass(frozen=True, slots=True)
class Trial:
    """A configuration to be trained on one split with one seed."""

    number: int
    configuration: Configuration
    purpose: Purpose
    split: Split
    seed: int


@dataclass(frozen=True, slots=True)
class Leg:
    """A stretch of one trial's training, from one rung to the next: what a worker is given."""

    job: Job
    trial: Trial
    file: StoredFile | None = None  #: where the frozen member lies, if it was trained before


def trial_seed(study_seed: int, purpose: Purpose, barcode: str, split: Split) -> int:
    """A trial's own seed: by what it is, not by when it was started."""
    return derive(study_seed, "trial", purpose.value, barcode, str(split))


def data_key(fingerprint: str, test_key: str, seed: int, drawn: int | None = None) -> str:
    """The identity of the rows and of how they are split, for copy ids."""
    parts: list[object] = [fingerprint, test_key, seed]
    if drawn is not None:
        parts.append(drawn)
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def copy_id(trial: Trial, data_key: str, epoch: int, engine: Mapping[str, str]) -> str:
    """The identity of a trained network: the same copy id is the same network to the bit.

    `data_key` identifies the rows, which of them are test rows, and how the rest is split;
    `engine` is what `Engines.identity` says. Across machines the barcode stays the same, and the
    copy id changes with what rounds differently.
    """
    parts = {
        "barcode": trial.configuration.barcode,
        "data": data_key,
        "split": str(trial.split),
        "seed": trial.seed,
        "epoch": epoch,
        **engine,
    }
    return crockford(json.dumps(parts, sort_keys=True))
