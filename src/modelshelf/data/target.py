"""The target: what is asked, and the answers as numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from modelshelf.core.errors import DataError, SettingError, nearest
from modelshelf.core.records import Task
from modelshelf.data.columns import numbers_of, words_of
from modelshelf.data.dataset import Label, Schema

__all__ = ["is_absent", "read_target", "target_codes"]

_MOST_CLASSES = 1_000
_FEW_INTEGERS = 20  # integers of no more distinct values than this are classes


def is_absent(values: pl.Series) -> pl.Series:
    """Whether each row (rows,) lacks its target."""
    return values.is_null() | values.is_nan() if values.dtype.is_float() else values.is_null()


def read_target(values: pl.Series, task: str) -> tuple[Task, tuple[Label, ...], NDArray[Any]]:
    """The task, the class labels (sorted), and the answers: int64 codes or float64 values.

    `values` has no missing ones. Raises `DataError` where they cannot be learned as the task asks,
    `SettingError` where there is no such task.
    """
    if task != "auto" and task not in tuple(Task):
        raise SettingError(f"There is no task {task!r}: {nearest(task, ['auto', *Task])}")
    labels = _labels(values)
    distinct = set(labels)
    if len(distinct) < 2:
        raise DataError(
            f"The target {values.name!r} is always {labels[0]!r}: there is nothing to predict."
        )
    found = _guess(labels, distinct) if task == "auto" else Task(task)
    if found is Task.REGRESSION:
        return found, (), _numbers(values.name, labels)
    if task == "auto" and len(distinct) > 2:
        found = Task.MULTICLASS
    if found is Task.BINARY and len(distinct) != 2:
        raise DataError(
            f"The target {values.name!r} has {len(distinct)} classes, and binary means 2: "
            "say --task multiclass."
        )
    classes = tuple(sorted(distinct, key=lambda label: (isinstance(label, str), label)))
    _check_classes(values.name, labels, classes)
    code = {label: i for i, label in enumerate(classes)}
    return found, classes, np.array([code[label] for label in labels], dtype=np.int64)


def target_codes(values: pl.Series, schema: Schema) -> NDArray[Any]:
    """The answers of another table as a schema reads them; `DataError` for a class it lacks."""
    labels = _labels(values)
    if not schema.task.is_classification:
        return _numbers(values.name, labels)
    code: dict[Any, int] = {label: i for i, label in enumerate(schema.classes)}
    text = {str(label): i for i, label in enumerate(schema.classes)}
    codes = [code.get(label, text.get(str(label), -1)) for label in labels]
    new = sorted({str(label) for label, c in zip(labels, codes, strict=True) if c < 0})
    if new:
        raise DataError(
            f"The target {values.name!r} holds classes that the training rows have not: "
            f"{', '.join(new[:5])}. Known are {', '.join(map(str, schema.classes[:12]))}."
        )
    return np.array(codes, dtype=np.int64)


def _labels(values: pl.Series) -> list[Label]:
    """Values as Python labels; text that is all numbers becomes numbers."""
    if values.dtype == pl.String:
        for kind in (pl.Int64, pl.Float64):
            numbers = values.cast(kind, strict=False)
            if numbers.null_count() == 0:
                return list(numbers.to_list())
        return list(values.to_list())
    if values.dtype == pl.Boolean or (values.dtype.is_numeric() and not values.dtype.is_decimal()):
        return list(values.to_list())
    if values.dtype.is_decimal() or values.dtype in (pl.Duration, pl.Time):
        return list(numbers_of(values)[0].to_list())
    if values.dtype == pl.Binary and not values.cast(pl.String, strict=False).null_count():
        return list(values.cast(pl.String).to_list())
    return list(words_of(values).to_list())


def _guess(labels: list[Label], distinct: set[Label]) -> Task:
    if any(isinstance(label, (str, bool)) for label in distinct):
        return Task.BINARY if len(distinct) == 2 else Task.MULTICLASS
    whole = all(float(label) == round(float(label)) for label in distinct if _finite(label))
    few = len(distinct) == 2 or (
        len(distinct) <= _FEW_INTEGERS and len(distinct) <= len(labels) / 2
    )
    if whole and few:
        return Task.BINARY if len(distinct) == 2 else Task.MULTICLASS
    return Task.REGRESSION


def _finite(label: Label) -> bool:
    return bool(np.isfinite(float(label)))


def _numbers(name: str, labels: list[Label]) -> NDArray[np.float64]:
    words = [label for label in labels if isinstance(label, str)]
    if words:
        raise DataError(
            f"The target {name!r} holds words ({words[0]!r}), and regression needs numbers: "
            "leave out --task, or choose another target."
        )
    numbers = np.array(labels, dtype=np.float64)
    if not np.isfinite(numbers).all():
        row = int(np.flatnonzero(~np.isfinite(numbers))[0]) + 1
        raise DataError(f"The target {name!r} is infinite, first in row {row}: mend those rows.")
    return numbers


def _check_classes(name: str, labels: list[Label], classes: tuple[Label, ...]) -> None:
    if len(classes) > _MOST_CLASSES or len(classes) > len(labels) / 2:
        raise DataError(
            f"The target {name!r} has {len(classes):,} classes in {len(labels):,} rows, too many "
            "to learn: say --task regression if they are numbers, or choose another target."
        )
    counts = dict.fromkeys(classes, 0)
    for label in labels:
        counts[label] += 1
    lonely = [str(label) for label, count in counts.items() if count < 2]
    if lonely:
        raise DataError(
            f"{len(lonely)} classes of the target {name!r} have a single row "
            f"({', '.join(lonely[:5])}): expected at least 2 rows of each, "
            "for one must train and one must test. Leave those rows out, or join the classes."
        )
