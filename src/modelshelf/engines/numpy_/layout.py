"""Where a network's weights and biases lie in its one flat vector of parameters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Layout"]


@dataclass(frozen=True, slots=True)
class Layout:
    """Widths from inputs to outputs. All weights come first, then all biases.

    So one loop over the vector updates everything, and a penalty on weights is a loop over its
    first `weights` numbers.

    >>> Layout((4, 3, 2)).parameters
    23
    """

    widths: tuple[int, ...]

    @property
    def weights(self) -> int:
        """How many of the parameters are weights."""
        return sum(a * b for a, b in zip(self.widths, self.widths[1:], strict=False))

    @property
    def parameters(self) -> int:
        """How many parameters there are, weights and biases."""
        return self.weights + sum(self.widths[1:])

    @property
    def sizes(self) -> NDArray[np.int64]:
        """The widths as the kernels take them, int64 (layers + 1,)."""
        return np.array(self.widths, dtype=np.int64)

    def split(
        self, theta: NDArray[Any]
    ) -> tuple[tuple[NDArray[Any], ...], tuple[NDArray[Any], ...]]:
        """Views of the weights (in, out) and the biases (out,) of each layer."""
        weights, biases = [], []
        w, b = 0, self.weights
        for fan_in, fan_out in zip(self.widths, self.widths[1:], strict=False):
            weights.append(theta[w : w + fan_in * fan_out].reshape(fan_in, fan_out))
            biases.append(theta[b : b + fan_out])
            w, b = w + fan_in * fan_out, b + fan_out
        return tuple(weights), tuple(biases)
