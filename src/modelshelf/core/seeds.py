"""Random numbers: every draw comes from a generator named by a path below the study's seed.

Naming draws by what they are for, not by when they are made, is what makes a result
independent of the order in which work is done.
"""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

from modelshelf.core.errors import SettingError

__all__ = ["MOST", "checked", "derive", "generator", "sampled"]

MOST = 2**63 - 1  # what a shelf's database can hold


def checked(seed: object) -> int:
    """The seed that was given, as a plain number. Raises `SettingError` where it is none.

    >>> checked(np.int64(3))
    3
    """
    if isinstance(seed, int | np.integer) and not isinstance(seed, bool) and 0 <= seed <= MOST:
        return int(seed)
    raise SettingError(
        f"The seed is {seed!r}: expected a whole number, 0 or more, up to {MOST:,} (2**63 - 1)."
    )


def derive(seed: int, *path: object) -> int:
    """A 63-bit seed for the draw that `path` names below `seed`.

    Stable across processes, platforms and versions of Python.

    >>> derive(0, "split", 3) == derive(0, "split", 3)
    True
    >>> derive(0, "split", 3) == derive(1, "split", 3)
    False
    """
    text = "\x1f".join([str(seed), *(str(part) for part in path)])
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8], "little") >> 1


def generator(seed: int, *path: object) -> np.random.Generator:
    """A NumPy generator for the draw that `path` names below `seed`."""
    return np.random.Generator(np.random.PCG64(derive(seed, *path)))


def sampled(rows: int, most: int, seed: int, *path: object) -> NDArray[np.int64]:
    """All of so many rows, or `most` of them drawn; in their order.

    >>> sampled(3, 5, 0, "rows").tolist(), len(sampled(100, 5, 0, "rows"))
    ([0, 1, 2], 5)
    """
    if rows <= most:
        return np.arange(rows)
    return np.sort(generator(seed, *path).choice(rows, most, replace=False))
