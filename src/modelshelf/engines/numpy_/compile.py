"""How kernels are compiled: without the GIL, and kept on disk.

Two kinds of function exist here. `kernel` marks a function that is compiled into its callers.
`pointer` compiles a plain function on its own, the first time that a member needs it, so that it
can be handed to a kernel as an argument: only what a study uses is compiled, a new optimizer or
activation compiles nothing but itself, and several processes may compile at once (`kernels.py`).
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, TypeVar

import numba
import numpy as np
from numba import types
from numba.core.registry import CPUDispatcher
from threadpoolctl import ThreadpoolController

from modelshelf.engines import kernels
from modelshelf.engines.numpy_.cache import keep

__all__ = [
    "INTERPRETED",
    "exact",
    "from_python",
    "function_type",
    "integer",
    "kernel",
    "pointer",
    "quiet",
    "signature",
    "single_threaded",
    "tuple_type",
]

F = TypeVar("F", bound=Callable[..., Any])

#: True where the compiler is off (`NUMBA_DISABLE_JIT=1`) and kernels run as ordinary Python.
INTERPRETED = bool(numba.config.DISABLE_JIT)

#: A whole number that kernels know by its type alone: for a plain 0 Numba compiles them once more.
integer: Any = np.int64

# Sums may be reordered and multiplications fused, for speed; NaN and infinity keep their meaning,
# for divergence is recognised by them.
_FAST = {"contract", "reassoc", "nsz", "arcp"}

# A division by 0 is infinite, as in NumPy. Python's rule, an exception, would be a branch in every
# loop that divides, and none of them could use vectors: Adam's takes a fourth of the time without.
_ERRORS = "numpy"

_COMPILING = threading.Lock()  # two workers that need the same kernel compile it once


# No kernel makes or frees arrays: memory is the caller's, and Numba need not count who holds it.
_OPTIONS = {"nogil": True, "error_model": _ERRORS, "_nrt": False}


def kernel(function: F) -> F:
    """Mark a function that is compiled into the kernels that call it, and called by no other."""
    return _inner(function, _FAST)


def exact(function: F) -> F:
    """A `kernel` whose sums keep their order, and whose multiplications are not fused.

    For a loop over arrays that may lie side by side: before it uses vectors the compiler asks where
    they lie, cautiously, and plain numbers would round otherwise than vectors if it could choose
    how to fuse. A member's bits must not hang on where its memory is.
    """
    return _inner(function, {"nsz"})


def _inner(function: F, fast: set[str]) -> F:
    compiled: F = numba.njit(
        fastmath=fast, no_cpython_wrapper=True, no_cfunc_wrapper=True, **_OPTIONS
    )(function)
    if not INTERPRETED:
        compiled.__class__ = _Inner
    return compiled


class _Inner(CPUDispatcher):  # type: ignore[misc]
    """A kernel without a way in from Python: that would be a good part of what is compiled."""

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        """Refuse: Numba would jump to address 0."""
        raise TypeError(f"{self.py_func.__name__} is called by kernels: from_python has a way in.")


def pointer(function: F, signed: Any) -> F:
    """The function compiled on its own for one signature; itself where the compiler is off."""
    if INTERPRETED:
        return function
    kernels.wait_for(function.__name__)
    with _COMPILING:
        compiled: F = _compile(function, signed)
    return compiled


@cache
def _compile(function: Callable[..., Any], signed: Any) -> Any:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=numba.NumbaExperimentalFeatureWarning)
        compiled = keep(numba.njit(fastmath=_FAST, **_OPTIONS)(function))
        compiled.compile(signed)
        compiled.disable_compile()
    return compiled


@cache
def from_python(function: F) -> F:
    """A kernel, or what is made a pointer of, as Python may call it by itself."""
    if INTERPRETED:
        return function
    plain = getattr(function, "py_func", function)
    compiled: F = keep(numba.njit(fastmath=_FAST, **_OPTIONS)(plain))
    return compiled


def signature(result: str, *arguments: str, dtype: np.dtype[Any]) -> Any:
    """A signature from short names, for members of this dtype.

    `f1`, `f2`: C-contiguous arrays of the member's dtype; `d1`, `i1`, `u1`: float64, int64, uint8
    arrays; `d`, `i`, `u`, `b`: scalars; `void`.
    """
    named = _named(dtype)
    parts = [each if not isinstance(each, str) else named[each] for each in arguments]
    return named[result](*parts)


def tuple_type(kind: type, *arguments: str, dtype: np.dtype[Any]) -> Any:
    """The type of a `NamedTuple` whose fields have these short names."""
    named = _named(dtype)
    return types.NamedTuple([named[each] for each in arguments], kind)


def _named(dtype: np.dtype[Any]) -> dict[str, Any]:
    real = numba.from_dtype(dtype)
    return {
        "f1": types.Array(real, 1, "C"),
        "f2": types.Array(real, 2, "C"),
        "d1": types.Array(types.float64, 1, "C"),
        "d2": types.Array(types.float64, 2, "C"),
        "i1": types.Array(types.int64, 1, "C"),
        "i2": types.Array(types.int64, 2, "C"),
        "u1": types.Array(types.uint8, 1, "C"),
        "d": types.float64,
        "i": types.int64,
        "u": types.uint64,
        "b": types.boolean,
        "void": types.void,
    }


def function_type(signed: Any) -> Any:
    """The type of a function that is handed to a kernel as an argument."""
    return types.FunctionType(signed)


@cache
def _libraries() -> ThreadpoolController:
    """What may use threads of its own; to look for it takes milliseconds."""
    import scipy.linalg.cython_blas  # noqa: F401  (the BLAS that kernels call is among them)

    return ThreadpoolController()


@contextmanager
def single_threaded() -> Iterator[None]:
    """Holds BLAS at one thread: members share the cores by themselves."""
    with _libraries().limit(limits=1, user_api="blas"):
        yield


@contextmanager
def quiet() -> Iterator[None]:
    """With the compiler off, hashes overflow by intent, and diverging members do by nature."""
    if INTERPRETED:
        with np.errstate(all="ignore"):
            yield
    else:
        yield
