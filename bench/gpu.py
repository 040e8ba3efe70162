"""Populations on a device: 64 networks stacked, against one at a time, and against the CPU's cores.

Digits (64 inputs, 10 classes, 1,437 rows to train on and 360 held out), two hidden layers, dropout
0.1, Adam, float32; a new order of rows and a validation after each epoch are part of everybody's
time. The device is a GPU where there is one, else the CPU as its stand-in: the same program.

*Population* is 64 members that as many threads hand to `PopulationEngine`. *One at a time* is plain
PyTorch on the same device: tensors that lie there, no DataLoader, fused Adam, on a CPU with the
better of one thread and all. *Compiled* is the NumPy engine, a member on each of the CPU's cores.
Figures are wall-clock microseconds per step per network. *64 of 4* is the time of 64 networks in a
population as a share of the time of 4 in PyTorch, one after another: the aim is below 1; that of
the ratio to one at a time is at least 10. All take turns, run by run. *Steps* says whether a
stack's steps were captured as CUDA graphs, or their operations launched one by one.

`--quick` measures three shapes in runs too short to quote; `ratio` in the file is to PyTorch.
"""

from __future__ import annotations

import logging
import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # before torch: threads that wait do not spin

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from statistics import median
from typing import Any

import numpy as np
import torch

from common import Table, finish, machine, parser, turns, versions
from modelshelf.engines.torch_.devices import DEVICES, find_device
from modelshelf.engines.torch_.population import PopulationEngine, graph
from training import CORES, DROPOUT, SHAPES, configured, digits, digits_data, steps_per_second

NETWORKS = 64
QUICK = ((16, 16), (32, 32), (64, 128))


def population(width: int, batch: int, device: str) -> Callable[[float], float]:
    """Steps times networks a second of a stack, by seconds to measure for."""
    engine, data = PopulationEngine(device, width=NETWORKS), digits_data()
    configuration, stop = configured(width, batch), np.zeros(1, np.uint8)
    members = [engine.start(configuration, data, seed) for seed in range(NETWORKS)]
    epoch = 0

    def train(epochs: int) -> float:
        nonlocal epoch
        epoch += epochs
        with ThreadPoolExecutor(NETWORKS) as pool:
            began = time.perf_counter()
            legs = list(pool.map(lambda m: engine.advance(m, data, epoch, stop), members))
            return sum(leg.steps for leg in legs) / (time.perf_counter() - began)

    def rate(seconds: float) -> float:
        steps = NETWORKS * -(-len(data.x) // batch)
        return train(max(1, round(seconds * train(1) / steps)))

    train(2)
    return rate


def one_at_a_time(width: int, batch: int, device: str, threads: int) -> Callable[[float], float]:
    """Steps a second of one network in plain PyTorch, by seconds to measure for."""
    x, y, cut = digits()
    x_all, y_all = (torch.from_numpy(each).to(device) for each in (x, y))
    model = torch.nn.Sequential(
        torch.nn.Linear(64, width), torch.nn.ReLU(), torch.nn.Dropout(DROPOUT),
        torch.nn.Linear(width, width), torch.nn.ReLU(), torch.nn.Dropout(DROPOUT),
        torch.nn.Linear(width, 10),
    ).to(device)  # fmt: skip
    adam = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True)
    loss_of = torch.nn.functional.cross_entropy

    def epoch() -> int:
        model.train()
        order = torch.randperm(cut, device=device)
        for rows in order.split(batch):
            adam.zero_grad(set_to_none=True)
            loss_of(model(x_all[rows]), y_all[rows]).backward()
            adam.step()
        model.eval()
        with torch.no_grad():
            loss_of(model(x_all[cut:]), y_all[cut:]).item()  # waits for the device
        return -(-cut // batch)

    def rate(seconds: float) -> float:
        before = torch.get_num_threads()
        torch.set_num_threads(threads)
        try:
            epoch()
            began, steps = time.perf_counter(), 0
            while time.perf_counter() - began < seconds:
                steps += epoch()
            return steps / (time.perf_counter() - began)
        finally:
            torch.set_num_threads(before)

    return rate


class Captures(logging.Handler):
    """Counts the steps that were captured as CUDA graphs."""

    count = 0

    def emit(self, record: logging.LogRecord) -> None:
        """A failed capture is told as a warning, a good one as no more than a debug message."""
        self.count += record.levelno == logging.DEBUG
        if record.levelno >= logging.WARNING:
            print(record.getMessage())


CAPTURES = Captures()
logging.getLogger(graph.__name__).setLevel(logging.DEBUG)
logging.getLogger(graph.__name__).addHandler(CAPTURES)


def measure(width: int, batch: int, device: str, runs: int, seconds: float) -> dict[str, Any]:
    """One row."""
    before, stacked = CAPTURES.count, population(width, batch, device)
    counts = sorted({1, CORES}) if device == "cpu" else [1]
    alone = [one_at_a_time(width, batch, device, threads) for threads in counts]
    best = max(alone, key=lambda rate: rate(seconds / 3))
    configuration, data = configured(width, batch), digits_data()
    steps_per_second(configuration, data, 0.05)  # compiles
    rates = turns(runs, {
        "population": lambda: stacked(seconds),
        "one at a time": lambda: best(seconds),
        "compiled": lambda: steps_per_second(configuration, data, seconds),
    })  # fmt: skip

    def ratio(by: str) -> float:
        return median(a / b for a, b in zip(rates["population"], rates[by], strict=True))

    return {
        "width": width,
        "batch": batch,
        "device": device,
        "threads": counts[alone.index(best)],
        "captured": CAPTURES.count > before,
        **{f"{name}_us": 1e6 / median(several) for name, several in rates.items()},
        "ratio": ratio("one at a time"),
        "ratio_compiled": ratio("compiled"),
        "of_four": NETWORKS / 4 / ratio("one at a time"),
        "rates": rates,
    }


def main() -> None:
    options = parser(__doc__ or "")
    options.add_argument("--device", choices=DEVICES, default="auto", help="default: what is there")
    asked = options.parse_args()
    device = find_device(asked.device)
    told = f"{device.title}, " if device.is_gpu else ""
    known = ", ".join(" ".join(each) for each in versions("torch").items())
    print(f"{device.name}: {told}{machine()['processor']}, {CORES} cores; {known}")
    runs, seconds = (2, 0.5) if asked.quick else (5, 3.0)
    table = Table(
        f"µs per step per network on {device.name}; medians of {runs} runs of {seconds} s",
        "width, batch", f"population of {NETWORKS}", "one at a time, threads", "ratio",
        "64 of 4", "compiled", "ratio to it", "steps",
    )  # fmt: skip
    rows = []
    for width, batch in QUICK if asked.quick else SHAPES:
        row = measure(width, batch, device.name, runs, seconds)
        rows.append(row)
        table.row(
            f"{width}, {batch}", f"{row['population_us']:.1f}",
            f"{row['one at a time_us']:.0f}, {row['threads']}", f"{row['ratio']:.1f}×",
            f"{row['of_four']:.2f}", f"{row['compiled_us']:.1f}", f"{row['ratio_compiled']:.2f}×",
            "captured" if row["captured"] else "one by one",
        )  # fmt: skip
    finish(rows, asked.json, "torch")


if __name__ == "__main__":
    main()
