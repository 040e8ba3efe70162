"""A member's optimizer state: by groups in its own flat array, by rows in a stack."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from modelshelf.engines.numpy_.assemble import groups_of
from modelshelf.engines.numpy_.engine import Member

__all__ = ["factors_of", "read_slots", "write_slots"]


def _views(member: Member) -> Iterator[tuple[slice, NDArray[Any]]]:
    """Where each group of parameters lies, and a view of its slots (slots, group)."""
    kept, flat = len(member.slots), member.slots.reshape(-1)
    for begin, end in groups_of(member.configuration, member.layout)[:, :2].astype(int).tolist():
        own = flat[kept * begin : kept * end].reshape(kept, end - begin)
        yield slice(begin, end), own


def read_slots(member: Member) -> NDArray[Any]:
    """The member's slots as a stack has them, (slots, parameters)."""
    rows = np.zeros_like(member.slots)
    for where, own in _views(member):
        rows[:, where] = own
    return rows


def write_slots(member: Member, rows: NDArray[Any]) -> None:
    """Write (slots, parameters) back to the member."""
    for where, own in _views(member):
        own[...] = rows[:, where]


def factors_of(member: Member) -> NDArray[np.float64]:
    """Factors of learning rate and of weight decay for each parameter, (2, parameters).

    What no optimizer moves has a rate's factor of 1, for its gradient is 0, and no decay.
    """
    factors = np.zeros((2, member.layout.size))
    factors[0] = 1.0
    for begin, end, rate, decay in groups_of(member.configuration, member.layout).tolist():
        factors[:, int(begin) : int(end)] = [[rate], [rate * decay]]
    return factors
