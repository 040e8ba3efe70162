"""NumPy's npz: `X` and `y`, one array for each column, or images with their labels."""

from __future__ import annotations

import math
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from modelshelf.core.errors import DataError
from modelshelf.data.dataset import Table
from modelshelf.data.read.delimited import unique_names
from modelshelf.data.read.limits import check_memory
from modelshelf.data.read.pixels import as_tensor
from modelshelf.data.read.series import as_series

__all__ = ["array_columns", "read_npz"]


def read_npz(path: Path) -> Table:
    """Read arrays of equal length: 1-D ones as columns, 2-D ones as a column for each of theirs.

    One of three axes or more holds the rows' images; the others are columns beside it. Nothing is
    unpickled: arrays of Python objects are refused. Nothing is read before its size is known.
    """
    try:
        needed = _promised(path)
        check_memory(path, 2 * needed, "fewer rows or columns, or a type such as float32 or uint8")
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
    except (DataError, MemoryError):
        raise
    except Exception as error:  # a damaged header raises whatever the parts of it do
        told = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataError(f"{str(path)!r} cannot be read as npz: {told.rstrip('.')}.") from None
    odd = [name for name, array in arrays.items() if not isinstance(array, np.ndarray)]
    if odd:
        raise DataError(f"{str(path)!r} holds {odd[0]!r}, which is no array: expected .npy files.")
    lengths = {name: len(array) for name, array in arrays.items() if array.ndim}
    if not lengths or len(set(lengths.values())) > 1:
        told = ", ".join(f"{n} {count}" for n, count in lengths.items()) or "no arrays"
        raise DataError(f"{str(path)!r}: expected arrays of one length, and found {told}.")
    if not next(iter(lengths.values())):
        raise DataError(f"{str(path)!r} has no rows.")
    images = [name for name, array in arrays.items() if array.ndim > 2]
    if len(images) > 1:
        raise DataError(
            f"{str(path)!r} has {len(images)} arrays of images ({', '.join(images)}): expected one."
        )
    rows = as_tensor(arrays[images[0]], f"{images[0]} in {str(path)!r}") if images else None
    columns: dict[str, NDArray[Any]] = {}
    for name, array in arrays.items():
        if array.ndim and name not in images:
            columns |= array_columns(array, name.lower() if array.ndim > 1 else name)
    unique_names(list(columns), str(path))
    frame = pl.DataFrame([as_series(column, name) for name, column in columns.items()])
    return Table(path.name, frame, tensor=rows)


def _promised(path: Path) -> int:
    """How many bytes the headers of its arrays say that these have."""
    total = 0
    with zipfile.ZipFile(path) as packed:
        for each in packed.infolist():
            if each.filename.endswith(".npy"):
                with packed.open(each) as file:
                    total += _size(np.lib.format.read_magic(file), file)
            else:
                total += each.file_size
    return total


def _size(version: tuple[int, int], file: Any) -> int:
    reader = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }.get(version)
    if reader is None:
        raise ValueError(f"a header of version {version}, which is not known")
    shape, _, dtype = reader(file)
    return int(math.prod(shape)) * dtype.itemsize


def array_columns(array: NDArray[Any], name: str) -> dict[str, NDArray[Any]]:
    """Columns of an array (rows, …): its own name for one, `name0`, `name1`, … for several."""
    if array.ndim == 1:
        return {name: array}
    flat = array.reshape(len(array), math.prod(array.shape[1:]))
    return {f"{name}{i}": np.ascontiguousarray(flat[:, i]) for i in range(flat.shape[1])}
