"""The problem that a study works on: rows, splits, metric, and prepared arrays shared by all."""

from __future__ import annotations

import math
import statistics
import threading
import time
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from modelshelf.core.protocols import Network, TrainingData
from modelshelf.core.records import Task
from modelshelf.data.dataset import Dataset, Kind
from modelshelf.data.metrics import Metric, interval, score
from modelshelf.data.prepare import Preparation, fit_preparation
from modelshelf.data.prepare.tensor import need_memory
from modelshelf.data.split import Split, rows_of
from modelshelf.data.tensor import Frame, Tensor
from modelshelf.data.text import TextSettings
from modelshelf.space.catalogue import lookup
from modelshelf.space.configuration import Configuration

__all__ = ["FEW_ROWS", "Prepared", "Problem", "asked_of", "text_settings"]

#: Below this many development rows the winner is trained again on all of them.
FEW_ROWS = 10_000

_SPLITS = 2  # of images that lie in memory at a time: the search's, and one of those that judge it
_KEPT = 12  # prepared splits held in memory at a time
_MOST_BYTES = 1 << 30  # that they take together, where there are several


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """One split, prepared one way: what members are trained on."""

    data: TrainingData
    preparation: Preparation
    target: NDArray[np.generic]  #: of the validation rows, as the metric takes it

    @property
    def bytes(self) -> int:
        """What its inputs take in memory."""
        x = (self.data.x, self.data.validation_x)
        return sum(each.nbytes for each in x if isinstance(each, np.ndarray))


