"""The race's contestant by scikit-learn: `MLPClassifier`, `MLPRegressor` under halving."""

from __future__ import annotations

import itertools
import threading
import time
from typing import Any

import numpy as np

from contestants import CORES, Answer, Given, encode

__all__ = ["halving"]

FEW_ROWS = 5_000  # below, candidates are compared on three folds; else on a fifth of the rows
SEARCHES = ((9, 4_000), (9, None), (27, None))  # candidates and rows of each; the last again
_WIDTHS = (32, 64, 128, 256)


def halving(given: Given, seconds: float, seed: int) -> Answer:
    """`HalvingRandomSearchCV` on all cores, again and again; the best search's network answers.

    scikit-learn cannot be interrupted: the search that is at work when the time is up is left
    behind. So the first one is a small one; if need be it is waited for, and its seconds tell.
    """
    from sklearn.compose import ColumnTransformer
    from sklearn.experimental import enable_halving_search_cv  # noqa: F401
    from sklearn.neural_network import MLPClassifier, MLPRegressor
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import StandardScaler

    began = time.perf_counter()
    x, x_test, numbers = encode(given)
    center, scale = (0.0, 1.0) if given.classes else (given.target.mean(), given.target.std())
    y = given.target if given.classes else (given.target - center) / scale
    kind = MLPClassifier if given.classes else MLPRegressor
    scaled = ColumnTransformer(
        [("scale", StandardScaler(), slice(numbers))], remainder="passthrough"
    )
    model = Pipeline([("prepare", scaled), ("mlp", kind(early_stopping=True))])
    found: list[tuple[float, Any, int]] = []

    def searches() -> None:
        for turn in itertools.count():
            candidates, most = SEARCHES[min(turn, len(SEARCHES) - 1)]
            rows = np.random.default_rng(seed + turn).permutation(len(y))[:most]
            search = _search(given, model, candidates, len(rows), seed + turn)
            search.fit(x[rows], y[rows])
            tried = search.n_candidates_[0]
            found.append((search.best_score_, search.predict(x_test), tried))

    worker = threading.Thread(target=searches, daemon=True)
    worker.start()
    worker.join(seconds - (time.perf_counter() - began))
    while not found and worker.is_alive():
        worker.join(0.1)
    score, answers, _ = max(list(found), key=lambda each: each[0])
    told = score if given.classes else -score * scale
    tried = sum(each[2] for each in found)
    return Answer(answers * scale + center if not given.classes else answers, told,
                  time.perf_counter() - began, tried)  # fmt: skip


def _search(given: Given, model: Any, candidates: int, rows: int, seed: int) -> Any:
    from scipy.stats import loguniform
    from sklearn.model_selection import HalvingRandomSearchCV, ShuffleSplit
    from sklearn.preprocessing import QuantileTransformer, StandardScaler

    layers = [(width,) * depth for depth in (1, 2, 3) for width in _WIDTHS]
    quantiles = min(1_000, rows // 10)
    space = {
        "prepare__scale": [StandardScaler(), QuantileTransformer(
            n_quantiles=quantiles, output_distribution="normal")],
        "mlp__hidden_layer_sizes": layers,
        "mlp__learning_rate_init": loguniform(3e-4, 2e-2),
        "mlp__alpha": loguniform(1e-6, 1e-1),
        "mlp__batch_size": [64, 128, 256],
        "mlp__activation": ["relu", "tanh"],
    }  # fmt: skip
    fifth = ShuffleSplit(1, test_size=0.2, random_state=seed % 2**32)
    folds: Any = 3 if len(given.target) < FEW_ROWS else fifth
    return HalvingRandomSearchCV(
        model, space, n_candidates=candidates, min_resources="exhaust", factor=3, cv=folds,
        n_jobs=CORES, random_state=seed % 2**32, error_score=np.nan,
        scoring="accuracy" if given.classes else "neg_root_mean_squared_error",
    )  # fmt: skip
