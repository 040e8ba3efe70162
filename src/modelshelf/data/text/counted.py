"""Every feature of some texts, counted once: what splits and vocabularies then choose from."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from modelshelf.data.text.features import Extract, extractors
from modelshelf.data.text.settings import TextSettings

__all__ = ["Counted", "counted"]


@dataclass(frozen=True, slots=True, eq=False)
class Counted:
    """All features of some texts, and how often each stands in each."""

    column: dict[str, int]
    matrix: csr_matrix  #: (texts, all features) float32

    def most_frequent(self, rows: NDArray[np.int64], most: int, least: int) -> tuple[str, ...]:
        """The features that stand in most of these texts, and in `least`; ties by name. Sorted."""
        found = np.bincount(self.matrix[rows].indices, minlength=len(self.column))
        enough = [(-n, name) for name, n in zip(self.column, found.tolist(), strict=True)
                  if n >= max(least, 1)]  # fmt: skip
        return tuple(sorted(name for _, name in sorted(enough)[:most]))

    def of(self, names: Sequence[str]) -> csr_matrix:
        """(texts, names): the counts of these features alone, 0 for those that never stand here."""
        into = np.full(len(self.column), -1, np.int64)
        for i, name in enumerate(names):
            if name in self.column:
                into[self.column[name]] = i
        columns = into[self.matrix.indices]
        kept = columns >= 0
        ends = np.concatenate([[0], np.cumsum(kept)])[self.matrix.indptr]
        shape = (self.matrix.shape[0], len(names))
        return csr_matrix((self.matrix.data[kept], columns[kept], ends), shape)


def counted(texts: Sequence[str], settings: TextSettings, bpe: str = "") -> tuple[Counted, ...]:
    """The features of texts, for each extractor of the settings; those of the last few are kept."""
    cut = replace(
        TextSettings(),
        tokeniser=settings.tokeniser,
        lower=settings.lower,
        word_ngrams=settings.word_ngrams,
        character_ngrams=settings.character_ngrams,
    )
    return _counted(tuple(texts), cut, bpe)


@lru_cache(maxsize=6)
def _counted(texts: tuple[str, ...], settings: TextSettings, bpe: str) -> tuple[Counted, ...]:
    return tuple(_count(texts, each) for each in extractors(settings, bpe))


def _count(texts: Sequence[str], extract: Extract) -> Counted:
    column: dict[str, int] = {}
    found, ends = array("i"), array("q", [0])
    for text in texts:
        found.extend([column.setdefault(each, len(column)) for each in extract(text)])
        ends.append(len(found))
    indices = np.frombuffer(found, np.int32) if found else np.zeros(0, np.int32)
    ones = np.ones(len(indices), np.float32)
    matrix = csr_matrix((ones, indices, np.array(ends)), (len(texts), len(column)))
    matrix.sum_duplicates()
    return Counted(column, matrix)
