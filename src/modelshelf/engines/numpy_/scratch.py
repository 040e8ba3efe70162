"""The room that kernels work in: made once for a call, by the caller, who outlives every piece."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from modelshelf.engines.numpy_.encoding import waves_shape
from modelshelf.engines.numpy_.layout import MIX, NORM, RESIDUAL, SCALE, Layout
from modelshelf.engines.numpy_.network import ROOMS

__all__ = ["Scratch", "scratch_for"]

# Arrays begin with a cache line, for vectors that straddle two take longer; and a few lines apart,
# for a processor takes a store for the load that it expects where both lie alike in their pages.
_LINE, _APART = 64, 5


class Scratch(NamedTuple):
    """Arrays of the member's dtype, for up to so many rows at a time."""

    outputs: NDArray[Any]  #: of each layer, the first layer's inputs before them
    slopes: NDArray[Any]  #: of each layer's activation
    room: NDArray[Any]  #: of what few networks have; see `network.py`
    waves: NDArray[Any]  #: of encodings, (parts, width); see `encoding.py`
    own: NDArray[Any]  #: one member's vector, where there are several
    deltas: NDArray[Any]  #: gradients by a layer's outputs, in two halves that take turns
    gradient: NDArray[Any]  #: (parameters,); what is not learned has one of 0
    back: NDArray[Any]  #: one member's part of it, where there are several
    raw: NDArray[Any]  #: a batch of rows, before they are encoded
    targets: NDArray[Any]  #: a batch of targets


def scratch_for(
    layout: Layout, rows: int, dtype: np.dtype[Any], *, inputs: int = 0, targets: int = 0
) -> Scratch:
    """Room for `rows` rows of a network; to train it, for as many `inputs` and `targets` a row."""
    sizes, form = layout.sizes, layout.form
    total, trains = rows * int(sizes.sum()), targets > 0
    needed = form[MIX] >= 0 or form[SCALE] >= 0 or form[NORM] > 0 or form[RESIDUAL] > 0
    several = layout.one.size if layout.members > 1 else 0
    parts, wide = waves_shape(form, rows)
    wanted = {
        "outputs": total,
        "slopes": total,
        "room": ROOMS * max(total, int(sizes[0] * sizes[1])) if needed else 0,
        "waves": parts * wide,
        "own": several,
        "deltas": 2 * rows * int(sizes.max()) if trains else 0,
        "gradient": layout.size if trains else 0,
        "back": several if trains else 0,
        "raw": rows * inputs if layout.encoding else 0,
        "targets": rows * targets,
    }
    made = _carved(wanted, dtype)
    made["gradient"][:] = 0
    made["back"][:] = 0
    return Scratch(**{**made, "waves": made["waves"].reshape(parts, wide)})


def _carved(wanted: dict[str, int], dtype: np.dtype[Any]) -> dict[str, NDArray[Any]]:
    """Arrays of these sizes, out of one piece of memory."""
    lines = {name: -(-size * dtype.itemsize // _LINE) + _APART for name, size in wanted.items()}
    memory = np.empty((sum(lines.values()) + 1) * _LINE, np.uint8)
    at, made = -memory.ctypes.data % _LINE, {}
    for name, size in wanted.items():
        made[name] = memory[at : at + size * dtype.itemsize].view(dtype)
        at += lines[name] * _LINE
    return made
