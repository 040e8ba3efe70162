"""The race's contestant by Optuna and PyTorch, in the arrangement that suits two cores best.

One worker process of one thread for each core, all on one study: TPE told of the trials at work,
successive halving, fused AdamW, batches indexed from a tensor in memory, early stopping, and the
weights of the best epoch. The first configuration is a sound one. The best network of the study
answers the test rows: nothing is trained again.
"""

from __future__ import annotations

import copy
import multiprocessing
import os
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from contestants import CORES, Answer, Given, encode

__all__ = ["optuna_torch"]

EPOCHS = 100
PATIENCE = 12
STUDY = "race"
SOUND = {"scaling": "quantile", "depth": 2, "width": 256, "learning_rate": 1e-3,
         "batch_size": 256, "dropout": 0.1, "weight_decay": 1e-3}  # fmt: skip

_ready: Any = None  # a barrier, in each worker


@dataclass(frozen=True, eq=False)
class _Best:
    """A worker's best network: its score for the validation rows, its answers for the test's."""

    validation: float
    answers: Any
    tried: int


def optuna_torch(given: Given, seconds: float, seed: int) -> Answer:
    """Search until the time is up. It begins when every worker has its libraries and inputs."""
    fresh = multiprocessing.get_context("spawn")
    barrier = fresh.Barrier(CORES)
    with (
        tempfile.TemporaryDirectory() as folder,
        ProcessPoolExecutor(CORES, fresh, initializer=_start, initargs=(barrier,)) as pool,
    ):
        log = str(Path(folder) / "study.log")
        futures = [pool.submit(_work, given, log, seconds, seed, n) for n in range(CORES)]
        several = [each.result() for each in futures]
    sign = 1 if given.classes else -1
    best = max((found for found, _ in several), key=lambda each: sign * each.validation)
    if best.answers is None:
        raise SystemExit("no network was trained for an epoch in the time")
    tried = sum(found.tried for found, _ in several)
    return Answer(best.answers, best.validation, max(took for _, took in several), tried)


def _start(barrier: Any) -> None:
    global _ready
    os.environ["OMP_WAIT_POLICY"] = "PASSIVE"
    _ready = barrier


def _work(given: Given, log: str, seconds: float, seed: int, worker: int) -> tuple[_Best, float]:
    """A worker's best, and its seconds."""
    import optuna
    import torch

    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    torch.manual_seed(seed * CORES + worker)
    course = _Course(given)
    course.warm()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    _ready.wait()
    began = time.perf_counter()
    backend = optuna.storages.journal.JournalFileBackend(log)
    study = optuna.create_study(
        study_name=STUDY, load_if_exists=True, storage=optuna.storages.JournalStorage(backend),
        direction="maximize" if given.classes else "minimize",
        sampler=optuna.samplers.TPESampler(
            seed=seed * CORES + worker, multivariate=True, constant_liar=True
        ),
        pruner=optuna.pruners.SuccessiveHalvingPruner(min_resource=3, reduction_factor=3),
    )  # fmt: skip
    if worker == 0:
        study.enqueue_trial(SOUND)
    course.until = began + seconds
    study.optimize(course, timeout=max(course.until - time.perf_counter(), 0.0))
    best = course.answer()
    return best, time.perf_counter() - began


