"""Steps of training a second, on all cores: the compiled engine against PyTorch eager.

PyTorch's arrangement is its best for small networks on a CPU: one process for each core with one
thread each, the fused optimizer, and no DataLoader (batches are indexed from a tensor). Both train
the same networks on digits: two hidden layers, dropout 0.1, Adam. The two take turns, run by run,
so that a busy moment of the machine meets both.
"""

from __future__ import annotations

import multiprocessing
import os
import statistics
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import numpy as np

from common import arguments, finish
from modelshelf.core.protocols import TrainingData
from modelshelf.engines.numpy_ import NumpyEngine
from modelshelf.engines.numpy_.engine import single_threaded
from modelshelf.space.configuration import Configuration

SHAPES = ((16, 16), (32, 32), (64, 128), (128, 64), (256, 256))
CORES = os.cpu_count() or 1


def digits() -> tuple[np.ndarray, np.ndarray]:
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    x = ((x - x.mean(0)) / (x.std(0) + 1e-6)).astype(np.float32)
    return np.ascontiguousarray(x), y


def ours(width: int, batch: int, seconds: float) -> float:
    """Steps a second of one member for each core, whole epochs, validation on 1/5 of the rows."""
    x, y = digits()
    y = np.eye(10, dtype=np.float32)[y]
    cut = len(x) * 4 // 5
    data = TrainingData(x[:cut], y[:cut], x[cut:], y[cut:], True)
    configuration = Configuration(
        hidden_layers=(width, width), batch_size=batch, dropout=0.1, patience=0
    )
    engine, stop = NumpyEngine(), np.zeros(1, np.uint8)

    def work(seed: int) -> tuple[int, float]:
        member = engine.start(configuration, data, seed)
        engine.advance(member, data, 1, stop)
        began, steps, epoch = time.perf_counter(), 0, 1
        while time.perf_counter() - began < seconds:
            epoch += 10
            steps += engine.advance(member, data, epoch, stop).steps
        return steps, time.perf_counter() - began

    with single_threaded(), ThreadPoolExecutor(CORES) as pool:
        return sum(steps / spent for steps, spent in pool.map(work, range(CORES)))


def _torch_worker(width: int, batch: int, seconds: float, seed: int) -> tuple[int, float]:
    import torch

    torch.set_num_threads(1)
    torch.manual_seed(seed)
    x, y = digits()
    cut = len(x) * 4 // 5
    x_all, y_all = torch.from_numpy(x), torch.from_numpy(y)
    x_train, y_train, x_held, y_held = x_all[:cut], y_all[:cut], x_all[cut:], y_all[cut:]
    model = torch.nn.Sequential(
        torch.nn.Linear(64, width), torch.nn.ReLU(), torch.nn.Dropout(0.1),
        torch.nn.Linear(width, width), torch.nn.ReLU(), torch.nn.Dropout(0.1),
        torch.nn.Linear(width, 10),
    )  # fmt: skip
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True)
    loss_of = torch.nn.functional.cross_entropy

    def epoch() -> int:
        model.train()
        order = torch.randperm(cut)
        for start in range(0, cut, batch):
            rows = order[start : start + batch]
            optimizer.zero_grad(set_to_none=True)
            loss_of(model(x_train[rows]), y_train[rows]).backward()
            optimizer.step()
        model.eval()
        with torch.no_grad():
            loss_of(model(x_held), y_held)
        return -(-cut // batch)

    epoch()
    began, steps = time.perf_counter(), 0
    while time.perf_counter() - began < seconds:
        steps += epoch()
    return steps, time.perf_counter() - began


def theirs(pool: ProcessPoolExecutor, width: int, batch: int, seconds: float) -> float:
    """Steps a second of PyTorch eager, one process with one thread for each core."""
    futures = [pool.submit(_torch_worker, width, batch, seconds, s) for s in range(CORES)]
    return sum(steps / spent for steps, spent in (f.result() for f in futures))


def main() -> None:
    asked = arguments(__doc__ or "")
    runs, seconds = (3, 0.7) if asked.quick else (7, 2.0)
    rows = []
    print(f"steps a second on {CORES} cores, median of {runs} runs of {seconds} s each")
    print(f"{'width':>6} {'batch':>6} {'modelshelf':>12} {'PyTorch':>12} {'ratio':>8}")
    with ProcessPoolExecutor(CORES, multiprocessing.get_context("spawn")) as pool:
        for width, batch in SHAPES:
            ours(width, batch, 0.05)  # compiles
            theirs(pool, width, batch, 0.05)
            pairs = [
                (ours(width, batch, seconds), theirs(pool, width, batch, seconds))
                for _ in range(runs)
            ]
            mine, torch = (statistics.median(each) for each in zip(*pairs, strict=True))
            ratio = statistics.median(a / b for a, b in pairs)
            rows.append(
                {"width": width, "batch": batch, "modelshelf_steps_per_s": mine,
                 "torch_steps_per_s": torch, "ratio": ratio}
            )  # fmt: skip
            print(f"{width:>6} {batch:>6} {mine:>12,.0f} {torch:>12,.0f} {ratio:>7.1f}×")
    finish(rows, asked.json, "torch")


if __name__ == "__main__":
    main()
