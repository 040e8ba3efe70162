"""Objectives in Optuna's words: how good modelshelf's proposals are beside Optuna's, and chance.

Every player runs the same objective, the same number of trials, on the same seeds. A row is the
median over seeds of the best value found, as a distance from the best that there is, with the
quartiles; and the seconds that a trial took, the objective's own included, which are few.

    python bench/optuna_words.py [--quick] [--seeds 10] [--json FILE]
"""

from __future__ import annotations

import importlib
import math
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from common import Table, arguments, finish

Objective = Callable[[Any], float]


def quadratic(trial: Any) -> float:
    """Two numbers, best at 0."""
    return (trial.suggest_float("x", -10, 10) - 2) ** 2 + (trial.suggest_float("y", -5, 5) + 1) ** 2


def branin(trial: Any) -> float:
    """Branin's function; the best is 0.397887."""
    x, y = trial.suggest_float("x", -5, 10), trial.suggest_float("y", 0, 15)
    bent = y - 5.1 * x**2 / (4 * math.pi**2) + 5 * x / math.pi - 6
    return bent**2 + 10 * (1 - 1 / (8 * math.pi)) * math.cos(x) + 10 - 0.397887


def hartmann(trial: Any) -> float:
    """Hartmann's function of six numbers; the best is -3.32237."""
    x = np.array([trial.suggest_float(f"x{i}", 0, 1) for i in range(6)])
    inner = (_HARTMANN_A * (x - _HARTMANN_P) ** 2).sum(axis=1)
    return float(3.32237 - np.array([1.0, 1.2, 3.0, 3.2]) @ np.exp(-inner))


_HARTMANN_A = np.array(
    [[10, 3, 17, 3.5, 1.7, 8], [0.05, 10, 17, 0.1, 8, 14], [3, 3.5, 1.7, 10, 17, 8],
     [17, 8, 0.05, 10, 0.1, 14]]
)  # fmt: skip
_HARTMANN_P = 1e-4 * np.array(
    [[1312, 1696, 5569, 124, 8283, 5886], [2329, 4135, 8307, 3736, 1004, 9991],
     [2348, 1451, 3522, 2883, 3047, 6650], [4047, 8828, 8732, 5743, 1091, 381]]
)  # fmt: skip


def network_like(trial: Any) -> float:
    """Rates, widths and choices as networks have them; the best is 0."""
    rate = math.log10(trial.suggest_float("lr", 1e-5, 1, log=True))
    kind = trial.suggest_categorical("optimizer", ["sgd", "adam", "rmsprop", "momentum"])
    width = math.log2(trial.suggest_int("width", 8, 512, log=True))
    dropout = trial.suggest_float("dropout", 0.0, 0.8, step=0.05)
    best_rate = {"sgd": -1.0, "momentum": -1.5, "adam": -3.0, "rmsprop": -3.2}[kind]
    penalty = {"sgd": 0.3, "momentum": 0.1, "adam": 0.0, "rmsprop": 0.05}[kind]
    return (rate - best_rate) ** 2 + penalty + 0.1 * (width - 7) ** 2 + (dropout - 0.2) ** 2


def classifiers(trial: Any) -> float:
    """One minus the accuracy of one of three classifiers, each with parameters of its own."""
    kind = trial.suggest_categorical("classifier", ["svm", "trees", "logistic"])
    if kind == "svm":
        model = SVC(C=trial.suggest_float("svm_c", 1e-3, 1e3, log=True),
                    gamma=trial.suggest_float("gamma", 1e-5, 10, log=True))  # fmt: skip
    elif kind == "trees":
        model = ExtraTreesClassifier(
            20, max_depth=trial.suggest_int("depth", 1, 12), random_state=0,
            min_samples_leaf=trial.suggest_int("leaf", 1, 20),
        )  # fmt: skip
    else:
        model = LogisticRegression(C=trial.suggest_float("c", 1e-5, 1e3, log=True), max_iter=2000)
    scores = cross_val_score(make_pipeline(StandardScaler(), model), *_CANCER, cv=3)
    return float(1 - scores.mean())


_CANCER = load_breast_cancer(return_X_y=True)
_OBJECTIVES: dict[str, tuple[Objective, tuple[int, ...]]] = {
    "quadratic, 2 numbers": (quadratic, (60, 100)),
    "Branin, 2 numbers": (branin, (60, 100)),
    "Hartmann, 6 numbers": (hartmann, (60, 100)),
    "network-like, 4 mixed": (network_like, (60, 100)),
    "classifiers, conditional": (classifiers, (60,)),
}

_PLAYERS = {
    "modelshelf": ("modelshelf.optuna", "TPESampler"),
    "Optuna TPE": ("optuna", "TPESampler"),
    "chance": ("modelshelf.optuna", "RandomSampler"),
}


def players() -> Iterator[tuple[str, Any, str]]:
    """What is installed; the rest is left out, by name."""
    for name, (module, sampler) in _PLAYERS.items():
        try:
            found = importlib.import_module(module)
        except ImportError:
            print(f"{module} is not installed: left out")
            continue
        found.logging.set_verbosity(found.logging.ERROR)
        yield name, found, sampler


def course(optuna: Any, sampler: str, objective: Objective, trials: int, seed: int) -> Any:
    """The best value after each trial, and the seconds of all."""
    made = getattr(optuna.samplers, sampler)(seed=seed)
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        place = {"storage": folder} if optuna.__name__ == "modelshelf.optuna" else {}
        study = optuna.create_study(sampler=made, **place)
        began = time.perf_counter()
        study.optimize(objective, n_trials=trials)
        took = time.perf_counter() - began
        return np.minimum.accumulate([each.value for each in study.trials]), took


def told(what: str, end: int, found: dict[str, list[Any]], table: Table) -> list[dict[str, Any]]:
    """The rows of one objective after so many trials, one a player."""
    rows = []
    medians = {name: np.median([v[end - 1] for v, _ in each]) for name, each in found.items()}
    for name, each in found.items():
        low, middle, high = np.quantile([values[end - 1] for values, _ in each], (0.25, 0.5, 0.75))
        seconds = np.median([took / len(values) for values, took in each])
        peer = medians.get("Optuna TPE", math.nan)
        ratio = float(middle / peer) if name == "modelshelf" else math.nan
        row = {"objective": what, "trials": end, "player": name, "median": float(middle),
               "low": float(low), "high": float(high), "seconds": float(seconds)}  # fmt: skip
        rows.append(row if math.isnan(ratio) else {**row, "ratio": ratio})
        table.row(
            what, str(end), name, f"{middle:.3g}", f"{low:.3g} to {high:.3g}",
            f"{1000 * seconds:.1f}", "–" if math.isnan(ratio) else f"{ratio:.2f}",
        )  # fmt: skip
    return rows


def main() -> None:
    """Run, print, write."""
    asked = arguments(__doc__ or "", seeds=10)
    there, rows = list(players()), []
    table = Table(
        f"Best value found, over {asked.seeds} seeds; lower is better",
        f"{'objective':24}", "trials", f"{'player':10}", "median", f"{'quartiles':18}",
        "ms a trial", "of Optuna's",
    )  # fmt: skip
    for what, (objective, ends) in _OBJECTIVES.items():
        ends = ends[:1] if asked.quick else ends
        found = {
            name: [course(optuna, how, objective, ends[-1], seed) for seed in range(asked.seeds)]
            for name, optuna, how in there
        }
        for end in ends:
            rows += told(what, end, found, table)
    finish(rows, asked.json, "optuna", "scikit-learn")


if __name__ == "__main__":
    main()
