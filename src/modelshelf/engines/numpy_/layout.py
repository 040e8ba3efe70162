"""Where a network's parameters lie in its one flat vector."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "BIASED",
    "EMBEDDING",
    "FEATURES",
    "MIX",
    "NTK",
    "PERIODIC",
    "SCALE",
    "SIZE",
    "TABLES",
    "Encoding",
    "Layout",
]

# What kernels read of a network's form (int64), by place: where blocks begin (-1: there is none),
# switches, and the encoding's three sizes.
SCALE, MIX, PERIODIC, TABLES, NTK, BIASED, FEATURES, SIZE, EMBEDDING, FORM = range(10)


@dataclass(frozen=True, slots=True)
class Encoding:
    """How raw inputs become the first layer's: which are encoded by learned parameters.

    `columns` has one number for each raw input: 0, it goes in as it is; -1, a number, encoded by
    periodic features; n > 0, a code below n, looked up in a learned table.
    """

    columns: tuple[int, ...]
    features: int  #: cosines for each number
    size: int  #: what each number becomes, itself among it
    embedding: int  #: what each code becomes

    @property
    def width(self) -> int:
        """Inputs of the first layer."""
        wide = {0: 1, -1: self.size}
        return sum(wide.get(each, self.embedding) for each in self.columns)

    @property
    def per_number(self) -> int:
        """Parameters of one number: frequencies, phases, a linear map and its biases."""
        return 2 * self.features + (self.features + 1) * (self.size - 1)

    @property
    def periodic(self) -> int:
        """Parameters of all numbers."""
        return self.columns.count(-1) * self.per_number

    @property
    def tables(self) -> int:
        """Parameters of all tables."""
        return sum(each for each in self.columns if each > 0) * self.embedding


@dataclass(frozen=True, slots=True)
class Layout:
    """Widths from the first layer's inputs to the outputs, and what there is besides.

    All weights come first, then all biases: one loop over the vector updates everything, and a
    penalty on weights is a loop over its first `weights` numbers. What few networks have follows.

    >>> Layout((4, 3, 2)).parameters
    23
    """

    widths: tuple[int, ...]
    biased: bool = True  #: biases are learned; else they stay at 0
    ntk: bool = False  #: each layer's sums are divided by the root of how many inputs it has
    scaled: bool = False  #: each input has a learned scale
    mixed: bool = False  #: each hidden unit has a learned share of activation
    encoding: Encoding | None = None

    @property
    def weights(self) -> int:
        """How many of the parameters are weights."""
        return sum(a * b for a, b in zip(self.widths, self.widths[1:], strict=False))

    @property
    def blocks(self) -> dict[str, tuple[int, int]]:
        """Where each kind of parameter begins and ends; empty ones among them."""
        sizes = {
            "weights": self.weights,
            "biases": sum(self.widths[1:]),
            "scales": self.widths[0] if self.scaled else 0,
            "mixes": sum(self.widths[1:-1]) if self.mixed else 0,
            "periodic": self.encoding.periodic if self.encoding else 0,
            "tables": self.encoding.tables if self.encoding else 0,
        }
        ends = np.cumsum(list(sizes.values())).tolist()
        return {name: (end - sizes[name], end) for name, end in zip(sizes, ends, strict=True)}

    @property
    def size(self) -> int:
        """The length of the vector."""
        return self.blocks["tables"][1]

    @property
    def parameters(self) -> int:
        """How many numbers are learned."""
        return self.size - (0 if self.biased else sum(self.widths[1:]))

    @property
    def sizes(self) -> NDArray[np.int64]:
        """The widths as the kernels take them, int64 (layers + 1,)."""
        return np.array(self.widths, dtype=np.int64)

    @property
    def form(self) -> NDArray[np.int64]:
        """The rest as the kernels take it, int64."""
        form = np.zeros(FORM, np.int64)
        for place, name in ((SCALE, "scales"), (MIX, "mixes"), (PERIODIC, "periodic"),
                            (TABLES, "tables")):  # fmt: skip
            begin, end = self.blocks[name]
            form[place] = begin if end > begin else -1
        form[NTK], form[BIASED] = self.ntk, self.biased
        if self.encoding:
            each = self.encoding
            form[FEATURES], form[SIZE], form[EMBEDDING] = each.features, each.size, each.embedding
        return form

    @property
    def columns(self) -> NDArray[np.int64]:
        """The encoding's columns as the kernels take them; none where nothing is encoded."""
        return np.array(self.encoding.columns if self.encoding else (), np.int64)

    def split(
        self, theta: NDArray[Any]
    ) -> tuple[tuple[NDArray[Any], ...], tuple[NDArray[Any], ...]]:
        """Views of the weights (in, out) and the biases (out,) of each layer."""
        weights, biases = [], []
        w, b = 0, self.weights
        for fan_in, fan_out in zip(self.widths, self.widths[1:], strict=False):
            weights.append(theta[w : w + fan_in * fan_out].reshape(fan_in, fan_out))
            biases.append(theta[b : b + fan_out])
            w, b = w + fan_in * fan_out, b + fan_out
        return tuple(weights), tuple(biases)

    def numbers(self, theta: NDArray[Any]) -> Iterator[tuple[NDArray[Any], ...]]:
        """Views for each encoded number: frequencies and phases (features,), map, its biases."""
        if self.encoding is None:
            return
        f, out = self.encoding.features, self.encoding.size - 1
        begin, end = self.blocks["periodic"]
        for p in range(begin, end, self.encoding.per_number):
            rest = theta[p + 2 * f : p + self.encoding.per_number]
            linear, bias = rest[: f * out].reshape(f, out), rest[f * out :]
            yield theta[p : p + f], theta[p + f : p + 2 * f], linear, bias

    def tensors(self, theta: NDArray[Any]) -> dict[str, NDArray[Any]]:
        """Views of everything by name, from which `from_tensors` makes the same again."""
        weights, biases = self.split(theta)
        named = {f"weight.{i}": each for i, each in enumerate(weights)}
        if self.biased:
            named |= {f"bias.{i}": each for i, each in enumerate(biases)}
        for name in ("scales", "mixes", "periodic", "tables"):
            begin, end = self.blocks[name]
            if end > begin:
                named[name] = theta[begin:end]
        if self.encoding:
            each = self.encoding
            named["columns"] = np.array(
                [each.features, each.size, each.embedding, *each.columns], np.int64
            )
        return named

    @classmethod
    def from_tensors(
        cls, tensors: Mapping[str, NDArray[Any]], *, ntk: bool
    ) -> tuple[Layout, NDArray[Any]]:
        """The layout whose `tensors` these are, and the vector."""
        count = sum(name.startswith("weight.") for name in tensors)
        weights = [tensors[f"weight.{i}"] for i in range(count)]
        encoding = None
        if "columns" in tensors:
            features, size, embedding, *columns = tensors["columns"].tolist()
            encoding = Encoding(tuple(columns), features, size, embedding)
        layout = cls(
            widths=(weights[0].shape[0], *(each.shape[1] for each in weights)),
            biased="bias.0" in tensors,
            ntk=ntk,
            scaled="scales" in tensors,
            mixed="mixes" in tensors,
            encoding=encoding,
        )
        theta = np.zeros(layout.size, weights[0].dtype)
        for name, view in layout.tensors(theta).items():
            if name != "columns":
                view[...] = tensors[name]
        return layout, theta
