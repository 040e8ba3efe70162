"""The same training in PyTorch and JAX, each in the arrangements that suit small networks on a CPU.

Every peer trains the network of the main table on digits: two hidden layers, dropout, Adam, rows
in a new order and a validation loss after each epoch. An arrangement is a function that builds a
run, and a run trains one epoch and gives the number of steps times networks. Those of a population
share each batch among their networks, which spares them work that our members do. Each runs in
processes of its own, so that no library's threads meet another's. OpenMP's threads sleep where
they wait: as they spin by default, another program on a core slows `bmm` by up to 70 times.
"""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from importlib.util import find_spec
from itertools import pairwise
from typing import Any

import numpy as np

from training import CORES, DROPOUT, digits

__all__ = ["Peer", "peers"]

Run = Callable[[], int]


def torch_eager(width: int, batch: int, optimizer: str) -> Run:
    """One network in one thread; the `fused` or the `foreach` form of Adam; no DataLoader."""
    import torch

    torch.set_num_threads(1)
    torch.set_flush_denormal(True)  # as ours does
    x, y, cut = digits()
    x_all, y_all = torch.from_numpy(x), torch.from_numpy(y)
    x_train, y_train, x_held, y_held = x_all[:cut], y_all[:cut], x_all[cut:], y_all[cut:]
    model = torch.nn.Sequential(
        torch.nn.Linear(64, width), torch.nn.ReLU(), torch.nn.Dropout(DROPOUT),
        torch.nn.Linear(width, width), torch.nn.ReLU(), torch.nn.Dropout(DROPOUT),
        torch.nn.Linear(width, 10),
    )  # fmt: skip
    adam = torch.optim.Adam(model.parameters(), lr=1e-3, **{optimizer: True})
    loss_of = torch.nn.functional.cross_entropy

    def epoch() -> int:
        model.train()
        order = torch.randperm(cut)
        for start in range(0, cut, batch):
            rows = order[start : start + batch]
            adam.zero_grad(set_to_none=True)
            loss_of(model(x_train[rows]), y_train[rows]).backward()
            adam.step()
        model.eval()
        with torch.no_grad():
            loss_of(model(x_held), y_held)
        return -(-cut // batch)

    return epoch


def torch_population(width: int, batch: int, networks: int) -> Run:
    """Networks stacked: `torch.baddbmm`, one dropout and one fused Adam for all; all threads."""
    import torch
    from torch.nn.functional import cross_entropy, dropout

    torch.set_num_threads(CORES)
    torch.set_flush_denormal(True)
    x, y, cut = digits()
    x_all, y_all = torch.from_numpy(x), torch.from_numpy(y)
    widths = (64, width, width, 10)
    weights, biases = [], []
    for n, m in pairwise(widths):
        weights.append((torch.randn(networks, n, m) * (2 / n) ** 0.5).requires_grad_())
        biases.append(torch.zeros(networks, 1, m, requires_grad=True))
    adam = torch.optim.Adam([*weights, *biases], lr=1e-3, fused=True)

    def loss_of(rows: Any, training: bool) -> Any:
        h = x_all[rows].expand(networks, -1, -1)
        for w, b in zip(weights[:-1], biases[:-1], strict=True):
            h = dropout(torch.relu_(torch.baddbmm(b, h, w)), DROPOUT, training)
        logits = torch.baddbmm(biases[-1], h, weights[-1])
        many = y_all[rows].repeat(networks)
        return cross_entropy(logits.reshape(-1, 10), many, reduction="sum") / len(rows)

    def epoch() -> int:
        order = torch.randperm(cut)
        for start in range(0, cut, batch):
            adam.zero_grad(set_to_none=True)
            loss_of(order[start : start + batch], True).backward()
            adam.step()
        with torch.no_grad():
            loss_of(torch.arange(cut, len(x_all)), False)
        return -(-cut // batch) * networks

    return epoch


@cache
def _scanned_epoch() -> Callable[..., Any]:
    """An epoch of a network as a `scan` over its batches, `vmap` over networks, compiled."""
    import jax
    import jax.numpy as jnp

    x, y, cut = (jnp.asarray(each) for each in digits())
    cut = int(cut)
    tree = jax.tree_util.tree_map

    def loss_of(layers: Any, rows: Any, key: Any) -> Any:
        h = x[rows]
        for w, b in layers[:-1]:
            h = jax.nn.relu(h @ w + b)
            if key is not None:
                key, use = jax.random.split(key)
                h = jnp.where(jax.random.bernoulli(use, 1 - DROPOUT, h.shape), h / (1 - DROPOUT), 0)
        w, b = layers[-1]
        told = jax.nn.log_softmax(h @ w + b)
        return -jnp.take_along_axis(told, y[rows][:, None], 1).mean()

    def step(state: Any, rows: Any) -> tuple[Any, None]:
        layers, mean, square, count, key = state
        key, use = jax.random.split(key)
        gradient = jax.grad(loss_of)(layers, rows, use)
        count += 1
        mean = tree(lambda m, g: 0.9 * m + 0.1 * g, mean, gradient)
        square = tree(lambda v, g: 0.999 * v + 0.001 * g * g, square, gradient)
        rate, shrink = 1e-3 / (1 - 0.9**count), 1 / jnp.sqrt(1 - 0.999**count)
        layers = tree(
            lambda p, m, v: p - rate * m / (jnp.sqrt(v) * shrink + 1e-8), layers, mean, square
        )
        return (layers, mean, square, count, key), None

    def epoch(state: Any, order: Any) -> tuple[Any, Any]:
        state, _ = jax.lax.scan(step, state, order)
        return state, loss_of(state[0], jnp.arange(cut, len(x)), None)

    return jax.jit(jax.vmap(epoch, in_axes=(0, None)), donate_argnums=0)


def jax_scanned(width: int, batch: int, networks: int) -> Run:
    """`vmap` over networks of a `scan` over full batches; XLA's own generator of random bits."""
    import jax
    import jax.numpy as jnp

    compiled, rng = _scanned_epoch(), np.random.default_rng(0)
    _, _, cut = digits()
    steps, widths = cut // batch, (64, width, width, 10)
    layers = []
    for n, m in pairwise(widths):
        w = rng.standard_normal((networks, n, m), dtype=np.float32) * np.float32((2 / n) ** 0.5)
        layers.append((jnp.asarray(w), jnp.zeros((networks, m), jnp.float32)))
    keys = jax.random.split(jax.random.key(0, impl="unsafe_rbg"), networks)
    zeros = jax.tree_util.tree_map(jnp.zeros_like, layers)
    again = jax.tree_util.tree_map(jnp.zeros_like, layers)
    state = (layers, zeros, again, jnp.zeros(networks, jnp.float32), keys)

    def epoch() -> int:
        nonlocal state
        order = rng.permutation(cut)[: steps * batch].reshape(steps, batch).astype(np.int32)
        state, held = compiled(state, order)
        held.block_until_ready()
        return steps * networks

    return epoch


def _timed(build: Callable[..., Run], width: int, batch: int, seconds: float, option: Any) -> float:
    """Steps times networks a second, after one epoch to warm up. Runs in the peer's process."""
    run = build(width, batch, option)
    run()
    began, steps = time.perf_counter(), 0
    while time.perf_counter() - began < seconds:
        steps += run()
    return steps / (time.perf_counter() - began)


def _patient() -> None:
    """Before any library loads OpenMP: threads that wait do not spin."""
    os.environ["OMP_WAIT_POLICY"] = "PASSIVE"


class Peer:
    """An arrangement in its own processes, with the options among which the best is chosen."""

    def __init__(
        self, name: str, build: Callable[..., Run], processes: int, options: tuple[Any, ...]
    ) -> None:
        self.name, self.build, self.processes, self.options = name, build, processes, options
        fresh = multiprocessing.get_context("spawn")
        self.pool = ProcessPoolExecutor(processes, fresh, initializer=_patient)

    def rate(self, width: int, batch: int, seconds: float, option: Any) -> float:
        """Steps times networks a second, all processes together."""
        asked = (_timed, self.build, width, batch, seconds, option)
        futures = [self.pool.submit(*asked) for _ in range(self.processes)]
        return sum(each.result() for each in futures)

    def best_option(self, width: int, batch: int, seconds: float) -> Any:
        """The fastest option at this shape, by the best of two short runs of each."""

        def fastest(option: Any) -> float:
            return max(self.rate(width, batch, seconds, option) for _ in range(2))

        return max(self.options, key=fastest)


def peers() -> list[Peer]:
    """The peers whose library is installed; the others are left out, by name."""
    known = (
        ("torch", "PyTorch eager", torch_eager, CORES, ("fused", "foreach")),
        ("torch", "PyTorch bmm", torch_population, 1, (16, 64)),
        ("jax", "JAX vmap+scan", jax_scanned, 1, (16, 64)),
    )
    found = []
    for library, name, build, processes, options in known:
        if find_spec(library):
            found.append(Peer(name, build, processes, options))
        else:
            print(f"{name} is left out: {library} is not installed")
    return found
