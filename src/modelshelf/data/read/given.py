"""What a person's own module is given: arrays and tensors as they are, and PyTorch's data sets."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from modelshelf.core.errors import DataError
from modelshelf.data.dataset import Kind, Schema, Table
from modelshelf.data.read.frames import from_memory
from modelshelf.data.read.pixels import as_array
from modelshelf.data.tensor import Tensor

__all__ = ["from_arrays", "from_torch", "is_torch_data", "table_like"]

_ONCE = (
    "the data set was read once, item by item: what is random in it (augmentation) was drawn once"
)
_UNUSED = "the loader's shuffling, sampler and workers are not used: batches are drawn anew"


def from_arrays(
    X: Any, y: Any = None, target: str | None = None, name: str = "data"
) -> tuple[Table, str] | None:
    """Rows of an array or tensor as they are, and their target's name; None for anything else.

    `X` (rows, …) may be of any type of number and mapped from a file; `y` (rows,) holds labels or
    numbers. Raises `DataError` where they do not fit each other.
    """
    try:
        array = as_array(X)
    except TypeError as error:  # bfloat16, say
        raise DataError(f"X cannot be read as an array: {error}. Give it as float32.") from None
    if array is None or array.dtype.kind not in "buif":
        return None
    if array.ndim < 2:
        raise DataError(f"X has the shape {array.shape}: expected (rows, …), such as (1000, 20).")
    frame, found = pl.DataFrame(), ""
    if y is not None:
        found = target or str(getattr(y, "name", None) or "target")
        answers = as_array(y)
        frame = from_memory({found: y if answers is None else answers})[0].frame
        if frame.height != len(array):
            raise DataError(f"X has {len(array)} rows and y has {frame.height}: expected as many.")
    elif target is not None:
        raise DataError(f"X is an array, and has no column {target!r}: give the target as y.")
    if not len(array):
        raise DataError("X has no rows.")
    return Table(name, frame, tensor=Tensor(array)), found


def table_like(schema: Schema, X: Any) -> Table:
    """Rows that a network of this schema is to answer, as a table."""
    if isinstance(X, Table):
        return X
    if any(each.kind is Kind.ARRAY for each in schema.columns):
        found = from_arrays(X)
        if found is None:
            raise DataError(
                f"Expected an array or tensor of rows of shape {schema.shape}, as the network "
                f"learned from, and got a {type(X).__name__}."
            )
        return found[0]
    return from_memory(X)[0]


def is_torch_data(X: Any) -> bool:
    """Whether it is a `Dataset` or a `DataLoader` of PyTorch's, which is not imported for that."""
    found = sys.modules.get("torch.utils.data")
    return found is not None and isinstance(X, (found.Dataset, found.DataLoader))


def from_torch(data: Any, target: str | None = None) -> tuple[Table, str, int | None]:
    """The rows of a `Dataset` or `DataLoader`, their target's name, and the loader's batch size.

    A map-style data set of (x, y) pairs is read once, item by item. Raises `DataError` for one
    that cannot be, and for a loader that makes batches in its own way.
    """
    from torch.utils.data import DataLoader, Dataset, IterableDataset, default_collate

    size, notes = None, [_ONCE]
    loader = data if isinstance(data, DataLoader) else None
    if loader is not None:
        if loader.collate_fn is not default_collate and loader.batch_size is not None:
            raise DataError(
                "The loader has a collate_fn of its own, which is not used here: give a data set "
                "whose items are ready, (x, y) with x of one shape."
            )
        size, data = loader.batch_size, loader.dataset
        notes.append(_UNUSED)
    if isinstance(data, IterableDataset) or not (
        isinstance(data, Dataset) and hasattr(data, "__len__") and hasattr(data, "__getitem__")
    ):
        raise DataError(
            f"{type(data).__name__} tells neither how many items it has nor the i-th of them: give "
            "a map-style data set, with __len__ and __getitem__, or arrays."
        )
    x, y = _read(data)
    found = from_arrays(x, y, target or "target", type(data).__name__)
    if found is None:
        raise DataError(f"The items hold {x.dtype}: expected tensors or arrays of numbers.")
    table, named = found
    table = Table(table.name, table.frame, tensor=table.tensor, notes=tuple(notes))
    return table, named, size


def _read(data: Any) -> tuple[NDArray[Any], list[Any]]:
    """All items: x in one array (rows, …), and each one's answer."""
    rows: NDArray[Any] | None = None
    answers: list[Any] = []
    for i in range(len(data)):
        try:
            item = data[i]
        except Exception as error:
            raise DataError(f"Item {i} cannot be read: {type(error).__name__}: {error}.") from None
        if not isinstance(item, (tuple, list)) or len(item) != 2:
            raise DataError(
                f"Item {i} of {type(data).__name__} is a {type(item).__name__}: expected a pair "
                "(x, y)."
            )
        x = np.asarray(item[0] if as_array(item[0]) is None else as_array(item[0]))
        if rows is None:
            rows = np.empty((len(data), *x.shape), x.dtype)
        if x.shape != rows.shape[1:]:
            raise DataError(
                f"Item {i} has the shape {x.shape}, and those before it {rows.shape[1:]}: bring "
                "all of them to one shape in the data set (crop, resize or pad)."
            )
        if not np.can_cast(x.dtype, rows.dtype, "same_kind"):
            raise DataError(
                f"Item {i} holds {x.dtype}, and those before it {rows.dtype}: bring all of them "
                "to one type in the data set."
            )
        rows[i] = x
        answers.append(_plain(item[1], i))
    if rows is None:
        raise DataError(f"{type(data).__name__} has no items.")
    return rows, answers


def _plain(answer: Any, i: int) -> Any:
    array = as_array(answer)
    if array is None:
        return answer
    if array.size != 1:
        raise DataError(
            f"The answer of item {i} has the shape {array.shape}: expected one label or number."
        )
    return array.reshape(-1)[0].item()
