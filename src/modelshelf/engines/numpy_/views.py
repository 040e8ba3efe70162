"""Pieces of flat arrays, and products of matrices, in a form that compiles quickly.

A member is a few flat arrays, and each layer a piece of them. `flat[a:b].reshape(r, c)` says the
same, but Numba spends most of its time on what such a line might mean: bounds that wrap, pieces
that must be copied, memory to be counted and freed. Here the caller says where a piece lies.
Nothing is checked, and nothing is owned: the array that a piece is of must outlive it. So scratch
is made by the caller, in Python. With the compiler off each is the plain NumPy.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic
from numba.np.arrayobj import make_array, populate_array
from numba.np.linalg import call_xxdot, call_xxgemm, call_xxgemv
from numpy.typing import NDArray

from modelshelf.engines.numpy_.compile import INTERPRETED

__all__ = ["matrix", "multiply", "multiply_back", "multiply_by_transposed", "vector"]


def _plain_vector(flat: NDArray[Any], start: int, size: int) -> NDArray[Any]:
    return flat.reshape(-1)[start : start + size]


def _plain_matrix(flat: NDArray[Any], start: int, rows: int, columns: int) -> NDArray[Any]:
    return flat.reshape(-1)[start : start + rows * columns].reshape(rows, columns)


def _plain_multiply(a: NDArray[Any], b: NDArray[Any], out: NDArray[Any]) -> None:
    np.dot(a, b, out)


def _plain_multiply_back(a: NDArray[Any], b: NDArray[Any], out: NDArray[Any]) -> None:
    np.dot(a.T, b, out)


def _plain_multiply_by_transposed(a: NDArray[Any], b: NDArray[Any], out: NDArray[Any]) -> None:
    np.dot(a, b.T, out)


def _piece(
    context: Any, builder: Any, flat: Any, kind: Any, start: Any, shape: Sequence[Any]
) -> Any:
    """The array of this type and shape that begins `start` items into the array `flat`."""
    item = context.get_constant(
        types.intp, context.get_abi_sizeof(context.get_data_type(kind.dtype))
    )
    strides = [item] if len(shape) == 1 else [builder.mul(shape[1], item), item]
    made = make_array(kind)(context, builder)
    populate_array(
        made,
        builder.gep(flat.data, [start]),
        cgutils.pack_array(builder, shape),
        cgutils.pack_array(builder, strides),
        item,
        None,
    )
    return made._getvalue()


@intrinsic  # type: ignore[untyped-decorator]
def _vector(typing: Any, flat: Any, start: Any, size: Any) -> Any:
    kind = types.Array(flat.dtype, 1, "C")

    def generate(context: Any, builder: Any, signed: Any, given: Any) -> Any:
        source = make_array(flat)(context, builder, given[0])
        return _piece(context, builder, source, kind, given[1], [given[2]])

    return kind(flat, types.intp, types.intp), generate


@intrinsic  # type: ignore[untyped-decorator]
def _matrix(typing: Any, flat: Any, start: Any, rows: Any, columns: Any) -> Any:
    kind = types.Array(flat.dtype, 2, "C")

    def generate(context: Any, builder: Any, signed: Any, given: Any) -> Any:
        source = make_array(flat)(context, builder, given[0])
        return _piece(context, builder, source, kind, given[1], list(given[2:]))

    return kind(flat, types.intp, types.intp, types.intp), generate


def _blas(first: bool, second: bool) -> Any:
    """A product by BLAS, `first` or `second` transposed: as `np.dot` of Numba's, without checks."""

    def typed(typing: Any, a: Any, b: Any, out: Any) -> Any:
        kinds = (_turned(a, first), _turned(b, second), out)

        def generate(context: Any, builder: Any, signed: Any, given: Any) -> Any:
            arrays = [
                make_array(kind)(context, builder, each)
                for kind, each in zip((a, b, out), given, strict=True)
            ]
            shapes = [cgutils.unpack_tuple(builder, each.shape) for each in arrays]
            shapes[0] = shapes[0][::-1] if first else shapes[0]
            shapes[1] = shapes[1][::-1] if second else shapes[1]
            _call(context, builder, kinds, shapes, [each.data for each in arrays])
            return context.get_dummy_value()

        return types.void(a, b, out), generate

    return intrinsic(typed)


def _turned(kind: Any, transposed: bool) -> Any:
    return types.Array(kind.dtype, 2, "F" if transposed else "C")


def _call(context: Any, builder: Any, kinds: Any, shapes: Any, data: Any) -> None:
    """Matrices of one row or column go to BLAS as vectors, which is quicker."""
    (a, b, out), (x, y, z), one = kinds, shapes, context.get_constant(types.intp, 1)
    wide = builder.icmp_signed("==", x[0], one)
    with builder.if_else(builder.icmp_signed("==", y[1], one)) as (narrow, broad):
        with narrow, builder.if_else(wide) as (both, left):
            with both:
                call_xxdot(context, builder, False, a.dtype, x[1], *data)
            with left:
                call_xxgemv(context, builder, a.layout == "C", a, x, *data)
        with broad, builder.if_else(wide) as (right, neither):
            with right:
                call_xxgemv(context, builder, b.layout == "F", b, y, data[1], data[0], data[2])
            with neither:
                call_xxgemm(context, builder, a, x, data[0], b, y, data[1], out, z, data[2])


#: `size` items of a flat array, from `start`.
vector: Any = _plain_vector if INTERPRETED else _vector
#: (rows, columns) of a flat array, from `start`.
matrix: Any = _plain_matrix if INTERPRETED else _matrix
#: `out` ← a · b.
multiply: Any = _plain_multiply if INTERPRETED else _blas(False, False)
#: `out` ← aᵀ · b.
multiply_back: Any = _plain_multiply_back if INTERPRETED else _blas(True, False)
#: `out` ← a · bᵀ.
multiply_by_transposed: Any = _plain_multiply_by_transposed if INTERPRETED else _blas(False, True)
