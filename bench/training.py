"""What the engine's benchmarks train: digits, made-up tables, and queues of members."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from modelshelf.core.protocols import TrainingData
from modelshelf.engines.numpy_ import NumpyEngine
from modelshelf.engines.numpy_.compile import single_threaded
from modelshelf.space.configuration import Configuration

__all__ = [
    "CORES",
    "DROPOUT",
    "SHAPES",
    "Job",
    "configured",
    "digits",
    "digits_data",
    "made_up",
    "multiplications",
    "seconds_for",
    "sgemm_peak",
    "steps_per_second",
]

SHAPES = ((16, 16), (32, 32), (64, 128), (128, 64), (256, 256))
CORES = os.cpu_count() or 1
DROPOUT = 0.1

Job = tuple[Configuration, int, int]  # what to train, its seed, its epochs


def digits() -> tuple[np.ndarray, np.ndarray, int]:
    """Standardised digits, float32 (1797, 64), their classes, and how many rows are trained on."""
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    x = ((x - x.mean(0)) / (x.std(0) + 1e-6)).astype(np.float32)
    return np.ascontiguousarray(x), y, len(x) * 4 // 5


def digits_data(validation: bool = True) -> TrainingData:
    """Digits for the engine: 1,437 rows to train on, and 360 held out, or none."""
    x, y, cut = digits()
    encoded = np.eye(10, dtype=np.float32)[y]
    end = len(x) if validation else cut
    return TrainingData(x[:cut], encoded[:cut], x[cut:end], encoded[cut:end], True)


def made_up(rows: int, inputs: int, seed: int = 0) -> TrainingData:
    """Random rows of two classes; nothing held out."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((rows, inputs), dtype=np.float32)
    y = np.zeros((rows, 2), np.float32)
    y[:, 1] = x[:, 0] > 0
    y[:, 0] = 1 - y[:, 1]
    return TrainingData(x, y, x[:0], y[:0], True)


def configured(width: int, batch: int, **settings: Any) -> Configuration:
    """Two hidden layers of a width, dropout, Adam; never stopped early."""
    settings = {"dropout": DROPOUT, "optimizer": "adam", "patience": 0, **settings}
    return Configuration(hidden_layers=(width, width), batch_size=batch, **settings)


def steps_per_second(
    configuration: Configuration, data: TrainingData, seconds: float, workers: int = CORES
) -> float:
    """Steps a second of one member for each worker, all together; whole epochs."""
    engine, stop = NumpyEngine(), np.zeros(1, np.uint8)

    def work(seed: int) -> float:
        member = engine.start(configuration, data, seed)
        engine.advance(member, data, 1, stop)
        began, steps, epoch = time.perf_counter(), 0, 1
        while time.perf_counter() - began < seconds:
            epoch += 10
            steps += engine.advance(member, data, epoch, stop).steps
        return steps / (time.perf_counter() - began)

    with single_threaded(), ThreadPoolExecutor(workers) as pool:
        return sum(pool.map(work, range(workers)))


def seconds_for(jobs: Sequence[Job], data: TrainingData, workers: int = CORES) -> float:
    """Wall clock of training a queue of members on this many worker threads."""
    engine, stop = NumpyEngine(), np.zeros(1, np.uint8)

    def work(job: Job) -> None:
        configuration, seed, epochs = job
        engine.advance(engine.start(configuration, data, seed), data, epochs, stop)

    with single_threaded(), ThreadPoolExecutor(workers) as pool:
        began = time.perf_counter()
        list(pool.map(work, jobs))
        return time.perf_counter() - began


def multiplications(width: int, batch: int, inputs: int = 64, outputs: int = 10) -> float:
    """Floating-point operations of the matrix products in one step on `batch` rows.

    Forward and weight gradients for each layer, input gradients for each but the first.
    """
    layers = (inputs * width, width * width, width * outputs)
    return 2.0 * batch * (3 * sum(layers) - layers[0])


def sgemm_peak(seconds: float) -> float:
    """Operations a second of float32 `np.dot` at 1024 x 1024, one BLAS thread on each core."""
    size = 1024

    def work(seed: int) -> float:
        rng = np.random.default_rng(seed)
        a, b = rng.standard_normal((2, size, size), dtype=np.float32)
        into = np.empty_like(a)
        np.dot(a, b, out=into)
        began, done = time.perf_counter(), 0
        while time.perf_counter() - began < seconds:
            np.dot(a, b, out=into)
            done += 1
        return done * 2.0 * size**3 / (time.perf_counter() - began)

    with single_threaded(), ThreadPoolExecutor(CORES) as pool:
        return sum(pool.map(work, range(CORES)))
