"""Tasks on their way to another process: functions by value, large arrays by the file they lie in.

What is sent is read by processes that this one started, and by nothing else; none of it is kept.
"""

from __future__ import annotations

import io
import itertools
import threading
import weakref
from pathlib import Path
from typing import Any

import cloudpickle
import numpy as np
from numpy.typing import NDArray

__all__ = ["Files", "mapped"]

_SMALL = 1 << 16  # bytes of an array that travels inside the message


class Files:
    """Arrays, written into a folder once; what is mapped from a file already stays where it is."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._known: dict[int, Path] = {}
        self._numbers = itertools.count()

    def packed(self, task: Any) -> tuple[bytes, list[NDArray[Any]]]:
        """A task as bytes, of which `pickle.loads` in the other process makes it again.

        The arrays besides are those that it will map: hold them until it has.
        """
        buffer = io.BytesIO()
        pickler = _Pickler(buffer, self)
        pickler.dump(task)
        return buffer.getvalue(), pickler.placed

    def place(self, array: NDArray[Any]) -> tuple[Any, ...]:
        """Where to map an array from: the arguments of `mapped`."""
        found = _backing(array)
        if found is not None:
            return found
        with self._lock:
            path = self._known.get(id(array))
            if path is None:
                path = self._folder / f"{next(self._numbers)}.array"
                _write(array, path)
                self._known[id(array)] = path
                weakref.finalize(array, self._forget, id(array), path)
        return str(path), array.dtype, array.shape, 0

    def _forget(self, key: int, path: Path) -> None:
        self._known.pop(key, None)
        path.unlink(missing_ok=True)


class _Pickler(cloudpickle.Pickler):
    def __init__(self, file: io.BytesIO, files: Files) -> None:
        super().__init__(file)
        self._files = files
        self.placed: list[NDArray[Any]] = []

    def reducer_override(self, obj: Any) -> Any:
        large = isinstance(obj, np.ndarray) and obj.nbytes > _SMALL and not obj.dtype.hasobject
        if large and obj.dtype.names is None:
            self.placed.append(obj)
            return mapped, self._files.place(obj)
        return super().reducer_override(obj)


def mapped(path: str, dtype: np.dtype[Any], shape: tuple[int, ...], offset: int) -> NDArray[Any]:
    """The array in a file, read only as its pages are touched; never written to."""
    return np.asarray(np.memmap(path, dtype, mode="r", offset=offset, shape=shape))


def _write(array: NDArray[Any], path: Path) -> None:
    try:
        with path.open("wb") as file:  # `tofile` would not say that the disk is full
            file.write(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)
    except OSError as error:
        path.unlink(missing_ok=True)
        error.filename = str(path)
        raise


def _backing(array: NDArray[Any]) -> tuple[Any, ...] | None:
    """Where an array lies in a file, if it is a contiguous part of a map of one."""
    root: np.memmap[Any, Any] | None = None
    each: Any = array
    while isinstance(each, np.ndarray):
        root = each if isinstance(each, np.memmap) else root
        each = each.base
    if root is None or root.filename is None or not array.flags.c_contiguous:
        return None
    if root.mode == "c":  # what was changed in memory is not in the file
        return None
    offset = root.offset + array.ctypes.data - root.ctypes.data
    return str(Path(root.filename).resolve()), array.dtype, array.shape, offset
