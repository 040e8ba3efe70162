"""Hyperparameters of preparation: what happens to the columns before the first layer."""

from __future__ import annotations

from modelshelf.space.domains import Choice, Integer, Real
from modelshelf.space.hyperparameter import Condition, Hyperparameter, rate_factor, when

__all__ = ["PREPARATION"]

PREPARATION = (
    Hyperparameter(
        name="scaling",
        group="preparation",
        domain=Choice(("standard", "robust", "quantile")),
        default="standard",
        meaning=(
            "How numeric columns are scaled: to mean 0 and deviation 1; by median and "
            "interquartile range with a smooth clip (columns of categories too); or to the normal "
            "shape by ranks."
        ),
        too_little="Standard scaling lets a few extreme values squeeze all others together.",
        too_much="Quantiles keep only the order: distances in a column are lost.",
        source="LeCun et al. 1998; Holzmüller et al. 2024 (robust, smooth clip)",
    ),
    Hyperparameter(
        name="numeric_encoding",
        group="preparation",
        domain=Choice(("none", "periodic", "piecewise")),
        default="none",
        off="none",
        meaning=(
            "What the first layer sees of a number: itself; itself and a few learned mixtures of "
            "cosines of it (periodic); or learned lines that bend at its quantiles (piecewise)."
        ),
        too_little="A number that acts in steps or waves needs many units to follow.",
        too_much="Noise in a number is followed too; more inputs, slower steps.",
        source=(
            "Gorishniy et al. 2022 (piecewise linear, periodic); Holzmüller et al. 2024 (PBLD)"
        ),
    ),
    Hyperparameter(
        name="encoding_bins",
        group="preparation",
        domain=Integer(2, 1024, log=True),
        default=48,
        meaning="In how many bins, with as many training rows in each, a number's range is cut.",
        too_little="Few bends: what happens inside a bin is a line.",
        too_much="Few rows in each bin: its noise is followed.",
        source="Gorishniy et al. 2022; Gorishniy et al. 2024",
        condition=when("numeric_encoding", "piecewise"),
    ),
    Hyperparameter(
        name="periodic_features",
        group="preparation",
        domain=Integer(1, 1024, log=True),
        default=16,
        meaning="How many cosines each number is encoded by.",
        too_little="Few bends.",
        too_much="Slow, and able to follow noise.",
        source="Holzmüller et al. 2024",
        condition=when("numeric_encoding", "periodic"),
    ),
    Hyperparameter(
        name="periodic_sigma",
        group="preparation",
        domain=Real(1e-3, 1e3, log=True),
        default=0.1,
        meaning="The deviation of the cosines' frequencies at the start.",
        too_little="The encoding is nearly linear in the number.",
        too_much="Neighbouring values look unrelated.",
        source="Gorishniy et al. 2022; Holzmüller et al. 2024",
        condition=when("numeric_encoding", "periodic"),
    ),
    Hyperparameter(
        name="encoding_size",
        group="preparation",
        domain=Integer(2, 64),
        default=4,
        meaning="How many inputs each encoded number becomes; of a periodic one it is itself one.",
        too_little="The cosines or bins are squeezed into few mixtures.",
        too_much="A wide first layer.",
        source="Holzmüller et al. 2024; Gorishniy et al. 2024",
        condition=when("numeric_encoding", "periodic", "piecewise"),
    ),
    rate_factor(
        "encoding_lr_factor",
        "the numbers' encodings",
        when("numeric_encoding", "periodic", "piecewise"),
    ),
    Hyperparameter(
        name="category_embedding",
        group="preparation",
        domain=Integer(0, 256),
        default=0,
        off=0,
        meaning=(
            "How many learned numbers stand for each category of a column with many of them; "
            "0: each category has an input of its own."
        ),
        too_little="Categories that act alike cannot be told so in so few numbers.",
        too_much="Rare categories are learned by heart.",
        source="Guo, Berkhahn 2016; Holzmüller et al. 2024",
    ),
    Hyperparameter(
        name="max_one_hot",
        group="preparation",
        domain=Integer(1, 10_000, log=True),
        default=9,
        meaning="The most categories that still get an input each; columns with more are embedded.",
        too_little="Columns with few categories are embedded, where one input each is plainer.",
        too_much="Wide, mostly empty inputs.",
        source="Holzmüller et al. 2024",
        condition=Condition(
            lambda active: "category_embedding" in active,
            "category_embedding is above 0",
            ("category_embedding",),
        ),
    ),
)
