"""Hyperparameters of preparation: what happens to the columns before the first layer."""

from __future__ import annotations

from modelshelf.space.domains import Choice
from modelshelf.space.hyperparameter import Hyperparameter

__all__ = ["PREPARATION"]

PREPARATION = (
    Hyperparameter(
        name="scaling",
        group="preparation",
        domain=Choice(("standard", "robust", "quantile")),
        default="standard",
        meaning=(
            "How numeric columns are scaled: to mean 0 and deviation 1; by median and "
            "interquartile range with a smooth clip; or to the normal shape by ranks."
        ),
        too_little="Standard scaling lets a few extreme values squeeze all others together.",
        too_much="Quantiles keep only the order: distances in a column are lost.",
        source="LeCun et al. 1998; Holzmüller et al. 2024 (robust, smooth clip)",
    ),
)
