"""Integrated gradients: what each input adds to an answer. Sundararajan, Taly, Yan 2017."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["Attribution", "attribute", "integrated"]

#: From points (steps, inputs) to the answer's values (steps,) and gradients (steps, inputs).
Slopes: TypeAlias = Callable[[NDArray[Any]], tuple[NDArray[Any], NDArray[Any]]]

_FEWEST, _MOST = 128, 4096  # steps along the way
_ENOUGH = 0.0005  # of all amounts, without their signs, may be missing


@dataclass(frozen=True, slots=True)
class Attribution:
    """What each column adds to one answer, against the answer at the baseline.

    All amounts come to `output - baseline`, but for the `error` of the sum that stands for the
    integral.
    """

    what: str  #: the answer that is explained, and its unit
    baseline: float  #: the answer for the mean of what training rows send into the first layer
    output: float  #: the answer for this row
    columns: tuple[tuple[str, float], ...]  #: amounts, the largest first
    steps: int  #: of the sum
    error: float  #: amounts - (output - baseline)


def integrated(
    slopes: Slopes, row: NDArray[Any], baseline: NDArray[Any], steps: int
) -> NDArray[np.float64]:
    """What each input (inputs,) adds on the straight way from `baseline` to `row`.

    The integral of the gradient, by the midpoints of so many equal steps (captum's
    `riemann_middle`).

    >>> def product(points):
    ...     return points.prod(axis=1), points[:, ::-1]
    >>> integrated(product, np.array([2.0, 3.0]), np.zeros(2), 8).tolist()
    [3.0, 3.0]
    """
    shares = (np.arange(steps) + 0.5) / steps
    way = row - baseline
    total = np.zeros(len(row))
    for some in np.array_split(shares, -(-steps // 512)):
        _, gradients = slopes(baseline + some[:, None] * way)
        total += gradients.sum(axis=0, dtype=np.float64)
    amounts: NDArray[np.float64] = total / steps * way
    return amounts


def attribute(
    slopes: Slopes,
    row: NDArray[Any],
    baseline: NDArray[Any],
    columns: Sequence[str],
    what: str,
) -> Attribution:
    """Integrated gradients, summed over the inputs that come from one column.

    `columns` names the column of each input. The steps are doubled until what is missing is
    at most 0.05 % of all amounts, without their signs, or there are 4,096.
    """
    ends, _ = slopes(np.stack([baseline, row]))
    start, end = float(ends[0]), float(ends[1])
    steps = _FEWEST
    while True:
        amounts = integrated(slopes, row, baseline, steps)
        error = float(amounts.sum()) - (end - start)
        if abs(error) <= _ENOUGH * float(np.abs(amounts).sum()) or steps >= _MOST:
            break
        steps *= 2
    summed: dict[str, float] = {}
    for column, amount in zip(columns, amounts.tolist(), strict=True):
        summed[column] = summed.get(column, 0.0) + amount
    ordered = sorted(summed.items(), key=lambda each: -abs(each[1]))
    return Attribution(what, start, end, tuple(ordered), steps, error)
