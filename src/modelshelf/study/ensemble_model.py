"""An ensemble taken down from the shelf: networks whose mean answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from modelshelf.core.errors import SettingError
from modelshelf.data.dataset import Label
from modelshelf.data.prepare import Preparation
from modelshelf.data.read.given import table_like
from modelshelf.data.understand import conform
from modelshelf.shelf import Shelf
from modelshelf.space.configuration import Configuration
from modelshelf.study.engines import OwnModule, torch_network
from modelshelf.study.model import Model, NetworkOf, preparation_named

__all__ = ["EnsembleModel"]


@dataclass(frozen=True, slots=True, eq=False)
class EnsembleModel:
    """Networks of the same data, and the weights of their answers: the mean answers.

    The mean is of probabilities, or of numbers in the target's unit; never of the networks' own
    weights, which mean nothing together.
    """

    members: tuple[Model, ...]
    weights: NDArray[np.float64]  #: (members,), their sum is 1

    @classmethod
    def from_shelf(
        cls,
        study: str,
        shelf: str | Path | None = None,
        *,
        kind: str = "ensemble",
        own: OwnModule | None = None,
    ) -> EnsembleModel:
        """The ensemble of the study of this name, or whose name begins so; or its winner's `bag`.

        Raises `ShelfError` where there is no such study, `SettingError` where it has none.
        """
        with Shelf.open(shelf) as opened:
            record = opened.study(study)
            found = (record.result or {}).get(kind)
            if not found:
                why = "it has not chosen one" if record.result else "it has not come to its end"
                raise SettingError(
                    f"The study {record.name!r} has no {kind}: {why}. Its command goes on with "
                    "it; `modelshelf shelf` lists the networks that it has."
                )
            return cls._read(opened, found["file"], partial(torch_network, own=own))

    @classmethod
    def from_file(
        cls, name: str, shelf: str | Path, *, own: OwnModule | None = None
    ) -> EnsembleModel:
        """The ensemble in a file of a shelf. Raises `ShelfError` where it cannot be read."""
        with Shelf.open(shelf) as opened:
            return cls._read(opened, name, partial(torch_network, own=own))

    @classmethod
    def _read(cls, shelf: Shelf, name: str, network_of: NetworkOf) -> EnsembleModel:
        described, arrays = shelf.read_ensemble(name)
        preparations: dict[str, Preparation] = {}
        members = []
        for i, each in enumerate(described["members"]):
            preparation = preparation_named(shelf, each["preparation"], preparations)
            start = f"{i}."
            tensors = {k.removeprefix(start): a for k, a in arrays.items() if k.startswith(start)}
            configuration = Configuration.from_json(each["configuration"])
            network = network_of(configuration, preparation, tensors)
            members.append(Model(configuration, each["copy"], network, preparation))
        return cls(tuple(members), np.array([each["weight"] for each in described["members"]]))

    def write(self, shelf: Shelf, preparations: Sequence[str]) -> str:
        """Put it on a shelf whole, its networks with it; returns the file's name.

        `preparations` names each member's on that shelf.
        """
        described = [
            {
                "copy": model.copy,
                "weight": float(weight),
                "configuration": model.configuration.to_json(),
                "preparation": preparation,
            }
            for model, weight, preparation in zip(
                self.members, self.weights, preparations, strict=True
            )
        ]
        arrays = {
            f"{i}.{name}": each
            for i, model in enumerate(self.members)
            for name, each in model.network.tensors().items()
        }
        return shelf.write_ensemble({"members": described}, arrays)

    @property
    def classes(self) -> tuple[Label, ...]:
        """The class labels, in the order of the columns of `predict_proba`; empty for numbers."""
        return self.members[0].classes

    @property
    def parameters(self) -> int:
        """Weights and biases of all members together."""
        return sum(model.network.parameters for model in self.members)

    @property
    def bytes(self) -> int:
        """Of the arrays of all members together."""
        return sum(a.nbytes for model in self.members for a in model.network.tensors().values())

    def predict(self, X: Any) -> NDArray[Any]:
        """The likeliest class's label, or the number, of each row of a table; as `Model` does."""
        output, _ = self.output(X)
        return self.labels(output) if self.classes else output

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Probabilities (rows, classes), in the order of `classes`."""
        if not self.classes:
            raise TypeError("these networks answer with numbers: use predict")
        return self.output(X)[0]

    def labels(self, probabilities: NDArray[np.float64]) -> NDArray[Any]:
        """The label of the likeliest class of each row."""
        return self.members[0].labels(probabilities)

    def output(self, X: Any) -> tuple[NDArray[np.float64], tuple[str, ...]]:
        """Probabilities or values, and notes on what had to be read in a special way."""
        schema = self.members[0].preparation.schema
        table = table_like(schema, X)
        frame, _, notes = conform(schema, table, need_target=False)
        return self.answer(frame), notes

    def answer(self, frame: Any) -> NDArray[np.float64]:
        """`output` of columns that are as the schema has them. A preparation is made once."""
        inputs = {id(m.preparation): m.preparation.transform(frame) for m in self._prepared()}
        total: NDArray[np.float64] = np.zeros(())
        for model, weight in zip(self.members, self.weights, strict=True):
            total = total + weight * model.answer(inputs[id(model.preparation)])
        return total

    def _prepared(self) -> list[Model]:
        """One member for each preparation."""
        return list({id(model.preparation): model for model in self.members}.values())
