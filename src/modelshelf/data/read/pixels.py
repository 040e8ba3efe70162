"""Arrays of images: which axis holds the colours."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from modelshelf.core.errors import DataError
from modelshelf.data.tensor import Tensor

__all__ = ["as_array", "as_tensor"]

_COLOURS = (1, 3, 4)


def as_array(X: Any) -> NDArray[Any] | None:
    """The array of an ndarray or of a PyTorch tensor, no row of it copied; None of anything else.

    PyTorch itself is not needed for that.
    """
    if isinstance(X, np.ndarray):
        return X
    if hasattr(X, "detach") and hasattr(X, "cpu") and hasattr(X, "numpy"):
        return np.asarray(X.detach().cpu().numpy())
    return None


def as_tensor(array: NDArray[Any], what: str) -> Tensor:
    """Rows of three axes or more: images where a row has two axes, or three with 1, 3 or 4 colours.

    Colours may come last, as most libraries have them, or first, as PyTorch has them; where both
    could be, they come last. Raises `DataError`, naming `what`, for what are no numbers.

    >>> as_tensor(np.zeros((9, 32, 28, 3), np.uint8), "X").shape
    (3, 32, 28)
    >>> as_tensor(np.zeros((9, 28, 28)), "X").shape
    (1, 28, 28)
    """
    if array.dtype.kind not in "buif":
        raise DataError(f"{what} holds {array.dtype}: expected numbers, such as uint8 pixels.")
    if array.dtype.kind == "b":
        array = array.view(np.uint8)
    if array.ndim == 3:
        return Tensor(array[:, None], image=True)
    if array.ndim == 4 and array.shape[3] in _COLOURS:
        return Tensor(np.moveaxis(array, 3, 1), image=True)
    if array.ndim == 4 and array.shape[1] in _COLOURS:
        return Tensor(array, image=True)
    if array.ndim == 4:
        raise DataError(
            f"{what} has the shape {array.shape}: expected images (rows, height, width, colours) "
            "or (rows, colours, height, width), of 1, 3 or 4 colours."
        )
    return Tensor(array)
