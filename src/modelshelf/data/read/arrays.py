"""NumPy's npz: `X` and `y`, one array for each column, or images with their labels."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from modelshelf.core.errors import DataError
from modelshelf.data.dataset import Table
from modelshelf.data.read.pixels import as_tensor
from modelshelf.data.read.series import as_series

__all__ = ["array_columns", "read_npz"]


def read_npz(path: Path) -> Table:
    """Read arrays of equal length: 1-D ones as columns, 2-D ones as a column for each of theirs.

    One of three axes or more holds the rows' images; the others are columns beside it. Nothing is
    unpickled: arrays of Python objects are refused.
    """
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
    except (OSError, ValueError, zipfile.BadZipFile, EOFError) as error:
        raise DataError(f"{str(path)!r} cannot be read as npz: {error}.") from None
    lengths = {name: len(array) for name, array in arrays.items() if array.ndim}
    if not lengths or len(set(lengths.values())) > 1:
        told = ", ".join(f"{n} {count}" for n, count in lengths.items()) or "no arrays"
        raise DataError(f"{str(path)!r}: expected arrays of one length, and found {told}.")
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
    frame = pl.DataFrame([as_series(column, name) for name, column in columns.items()])
    return Table(path.name, frame, tensor=rows)


def array_columns(array: NDArray[Any], name: str) -> dict[str, NDArray[Any]]:
    """Columns of an array (rows, …): its own name for one, `name0`, `name1`, … for several."""
    if array.ndim == 1:
        return {name: array}
    flat = array.reshape(len(array), -1)
    return {f"{name}{i}": np.ascontiguousarray(flat[:, i]) for i in range(flat.shape[1])}
