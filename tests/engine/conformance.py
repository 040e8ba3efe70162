"""What every engine must do, said by the protocol alone; `test_conformance` runs it over all.

To add an engine: a `Subject` in `SUBJECTS`, with configurations that use much of what it can do.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from modelshelf.core.protocols import TrainingData
from modelshelf.engines.numpy_ import NumpyEngine
from modelshelf.engines.torch_.engine import TorchEngine
from modelshelf.engines.torch_.population import PopulationEngine
from modelshelf.engines.torch_.recognised import RecognisedEngine
from modelshelf.engines.torch_.remote import RemoteEngine
from modelshelf.space.configuration import Configuration

EPOCHS = 12


def perceptron(configuration: Configuration, data: TrainingData) -> torch.nn.Module:
    """A dense network, as one writes it in PyTorch; dropout, and normalisation where asked for."""
    width, layers = data.inputs, []
    for units in configuration.hidden_layers:
        layers.append(torch.nn.Linear(width, units))
        if "normalisation" in configuration:
            layers.append(torch.nn.BatchNorm1d(units))
        layers.append(torch.nn.ReLU())
        if "dropout" in configuration:
            layers.append(torch.nn.Dropout(configuration.number("dropout")))
        width = units
    return torch.nn.Sequential(*layers, torch.nn.Linear(width, data.outputs))


@dataclass(frozen=True)
class Subject:
    """An engine to be tested."""

    make: Callable[[], Any]
    configurations: tuple[Configuration, ...]
    bound: float = 0.0  #: how far a member may be from itself in other company; 0: to the bit


BOTH = (
    Configuration(hidden_layers=(16, 8), dropout=0.2, batch_size=8, patience=0),
    Configuration(hidden_layers=33, optimizer="momentum", learning_rate=0.02, l1=1e-4, patience=0),
    Configuration(hidden_layers=(), optimizer="rmsprop", batch_size=5, patience=0),
    Configuration(
        hidden_layers=(8,), schedule="cosine", warmup=0.1, epochs=EPOCHS, clip_norm=0.5,
        optimizer="adamw", patience=0,
    ),
    Configuration(
        hidden_layers=(7, 7), normalisation="batch", averaging=0.9, optimizer="sgd",
        learning_rate=0.1, patience=0,
    ),
)  # fmt: skip

SUBJECTS = {
    "numpy": Subject(
        NumpyEngine,
        (
            *BOTH,
            Configuration(hidden_layers=(7, 7, 7), activation="tanh", optimizer="sgd", patience=0),
            Configuration(hidden_layers=(7, 7), normalisation="batch", residual="yes", patience=0),
            Configuration(hidden_layers=(8,), schedule="one_cycle", epochs=EPOCHS, patience=0),
            Configuration(hidden_layers=(8,), schedule="step", epochs=EPOCHS, patience=0),
            Configuration(
                hidden_layers=(6, 5), ensemble_size=3, numeric_encoding="piecewise", averaging=0.9,
                patience=0,
            ),
        ),
    ),
    "torch": Subject(
        lambda: TorchEngine(perceptron),
        (*BOTH, Configuration(hidden_layers=(8,), optimizer="adagrad", patience=0)),
    ),
    "remote": Subject(lambda: RemoteEngine(perceptron), BOTH),
    "recognised": Subject(lambda: RecognisedEngine(RemoteEngine(perceptron)), BOTH),
    "population": Subject(PopulationEngine, BOTH, bound=1e-4),
}  # fmt: skip


def frozen(engine: Any, member: Any) -> dict[str, np.ndarray]:
    """All that the shelf would hold of a member, copied."""
    tensors = engine.network(member, True).tensors() | engine.snapshot(member)
    return {name: np.array(tensor) for name, tensor in tensors.items()}


def same(a: dict[str, np.ndarray], b: dict[str, np.ndarray], bound: float = 0.0) -> bool:
    """Whether two members are the same: to the bit, or as near as `bound`."""
    return a.keys() == b.keys() and all(
        np.allclose(a[k], b[k], rtol=bound, atol=bound, equal_nan=True) for k in a
    )


def kept(engine: Any, member: Any) -> dict[str, np.ndarray]:
    """The kept weights alone, copied."""
    return {name: np.array(each) for name, each in engine.network(member, True).tensors().items()}
