"""The preparation of rows that are arrays: images are standardised, anything else stays as is."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from modelshelf.core.errors import DataError
from modelshelf.core.memory import available
from modelshelf.data.dataset import Dataset, Schema
from modelshelf.data.prepare.pipeline import Preparation, target_scale
from modelshelf.data.tensor import Blocks, Frame, Tensor, shape_words

__all__ = ["TensorPreparation", "fit_tensor", "need_memory"]

_LITTLE = 1 << 26  # bytes that are taken without asking


@dataclass(frozen=True, slots=True, eq=False)
class TensorPreparation(Preparation):
    """Brings each channel of an image to mean 0 and deviation 1; other arrays it leaves alone."""

    center: tuple[float, ...] = ()  #: of each channel; none where rows are no images
    scale: tuple[float, ...] = ()
    number: str = "<f4"  #: the type of its numbers, where rows are no images

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the prepared rows: float32 for images, else as they came."""
        return np.dtype(np.float32 if self.schema.image else self.number)

    @property
    def row(self) -> tuple[int, ...]:
        """The shape of a prepared row: an image is flat."""
        return (math.prod(self.schema.shape),) if self.schema.image else self.schema.shape

    @property
    def columns(self) -> tuple[int, ...]:
        """Pixels go in as they are; what a person's own array holds is not known."""
        return (0,) * math.prod(self.schema.shape) if self.schema.image else ()

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the numbers of a row: places in its array."""
        return tuple(",".join(map(str, each)) for each in np.ndindex(*self.schema.shape))

    def transform(self, frame: Frame) -> Any:
        """Images as float32 (rows, channels · height · width), other arrays as they are.

        Those of a large array stay where they are, in memory or in a file: they come as `Blocks`.
        """
        rows = cast("Tensor", frame)
        if rows.shape != self.schema.shape:
            raise DataError(
                f"Rows of shape {rows.shape} came, and the network learned from rows of "
                f"{self.schema.shape}."
            )
        if not self.schema.image:
            if not np.can_cast(rows.dtype, self.dtype, "same_kind"):
                raise DataError(
                    f"The rows hold {rows.dtype}, and the network learned from {self.dtype}: give "
                    "them as that."
                )
            if rows.is_large:
                return Blocks(rows, self.dtype)
            return rows.read().astype(self.dtype, copy=False)
        need_memory(rows)
        found = np.empty((rows.height, rows.numbers), np.float32)
        center = np.array(self.center, np.float32)[:, None, None]
        scale = np.array(self.scale, np.float32)[:, None, None]
        at = 0
        for block in rows.blocks():
            part = (block.astype(np.float32) - center) / scale
            found[at : at + len(block)] = part.reshape(len(block), -1)
            at += len(block)
        return found

    def to_state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Plain JSON values, from which `from_state` makes the same preparation."""
        stored, arrays = Preparation.to_state(self)
        return {**stored, "tensor": [list(self.center), list(self.scale), self.number]}, arrays

    @classmethod
    def from_state(
        cls, stored: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]
    ) -> TensorPreparation:
        """The preparation whose `to_state` this is, to the bit."""
        center, scale, number = stored["tensor"]
        return cls(
            schema=Schema.from_json(stored["schema"]),
            scaling=stored["scaling"],
            numbers=(),
            categories=(),
            target_center=stored["target"][0],
            target_scale=stored["target"][1],
            center=tuple(center),
            scale=tuple(scale),
            number=number,
        )


def fit_tensor(dataset: Dataset, rows: NDArray[np.int64]) -> TensorPreparation:
    """Fit on these rows of a data set, and on no others."""
    schema = dataset.schema
    center, scale = target_scale(dataset, rows)
    channels: tuple[tuple[float, ...], tuple[float, ...]] = (), ()
    if schema.image:
        channels = _moments(cast("Tensor", dataset.frame)[rows])
    return TensorPreparation(
        schema, "standard", (), (), center, scale, center=channels[0], scale=channels[1],
        number=_number(cast("Tensor", dataset.frame).dtype).str,
    )  # fmt: skip


def need_memory(images: Tensor, copies: int = 1) -> None:
    """Raise `DataError` where so many copies of these images, as float32, are more than is free."""
    row = 4 * images.numbers * copies
    needed = images.height * row
    if needed <= _LITTLE or needed <= (free := max(available(), 0)):
        return
    _, height, width = images.shape
    side = math.sqrt(free / needed)
    raise DataError(
        f"{images.height:,} {shape_words(images.shape, True)} need {needed / 1e9:.1f} GB of "
        f"memory, and {free / 1e9:.1f} GB are free: give at most {free // row:,} of them, or make "
        f"them {max(int(width * side), 1)} × {max(int(height * side), 1)}."
    )


def _number(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The type that rows keep: theirs, but that float64 becomes float32."""
    return np.dtype(np.float32) if dtype == np.float64 else dtype


def _moments(rows: Tensor) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and deviation of each channel; a deviation of 0 becomes 1."""
    total = np.zeros((2, rows.shape[0]))
    for block in rows.blocks():
        values = block.astype(np.float64)
        total += [values.sum(axis=(0, 2, 3)), np.square(values).sum(axis=(0, 2, 3))]
    mean, square = total / (rows.height * rows.shape[1] * rows.shape[2])
    deviation = np.sqrt(np.maximum(square - np.square(mean), 0.0))
    return tuple(mean.tolist()), tuple(np.where(deviation > 0, deviation, 1.0).tolist())
