"""A network taken down from the shelf, with the preparation that it was trained with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from modelshelf.core.errors import SettingError
from modelshelf.core.protocols import Network
from modelshelf.core.records import TrialRecord
from modelshelf.data.dataset import Label
from modelshelf.data.prepare import Preparation
from modelshelf.data.read.given import table_like
from modelshelf.data.understand import conform
from modelshelf.engines import numpy_
from modelshelf.shelf import Shelf
from modelshelf.shelf.best import best_copy
from modelshelf.space.configuration import Configuration
from modelshelf.study.engines import OwnModule, torch_network
from modelshelf.study.to_torch import sequential

__all__ = ["Model", "NetworkOf", "preparation_named"]


#: Makes the network that lies on the shelf as tensors.
NetworkOf = Callable[[Configuration, Preparation, Mapping[str, NDArray[Any]]], Network]


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """One trained network, ready to answer questions about rows like those it was trained on."""

    configuration: Configuration
    copy: str
    network: Network  #: the compiled engine's, for dense networks
    preparation: Preparation
    record: TrialRecord | None = None  #: how it was trained, where it lies on a shelf

    @classmethod
    def from_shelf(
        cls, barcode: str, shelf: str | Path | None = None, *, own: OwnModule | None = None
    ) -> Model:
        """The network with this barcode or copy id, or the first few characters of one.

        A configuration that was trained several times is answered by its best-known copy: a
        study's winner before a re-test, a re-test before a network of the search. `own` builds a
        person's own module: its code does not lie on the shelf.

        Raises `BarcodeError` where it matches nothing or several, `ShelfError` where the shelf
        cannot be read.
        """
        with Shelf.open(shelf) as opened:
            record = best_copy(opened, barcode)
            return cls.from_record(opened, record, partial(torch_network, own=own))

    @classmethod
    def from_record(
        cls,
        shelf: Shelf,
        record: TrialRecord,
        network_of: NetworkOf = torch_network,
        known: dict[str, Preparation] | None = None,
    ) -> Model:
        """The network of a trial on an open shelf: its very weights, nothing is trained.

        `known` holds preparations by name, and gets what was read: networks share them.
        """
        tensors, _ = shelf.read_network(record)
        name = shelf.preparation_of(record.study, record.number)
        preparation = preparation_named(shelf, name, {} if known is None else known)
        configuration = Configuration.from_json(record.configuration)
        network = network_of(configuration, preparation, tensors)
        return cls(configuration, record.copy, network, preparation, record)

    def dense(self, what: str) -> numpy_.Network:
        """The compiled engine's network. Raises `SettingError`, naming `what` asks, for others."""
        if isinstance(self.network, numpy_.Network):
            return self.network
        kind = self.configuration.word("network")
        raise SettingError(
            f"{what} needs a dense network, and {self.barcode} is one of another kind ({kind})."
        )

    @property
    def barcode(self) -> str:
        """The identity of its hyperparameters."""
        return self.configuration.barcode

    @property
    def classes(self) -> tuple[Label, ...]:
        """The class labels, in the order of the columns of `predict_proba`; empty for numbers."""
        return self.preparation.schema.classes

    def predict(self, X: Any) -> NDArray[Any]:
        """The likeliest class's label, or the number, of each row of a table.

        `X` is a data frame, an array or a `Table` with the columns that it was trained on.
        Raises `DataError` where a column is missing or cannot be read as it was in training.
        """
        output, _ = self.output(X)
        return self.labels(output) if self.classes else output

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Probabilities (rows, classes), in the order of `classes`."""
        if not self.classes:
            raise TypeError("this network answers with numbers: use predict")
        return self.output(X)[0]

    @property
    def has_intervals(self) -> bool:
        """Whether `predict_interval` can answer: its loss was gaussian or quantile."""
        return not self.classes and self.configuration.word("loss") in ("gaussian", "quantile")

    def predict_interval(self, X: Any, share: float | None = None) -> NDArray[np.float64]:
        """Ends (rows, 2) between which this share of the targets should lie, in the target's units.

        For a network trained with `loss = gaussian` (any share; 0.9 if nothing is said) or
        `loss = quantile` (the share that it was trained for, its `interval`). The share is what
        the loss aimed at on training rows: hold it against rows of your own.

        Raises `SettingError` for another network, or a share that it cannot give.
        """
        if not self.has_intervals:
            raise SettingError(
                "This network answers with a number alone: train one with loss = gaussian or "
                "loss = quantile for intervals."
            )
        loss = self.configuration.word("loss")
        own = self.configuration.number("interval")
        share = own if share is None else share
        if loss == "quantile" and share != own:
            raise SettingError(
                f"This network was trained for intervals of {own:g}, and knows no others: leave "
                "share out, or train with loss = gaussian."
            )
        if not 0.0 < share < 1.0:
            raise SettingError(f"share must be between 0 and 1, and is {share:g}.")
        table = table_like(self.preparation.schema, X)
        frame, _, _ = conform(self.preparation.schema, table, need_target=False)
        ends = self.dense("Intervals").interval(self.preparation.transform(frame), loss, share)
        columns = [self.preparation.unscale_target(ends[:, k]) for k in (0, 1)]
        return np.column_stack(columns)

    def labels(self, probabilities: NDArray[np.float64]) -> NDArray[Any]:
        """The label of the likeliest class of each row."""
        kinds = {type(label) for label in self.classes}
        names = np.array(self.classes, dtype=object if kinds == {str} or len(kinds) > 1 else None)
        labels: NDArray[Any] = names[probabilities.argmax(axis=1)]
        return labels

    def output(self, X: Any) -> tuple[NDArray[np.float64], tuple[str, ...]]:
        """Probabilities or values, and notes on what had to be read in a special way."""
        table = table_like(self.preparation.schema, X)
        frame, _, notes = conform(self.preparation.schema, table, need_target=False)
        return self.answer(self.preparation.transform(frame)), notes

    def answer(self, inputs: NDArray[np.float32]) -> NDArray[np.float64]:
        """Probabilities, or values in the target's unit, of rows that `preparation` prepared."""
        output = self.network.predict(inputs)
        return output if self.classes else self.preparation.unscale_target(output)

    def to_torch(self) -> Any:
        """The network as a `torch.nn.Module` on prepared inputs; needs PyTorch.

        Its outputs are logits, or the standardised target: `preparation.transform` makes its
        inputs, and softmax or `preparation.unscale_target` reads its answers. A dense network
        becomes a `torch.nn.Sequential`; one of PyTorch's is the module that was trained.

        Raises `SettingError` for a dense network that this form cannot hold: with learned
        encodings, shares of activation, residual connections or several members.
        """
        if isinstance(self.network, numpy_.Network):
            return sequential(self.network)
        return getattr(self.network, "module")  # noqa: B009 # PyTorch's networks have it


def preparation_named(shelf: Shelf, name: str, known: dict[str, Preparation]) -> Preparation:
    """A preparation on a shelf; read once, and then found in `known`, so that networks share it."""
    if name not in known:
        known[name] = Preparation.from_state(*shelf.read_preparation(name))
    return known[name]
