"""What plain models reach on the same rows: a linear model, and gradient-boosted trees."""

from __future__ import annotations

import threading
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from modelshelf.core.records import Baseline
from modelshelf.data.dataset import Dataset, Kind
from modelshelf.data.metrics import score
from modelshelf.data.prepare import fit_preparation
from modelshelf.data.split import Split
from modelshelf.study.problem import Problem

__all__ = ["Baselines"]

Rows = NDArray[np.int64]


class Baselines:
    """Fits the baselines in a thread of its own, beside the search.

    Each is fitted twice: on the search's training rows, to be scored on its validation rows; and
    on all development rows, to be scored on the test rows, as a person would use it.
    """

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        self._found: list[Baseline] = []
        self._thread = threading.Thread(target=self._run, name="modelshelf-baselines", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    @property
    def found(self) -> tuple[Baseline, ...]:
        """What is known so far; a baseline that failed is left out."""
        return tuple(self._found)

    def wait(self, seconds: float | None) -> tuple[Baseline, ...]:
        """What is known once all are fitted, or after this many seconds."""
        self._thread.join(seconds)
        return self.found

    def _run(self) -> None:
        for name, fit in (("linear", _linear), ("gradient boosting", _boosting)):
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")  # of convergence: a baseline may stop early
                    self._found.append(_measured(name, fit, self._problem))
            except (ValueError, MemoryError, ArithmeticError):
                continue


Fit = Callable[[Problem, Rows, pl.DataFrame], NDArray[np.float64]]


def _measured(name: str, fit: Fit, problem: Problem) -> Baseline:
    train, validation = problem.rows(Split("search"))
    began = time.perf_counter()
    output = fit(problem, train, problem.dataset.frame[validation])
    seconds = time.perf_counter() - began
    found = score(problem.metric, problem.dataset.target[validation], output)
    test = None
    if problem.test_frame is not None and problem.test_target is not None:
        everything = np.arange(problem.dataset.rows)
        output = fit(problem, everything, problem.test_frame)
        test = score(problem.metric, problem.test_target, output)
    return Baseline(name, found, test, seconds)


def _linear(problem: Problem, rows: Rows, frame: pl.DataFrame) -> NDArray[np.float64]:
    """Logistic or ridge regression on standardised, one-hot inputs."""
    from sklearn.linear_model import LogisticRegression, Ridge

    preparation = fit_preparation(problem.dataset, rows, "standard")
    x = preparation.transform(problem.dataset.frame[rows]).astype(np.float64)
    unseen = preparation.transform(frame).astype(np.float64)
    target = problem.dataset.target[rows]
    if problem.classes:
        model = LogisticRegression(max_iter=300).fit(x, target)
        return _probabilities(model, unseen, problem)
    return np.asarray(Ridge().fit(x, target).predict(unseen), dtype=np.float64)


def _boosting(problem: Problem, rows: Rows, frame: pl.DataFrame) -> NDArray[np.float64]:
    """scikit-learn's histogram gradient boosting with its defaults, categories native."""
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    encode, categorical = _codes(problem.dataset, rows)
    x, unseen = encode(problem.dataset.frame[rows]), encode(frame)
    target = problem.dataset.target[rows]
    settings: dict[str, Any] = {
        "categorical_features": categorical,
        "random_state": problem.seed % 2**32,
    }
    if problem.classes:
        # Early stopping needs two rows of each class to split them.
        stopping = "auto" if np.bincount(target).min() > 1 else False
        model = HistGradientBoostingClassifier(early_stopping=stopping, **settings).fit(x, target)
        return _probabilities(model, unseen, problem)
    model = HistGradientBoostingRegressor(**settings).fit(x, target)
    return np.asarray(model.predict(unseen), dtype=np.float64)


def _probabilities(model: Any, x: NDArray[Any], problem: Problem) -> NDArray[np.float64]:
    """Class probabilities, with 0 for a class that the model never saw."""
    full = np.zeros((len(x), len(problem.dataset.schema.classes)))
    full[:, model.classes_] = model.predict_proba(x)
    return full


def _codes(
    dataset: Dataset, rows: Rows
) -> tuple[Callable[[pl.DataFrame], NDArray[np.float64]], list[bool]]:
    """An encoding for trees: numbers as they are, missing as NaN, categories as codes."""
    known: dict[str, dict[str, int]] = {}
    for column in dataset.schema.inputs:
        if column.kind is Kind.CATEGORICAL:
            counted = dataset.frame[column.name][rows].drop_nulls().value_counts(sort=True)
            known[column.name] = {v: i for i, v in enumerate(counted[column.name][:250])}

    def encode(frame: pl.DataFrame) -> NDArray[np.float64]:
        columns = []
        for column in dataset.schema.inputs:
            values = frame[column.name]
            if column.name in known:
                codes = known[column.name]
                columns.append([codes.get(v, np.nan) for v in values.to_list()])
            elif column.kind is Kind.DATE:
                stamps = values.cast(pl.Datetime("us")).cast(pl.Int64).cast(pl.Float64)
                columns.append(stamps.fill_null(np.nan).to_list())
            else:
                columns.append(values.cast(pl.Float64).fill_null(np.nan).to_list())
        return np.array(columns, dtype=np.float64).T

    return encode, [column.name in known for column in dataset.schema.inputs]
