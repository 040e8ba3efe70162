"""How kernels are compiled: lazily, without the GIL, and cached in the user's cache folder.

Two kinds of function exist here. `kernel` marks a function that is compiled into its callers.
`pointer` compiles a plain function on its own, the first time that a member needs it, so that it
can be handed to a kernel as an argument: only what a study uses is compiled, and a new optimizer
or activation compiles nothing but itself.
"""

from __future__ import annotations

import hashlib
import os
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import numba
import numpy as np
from numba import types
from platformdirs import user_cache_path
from threadpoolctl import threadpool_limits

__all__ = [
    "INTERPRETED",
    "exact",
    "function_type",
    "kernel",
    "pointer",
    "quiet",
    "signature",
    "single_threaded",
]

F = TypeVar("F", bound=Callable[..., Any])

#: True where the compiler is off (`NUMBA_DISABLE_JIT=1`) and kernels run as ordinary Python.
INTERPRETED = bool(numba.config.DISABLE_JIT)

# Sums may be reordered and multiplications fused, for speed; NaN and infinity keep their meaning,
# for divergence is recognised by them.
_FAST = {"contract", "reassoc", "nsz", "arcp"}

# A division by 0 is infinite, as in NumPy. Python's rule, an exception, would be a branch in every
# loop that divides, and none of them could use vectors: Adam's takes a fourth of the time without.
_ERRORS = "numpy"

_COMPILING = threading.Lock()  # two workers that need the same kernel compile it once


def _source_hash() -> str:
    """A hash of this package's source: Numba's own cache does not see a callee change."""
    digest = hashlib.sha256(f"{numba.__version__} {np.__version__}".encode())
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


if "NUMBA_CACHE_DIR" not in os.environ:
    numba.config.CACHE_DIR = str(user_cache_path("modelshelf") / "kernels" / _source_hash())


def kernel(function: F) -> F:
    """Mark a function that is compiled into the kernels that call it."""
    compiled: F = numba.njit(nogil=True, fastmath=_FAST, error_model=_ERRORS)(function)
    return compiled


def exact(function: F) -> F:
    """A `kernel` whose sums keep their order, and whose multiplications are not fused.

    For a loop over arrays that may lie side by side: before it uses vectors the compiler asks where
    they lie, cautiously, and plain numbers would round otherwise than vectors if it could choose
    how to fuse. A member's bits must not hang on where its memory is.
    """
    compiled: F = numba.njit(nogil=True, fastmath={"nsz"}, error_model=_ERRORS)(function)
    return compiled


def pointer(function: F, signed: Any) -> F:
    """The function compiled on its own for one signature; itself where the compiler is off."""
    if INTERPRETED:
        return function
    with _COMPILING:
        compiled: F = _compile(function, signed)
    return compiled


@cache
def _compile(function: Callable[..., Any], signed: Any) -> Any:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=numba.NumbaExperimentalFeatureWarning)
        return numba.njit(signed, nogil=True, fastmath=_FAST, error_model=_ERRORS, cache=True)(
            function
        )


def signature(result: str, *arguments: str, dtype: np.dtype[Any]) -> Any:
    """A signature from short names, for members of this dtype.

    `f1`, `f2`: C-contiguous arrays of the member's dtype; `d1`, `i1`, `u1`: float64, int64, uint8
    arrays; `d`, `i`, `u`: scalars; `void`.
    """
    real = numba.from_dtype(dtype)
    named = {
        "f1": types.Array(real, 1, "C"),
        "f2": types.Array(real, 2, "C"),
        "d1": types.Array(types.float64, 1, "C"),
        "d2": types.Array(types.float64, 2, "C"),
        "i1": types.Array(types.int64, 1, "C"),
        "u1": types.Array(types.uint8, 1, "C"),
        "d": types.float64,
        "i": types.int64,
        "u": types.uint64,
        "void": types.void,
    }
    parts = [each if not isinstance(each, str) else named[each] for each in arguments]
    return named[result](*parts)


def function_type(signed: Any) -> Any:
    """The type of a function that is handed to a kernel as an argument."""
    return types.FunctionType(signed)


@contextmanager
def single_threaded() -> Iterator[None]:
    """Holds BLAS at one thread: members share the cores by themselves."""
    with threadpool_limits(limits=1, user_api="blas"):
        yield


@contextmanager
def quiet() -> Iterator[None]:
    """With the compiler off, hashes overflow by intent, and diverging members do by nature."""
    if INTERPRETED:
        with np.errstate(all="ignore"):
            yield
    else:
        yield
