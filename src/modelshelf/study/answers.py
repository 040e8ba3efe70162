"""A network's answers on its split's validation rows, as they lie in its file on the shelf.

Classes: logarithms of probabilities, so that half precision is relative to the loss: a rounding of
1/2048 of it. Two classes are one column, the log odds. Numbers are kept as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

__all__ = ["ANSWERS", "packed", "unpacked"]

#: The name of the tensor in a network's file. It is no part of the network, nor of its copy id.
ANSWERS = "answers"

_LEAST = 1e-30  # a probability below this is taken for this

Tensors = Mapping[str, NDArray[Any]]


def packed(output: NDArray[np.float64], classes: bool) -> dict[str, NDArray[Any]]:
    """Probabilities (rows, classes) or values (rows,), as a file's tensor: none if not finite.

    >>> packed(np.array([[0.5, 0.5]]), True)[ANSWERS]
    array([0.], dtype=float32)
    """
    if not np.isfinite(output).all():
        return {}
    if not classes:
        return {ANSWERS: output}
    logarithms = np.log(np.maximum(output, _LEAST))
    if output.shape[1] == 2:
        return {ANSWERS: (logarithms[:, 1] - logarithms[:, 0]).astype(np.float32)}
    return {ANSWERS: logarithms.astype(np.float16)}


def unpacked(tensors: Tensors, classes: bool) -> NDArray[np.float64] | None:
    """The output that was `packed`, probabilities (rows, classes) or values (rows,), float64.

    None where the file holds none: it is of an older modelshelf, or the network was hopeless.
    """
    if ANSWERS not in tensors:
        return None
    stored = np.asarray(tensors[ANSWERS], np.float64)
    if not classes:
        return stored
    if stored.ndim == 1:
        return np.column_stack([expit(-stored), expit(stored)])
    chances = np.exp(stored)
    return np.asarray(chances / chances.sum(axis=1, keepdims=True))
