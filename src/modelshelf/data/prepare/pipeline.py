"""The whole preparation of a table, fitted on training rows and kept with the network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from modelshelf.core.errors import SettingError
from modelshelf.data.dataset import Dataset, Kind, Schema
from modelshelf.data.prepare.categorical import OneHot, fit_one_hot, scaled_robustly
from modelshelf.data.prepare.dates import PARTS, parts
from modelshelf.data.prepare.numeric import Scaler, fit_scaler
from modelshelf.data.prepare.text import TextPart, fit_texts
from modelshelf.data.tensor import Frame, Tensor, as_columns
from modelshelf.data.text import TextSettings

__all__ = ["Preparation", "fit_preparation", "target_scale"]


@dataclass(frozen=True, slots=True, eq=False)
class _Number:
    """One numeric feature: a column, or a part of a date."""

    column: str
    part: str  #: empty for a numeric column
    scaler: Scaler
    indicator: bool  #: whether a feature says that the value was missing

    @property
    def name(self) -> str:
        return f"{self.column} {self.part}".rstrip()


@dataclass(frozen=True, slots=True, eq=False)
class Preparation:
    """Turns conformed columns into a matrix. Everything in it comes from training rows."""

    schema: Schema
    scaling: str
    numbers: tuple[_Number, ...]
    categories: tuple[tuple[str, OneHot], ...]
    target_center: float = 0.0
    target_scale: float = 1.0
    coded: frozenset[str] = frozenset()  #: categorical columns that become one column of codes
    texts: tuple[TextPart, ...] = ()

    @property
    def columns(self) -> tuple[int, ...]:
        """What each of the matrix' columns is: 0 a switch, -1 a number, n > 0 a code below n."""
        kinds: list[int] = []
        for each in self.numbers:
            kinds += [-1, 0] if each.indicator else [-1]
        for column, one_hot in self.categories:
            kinds += [one_hot.size] if column in self.coded else [0] * one_hot.size
        kinds += [0] * sum(each.size for each in self.texts)
        return tuple(kinds)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the matrix: float32, or int64 where it holds ids of tokens."""
        return np.dtype(np.int64 if any(each.tokens for each in self.texts) else np.float32)

    @property
    def row(self) -> tuple[int, ...]:
        """The shape of a prepared row."""
        return (len(self.columns),)

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the matrix' columns."""
        names = [n for each in self.numbers for n in _number_features(each)]
        for column, one_hot in self.categories:
            names += [column] if column in self.coded else one_hot.features(column)
        return (*names, *(name for each in self.texts for name in each.features))

    def transform(self, frame: Frame) -> NDArray[Any]:
        """(rows, features) float32, C-contiguous; never NaN or infinite. Tokens are int64 ids.

        `frame` has the schema's input columns, as `understand` and `conform` type them.
        """
        frame = as_columns(frame, "This network")
        if any(each.tokens for each in self.texts):
            return self.texts[0].transform(frame)
        blocks = [np.zeros((frame.height, 0), np.float32)]
        blocks += [b for each in self.numbers for b in _number_blocks(each, frame)]
        for column, one_hot in self.categories:
            if column in self.coded:
                blocks.append(one_hot.codes(frame[column]).astype(np.float32)[:, None])
            else:
                blocks.append(one_hot.transform(frame[column]))
        blocks += [each.transform(frame) for each in self.texts]
        matrix: NDArray[np.float32] = np.ascontiguousarray(np.concatenate(blocks, axis=1))
        return matrix

    def encode_target(self, target: NDArray[Any]) -> NDArray[np.float32]:
        """(rows, outputs) float32: one-hot classes, or the standardised number."""
        if self.schema.task.is_classification:
            one_hot: NDArray[np.float32] = np.eye(len(self.schema.classes), dtype=np.float32)[
                target
            ]
            return one_hot
        scaled = (target.astype(np.float64) - self.target_center) / self.target_scale
        return scaled.astype(np.float32)[:, None]

    def unscale_target(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Standardised answers in the target's own unit."""
        return values * self.target_scale + self.target_center

    def to_state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Plain JSON values and arrays, from which `from_state` makes the same preparation."""
        numbers, arrays = [], {}
        for i, each in enumerate(self.numbers):
            plain, quantiles = each.scaler.to_state()
            numbers.append([each.column, each.part, each.indicator, plain])
            if len(quantiles):
                arrays[f"quantiles.{i}"] = quantiles
        stored: dict[str, Any] = {
            "schema": self.schema.to_json(),
            "scaling": self.scaling,
            "numbers": numbers,
            "categories": [
                [c, list(o.categories), o.missing, list(o.on), list(o.off)]
                for c, o in self.categories
            ],
            "target": [self.target_center, self.target_scale],
            "coded": sorted(self.coded),
        }
        for i, part in enumerate(self.texts):
            plain, own = part.to_state()
            stored.setdefault("texts", []).append(plain)
            arrays |= {f"text.{i}.{name}": each for name, each in own.items()}
        return stored, arrays

    @classmethod
    def from_state(
        cls, stored: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]
    ) -> Preparation:
        """The preparation whose `to_state` this is, to the bit."""
        if "tensor" in stored:
            from modelshelf.data.prepare.tensor import TensorPreparation

            return TensorPreparation.from_state(stored, arrays)
        nothing = np.zeros(0)
        return cls(
            schema=Schema.from_json(stored["schema"]),
            scaling=stored["scaling"],
            numbers=tuple(
                _Number(
                    column,
                    part,
                    Scaler(**plain, quantiles=arrays.get(f"quantiles.{i}", nothing)),
                    indicator,
                )
                for i, (column, part, indicator, plain) in enumerate(stored["numbers"])
            ),
            categories=tuple(
                (column, OneHot(tuple(known), missing, *map(tuple, values)))
                for column, known, missing, *values in stored["categories"]
            ),
            target_center=stored["target"][0],
            target_scale=stored["target"][1],
            coded=frozenset(stored.get("coded", ())),  # absent before there were codes
            texts=tuple(
                TextPart.from_state(plain, _below(arrays, f"text.{i}."))
                for i, plain in enumerate(stored.get("texts", ()))  # absent where there is no text
            ),
        )


def fit_preparation(
    dataset: Dataset,
    rows: NDArray[np.int64],
    scaling: str,
    max_one_hot: int | None = None,
    text: TextSettings | None = None,
) -> Preparation:
    """Fit on these rows of a data set, and on no others.

    A categorical column with more than `max_one_hot` categories becomes one column of codes.
    Without `text`, text columns are left aside; as ids of tokens, they leave all others aside.
    Raises `SettingError` where nothing is left.
    """
    if isinstance(dataset.frame, Tensor):
        from modelshelf.data.prepare.tensor import fit_tensor

        return fit_tensor(dataset, rows)
    frame = dataset.frame[rows]
    numbers: list[_Number] = []
    categories, coded = [], []
    texts = _fit_texts(dataset, rows, text)
    alone = any(each.tokens for each in texts)
    for column in () if alone else dataset.schema.inputs:
        if column.kind is Kind.TEXT:
            continue
        if column.kind is Kind.CATEGORICAL:
            one_hot = fit_one_hot(frame[column.name])
            if max_one_hot is not None and len(one_hot.categories) > max_one_hot:
                one_hot = fit_one_hot(frame[column.name], coded=True)
                coded.append(column.name)
            elif scaling == "robust":
                one_hot = scaled_robustly(one_hot, frame[column.name])
            categories.append((column.name, one_hot))
        else:
            numbers += _fit_numbers(column.name, column.kind, frame[column.name], scaling)
    center, scale = target_scale(dataset, rows)
    return Preparation(
        dataset.schema,
        scaling,
        tuple(numbers),
        tuple(categories),
        center,
        scale,
        frozenset(coded),
        texts,
    )


def _fit_texts(
    dataset: Dataset, rows: NDArray[np.int64], text: TextSettings | None
) -> tuple[TextPart, ...]:
    columns = dataset.schema.inputs
    names = [each.name for each in columns if each.kind is Kind.TEXT]
    if text is not None:
        return fit_texts(as_columns(dataset.frame, "This network"), rows, names, text)
    if len(names) == len(columns):
        raise SettingError(
            "All columns are text, and text = none leaves nothing to learn from: take text = bag."
        )
    return ()


def _below(arrays: Mapping[str, NDArray[Any]], prefix: str) -> dict[str, NDArray[Any]]:
    """The arrays whose names begin so, without it."""
    return {n.removeprefix(prefix): each for n, each in arrays.items() if n.startswith(prefix)}


def target_scale(dataset: Dataset, rows: NDArray[np.int64]) -> tuple[float, float]:
    """Mean and deviation of these rows' target; 0 and 1 for classes."""
    if dataset.schema.task.is_classification:
        return 0.0, 1.0
    target = dataset.target[rows]
    return float(target.mean()), float(target.std()) or 1.0


def _fit_numbers(name: str, kind: Kind, values: pl.Series, scaling: str) -> Iterator[_Number]:
    missing = values.null_count() > 0
    if kind is Kind.NUMERIC:
        column = _floats(values)
        yield _Number(name, "", fit_scaler(column, scaling), missing)
        return
    several = parts(values)
    told = False
    for i, part in enumerate(PARTS):
        present = several[:, i][~np.isnan(several[:, i])]
        if len(present) and present.min() < present.max():  # a constant part tells nothing
            yield _Number(name, part, fit_scaler(several[:, i], scaling), missing and not told)
            told = True


def _floats(values: pl.Series) -> NDArray[np.float64]:
    if values.dtype != pl.Float64:  # each of these steps takes longer than to scale a column
        values = values.cast(pl.Float64)
    return (values.fill_null(np.nan) if values.null_count() else values).to_numpy()


def _number_features(number: _Number) -> tuple[str, ...]:
    if number.indicator:
        return number.name, f"{number.column} is missing"
    return (number.name,)


def _number_blocks(number: _Number, frame: pl.DataFrame) -> Iterator[NDArray[np.float32]]:
    series = frame[number.column]
    raw = parts(series)[:, PARTS.index(number.part)] if number.part else _floats(series)
    yield number.scaler.transform(raw).astype(np.float32)[:, None]
    if number.indicator:
        yield np.isnan(raw).astype(np.float32)[:, None]
