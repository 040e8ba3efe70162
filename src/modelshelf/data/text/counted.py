"""Every feature of some texts, counted once: what splits and vocabularies then choose from."""

from __future__ import annotations

import hashlib
import sys
import threading
from array import array
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from modelshelf.data.text.features import Extract, extractors
from modelshelf.data.text.settings import TextSettings

__all__ = ["Counted", "counted"]

_Key = tuple[bytes, TextSettings, str]


@dataclass(frozen=True, slots=True, eq=False)
class Counted:
    """All features of some texts, and how often each stands in each."""

    column: dict[str, int]
    matrix: csr_matrix  #: (texts, all features) float32
    named: int  #: bytes of the features' names

    @property
    def bytes(self) -> int:
        """What it takes in memory."""
        arrays = (self.matrix.data, self.matrix.indices, self.matrix.indptr)
        held: int = sum(each.nbytes for each in arrays)
        return held + sys.getsizeof(self.column) + self.named

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
    return _LATEST(texts, cut, bpe)


class _Latest:
    """The features of the latest few texts, of so many bytes in all. Used by many threads."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.kept: dict[_Key, tuple[Counted, ...]] = {}
        self._lock = threading.Lock()

    def __call__(
        self, texts: Sequence[str], settings: TextSettings, bpe: str
    ) -> tuple[Counted, ...]:
        key = _digest(texts), settings, bpe
        with self._lock:
            found = self.kept.pop(key, None)
        if found is None:
            found = tuple(_count(texts, each) for each in extractors(settings, bpe))
        with self._lock:
            self.kept[key] = found  # as the latest that was asked for
            while sum(each.bytes for parts in self.kept.values() for each in parts) > self.most:
                self.kept.pop(next(iter(self.kept)))
        return found


_LATEST = _Latest(1 << 29)


def _digest(texts: Sequence[str]) -> bytes:
    """SHA-256 of texts, so that they need not be kept."""
    digest = hashlib.sha256()
    for text in texts:
        raw = text.encode("utf-8", "surrogatepass")
        digest.update(len(raw).to_bytes(8, "little") + raw)
    return digest.digest()


def _count(texts: Sequence[str], extract: Extract) -> Counted:
    column: dict[str, int] = {}
    found, counts, ends = array("i"), array("f"), array("q", [0])
    for text in texts:
        here = Counter(column.setdefault(each, len(column)) for each in extract(text))
        found.extend(here.keys())
        counts.extend(here.values())
        ends.append(len(found))
    indices = np.frombuffer(found, np.int32) if found else np.zeros(0, np.int32)
    data = np.frombuffer(counts, np.float32) if counts else np.zeros(0, np.float32)
    matrix = csr_matrix((data, indices, np.array(ends)), (len(texts), len(column)))
    matrix.sort_indices()
    return Counted(column, matrix, sum(map(sys.getsizeof, column)))
