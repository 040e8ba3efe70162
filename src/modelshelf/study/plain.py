"""Plain models: what a network must beat. Each is fitted by scikit-learn on a problem's rows."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, vstack

from modelshelf.core.seeds import generator
from modelshelf.data.dataset import Dataset, Kind
from modelshelf.data.metrics import score
from modelshelf.data.prepare import fit_preparation
from modelshelf.data.prepare.text import fit_texts
from modelshelf.data.split import Split, drawn_rows
from modelshelf.data.tensor import Frame, Tensor, as_columns
from modelshelf.data.text import TextSettings
from modelshelf.study.problem import Problem

__all__ = ["BOOSTING", "LIGHTGBM", "LINEAR", "NEIGHBOURS", "Fit", "Plain", "load", "plain_models"]

LINEAR, BOOSTING, NEIGHBOURS = "linear", "gradient boosting", "nearest neighbours"
LIGHTGBM = "gradient boosting (LightGBM)"

Rows = NDArray[np.int64]
Predict = Callable[[Frame], NDArray[np.float64]]

_NEIGHBOURS = (1, 5, 15, 50)  # of which validation rows choose
_MOST_KEPT = 10_000  # rows that neighbours are looked for among
_MOST_NUMBERS = 12_000_000  # in the rows that a linear model of arrays is fitted on
_LEAST_DRAWN = 500  # of these rows
_DENSE_ROWS = 1_024  # with text that are held at a time with all their zeros
_MOST_ASKED = 1_000  # validation rows that choose how many
_EMBEDDED = TextSettings(features="embedding", idf=True, counts="log", size=16)
_NODE = 28  # bytes: a column, a threshold, two children and a gain


@dataclass(frozen=True, slots=True, eq=False)
class Plain:
    """A fitted plain model."""

    predict: Predict  #: probabilities (rows, classes), or values (rows,), of a problem's columns
    parameters: int  #: coefficients, leaves, or numbers that are kept
    bytes: int  #: of what it must keep in order to answer
    note: str = ""  #: what a reader should know of it


#: Fits on development rows (indices); called where scikit-learn's warnings are not shown.
Fit = Callable[[Problem, Rows], Plain]


def plain_models() -> dict[str, Fit]:
    """The plain models by name, the best rivals first; LightGBM's only where it is installed."""
    found = {LINEAR: _linear, BOOSTING: _boosting, NEIGHBOURS: _neighbours}
    if find_spec("lightgbm") is not None:
        found[LIGHTGBM] = _lightgbm
    return {name: _quietly(fit) for name, fit in found.items()}


def load() -> None:
    """Import what the fits need, so that the first of them is not timed with it."""
    for name in ("sklearn.linear_model", "sklearn.neighbors", "sklearn.ensemble"):
        import_module(name)


def _quietly(fit: Fit) -> Fit:
    def fitted(problem: Problem, rows: Rows) -> Plain:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of convergence: a plain model may stop early
            return fit(problem, rows)

    return fitted