@dataclass(frozen=True, eq=False)
class Problem:
    """Development rows, test rows, and how networks are judged.

    Test rows are reached by `test_frame` and `test_target` alone, and only at the end.
    """

    dataset: Dataset  #: development rows only
    metric: Metric
    seed: int
    folds: int
    test_frame: Frame | None = None
    test_target: NDArray[np.generic] | None = None
    drawn_from: int = 0  #: of so many rows the development rows were drawn, where these are fewer

    @property
    def task(self) -> Task:
        """What is asked of a network."""
        return self.dataset.schema.task

    @property
    def classes(self) -> bool:
        """Whether the target is a class."""
        return self.task.is_classification

    @property
    def refits(self) -> bool:
        """Whether the winner is trained again on all development rows.

        On few rows, a fifth more of them is worth more than a validation set to stop on.
        """
        return self.dataset.rows < FEW_ROWS

    @cached_property
    def _cache(self) -> dict[tuple[Any, ...], Prepared]:
        return {}

    @cached_property
    def _lock(self) -> threading.Lock:
        return threading.Lock()

    @cached_property
    def _transforms(self) -> list[float]:
        return []

    @property
    def transforming(self) -> float:
        """Seconds to prepare a row, on average so far; 0 where none was."""
        return statistics.fmean(self._transforms) if self._transforms else 0.0

    @cached_property
    def _only_text(self) -> bool:
        return all(each.kind is Kind.TEXT for each in self.dataset.schema.inputs)

    def rows(self, split: Split) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Training and validation rows of a split, as indices of development rows."""
        return rows_of(split, self.dataset.target, self.seed, self.classes)

    def prepared(self, split: Split, configuration: Configuration) -> Prepared:
        """Arrays of a split as a configuration asks. Made once, by whichever worker asks first."""
        scaling, one_hot, text = asked_of(configuration)
        if text is not None and self._only_text:
            scaling, one_hot = "standard", None  # there is nothing to scale
        key = (split, scaling, one_hot, text)
        with self._lock:
            found = self._cache.pop(key, None)
            if found is None:
                found = self._prepare(*self.rows(split), scaling, one_hot, text)
                self._make_room(found.bytes)
            self._cache[key] = found  # as the latest that was asked for
            return found

    def _make_room(self, wanted: int) -> None:
        """Forget what was not asked for the longest, so that no more than some is held."""
        held = sum(each.bytes for each in self._cache.values())
        while self._cache and (len(self._cache) >= _KEPT or held + wanted > _MOST_BYTES):
            held -= self._cache.pop(next(iter(self._cache))).bytes

    def prepared_from(
        self,
        train: NDArray[np.int64],
        validation: NDArray[np.int64],
        configuration: Configuration,
    ) -> Prepared:
        """Arrays of any development rows, as a configuration asks. They are made, and not kept."""
        return self._prepare(train, validation, *asked_of(configuration))

    def answers(self, network: Network, prepared: Prepared) -> NDArray[np.float64]:
        """What a network answers on a split's validation rows, numbers in the target's unit."""
        output = network.predict(prepared.data.validation_x)
        return output if self.classes else prepared.preparation.unscale_target(output)

    def score(self, output: NDArray[np.float64], prepared: Prepared) -> float:
        """The metric of `answers`; NaN where the split has no validation rows."""
        return score(self.metric, prepared.target, output) if len(prepared.target) else math.nan

    def on_test(self, output: NDArray[np.float64]) -> tuple[float, tuple[float, float]]:
        """The metric of answers to the test rows, and its 95 % interval."""
        assert self.test_target is not None
        return (
            score(self.metric, self.test_target, output),
            interval(self.metric, self.test_target, output, self.seed),
        )

    def _prepare(
        self,
        train: NDArray[np.int64],
        validation: NDArray[np.int64],
        scaling: str,
        max_one_hot: int | None,
        text: TextSettings | None,
    ) -> Prepared:
        preparation = fit_preparation(self.dataset, train, scaling, max_one_hot, text)
        began = time.perf_counter()
        x, validation_x = self._inputs(preparation, train, validation)
        self._transforms.append((time.perf_counter() - began) / max(self.dataset.rows, 1))
        y = preparation.encode_target(self.dataset.target)
        data = TrainingData(
            x,
            np.ascontiguousarray(y[train]),
            validation_x,
            np.ascontiguousarray(y[validation]),
            self.classes,
            preparation.columns,
            self.dataset.schema.shape if self.dataset.schema.image else (),
        )
        return Prepared(data, preparation, self.dataset.target[validation])

    def _inputs(
        self, preparation: Preparation, train: NDArray[np.int64], validation: NDArray[np.int64]
    ) -> tuple[Any, Any]:
        """The inputs of a split's two parts; rows of an array never lie in memory twice for it."""
        frame = self.dataset.frame
        if not isinstance(frame, Tensor):
            x = preparation.transform(frame)
            return np.ascontiguousarray(x[train]), np.ascontiguousarray(x[validation])
        if self.dataset.schema.image and not self._cache:
            need_memory(frame, _SPLITS)
        return preparation.transform(frame[train]), preparation.transform(frame[validation])


def asked_of(configuration: Configuration) -> tuple[str, int | None, TextSettings | None]:
    """What the preparation hangs on: scaling, the most categories one-hot, and how text is read."""
    one_hot = configuration.whole("max_one_hot") if "max_one_hot" in configuration else None
    return configuration.word("scaling"), one_hot, text_settings(configuration)


def text_settings(configuration: Configuration) -> TextSettings | None:
    """How a configuration reads text; None where it leaves it aside.

    >>> text_settings(Configuration(text="bag", word_ngrams=3)).word_ngrams
    3
    """
    reads = configuration.get("network") == "text"
    if not reads and "text" not in configuration:
        return None

    def asked(name: str) -> Any:  # what plays no part must not make another preparation
        return configuration[name] if name in configuration else lookup(name).default

    return TextSettings(
        features="ids" if reads else asked("text"),
        tokeniser=asked("tokeniser"),
        lower=asked("lower_case") == "yes",
        word_ngrams=asked("word_ngrams"),
        character_ngrams=asked("character_ngrams"),
        bpe_size=asked("bpe_size"),
        vocabulary=asked("vocabulary_size"),
        min_count=asked("min_count"),
        counts=asked("text_counts"),
        idf=asked("idf") == "yes",
        size=asked("text_size"),
        length=asked("text_length"),
    )
