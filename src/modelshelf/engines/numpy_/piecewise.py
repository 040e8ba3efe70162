"""Numbers encoded by bins: a learned line, and what each bin adds on the way through it.

With B bins, a number's encoding by shares is (1, …, 1, share of its bin, 0, …, 0), and a linear map
of that is a sum of whole steps and one part of a step. So the sums of whole steps are made once a
batch, and a row costs one lookup instead of a product with B numbers. Source: Gorishniy et al.
2022; Gorishniy et al. 2024, whose version B this is.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from modelshelf.engines.numpy_.compile import exact, kernel
from modelshelf.engines.numpy_.elementary import fill

__all__ = ["bend", "bend_back", "edges_of"]


def edges_of(values: NDArray[Any], bins: int) -> NDArray[np.float64]:
    """Edges (bins + 1,) at the values' quantiles; where many are alike, the last ones repeat."""
    edges = np.unique(np.quantile(values.astype(np.float64), np.linspace(0.0, 1.0, bins + 1)))
    if len(edges) == 1:
        edges = np.array([edges[0], edges[0] + 1.0])
    return np.pad(edges, (0, bins + 1 - len(edges)), mode="edge")


@kernel
def _used(edges: NDArray[Any]) -> int:
    """How many bins have a width: of repeated edges, the last ones, there are none."""
    count = edges.size - 1
    while count > 1 and edges[count - 1] == edges[count]:
        count -= 1
    return count


@kernel
def _bin(edges: NDArray[Any], count: int, value: Any) -> int:
    """The one of `count` bins that a value lies in; the outer ones go on without end."""
    low = 0
    while count > 1:  # halved without a branch, which would be mispredicted half of the time
        half = count // 2
        low += half if value >= edges[low + half] else 0
        count -= half
    return low


@exact
def bend(
    theta: NDArray[Any],
    edges: NDArray[Any],
    size: int,
    x: NDArray[Any],
    column: int,
    into: NDArray[Any],
    at: int,
    whole: NDArray[Any],
) -> None:
    """Encode `x[:, column]` into `into[:, at : at + size]`; `whole` (bins · size,) is scratch.

    `theta` holds a number's slopes and biases (size,), and its steps (bins, size).
    """
    bins, used = edges.size - 1, _used(edges)
    fill(whole, 0, size, 0.0)
    for b in range(1, bins):
        for k in range(size):
            whole[b * size + k] = whole[(b - 1) * size + k] + theta[(b + 1) * size + k]
    for i in range(x.shape[0]):
        value = x[i, column]
        b = _bin(edges, used, value)
        share = (value - edges[b]) / (edges[b + 1] - edges[b])
        for k in range(size):
            line = theta[k] * value + theta[size + k]
            into[i, at + k] = line + whole[b * size + k] + share * theta[(b + 2) * size + k]


@exact
def bend_back(
    edges: NDArray[Any],
    size: int,
    x: NDArray[Any],
    column: int,
    delta: NDArray[Any],
    at: int,
    gradient: NDArray[Any],
    whole: NDArray[Any],
) -> None:
    """Fill one number's part of the gradient, from `delta[:, at : at + size]`."""
    bins, used = edges.size - 1, _used(edges)
    fill(gradient, 0, gradient.size, 0.0)
    fill(whole, 0, bins * size, 0.0)
    for i in range(x.shape[0]):
        value = x[i, column]
        b = _bin(edges, used, value)
        share = (value - edges[b]) / (edges[b + 1] - edges[b])
        for k in range(size):
            each = delta[i, at + k]
            gradient[k] += each * value
            gradient[size + k] += each
            gradient[(b + 2) * size + k] += share * each
            whole[b * size + k] += each
    for b in range(bins - 1, 0, -1):  # a step is whole for all rows in the bins after it
        for k in range(size):
            gradient[(b + 1) * size + k] += whole[b * size + k]
            whole[(b - 1) * size + k] += whole[b * size + k]
