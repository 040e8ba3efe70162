"""The module of `pytorch.py`, its rows, and the bare loop that everybody writes for it."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from typing import Annotated, Any, Literal

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn

from modelshelf import Integer, Real
from training import CORES

__all__ = ["Digits", "bare_seconds", "loop", "rows"]

_COPIES = 10  # of digits, each with noise of its own


class Digits(nn.Module):
    """Fully connected or convolutional, for images of 8 x 8. No `Sequential` as a whole."""

    def __init__(
        self,
        kind: Literal["dense", "conv"] = "dense",
        width: Annotated[int, Integer(32, 256, log=True)] = 128,
        drop: Annotated[float, Real(0.0, 0.5)] = 0.1,
    ) -> None:
        super().__init__()
        maps = width // 8
        self.seen = nn.Identity()
        if kind == "conv":
            self.seen = nn.Sequential(
                nn.Conv2d(1, maps, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
                nn.Conv2d(maps, 2 * maps, 3, padding=1), nn.ReLU(),
            )  # fmt: skip
        self.told = nn.Sequential(
            nn.LazyLinear(width), nn.ReLU(), nn.Dropout(drop), nn.Linear(width, 10)
        )

    def forward(self, x: Any) -> Any:
        """Logits of ten digits."""
        return self.told(self.seen(x).flatten(1))


def rows(copies: int = _COPIES) -> tuple[Any, Any]:
    """Digits with noise, (rows, 1, 8, 8) float32, and labels; always the same."""
    x, y = load_digits(return_X_y=True)
    noise = np.random.default_rng(0).normal(0.0, 0.15, (copies, *x.shape))
    many = (x / 16.0 + noise).reshape(-1, 1, 8, 8).astype(np.float32)
    order = np.random.default_rng(1).permutation(len(many))
    return many[order], np.tile(y, copies)[order]


def loop(
    module: nn.Module, data: tuple[Any, ...], rate: float, decay: float, batch: int
) -> Iterator[tuple[int, float]]:
    """Epoch after epoch: how many updates it had, and the share of validation rows answered right.

    One thread, tensors in memory, no DataLoader, AdamW in its fused form.
    """
    x, y, held_x, held_y = data
    module(x[:2])  # lazy layers learn their sizes
    adam = torch.optim.AdamW(module.parameters(), rate, weight_decay=decay, fused=True)
    while True:
        module.train()
        order, total, steps = torch.randperm(len(x)), 0.0, 0
        for at in order.split(batch):
            adam.zero_grad()
            loss = nn.functional.cross_entropy(module(x[at]), y[at])
            loss.backward()
            adam.step()
            total, steps = total + loss.item() * len(at), steps + 1
        module.eval()
        with torch.no_grad():
            right = torch.cat([module(part) for part in held_x.split(512)]).argmax(1) == held_y
        yield steps, float(right.float().mean())


def _bare(kind: str, width: int, batch: int, steps: int) -> tuple[float, float]:
    """Seconds, and seconds of its core, in which one process makes so many steps."""
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)  # as ours does
    x, y = (torch.from_numpy(each) for each in rows())
    cut, end = int(0.64 * len(x)), int(0.8 * len(x))  # as many train and validate in a study
    data = x[:cut], y[:cut], x[cut:end], y[cut:end]
    began, busy, done = time.perf_counter(), time.process_time(), 0
    for made, _ in loop(Digits(kind, width), data, 1e-3, 0.01, batch):
        done += made
        if done >= steps:
            break
    share = steps / done
    return (time.perf_counter() - began) * share, (time.process_time() - busy) * share


def bare_seconds(kind: str, width: int, batch: int, steps: int) -> tuple[float, float]:
    """Seconds for so many steps on all cores, and seconds of cores; no start of a process in it."""
    with ProcessPoolExecutor(CORES, multiprocessing.get_context("spawn")) as pool:
        share = steps // CORES
        futures = [pool.submit(_bare, kind, width, batch, share) for _ in range(CORES)]
        found = [each.result() for each in futures]
    return max(wall for wall, _ in found), sum(busy for _, busy in found)
