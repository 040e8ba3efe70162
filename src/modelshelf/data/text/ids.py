"""A text as the ids of its tokens, in their order, for networks that read them so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from modelshelf.data.text.bpe import train_bpe
from modelshelf.data.text.features import tokens
from modelshelf.data.text.settings import TextSettings
from modelshelf.data.text.split import normalised

__all__ = ["PADDING", "UNKNOWN", "TokenIds", "fit_ids"]

PADDING, UNKNOWN = 0, 1  #: ids of what stands behind a text's end, and of an unknown token


@dataclass(frozen=True, slots=True, eq=False)
class TokenIds:
    """What turns texts into ids: the tokens that are known, from training texts."""

    settings: TextSettings
    names: tuple[str, ...]  #: token `i` has the id `i + 2`
    bpe: str = ""  #: the trained tokeniser as JSON, where it is asked for

    @property
    def size(self) -> int:
        """How many columns a text becomes."""
        return self.settings.length

    @property
    def ids(self) -> int:
        """How many ids there are, those of padding and the unknown among them."""
        return len(self.names) + 2

    def columns(self, name: str) -> tuple[str, ...]:
        """Names of the columns that the text column `name` becomes."""
        return tuple(f"{name}: token {i + 1}" for i in range(self.size))

    def transform(self, texts: Sequence[str | None]) -> NDArray[np.int64]:
        """(rows, length) int64: ids from the left, cut at `length`, then padding.

        An empty text is one unknown token, so that no row is all padding.
        """
        known = {name: i + 2 for i, name in enumerate(self.names)}
        found = np.full((len(texts), self.size), PADDING, np.int64)
        for row, text in enumerate(texts):
            cut = tokens(text or "", self.settings, self.bpe)[: self.size]
            ids = [known.get(each, UNKNOWN) for each in cut] or [UNKNOWN]
            found[row, : len(ids)] = ids
        return found

    def to_state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Plain JSON values, from which `from_state` makes the same; and no arrays."""
        return {"settings": asdict(self.settings), "names": self.names, "bpe": self.bpe}, {}

    @classmethod
    def from_state(cls, stored: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> TokenIds:
        """The ids whose `to_state` this is."""
        return cls(TextSettings(**stored["settings"]), tuple(stored["names"]), stored["bpe"])


def _most_frequent(features: Iterable[Iterable[str]], most: int, least: int) -> tuple[str, ...]:
    """The features that stand in most texts, and in `least` of them; ties by name. In their order.

    >>> _most_frequent([["a", "b", "b"], ["b", "c"], ["c"]], 2, 1)
    ('b', 'c')
    """
    counted = Counter(each for text in features for each in set(text))
    enough = [(-n, name) for name, n in counted.items() if n >= least]
    return tuple(sorted(name for _, name in sorted(enough)[:most]))


def fit_ids(texts: Sequence[str | None], settings: TextSettings) -> TokenIds:
    """Give the commonest tokens of training texts their ids.

    Raises `SettingError` where byte-pair encoding is asked for and `tokenizers` is not installed.
    """
    given = [text or "" for text in texts]
    bpe = ""
    if settings.tokeniser == "bpe":
        bpe = train_bpe((normalised(text, settings.lower) for text in given), settings.bpe_size)
    found = (tokens(text, settings, bpe) for text in given)
    names = _most_frequent(found, settings.vocabulary, settings.min_count)
    return TokenIds(settings, names, bpe)
