"""Every number that a step takes from its members, and the seeds of its masks, made on the host."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from modelshelf.core.protocols import TrainingData
from modelshelf.engines.numpy_ import step
from modelshelf.engines.numpy_.assemble import plan_of, rates_of
from modelshelf.engines.numpy_.compile import pointer, quiet, signature
from modelshelf.engines.numpy_.engine import Member
from modelshelf.engines.numpy_.ensemble import key_of
from modelshelf.engines.numpy_.network import DROPOUT, PARAMETER
from modelshelf.engines.numpy_.optimizers import OPTIMIZERS
from modelshelf.engines.numpy_.random import mix64
from modelshelf.engines.numpy_.schedules import fading, share

__all__ = ["COLUMNS", "Now", "Rates", "keys_of", "mask_seeds", "rates_table"]

#: What a member's row of a step holds. `first` to `third` are its optimizer's constants.
COLUMNS = (
    "rate", "corrected", "shrink", "decay", "first", "second", "third", "rest1", "rest2",
    "l1", "l2", "clip", "smoothing", "parameter", "slope", "threshold", "scale",
    "input_threshold", "input_scale", "keep", "rest",
)  # fmt: skip
_PLACES = {name: place for place, name in enumerate(COLUMNS)}
_FINEST = 65536.0  # shares of dropout are counted in these


class Now:
    """One step's numbers by name, a column for all members: `now("rate")` is (members, 1)."""

    def __init__(self, table: Tensor, k: int = 1) -> None:
        self.table = table  #: (members, columns)
        self.k = k

    def __call__(self, name: str) -> Tensor:
        """A column, (members, 1)."""
        place = _PLACES[name]
        return self.table[:, place : place + 1]

    def each(self, name: str) -> Tensor:
        """The same for each network of k in one, (members · k, 1)."""
        column = self(name)
        return column if self.k == 1 else column.expand(-1, self.k).reshape(-1, 1)


@dataclass(frozen=True, slots=True, eq=False)
class Rates:
    """A member's numbers before any step, as the compiled engine takes them."""

    plan: NDArray[np.int64]
    rates: NDArray[np.float64]
    constants: NDArray[np.float64]  #: (4,): the learning rate, and up to three more
    steps: int  #: that are planned

    @classmethod
    def of(cls, member: Member, data: TrainingData) -> Rates:
        """Those of a member on this data."""
        configuration = member.configuration
        names = OPTIMIZERS[configuration.word("optimizer")].constants
        constants = np.zeros(4)
        constants[: len(names)] = [configuration.number(name) for name in names]
        plan = plan_of(configuration, data)
        each = -(-len(data.x) // min(int(plan[step.BATCH]), len(data.x)))
        return cls(plan, rates_of(configuration), constants, int(plan[step.EPOCHS]) * each)


def _shares(
    codes: NDArray[np.int64],
    warmup: NDArray[np.float64],
    begin: NDArray[np.int64],
    steps: NDArray[np.int64],
    shares: NDArray[np.float64],
    fades: NDArray[np.float64],
) -> None:
    """Fill (steps, members) with each step's share of the rate, and of what fades."""
    for s in range(shares.shape[0]):
        for m in range(shares.shape[1]):
            now = begin[m] + s
            shares[s, m] = share(codes[m], warmup[m], now, steps[m])
            fades[s, m] = fading(now, steps[m])


@cache
def _kernel() -> Any:
    signed = signature("void", "i1", "d1", "i1", "i1", "d2", "d2", dtype=np.dtype(np.float64))
    return pointer(_shares, signed)


def rates_table(several: Sequence[Rates], begin: NDArray[np.int64], count: int) -> NDArray[Any]:
    """(count, members, columns) float64, for `count` steps; `begin` (members,) are their first."""
    plan, rates = np.stack([r.plan for r in several]), np.stack([r.rates for r in several])
    constants = np.stack([r.constants for r in several])
    planned = np.array([r.steps for r in several])
    shares, fades = np.empty((2, count, len(several)))
    with quiet():
        codes, warmup = (
            np.ascontiguousarray(a) for a in (plan[:, step.SCHEDULE], rates[:, step.WARMUP])
        )
        _kernel()(codes, warmup, begin, planned, shares, fades)
    fades = np.where(plan[:, step.FADES] == 1, fades, 1.0)
    now = begin + np.arange(count)[:, None]
    rate = constants[:, 0] * shares
    dropout, inputs = rates[:, DROPOUT] * fades, rates[:, step.INPUT_DROPOUT]
    clip = rates[:, step.CLIP]
    averaging = np.where(now > 1, rates[:, step.AVERAGING], 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):  # of optimizers that are not Adam
        corrected = rate / (1.0 - constants[:, 1] ** now)
        shrink = 1.0 / np.sqrt(1.0 - constants[:, 2] ** now)
    told = {
        "rate": rate, "corrected": corrected, "shrink": shrink,
        "decay": rate * rates[:, step.DECAY] * fades,
        "first": constants[:, 1], "second": constants[:, 2], "third": constants[:, 3],
        "rest1": 1.0 - constants[:, 1], "rest2": 1.0 - constants[:, 2],
        "l1": rates[:, step.L1], "l2": rates[:, step.L2],
        "clip": np.where(clip > 0.0, clip, np.inf),
        "smoothing": rates[:, step.SMOOTHING], "parameter": rates[:, step.LOSS],
        "slope": rates[:, PARAMETER],
        "threshold": np.floor(dropout * _FINEST), "scale": 1.0 / (1.0 - dropout),
        "input_threshold": np.floor(inputs * _FINEST), "input_scale": 1.0 / (1.0 - inputs),
        "keep": averaging, "rest": 1.0 - averaging,
    }  # fmt: skip
    table = np.empty((count, len(several), len(COLUMNS)))
    for name, values in told.items():
        table[:, :, _PLACES[name]] = values
    return table


def keys_of(member: Member) -> NDArray[np.uint64]:
    """The keys of a network's k members, (k,)."""
    each = np.arange(member.layout.members, dtype=np.uint64)
    keys: NDArray[np.uint64] = _plain(key_of)(np.full_like(each, member.key), each)
    return keys


def mask_seeds(
    keys: NDArray[np.uint64], begin: NDArray[np.int64], count: int, layers: int
) -> NDArray[np.int32]:
    """(count, layers, networks) int32: seeds of the masks of the inputs and each hidden layer.

    `keys` (networks,) and `begin` (networks,) are the networks' keys and first steps.
    """
    now = begin.astype(np.uint64) + np.arange(count, dtype=np.uint64)[:, None]
    mixed, layer = _plain(mix64)(keys ^ now), np.arange(layers, dtype=np.uint64)
    seeds = _plain(mix64)(mixed[:, None, :] ^ layer[None, :, None])
    return seeds.astype(np.uint32).view(np.int32)  # type: ignore[no-any-return]


def _plain(kernel: Any) -> Any:
    """A kernel's source as ordinary NumPy, for whole arrays."""
    return getattr(kernel, "py_func", kernel)