class _Course:
    """The objective: trains one network, and keeps the best of all."""

    def __init__(self, given: Given) -> None:
        import torch

        self.given, self.until = given, np.inf
        self.sign = 1 if given.classes else -1
        self.inputs = {name: _tensors(given, name) for name in ("standard", "quantile")}
        target = given.target
        self.center, self.scale = (
            (0.0, 1.0) if given.classes else (float(target.mean()), float(target.std()))
        )
        self.target = torch.from_numpy(
            target.astype(np.int64)
            if given.classes
            else ((target - self.center) / self.scale).astype(np.float32)
        )
        self.training = torch.from_numpy(given.training)
        self.held = torch.from_numpy(given.validation)
        self.best: tuple[float, Any, str] | None = None  # score, network, its inputs
        self.tried = 0

    def __call__(self, trial: Any) -> float:
        """The validation score of the trial's best epoch."""
        import optuna

        self.tried += 1
        scaling, network, optimizer, batch = self._made(trial)
        x, best, best_epoch = self.inputs[scaling][0], -np.inf, 0
        for epoch in range(1, EPOCHS + 1):
            if not self._epoch(network, optimizer, x, batch):
                break
            score = self.given.validation_score(self._answers(network, x[self.held]))
            if self.sign * score > best:
                best, best_epoch = self.sign * score, epoch
                if self.best is None or best > self.sign * self.best[0]:
                    self.best = (score, copy.deepcopy(network), scaling)
            trial.report(score, epoch)
            if trial.should_prune():
                raise optuna.TrialPruned
            if epoch - best_epoch >= PATIENCE:
                break
        if not best_epoch:
            raise optuna.TrialPruned
        return float(self.sign * best)

    def warm(self) -> None:
        """One epoch of a small network, for PyTorch imports much when it first trains."""
        import torch

        x = self.inputs["standard"][0]
        network = torch.nn.Linear(x.shape[1], self.given.classes or 1)
        adam = torch.optim.AdamW(network.parameters(), fused=True)
        self._epoch(network, adam, x, len(x))

    def _made(self, trial: Any) -> tuple[str, Any, Any, int]:
        import torch

        scaling = trial.suggest_categorical("scaling", ["standard", "quantile"])
        depth = trial.suggest_int("depth", 1, 4)
        width = trial.suggest_int("width", 32, 512, log=True)
        rate = trial.suggest_float("learning_rate", 2e-4, 2e-2, log=True)
        batch = trial.suggest_categorical("batch_size", [32, 64, 128, 256, 512])
        dropout = trial.suggest_float("dropout", 0.0, 0.5)
        decay = trial.suggest_float("weight_decay", 1e-5, 1e-1, log=True)
        layers, inputs = [], self.inputs[scaling][0].shape[1]
        for _ in range(depth):
            layers += [torch.nn.Linear(inputs, width), torch.nn.ReLU(), torch.nn.Dropout(dropout)]
            inputs = width
        network = torch.nn.Sequential(*layers, torch.nn.Linear(inputs, self.given.classes or 1))
        adam = torch.optim.AdamW(network.parameters(), lr=rate, weight_decay=decay, fused=True)
        return scaling, network, adam, batch

    def _epoch(self, network: Any, optimizer: Any, x: Any, batch: int) -> bool:
        """Train one epoch; False where the time was up before its end."""
        import torch
        from torch.nn.functional import cross_entropy, mse_loss

        network.train()
        order = self.training[torch.randperm(len(self.training))]
        for rows in order.split(batch):
            if time.perf_counter() > self.until:
                return False
            optimizer.zero_grad(set_to_none=True)
            output, wanted = network(x[rows]), self.target[rows]
            loss = (
                cross_entropy(output, wanted)
                if self.given.classes
                else mse_loss(output[:, 0], wanted)
            )
            loss.backward()
            optimizer.step()
        return True

    def _answers(self, network: Any, x: Any) -> Any:
        """Class codes, or values in the target's unit."""
        import torch

        network.eval()
        with torch.no_grad():
            output = network(x)
        if self.given.classes:
            return output.argmax(1).numpy()
        return output[:, 0].double().numpy() * self.scale + self.center

    def answer(self) -> _Best:
        """What the best network of this worker says of the test rows."""
        if self.best is None:
            return _Best(-np.inf * self.sign, None, self.tried)
        score, network, scaling = self.best
        return _Best(score, self._answers(network, self.inputs[scaling][1]), self.tried)


def _tensors(given: Given, scaling: str) -> tuple[Any, Any]:
    """Inputs (development, test) as float32; numbers scaled by training rows."""
    import torch
    from sklearn.preprocessing import QuantileTransformer, StandardScaler

    x, x_test, numbers = encode(given)
    if numbers:
        quantiles = min(1_000, len(given.training))
        scaler = (
            StandardScaler()
            if scaling == "standard"
            else QuantileTransformer(n_quantiles=quantiles, output_distribution="normal")
        ).fit(x[given.training, :numbers])
        for each in (x, x_test):
            each[:, :numbers] = scaler.transform(each[:, :numbers])
    return torch.from_numpy(x.astype(np.float32)), torch.from_numpy(x_test.astype(np.float32))
