"""The rows of an epoch, batch by batch, from memory or from where they lie."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from modelshelf.core.seeds import derive, generator
from modelshelf.engines.numpy_.look import batch_order

__all__ = ["batches", "chunks"]

_HELD = 16_384  # rows in memory at a time, of data that is larger than it
_HELD_BYTES = 256 * 2**20
_PARTS = 4  # blocks that are mixed with one another


def batches(
    x: Any, seed: int, epoch: int, size: int
) -> Iterator[tuple[NDArray[np.int64], NDArray[Any]]]:
    """Places and rows of each batch of an epoch; the last may be short.

    An array is shuffled whole, in the compiled engine's own order. What is read when asked for (it
    has `shape`, `dtype` and `take(places)`) is read in blocks of neighbours: blocks come in random
    order, a few are held at a time, and their rows are mixed.

    >>> import numpy as np
    >>> sorted(int(i) for at, _ in batches(np.arange(5), seed=0, epoch=1, size=2) for i in at)
    [0, 1, 2, 3, 4]
    """
    rows = len(x)
    if isinstance(x, np.ndarray):
        order = batch_order(np.uint64(derive(seed, "key")), rows, epoch)
        for start in range(0, rows, size):
            at = order[start : start + size]
            yield at, x[at]
        return
    rng = generator(seed, "blocks", epoch)
    held = max(min(_HELD, _HELD_BYTES // max(_row_bytes(x), 1)), size)
    held -= held % size  # so that batches are short at the end alone
    block = max(held // _PARTS, 1)
    starts = rng.permutation(np.arange(0, rows, block))
    order = np.concatenate([np.arange(each, min(each + block, rows)) for each in starts])
    for begin in range(0, rows, held):
        here = order[begin : begin + held]
        read, mixed = x.take(here), rng.permutation(len(here))
        for start in range(0, len(here), size):
            chosen = mixed[start : start + size]
            yield here[chosen], read[chosen]


def chunks(x: Any, size: int) -> Iterator[NDArray[Any]]:
    """The rows in their order, so many at a time, each a copy."""
    for start in range(0, len(x), size):
        if isinstance(x, np.ndarray):
            yield np.array(x[start : start + size])
        else:
            yield x.take(np.arange(start, min(start + size, len(x))))


def _row_bytes(x: Any) -> int:
    return int(math.prod(x.shape[1:]) * np.dtype(x.dtype).itemsize)
