"""Optuna's words for an objective of your own; trials lie on the shelf, as every network does.

An Optuna script moves over by changing one import:

>>> import tempfile
>>> import modelshelf.optuna as optuna
>>> def objective(trial):
...     return (trial.suggest_float("x", -10, 10) - 2) ** 2
>>> optuna.logging.set_verbosity(optuna.logging.WARNING)
>>> study = optuna.create_study(storage=tempfile.mkdtemp())
>>> study.optimize(objective, n_trials=20)
>>> len(study.trials), study.best_value < 1
(20, True)
"""

from __future__ import annotations

from modelshelf.optuna import (
    distributions,
    exceptions,
    logging,
    pruners,
    samplers,
    study,
    trial,
)
from modelshelf.optuna.exceptions import TrialPruned, absent
from modelshelf.optuna.study import Study, create_study, load_study
from modelshelf.optuna.trial import Trial

__all__ = [
    "Study",
    "Trial",
    "TrialPruned",
    "create_study",
    "distributions",
    "exceptions",
    "load_study",
    "logging",
    "pruners",
    "samplers",
    "study",
    "trial",
]

__getattr__ = absent(
    "modelshelf.optuna",
    tuple(__all__),
    "A study is drawn by `modelshelf explain STUDY --figure PAGE.html`; what carries over is told "
    "in docs/optuna.md.",
)
