"""A text as the features in it: counted, weighed, and perhaps squeezed into a few numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, hstack

from modelshelf.core.seeds import derive
from modelshelf.data.text.bpe import train_bpe
from modelshelf.data.text.counted import counted
from modelshelf.data.text.features import extractors
from modelshelf.data.text.settings import TextSettings
from modelshelf.data.text.split import normalised

__all__ = ["Bag", "fit_bag"]

_F = NDArray[np.float32]

#: The length of a row: a bag has few numbers that are not 0, and they should be about 1.
_LENGTH = 5.0

_NOTHING = "(nothing known)"  # the last column: 1 where a text has none of the features


@dataclass(frozen=True, slots=True, eq=False)
class Bag:
    """What turns texts into rows of numbers; all of it comes from training texts."""

    settings: TextSettings
    names: tuple[tuple[str, ...], ...]  #: features of each extractor, in order; none where hashed
    idf: _F  #: (features,); empty where all weigh the same
    projection: _F  #: (features, size): an embedding for each feature; empty but for `embedding`
    bpe: str = ""  #: the trained tokeniser as JSON, where it is asked for

    @property
    def size(self) -> int:
        """How many columns a text becomes."""
        inside = self.projection.shape[1] if self.projection.size else self._features
        return inside + 1

    @property
    def _features(self) -> int:
        hashed = self.settings.features == "hashed"
        return self.settings.vocabulary if hashed else sum(map(len, self.names))

    def columns(self, name: str) -> tuple[str, ...]:
        """Names of the columns that the text column `name` becomes."""
        if self.projection.size or self.settings.features == "hashed":
            inside = [f"{name} {i + 1}" for i in range(self.size - 1)]
        else:
            inside = [f"{name}: {each}" for part in self.names for each in part]
        return (*inside, f"{name}: {_NOTHING}")

    def transform(self, texts: Sequence[str | None]) -> _F:
        """(rows, size) float32, a missing text as an empty one; never NaN or infinite."""
        weights = _weighed(self.counts(texts), self.settings.counts, self.idf)
        known = np.diff(weights.indptr) > 0
        made = np.zeros((len(texts), self.size), np.float32)
        made[:, -1] = ~known
        if self.projection.size:
            rows = weights @ self.projection
            made[:, :-1] = rows * _to_length(np.einsum("ij,ij->i", rows, rows))[:, None]
            return made
        row = np.repeat(np.arange(len(texts)), np.diff(weights.indptr))
        squares = np.bincount(row, weights.data**2, len(texts))
        made[row, weights.indices] = weights.data * _to_length(squares)[row]
        return made

    def counts(self, texts: Sequence[str | None]) -> csr_matrix:
        """(rows, features): how often each feature stands in each text; signed where hashed."""
        given = [text or "" for text in texts]
        if self.settings.features == "hashed":
            each = extractors(self.settings, self.bpe)
            return _hashed(([f for x in each for f in x(text)] for text in given), self.settings)
        found = counted(given, self.settings, self.bpe)
        parts = [each.of(names) for each, names in zip(found, self.names, strict=True)]
        return csr_matrix(hstack(parts, format="csr"))

    def to_state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Plain JSON values and arrays, from which `from_state` makes the same bag."""
        plain = {"settings": asdict(self.settings), "names": self.names, "bpe": self.bpe}
        arrays = {"idf": self.idf, "projection": self.projection}
        return plain, {name: each for name, each in arrays.items() if each.size}

    @classmethod
    def from_state(cls, stored: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Bag:
        """The bag whose `to_state` this is, to the bit."""
        return cls(
            TextSettings(**stored["settings"]),
            tuple(map(tuple, stored["names"])),
            arrays.get("idf", _none()),
            arrays.get("projection", _none()),
            stored["bpe"],
        )


def fit_bag(
    texts: Sequence[str | None], settings: TextSettings, rows: NDArray[np.int64] | None = None
) -> Bag:
    """Learn the features of training texts, how rare they are, and their embeddings if asked.

    Of the texts these rows are trained on, or all; the others are counted with them, which saves
    time when they are prepared too, and nothing is learned from them.

    Raises `SettingError` where byte-pair encoding is asked for and `tokenizers` is not installed.
    """
    given = [text or "" for text in texts]
    chosen = np.arange(len(given)) if rows is None else rows
    bpe = ""
    if settings.tokeniser == "bpe":
        clean = (normalised(given[row], settings.lower) for row in chosen)
        bpe = train_bpe(clean, settings.bpe_size)
    names: tuple[tuple[str, ...], ...] = ()
    if settings.features != "hashed":
        found = counted(given, settings, bpe)
        most = settings.vocabulary // len(found)  # of each kind the same number
        names = tuple(each.most_frequent(chosen, most, settings.min_count) for each in found)
    bag = Bag(settings, names, _none(), _none(), bpe)
    if not settings.idf and settings.features != "embedding":
        return bag
    counts = bag.counts(given)[chosen]
    idf = _inverse_frequency(counts) if settings.idf else _none()
    projection = _none()
    if settings.features == "embedding":
        projection = _embeddings(_weighed(counts, settings.counts, idf), settings.size)
    return Bag(settings, names, idf, projection, bpe)


def _weighed(counts: csr_matrix, how: str, idf: _F) -> csr_matrix:
    """(rows, features) float32: presence, 1 + log of the count, or the count; times `idf`."""
    weights = counts.copy()
    size = np.abs(weights.data)
    if how == "presence":
        size = np.minimum(size, 1.0)
    elif how == "log":
        size = 1.0 + np.log(np.maximum(size, 1.0))
    weights.data = (np.sign(weights.data) * size).astype(np.float32)
    if idf.size:
        weights.data *= idf[weights.indices]
    return weights


def _inverse_frequency(counts: csr_matrix) -> _F:
    """(features,): 1 + log((1 + texts) / (1 + texts with the feature)).

    Source: Spärck Jones 1972, smoothed as scikit-learn does.
    """
    found = np.bincount(counts.indices, minlength=counts.shape[1])
    idf: _F = (1.0 + np.log((1.0 + counts.shape[0]) / (1.0 + found))).astype(np.float32)
    return idf


def _to_length(squares: NDArray[Any]) -> _F:
    """(rows,): what brings rows to one length, by their sums of squares; 0 for what has none."""
    lengths = np.sqrt(squares)
    scale = np.divide(_LENGTH, lengths, out=np.zeros_like(lengths), where=lengths > 1e-12)
    brought: _F = scale.astype(np.float32)
    return brought


def _hashed(features: Iterable[list[str]], settings: TextSettings) -> csr_matrix:
    """Each feature in the bucket that its name hashes to, with a sign that its name hashes to.

    Source: Weinberger et al. 2009; MurmurHash3, the same on every machine.
    """
    from sklearn.feature_extraction import FeatureHasher

    hasher = FeatureHasher(settings.vocabulary, input_type="string", dtype=np.float32)
    found = csr_matrix(hasher.transform(features))
    found.eliminate_zeros()
    return found


def _embeddings(weights: csr_matrix, size: int) -> _F:
    """(features, size): the leading right singular vectors of the training texts' weights.

    Features that stand in the same texts lie near each other: latent semantic analysis. Source:
    Deerwester et al. 1990; Halko, Martinsson, Tropp 2011 (randomised).
    """
    from sklearn.utils.extmath import randomized_svd

    rank = min(size, *weights.shape)
    if not rank or not weights.nnz:
        return _none()
    seed = derive(0, "text embedding") % 2**32
    _, _, found = randomized_svd(weights, rank, n_iter=3, random_state=seed)
    return np.ascontiguousarray(found.T, dtype=np.float32)


def _none() -> _F:
    return np.zeros(0, np.float32)
