"""Where a network's parameters lie in its one flat vector."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "BATCH_NORM",
    "BIASED",
    "EDGES",
    "EMBEDDING",
    "FEATURES",
    "GAIN",
    "LAYER_NORM",
    "MEMBERS",
    "MIX",
    "NORM",
    "NTK",
    "NUMBERS",
    "RESIDUAL",
    "SCALE",
    "SIZE",
    "STATISTICS",
    "TABLES",
    "Encoding",
    "Layout",
]

# What kernels read of a network's form (int64), by place: where blocks begin (-1: there is none),
# switches, the encoding's three sizes, and how many networks share the weights.
SCALE, MIX, NUMBERS, TABLES, GAIN, EDGES, STATISTICS = range(7)
NTK, BIASED, NORM, RESIDUAL, FEATURES, SIZE, EMBEDDING, MEMBERS, FORM = range(7, 16)

LAYER_NORM, BATCH_NORM = 1, 2  # at NORM
_NORMS = {"": 0, "layer": LAYER_NORM, "batch": BATCH_NORM}


@dataclass(frozen=True, slots=True)
class Encoding:
    """How raw inputs become the first layer's: which are encoded by learned parameters.

    `columns` has one number for each raw input: 0, it goes in as it is; -1, a number, encoded;
    n > 0, a code below n, looked up in a learned table.
    """

    columns: tuple[int, ...]
    features: int  #: cosines, or bins, for each number
    size: int  #: what each number becomes
    embedding: int  #: what each code becomes
    piecewise: bool = False  #: numbers are encoded by bins, not by cosines

    @property
    def width(self) -> int:
        """Inputs of the first layer."""
        wide = {0: 1, -1: self.size}
        return sum(wide.get(each, self.embedding) for each in self.columns)

    @property
    def per_number(self) -> int:
        """Parameters of one number.

        Periodic: frequencies, phases, a linear map to all but one input, its biases. Piecewise: a
        slope and a bias for each input, and for each bin what is added on the way through it.
        """
        if self.piecewise:
            return (self.features + 2) * self.size
        return 2 * self.features + (self.features + 1) * (self.size - 1)

    @property
    def numbers(self) -> int:
        """Parameters of all numbers."""
        return self.columns.count(-1) * self.per_number

    @property
    def edges(self) -> int:
        """How many edges of bins there are."""
        return self.columns.count(-1) * (self.features + 1) if self.piecewise else 0

    @property
    def tables(self) -> int:
        """Parameters of all tables."""
        return sum(each for each in self.columns if each > 0) * self.embedding


@dataclass(frozen=True, slots=True)
class Layout:
    """Widths from the first layer's inputs to the outputs, and what there is besides.

    All weights come first, then all biases: one loop over the vector updates everything, and a
    penalty on weights is a loop over its first `weights` numbers. What few networks have follows,
    and last what is not learned by gradients.

    Several `members` share all but the last layer's weights; each has biases and a last layer of
    its own, and two `adapters` for each hidden layer, for its inputs and its sums.

    >>> Layout((4, 3, 2)).parameters
    23
    """

    widths: tuple[int, ...]
    biased: bool = True  #: biases are learned; else they stay at 0
    ntk: bool = False  #: each layer's sums are divided by the root of how many inputs it has
    scaled: bool = False  #: each input has a learned scale
    mixed: bool = False  #: each hidden unit has a learned share of activation
    encoding: Encoding | None = None
    norm: str = ""  #: layer or batch: hidden sums are normalised
    residual: bool = False  #: a hidden layer as wide as the one below adds that to its outputs
    members: int = 1

    @property
    def weights(self) -> int:
        """How many of the parameters are weights."""
        each = [a * b for a, b in zip(self.widths, self.widths[1:], strict=False)]
        return sum(each[:-1]) + self.members * each[-1]

    @property
    def one(self) -> Layout:
        """The layout of one member by itself."""
        return replace(self, members=1)

    @property
    def blocks(self) -> dict[str, tuple[int, int]]:
        """Where each kind of parameter begins and ends; empty ones among them."""
        hidden = sum(self.widths[1:-1])
        adapters = sum(self.widths[:-2]) + hidden
        sizes = {
            "weights": self.weights,
            "biases": self.members * sum(self.widths[1:]),
            "scales": self.widths[0] if self.scaled else 0,
            "mixes": hidden if self.mixed else 0,
            "numbers": self.encoding.numbers if self.encoding else 0,
            "tables": self.encoding.tables if self.encoding else 0,
            "gains": 2 * hidden if self.norm else 0,
            "edges": self.encoding.edges if self.encoding else 0,
            "statistics": 2 * hidden if self.norm == "batch" else 0,
            "adapters": self.members * adapters if self.members > 1 else 0,
        }
        ends = np.cumsum(list(sizes.values())).tolist()
        return {name: (end - sizes[name], end) for name, end in zip(sizes, ends, strict=True)}

    @property
    def size(self) -> int:
        """The length of the vector."""
        return self.blocks["adapters"][1]

    @property
    def parameters(self) -> int:
        """How many numbers are learned."""
        sizes = {name: end - begin for name, (begin, end) in self.blocks.items()}
        fixed = sizes["edges"] + sizes["statistics"] + (0 if self.biased else sizes["biases"])
        return self.size - fixed

    @property
    def sizes(self) -> NDArray[np.int64]:
        """The widths as the kernels take them, int64 (layers + 1,)."""
        return np.array(self.widths, dtype=np.int64)

    @property
    def form(self) -> NDArray[np.int64]:
        """The rest as the kernels take it, int64; places are those in one member's vector."""
        form, blocks = np.zeros(FORM, np.int64), self.one.blocks
        for place, name in (
            (SCALE, "scales"), (MIX, "mixes"), (NUMBERS, "numbers"), (TABLES, "tables"),
            (GAIN, "gains"), (EDGES, "edges"), (STATISTICS, "statistics"),
        ):  # fmt: skip
            begin, end = blocks[name]
            form[place] = begin if end > begin else -1
        form[NTK], form[BIASED], form[NORM] = self.ntk, self.biased, _NORMS[self.norm]
        form[RESIDUAL], form[MEMBERS] = self.residual, self.members
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
        """Views of the weights (in, out) and the biases (out,) of each layer.

        Of several members: biases (members, out), and last weights (members, in, out).
        """
        weights, biases, several = [], [], self.members > 1
        (w, _), (b, end) = self.blocks["weights"], self.blocks["biases"]
        every, at = theta[b:end].reshape(self.members, -1), 0
        for i, shape in enumerate(zip(self.widths, self.widths[1:], strict=False)):
            own = several and i == len(self.widths) - 2
            size = math.prod(shape) * (self.members if own else 1)
            view = theta[w : w + size]
            weights.append(view.reshape(self.members, *shape) if own else view.reshape(shape))
            bias = every[:, at : at + shape[1]]
            biases.append(bias if several else bias[0])
            w, at = w + size, at + shape[1]
        return tuple(weights), tuple(biases)

    def adapters(self, theta: NDArray[Any]) -> Iterator[tuple[NDArray[Any], NDArray[Any]]]:
        """Views for each hidden layer: of its inputs (members, in), of its sums (members, out)."""
        if self.members == 1:
            return
        every = theta[slice(*self.blocks["adapters"])].reshape(self.members, -1)
        at = 0
        for fan_in, fan_out in zip(self.widths[:-2], self.widths[1:-1], strict=True):
            end = at + fan_in + fan_out
            yield every[:, at : at + fan_in], every[:, at + fan_in : end]
            at = end

    def numbers(self, theta: NDArray[Any]) -> Iterator[tuple[NDArray[Any], ...]]:
        """Views for each encoded number.

        Periodic: frequencies and phases (features,), map (features, size - 1), its biases.
        Piecewise: slopes and biases (size,), steps (features, size), edges (features + 1,).
        """
        if self.encoding is None:
            return
        f, size = self.encoding.features, self.encoding.size
        out = size - 1
        begin, end = self.blocks["numbers"]
        e = self.blocks["edges"][0]
        for p in range(begin, end, self.encoding.per_number):
            own = theta[p : p + self.encoding.per_number]
            if self.encoding.piecewise:
                steps = own[2 * size :].reshape(f, size)
                yield own[:size], own[size : 2 * size], steps, theta[e : e + f + 1]
                e += f + 1
            else:
                rest = own[2 * f :]
                yield own[:f], own[f : 2 * f], rest[: f * out].reshape(f, out), rest[f * out :]

    def tensors(self, theta: NDArray[Any]) -> dict[str, NDArray[Any]]:
        """Views of everything by name, from which `from_tensors` makes the same again."""
        weights, biases = self.split(theta)
        named = {f"weight.{i}": each for i, each in enumerate(weights)}
        if self.biased:
            named |= {f"bias.{i}": each for i, each in enumerate(biases)}
        for name, (begin, end) in self.blocks.items():
            if end > begin and name not in ("weights", "biases"):
                named[name] = theta[begin:end]
        if self.encoding:
            each = self.encoding
            named["columns"] = np.array(
                [each.piecewise, each.features, each.size, each.embedding, *each.columns], np.int64
            )
        return named

    @classmethod
    def from_tensors(
        cls, tensors: Mapping[str, NDArray[Any]], *, ntk: bool, residual: bool
    ) -> tuple[Layout, NDArray[Any]]:
        """The layout whose `tensors` these are, and the vector."""
        count = sum(name.startswith("weight.") for name in tensors)
        weights = [tensors[f"weight.{i}"] for i in range(count)]
        encoding = None
        if "columns" in tensors:
            piecewise, features, size, embedding, *columns = tensors["columns"].tolist()
            encoding = Encoding(tuple(columns), features, size, embedding, bool(piecewise))
        normed = "layer" if "gains" in tensors else ""
        layout = cls(
            widths=(weights[0].shape[-2], *(each.shape[-1] for each in weights)),
            biased="bias.0" in tensors,
            ntk=ntk,
            scaled="scales" in tensors,
            mixed="mixes" in tensors,
            encoding=encoding,
            norm="batch" if "statistics" in tensors else normed,
            residual=residual,
            members=len(weights[-1]) if weights[-1].ndim == 3 else 1,
        )
        theta = np.zeros(layout.size, weights[0].dtype)
        for name, view in layout.tensors(theta).items():
            if name != "columns":
                view[...] = tensors[name]
        return layout, theta
