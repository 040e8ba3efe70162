"""The race's contestants other than modelshelf: each gets the same rows and the same time.

    python bench/contestants.py NAME FOLDER SECONDS SEED

reads `FOLDER/given.npz`, which holds no targets of the test rows, and writes `FOLDER/NAME.npz`: the
answers for the test rows, the score that the tool has for its validation rows, seconds, and how
many networks (or models) it tried. `race.py` starts one process for each, so that no library's
threads meet another's, and scores the answers. Imports are not part of anybody's time.
"""

from __future__ import annotations

import os
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["CONTESTANTS", "Answer", "Given", "encode"]

CORES = os.cpu_count() or 1
PATIENCE = 50  # rounds of boosting without a better validation loss


@dataclass(frozen=True, eq=False)
class Given:
    """What a contestant is given."""

    numbers: Any  #: (rows, n) float64, NaN where missing
    categories: Any  #: (rows, m) int32 codes, -1 where missing
    target: Any  #: (rows,) class codes or values
    validation: Any  #: indices of the rows to validate on
    test_numbers: Any
    test_categories: Any
    classes: int  #: 0 for numbers

    @classmethod
    def load(cls, path: Path) -> Given:
        with np.load(path) as arrays:
            return cls(
                **{name: arrays[name] for name in arrays} | {"classes": int(arrays["classes"])}
            )

    @property
    def training(self) -> Any:
        """Indices of the rows that are not for validation."""
        return np.setdiff1d(np.arange(len(self.target)), self.validation)

    def validation_score(self, answers: Any) -> float:
        """Accuracy, or the root of the mean squared error, of answers for the validation rows."""
        wanted = self.target[self.validation]
        if self.classes:
            return float((answers == wanted).mean())
        return float(np.sqrt(((answers - wanted) ** 2).mean()))


@dataclass(frozen=True, eq=False)
class Answer:
    """What a contestant hands in."""

    test: Any  #: class codes or values for the test rows
    validation: float  #: the score that the tool itself shows
    seconds: float
    tried: int  #: networks or models


def encode(given: Given) -> tuple[Any, Any, int]:
    """Inputs for a network: (development, test, how many of the first columns are numbers).

    Medians of training rows where a number is missing, with a column that says so; categories
    one-hot, missing ones with a column of their own.
    """
    fill = np.nanmedian(given.numbers[given.training], axis=0)
    holes = np.isnan(given.numbers).any(axis=0)
    sizes = given.categories.max(axis=0, initial=-1) + 1

    def matrix(numbers: Any, categories: Any) -> Any:
        absent = np.isnan(numbers)
        one_hot = [np.eye(n + 1)[codes] for n, codes in zip(sizes, categories.T, strict=True)]
        return np.column_stack([np.where(absent, fill, numbers), absent[:, holes], *one_hot])

    return (
        matrix(given.numbers, given.categories),
        matrix(given.test_numbers, given.test_categories),
        given.numbers.shape[1],
    )


def _frames(given: Given) -> tuple[Any, Any]:
    """Data frames for libraries that take categories as they are: (development, test)."""
    import pandas as pd

    def frame(numbers: Any, categories: Any) -> Any:
        found = pd.DataFrame(numbers, columns=[f"n{i}" for i in range(numbers.shape[1])])
        for i, codes in enumerate(categories.T):
            kinds = range(-1, int(given.categories[:, i].max(initial=-1)) + 1)
            found[f"c{i}"] = pd.Categorical(codes, categories=kinds)
        return found

    return (
        frame(given.numbers, given.categories),
        frame(given.test_numbers, given.test_categories),
    )