def _linear(problem: Problem, rows: Rows) -> Plain:
    """Logistic or ridge regression on standardised, one-hot inputs.

    Of rows that are arrays, so many are drawn that it takes seconds.
    """
    from sklearn.linear_model import LogisticRegression, Ridge

    frame, kept, steps = problem.dataset.frame, rows, 300
    dtype: type = np.float64
    if isinstance(frame, Tensor):
        most = max(_MOST_NUMBERS // max(frame.numbers, 1), _LEAST_DRAWN)
        kept, dtype, steps = _drawn(problem, rows, most), np.float32, 100
    encode = _matrix(problem, kept, dtype)
    model = LogisticRegression(max_iter=steps) if problem.classes else Ridge()
    model.fit(encode(frame[kept]), problem.dataset.target[kept])
    size = int(np.size(model.coef_) + np.size(model.intercept_))
    note = f"on {len(kept):,} rows, drawn of {len(rows):,}" if len(kept) < len(rows) else ""
    return Plain(_answers(model, encode, problem), size, 8 * size, note)


def _neighbours(problem: Problem, rows: Rows) -> Plain:
    """The nearest rows by Euclidean distance of standardised, one-hot inputs.

    How many is chosen on the search's validation rows. Of many rows, some are drawn: each answer
    looks at all that are kept.
    """
    kept = _drawn(problem, rows, _MOST_KEPT)
    count = _best_count(problem)
    model, encode = _nearest(problem, kept, min(count, len(kept)))
    width = encode(problem.dataset.frame[:1]).shape[1]
    note = f"{count} neighbour{'s' if count > 1 else ''}"
    if len(kept) < len(rows):
        note += f" among {len(kept):,} rows, drawn of {len(rows):,}"
    numbers = len(kept) * (width + 1)
    return Plain(_answers(model, encode, problem), numbers, 4 * numbers, note)


def _drawn(problem: Problem, rows: Rows, most: int) -> Rows:
    """All of these rows, or so many of them drawn."""
    if len(rows) <= most:
        return rows
    target = problem.dataset.target[rows]
    return rows[drawn_rows(target, most, problem.seed, problem.classes)]


def _best_count(problem: Problem) -> int:
    """How many neighbours answer the search's validation rows best."""
    train, validation = problem.rows(Split("search"))
    rng = generator(problem.seed, "neighbours")
    train = rng.permutation(train)[:_MOST_KEPT]
    validation = rng.permutation(validation)[:_MOST_ASKED]
    frame, target = problem.dataset.frame[validation], problem.dataset.target[validation]
    sign = 1.0 if problem.metric.direction == "maximize" else -1.0
    found: dict[int, float] = {}
    for count in _NEIGHBOURS:
        if count <= len(train):
            model, encode = _nearest(problem, train, count)
            answered = _answers(model, encode, problem)(frame)
            found[count] = np.nan_to_num(sign * score(problem.metric, target, answered), nan=-1e300)
    return max(found, key=lambda count: found[count])


def _nearest(problem: Problem, rows: Rows, count: int) -> tuple[Any, Predict]:
    from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor

    encode = _matrix(problem, rows, np.float32)
    model = (KNeighborsClassifier if problem.classes else KNeighborsRegressor)(count)
    model.fit(encode(problem.dataset.frame[rows]), problem.dataset.target[rows])
    return model, encode


def _boosting(problem: Problem, rows: Rows) -> Plain:
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
        counts = np.bincount(target)
        stopping = "auto" if counts[counts > 0].min() > 1 else False
        model = HistGradientBoostingClassifier(early_stopping=stopping, **settings)
    else:
        model = HistGradientBoostingRegressor(**settings)
    model.fit(encode(problem.dataset.frame[rows]), target)
    trees = [tree for each in model._predictors for tree in each]
    leaves = sum(tree.get_n_leaf_nodes() for tree in trees)
    size = sum(tree.nodes.nbytes for tree in trees)
    return Plain(_answers(model, encode, problem), leaves, size)


def _lightgbm(problem: Problem, rows: Rows) -> Plain:
    """LightGBM with its defaults, categories native."""
    from lightgbm import LGBMClassifier, LGBMRegressor

    encode, categorical = _codes(problem.dataset, rows)
    settings = {"verbose": -1, "random_state": problem.seed % 2**31, "n_jobs": 1}
    model = (LGBMClassifier if problem.classes else LGBMRegressor)(**settings)
    model.fit(
        encode(problem.dataset.frame[rows]),
        problem.dataset.target[rows],
        categorical_feature=[i for i, each in enumerate(categorical) if each],
    )
    leaves = int(model.booster_.trees_to_dataframe()["left_child"].isna().sum())
    trees = model.booster_.num_trees()
    return Plain(_answers(model, encode, problem), leaves, _NODE * (2 * leaves - trees))


def _matrix(problem: Problem, rows: Rows, dtype: type) -> Predict:
    """The encoding for distances and sums, fitted on these rows: standardised, one-hot."""
    schema = problem.dataset.schema
    text = TextSettings() if schema.texts else None
    preparation = fit_preparation(problem.dataset, rows, "standard", text=text)

    def encode(frame: Frame) -> Any:
        if schema.texts:  # thousands of columns, most of them 0
            starts = range(0, max(frame.height, 1), _DENSE_ROWS)
            parts = (preparation.transform(frame[at : at + _DENSE_ROWS]) for at in starts)
            return vstack([csr_matrix(each, dtype=dtype) for each in parts], format="csr")
        return preparation.transform(frame).reshape(frame.height, -1).astype(dtype, copy=False)

    return encode


def _answers(model: Any, encode: Predict, problem: Problem) -> Predict:
    """What a fitted model predicts: values, or probabilities, 0 for a class it never saw."""

    def values(frame: Frame) -> NDArray[np.float64]:
        return np.asarray(model.predict(encode(frame)), dtype=np.float64)

    def probabilities(frame: Frame) -> NDArray[np.float64]:
        full = np.zeros((frame.height, len(problem.dataset.schema.classes)))
        full[:, model.classes_] = model.predict_proba(encode(frame))
        return full

    return probabilities if problem.classes else values


def _codes(dataset: Dataset, rows: Rows) -> tuple[Predict, list[bool]]:
    """An encoding for trees: numbers as they are, missing as NaN, categories as codes.

    A text is its mean embedding: trees look at one column at a time, and a bag has thousands.
    """
    if isinstance(dataset.frame, Tensor):
        return _flat, [False] * dataset.frame.numbers
    table = as_columns(dataset.frame, "Gradient boosting")
    known: Mapping[str, dict[str, int]] = {
        column.name: _common(table[column.name][rows])
        for column in dataset.schema.inputs
        if column.kind is Kind.CATEGORICAL
    }
    texts = [column.name for column in dataset.schema.inputs if column.kind is Kind.TEXT]
    embedded = fit_texts(table, rows, texts, _EMBEDDED)

    def encode(frame: Frame) -> NDArray[np.float64]:
        columns: list[Any] = []
        for each in embedded:
            columns += list(each.transform(as_columns(frame, "Gradient boosting")).T)
        for column in dataset.schema.inputs:
            if column.name in texts:
                continue
            values = as_columns(frame, "Gradient boosting")[column.name]
            if column.name in known:
                codes = known[column.name]
                columns.append([codes.get(v, np.nan) for v in values.to_list()])
            elif column.kind is Kind.DATE:
                stamps = values.cast(pl.Datetime("us")).cast(pl.Int64).cast(pl.Float64)
                columns.append(stamps.fill_null(np.nan).to_list())
            else:
                columns.append(values.cast(pl.Float64).fill_null(np.nan).to_list())
        return np.array(columns, dtype=np.float64).T

    numbers = [False] * sum(each.size for each in embedded)
    rest = [column.name in known for column in dataset.schema.inputs if column.name not in texts]
    return encode, numbers + rest


def _flat(frame: Frame) -> NDArray[np.float64]:
    """Rows that are arrays, as columns."""
    assert isinstance(frame, Tensor)
    return frame.read().reshape(frame.height, -1).astype(np.float64)


def _common(values: pl.Series) -> dict[str, int]:
    """Codes of the 250 commonest categories: trees take no more than 255."""
    counted = values.drop_nulls().value_counts(sort=True)
    return {value: code for code, value in enumerate(counted[values.name][:250])}
