"""What a child process is asked to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from modelshelf.core.protocols import TrainingData
from modelshelf.space.configuration import Configuration

__all__ = ["Answer", "Draw", "Train"]


@dataclass(frozen=True, slots=True, eq=False)
class Train:
    """Train a member up to an epoch."""

    configuration: Configuration
    data: TrainingData
    seed: int
    tensors: dict[str, NDArray[Any]] | None  #: of a frozen one; None: from the start
    to_epoch: int


@dataclass(frozen=True, slots=True, eq=False)
class Draw:
    """Build a module with its first weights, and say whether the compiled engine has it too."""

    configuration: Configuration
    data: TrainingData  #: rows like those of training
    seed: int


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """Let a network answer rows."""

    configuration: Configuration
    data: TrainingData  #: rows like those of training
    tensors: dict[str, NDArray[Any]]
    x: Any
