"""Optuna's player of `pytorch.py`: TPE and a median pruner over the bare loop, on all cores."""

from __future__ import annotations

import multiprocessing
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import torch

from pytorch_bare import Digits, loop
from training import CORES

__all__ = ["optuna_study"]

EPOCHS = 15


def optuna_study(x: Any, y: Any, seconds: float, seed: int) -> tuple[float, int, float]:
    """Test accuracy of the best trial's network, how many trials began, and the seconds taken."""
    began = time.perf_counter()
    with (
        tempfile.TemporaryDirectory() as folder,
        ProcessPoolExecutor(CORES, multiprocessing.get_context("spawn")) as pool,
    ):
        log = str(Path(folder) / "study.log")
        until = time.time() + seconds
        futures = [pool.submit(_work, x, y, log, until, seed, n) for n in range(CORES)]
        found = [each.result() for each in futures]
    test = max(found)[1]
    return test, sum(each[2] for each in found), time.perf_counter() - began


def _work(
    x: Any, y: Any, log: str, until: float, seed: int, number: int
) -> tuple[float, float, int]:
    """One process: its best validation accuracy, that network's test accuracy, trials begun."""
    import optuna
    from optuna.storages.journal import JournalFileBackend

    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    order = np.random.default_rng(seed).permutation(len(x))
    cut, end = int(0.64 * len(x)), int(0.8 * len(x))
    parts = [order[:cut], order[cut:end], order[end:]]
    (tx, ty), (vx, vy), (sx, sy) = ((torch.from_numpy(x[p]), torch.from_numpy(y[p])) for p in parts)
    best = [0.0, 0.0]

    def objective(trial: Any) -> float:
        module = Digits(
            trial.suggest_categorical("kind", ["dense", "conv"]),
            trial.suggest_int("width", 32, 256, log=True),
            trial.suggest_float("drop", 0.0, 0.5),
        )
        rate = trial.suggest_float("rate", 1e-4, 1e-2, log=True)
        decay = trial.suggest_float("decay", 1e-3, 1e-1, log=True)
        batch = trial.suggest_categorical("batch", [32, 64, 128])
        right = 0.0
        for epoch, (_, now) in enumerate(loop(module, (tx, ty, vx, vy), rate, decay, batch), 1):
            right = max(right, now)
            if now > best[0]:
                with torch.no_grad():
                    best[:] = now, float((module(sx).argmax(1) == sy).float().mean())
            if epoch == EPOCHS or time.time() > until:
                break
            trial.report(now, epoch)
            if trial.should_prune():
                raise optuna.TrialPruned
        return right

    study = optuna.create_study(
        study_name="digits", load_if_exists=True, direction="maximize",
        storage=optuna.storages.JournalStorage(JournalFileBackend(log)),
        sampler=optuna.samplers.TPESampler(seed=seed + 1000 * number, constant_liar=True),
        pruner=optuna.pruners.MedianPruner(),
    )  # fmt: skip
    study.optimize(objective, timeout=max(until - time.time(), 0.1))
    return best[0], best[1], -(-len(study.trials) // CORES)
