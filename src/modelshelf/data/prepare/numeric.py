"""Numeric columns: imputation, an indicator of what was missing, and one of three scalings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

__all__ = ["Scaler", "fit_scaler"]

_QUANTILES = 1_000
_FAR = 30.0  # standardised values are clipped here: no unseen row may blow a network up


@dataclass(frozen=True, slots=True, eq=False)
class Scaler:
    """Turns a column (float64, NaN where missing) into numbers of the size that networks like."""

    scaling: str  #: standard, robust or quantile
    fill: float  #: what stands in for a missing value: the training median
    center: float
    scale: float
    quantiles: NDArray[np.float64]  #: of the training values; empty but for `quantile`

    def transform(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Scaled values, (rows,); never NaN or infinite."""
        filled = np.where(np.isnan(values), self.fill, values)
        if self.scaling == "quantile":
            return _normal(filled, self.quantiles)
        with np.errstate(over="ignore"):
            z = np.clip((filled - self.center) / self.scale, -1e30, 1e30)
        if self.scaling == "robust":
            return z / np.sqrt(1.0 + (z / 3.0) ** 2)
        return np.clip(z, -_FAR, _FAR)

    def to_state(self) -> tuple[dict[str, Any], NDArray[np.float64]]:
        """JSON values, and the quantiles."""
        plain = {"fill": self.fill, "center": self.center, "scale": self.scale}
        return {"scaling": self.scaling, **plain}, self.quantiles


def fit_scaler(values: NDArray[np.float64], scaling: str) -> Scaler:
    """Statistics of the training values (float64, NaN where missing)."""
    present = values[~np.isnan(values)]
    if not len(present):
        return Scaler(scaling, 0.0, 0.0, 1.0, np.zeros(1 if scaling == "quantile" else 0))
    fill = float(np.median(present))
    nothing = np.zeros(0)
    if scaling == "quantile":
        points = np.linspace(0.0, 1.0, min(_QUANTILES, len(present)))
        return Scaler(scaling, fill, 0.0, 1.0, np.quantile(present, points))
    if scaling == "robust":
        low, high = np.quantile(present, [0.25, 0.75])
        span = float(high - low) or float(present.max() - present.min()) / 2.0
        return Scaler(scaling, fill, fill, _usable(span), nothing)
    with np.errstate(over="ignore"):
        center, scale = float(present.mean()), float(present.std())
    if not (np.isfinite(center) and np.isfinite(scale)):  # sums of huge values overflow
        center, scale = fill, float(np.abs(present).max())
    return Scaler(scaling, fill, center, _usable(scale), nothing)


def _usable(scale: float) -> float:
    """A scale that can be divided by; a column that is constant to rounding stays at 0."""
    return scale if np.isfinite(scale) and scale > 1e-300 else 1.0


def _normal(values: NDArray[np.float64], quantiles: NDArray[np.float64]) -> NDArray[np.float64]:
    """Ranks among the training values, bent to the normal shape; ties get their middle rank."""
    if quantiles[0] == quantiles[-1]:
        return np.zeros_like(values)
    places = np.linspace(0.0, 1.0, len(quantiles))
    with np.errstate(over="ignore"):  # quantiles a subnormal apart: an infinite slope, clipped
        up = np.clip(np.interp(values, quantiles, places), 0.0, 1.0)
        down = np.clip(np.interp(-values, -quantiles[::-1], -places[::-1]), -1.0, 0.0)
    share = np.clip(0.5 * (up - down), 1e-3, 1.0 - 1e-3)
    bent: NDArray[np.float64] = ndtri(share)
    return bent
