"""IDX, the format of MNIST and of what followed it: images in one file, labels in another."""

from __future__ import annotations

import gzip
import math
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from modelshelf.core.errors import DataError
from modelshelf.data.dataset import Table
from modelshelf.data.read.limits import check_memory
from modelshelf.data.read.pixels import as_tensor

__all__ = ["LABEL", "is_idx", "read_idx"]

LABEL = "label"

#: By the third byte of a file; all are stored with the highest byte first.
_TYPES = {8: ">u1", 9: ">i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}


def is_idx(path: Path) -> bool:
    """Whether a file begins as IDX does: two zeros, a known type, and how many axes it has."""
    with path.open("rb") as file:
        begin = file.read(4)
        if begin.startswith(b"\x1f\x8b"):
            file.seek(0)
            try:
                begin = gzip.GzipFile(fileobj=file).read(4)
            except (OSError, EOFError, zlib.error):
                return False
    return len(begin) == 4 and begin[:2] == b"\0\0" and begin[2] in _TYPES and 0 < begin[3] < 9


def read_idx(path: Path) -> Table:
    """Read images, and their labels from the file beside them that is named as they are.

    `train-images-idx3-ubyte` goes with `train-labels-idx1-ubyte`, packed by gzip or not. Without
    labels there is no column `label`: such rows can be answered, and not learned from.
    """
    images = _array(path)
    if images.ndim < 3:
        raise DataError(
            f"{str(path)!r} holds {images.ndim} axes, not images: give the file of the images. "
            "Their labels are found beside it by name."
        )
    labels = _labels_of(path)
    frame = pl.DataFrame()
    if labels is not None:
        found = _array(labels)
        if found.shape != images.shape[:1]:
            raise DataError(
                f"{str(path)!r} has {len(images)} images, and {labels.name} labels of the shape "
                f"{found.shape}: expected one for each."
            )
        frame = pl.DataFrame({LABEL: found.astype(found.dtype.newbyteorder("="))})
    return Table(path.name, frame, tensor=as_tensor(images, repr(str(path))))


def _labels_of(path: Path) -> Path | None:
    """The file of an image file's labels."""
    stem = path.name.removesuffix(".gz")
    for images, labels in (("images", "labels"), ("image", "label"), ("data", "labels")):
        if images in stem:
            named = stem.replace(images, labels, 1).replace("idx3", "idx1").replace("idx4", "idx1")
            for name in (named, f"{named}.gz"):
                if path.with_name(name).is_file():
                    return path.with_name(name)
    return None


def _array(path: Path) -> NDArray[Any]:
    """No more is unpacked than its first bytes promise, and nothing that would not fit."""
    try:
        with path.open("rb") as file:
            packed = file.read(2) == b"\x1f\x8b"
            file.seek(0)
            source: Any = gzip.GzipFile(fileobj=file) if packed else file
            begin = source.read(4)
            if begin[:2] != b"\0\0" or len(begin) < 4 or begin[2] not in _TYPES:
                raise DataError(f"{str(path)!r} does not begin as IDX does.")
            kind, axes = np.dtype(_TYPES[begin[2]]), begin[3]
            sizes = source.read(4 * axes)
            if len(sizes) == 4 * axes:
                shape = tuple(np.frombuffer(sizes, ">u4").tolist())
                wanted = kind.itemsize * math.prod(shape)
                check_memory(path, wanted, "fewer images")
                data = source.read(wanted + 1)
                if len(data) == wanted:
                    return np.frombuffer(data, kind).reshape(shape)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{str(path)!r} cannot be read as IDX: {error}.") from None
    raise DataError(
        f"{str(path)!r} is cut off or damaged: its first bytes promise another length than it "
        "has. Fetch it again."
    )
