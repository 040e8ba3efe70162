"""Text columns: a bag or an embedding for each, or all of them as one sequence of tokens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from modelshelf.data.text import Bag, TextSettings, TokenIds, fit_bag, fit_ids

__all__ = ["TextPart", "fit_texts"]


@dataclass(frozen=True, slots=True, eq=False)
class TextPart:
    """Text columns, and what turns them into numbers."""

    columns: tuple[str, ...]  #: one; or several, which are read one after the other
    reader: Bag | TokenIds

    @property
    def size(self) -> int:
        """How many columns of the matrix it makes."""
        return self.reader.size

    @property
    def tokens(self) -> bool:
        """Whether it makes ids of tokens, which stand for themselves and go with no numbers."""
        return isinstance(self.reader, TokenIds)

    @property
    def features(self) -> tuple[str, ...]:
        """Names of those columns."""
        return self.reader.columns(" + ".join(self.columns))

    def transform(self, frame: pl.DataFrame) -> NDArray[Any]:
        """(rows, size): float32, or int64 ids."""
        return self.reader.transform(_texts(frame, self.columns))

    def to_state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Plain JSON values and arrays, from which `from_state` makes the same part."""
        plain, arrays = self.reader.to_state()
        return {"columns": list(self.columns), "tokens": self.tokens, **plain}, arrays

    @classmethod
    def from_state(cls, stored: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> TextPart:
        """The part whose `to_state` this is, to the bit."""
        kind = TokenIds if stored["tokens"] else Bag
        return cls(tuple(stored["columns"]), kind.from_state(stored, arrays))


def fit_texts(
    frame: pl.DataFrame, rows: NDArray[np.int64], columns: Sequence[str], settings: TextSettings
) -> tuple[TextPart, ...]:
    """Fit on these rows of text columns: they share the vocabulary's size among them."""
    if not columns:
        return ()
    if settings.features == "ids":
        names = tuple(columns)
        return (TextPart(names, fit_ids(_texts(frame[rows], names), settings)),)
    each = replace(settings, vocabulary=max(settings.vocabulary // len(columns), 2))
    return tuple(TextPart((name,), fit_bag(_texts(frame, (name,)), each, rows)) for name in columns)


def _texts(frame: pl.DataFrame, columns: tuple[str, ...]) -> list[str]:
    """Each row's texts, one behind the other; a missing one is empty."""
    several = [frame[name].fill_null("").to_list() for name in columns]
    return [" ".join(texts) for texts in zip(*several, strict=True)]
