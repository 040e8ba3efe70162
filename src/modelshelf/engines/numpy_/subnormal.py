"""Numbers too small for float32's full precision are taken for 0 while a member trains.

They come up where a network is sure of its rows, or a unit is dead: gradients and their running
means fade below 1e-38, and a processor takes a hundred times as long for each. What is lost is
beyond any rounding. PyTorch has the same by `torch.set_flush_denormal(True)`.
"""

from __future__ import annotations

import platform
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import numba
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from modelshelf.engines.numpy_.compile import INTERPRETED, pointer

__all__ = ["flushed"]

# Bits 15 and 6 of MXCSR: results that small become 0, and so do operands.
_FLUSH = 0x8040
_KNOWN = platform.machine().lower() in ("x86_64", "amd64")  # elsewhere nothing is changed


def _call(builder: Any, name: str, place: Any) -> None:
    pointer = ir.IntType(8).as_pointer()
    function = cgutils.get_or_insert_function(
        builder.module, ir.FunctionType(ir.VoidType(), [pointer]), f"llvm.x86.sse.{name}"
    )
    builder.call(function, [builder.bitcast(place, pointer)])


@intrinsic  # type: ignore[untyped-decorator]
def _read(typing: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        place = cgutils.alloca_once(builder, ir.IntType(32))
        _call(builder, "stmxcsr", place)
        return builder.load(place)

    return types.uint32(), generate


@intrinsic  # type: ignore[untyped-decorator]
def _write(typing: Any, value: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        place = cgutils.alloca_once_value(builder, arguments[0])
        _call(builder, "ldmxcsr", place)
        return context.get_dummy_value()

    return types.void(types.uint32), generate


def _exchange(value: int, keep: int) -> int:
    """Set this thread's mode to `value`, and to what it was where `keep` says so; what it was."""
    before: int = _read()
    _write((before & numba.uint32(keep)) | numba.uint32(value))
    return before


@cache
def _compiled() -> Any:
    return pointer(_exchange, types.uint32(types.uint32, types.uint32))


@contextmanager
def flushed() -> Iterator[None]:
    """In this thread, numbers too small for full precision are 0; after it, as it was."""
    if INTERPRETED or not _KNOWN:
        yield
        return
    before = _compiled()(_FLUSH, 0xFFFFFFFF)
    try:
        yield
    finally:
        _compiled()(before, 0)
