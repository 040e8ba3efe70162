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

    scikit-learn cannot be interrupted: a fit that is not done when the time is up goes on until it
    is, and its result is not used.

    Each is fitted on the search's training rows and scored on its validation rows. It has the
    rows that the winner has: where the winner is trained again on all development rows, the
    baselines are too, before they are scored on the test rows.
    """

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        self._found: list[Baseline] = []
        self._dropped = False
        self._thread = threading.Thread(target=self._run, name="modelshelf-baselines")

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

    def drop(self) -> None:
        """Begin no other fit."""
        self._dropped = True

    def _run(self) -> None:
        for name, fit in (("linear", _linear), ("gradient boosting", _boosting)):
            if self._dropped:
                return
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")  # of convergence: a baseline may stop early
                    self._found.append(_measured(name, fit, self._problem))
            except (ValueError, MemoryError, ArithmeticError):
                continue


Predict = Callable[[pl.DataFrame], NDArray[np.float64]]
Fit = Callable[[Problem, Rows], Predict]


def _measured(name: str, fit: Fit, problem: Problem) -> Baseline:
    train, validation = problem.rows(Split("search"))
    began = time.perf_counter()
    predict = fit(problem, train)
    seconds = time.perf_counter() - began
    output = predict(problem.dataset.frame[validation])
    found = score(problem.metric, problem.dataset.target[validation], output)
    test = None
    if problem.test_frame is not None and problem.test_target is not None:
        if problem.refits:
            predict = fit(problem, np.arange(problem.dataset.rows))
        test = score(problem.metric, problem.test_target, predict(problem.test_frame))
    return Baseline(name, found, test, seconds)


def _linear(problem: Problem, rows: Rows) -> Predict:
    """Logistic or ridge regression on standardised, one-hot inputs."""
    from sklearn.linear_model import LogisticRegression, Ridge

    preparation = fit_preparation(problem.dataset, rows, "standard")

    def encode(frame: pl.DataFrame) -> NDArray[np.float64]:
        return preparation.transform(frame).astype(np.float64)

    model = LogisticRegression(max_iter=300) if problem.classes else Ridge()
    model.fit(encode(problem.dataset.frame[rows]), problem.dataset.target[rows])
    return _answers(model, encode, problem)


def _boosting(problem: Problem, rows: Rows) -> Predict:
    """scikit-learn's histogram gradient boosting with its defaults, categories native."""
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    encode, categorical = _codes(problem.dataset, rows)
    target = problem.dataset.target[rows]
    settings: dict[str, Any] = {
        "categorical_features": categorical,
        "random_state": problem.seed % 2**32,
    }
    if problem.classes:
        # Early stopping needs two rows of each class to split them.
        stopping = "auto" if np.bincount(target).min() > 1 else False
        model = HistGradientBoostingClassifier(early_stopping=stopping, **settings)
    else:
        model = HistGradientBoostingRegressor(**settings)
    model.fit(encode(problem.dataset.frame[rows]), target)
    return _answers(model, encode, problem)


def _answers(model: Any, encode: Predict, problem: Problem) -> Predict:
    """What a fitted model predicts: values, or probabilities, 0 for a class it never saw."""

    def values(frame: pl.DataFrame) -> NDArray[np.float64]:
        return np.asarray(model.predict(encode(frame)), dtype=np.float64)

    def probabilities(frame: pl.DataFrame) -> NDArray[np.float64]:
        full = np.zeros((frame.height, len(problem.dataset.schema.classes)))
        full[:, model.classes_] = model.predict_proba(encode(frame))
        return full

    return probabilities if problem.classes else values


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
