"""A warm start: begin a new study with what did best on similar data."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping

from modelshelf.core.records import Purpose
from modelshelf.data.dataset import Dataset, Kind
from modelshelf.shelf import Shelf, StudyRecord
from modelshelf.space.configuration import Configuration

__all__ = ["SIMILAR", "distance", "profile", "warm_start"]

#: The largest distance at which data count as similar: a factor of 16, all differences together.
SIMILAR = 4.0

_STUDIES = 3  # at most so many studies are begun from
_EACH = 3  # and so many configurations of each are taken


def profile(dataset: Dataset) -> dict[str, int]:
    """What a data set is compared by: how many rows, columns of each kind, and classes."""
    kinds = [column.kind for column in dataset.schema.inputs]
    counts = {kind.value: kinds.count(kind) for kind in Kind if kind is not Kind.IGNORE}
    return {"rows": dataset.rows, "classes": len(dataset.schema.classes), **counts}


def distance(a: Mapping[str, int], b: Mapping[str, int]) -> float:
    """How far apart two data sets are: the sum of |log2| of the ratio of each count.

    Infinite where one has a kind of column that the other lacks.

    >>> distance({"rows": 1_000, "numeric": 8}, {"rows": 4_000, "numeric": 4})
    3.0
    >>> distance({"rows": 1_000, "numeric": 8}, {"rows": 1_000, "numeric": 0})
    inf
    """
    total = 0.0
    for name in dict.fromkeys((*a, *b)):
        x, y = a.get(name, 0), b.get(name, 0)
        if x and y:
            total += abs(math.log2(x / y))
        elif x or y:
            return math.inf
    return total


def warm_start(
    dataset: Dataset, data_key: str, shelf: Shelf
) -> tuple[tuple[str, ...], tuple[Configuration, ...]]:
    """The names of the most similar finished studies, nearest first, and their best, each once.

    Their winners come first, then what came second, and so on. `data_key` is the identity of the
    rows and their split: a study of the same rows, split otherwise, is left out, for what won there
    may have been chosen on rows that are now the test.
    """
    wanted = profile(dataset)
    near: list[tuple[float, int, StudyRecord]] = []
    for age, record in enumerate(reversed(shelf.studies())):
        same_rows = record.fingerprint == dataset.fingerprint
        if same_rows and record.settings.get("data_key") != data_key:
            continue
        if record.status == "done" and record.task is dataset.schema.task:
            away = distance(wanted, record.settings.get("profile", {}))
            if away <= SIMILAR:
                near.append((away, age, record))
    chosen = [record for _, _, record in sorted(near, key=lambda each: each[:2])[:_STUDIES]]
    ranks = itertools.zip_longest(*(_best(shelf, record) for record in chosen))
    found = dict.fromkeys(each for rank in ranks for each in rank if each is not None)
    return tuple(record.name for record in chosen), tuple(found)


def _best(shelf: Shelf, record: StudyRecord) -> tuple[Configuration, ...]:
    """A study's winner, and then the best of its search."""
    best = [record.winner["configuration"]] if record.winner else []
    best += [
        trial.configuration
        for trial in shelf.trials(record.name, purpose=Purpose.SEARCH, limit=_EACH)
    ]
    return tuple(dict.fromkeys(map(Configuration.from_json, best)))[:_EACH]