def lightgbm(given: Given, seconds: float, seed: int) -> Answer:
    """Defaults, as many rounds as the validation rows gain by."""
    import lightgbm as lgb

    began = time.perf_counter()
    x, x_test = _frames(given)
    kind = lgb.LGBMClassifier if given.classes else lgb.LGBMRegressor
    model = kind(n_estimators=10_000, n_jobs=CORES, random_state=seed, verbose=-1)
    held = x.iloc[given.validation]
    model.fit(
        x.iloc[given.training], given.target[given.training],
        eval_set=[(held, given.target[given.validation])],
        callbacks=[lgb.early_stopping(PATIENCE, verbose=False)],
    )  # fmt: skip
    answers = model.predict(x_test)
    return _one(given, answers, model.predict(held), began)


def catboost(given: Given, seconds: float, seed: int) -> Answer:
    """Defaults, as many of its 1,000 rounds as the validation rows gain by."""
    import catboost as cb

    began = time.perf_counter()
    x, x_test = _frames(given)
    words = [name for name in x if name.startswith("c")]
    x, x_test = (each.astype(dict.fromkeys(words, str)) for each in (x, x_test))
    kind = cb.CatBoostClassifier if given.classes else cb.CatBoostRegressor
    model = kind(
        random_seed=seed, thread_count=CORES, early_stopping_rounds=PATIENCE, cat_features=words,
        verbose=False, allow_writing_files=False,
    )  # fmt: skip
    held = x.iloc[given.validation]
    model.fit(x.iloc[given.training], given.target[given.training],
              eval_set=(held, given.target[given.validation]))  # fmt: skip
    answers = model.predict(x_test).ravel()
    return _one(given, answers, model.predict(held).ravel(), began)


def realmlp(given: Given, seconds: float, seed: int) -> Answer:
    """One network by pytabkit's tuned defaults, 256 epochs, however long they take.

    It takes no missing numbers: they are given the median of the rows to learn from.
    """
    import pytabkit

    began = time.perf_counter()
    x, x_test = _frames(given)
    middle = x.median(numeric_only=True)
    x, x_test = x.fillna(middle), x_test.fillna(middle)
    name = "RealMLP_TD_Classifier" if given.classes else "RealMLP_TD_Regressor"
    model = getattr(pytabkit, name)(device="cpu", random_state=seed, n_threads=CORES, verbosity=0)
    model.fit(x, given.target, val_idxs=given.validation)
    answers = model.predict(x_test)
    return _one(given, answers, model.predict(x.iloc[given.validation]), began)


def _one(given: Given, answers: Any, held: Any, began: float) -> Answer:
    """The answer of a tool that fits one model."""
    return Answer(answers, given.validation_score(held), time.perf_counter() - began, 1)


def _optuna(given: Given, seconds: float, seed: int) -> Answer:
    from contestant_optuna import optuna_torch

    return optuna_torch(given, seconds, seed)


def _sklearn(given: Given, seconds: float, seed: int) -> Answer:
    from contestant_sklearn import halving

    return halving(given, seconds, seed)


Contestant = Callable[[Given, float, int], Answer]

#: name: (how a table calls it, the packages that it needs, whether it trains networks, its run)
CONTESTANTS: dict[str, tuple[str, tuple[str, ...], bool, Contestant]] = {
    "optuna": ("Optuna + PyTorch", ("optuna", "torch"), True, _optuna),
    "sklearn": ("scikit-learn MLP, halving", ("sklearn",), True, _sklearn),
    "realmlp": ("RealMLP, defaults", ("pytabkit",), True, realmlp),
    "lightgbm": ("LightGBM, defaults", ("lightgbm", "pandas"), False, lightgbm),
    "catboost": ("CatBoost, defaults", ("catboost", "pandas"), False, catboost),
}


def main() -> None:
    name, folder, seconds, seed = sys.argv[1:]
    warnings.simplefilter("ignore")
    run = CONTESTANTS[name][3]
    answer = run(Given.load(Path(folder) / "given.npz"), float(seconds), int(seed))
    np.savez(Path(folder) / f"{name}.npz", test=answer.test, validation=answer.validation,
             seconds=answer.seconds, tried=answer.tried)  # fmt: skip
    sys.stdout.flush()
    os._exit(0)  # a search that is still at work does not keep the next contestant waiting


if __name__ == "__main__":
    main()
