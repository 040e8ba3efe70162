"""Hyperparameters of regularisation: what holds a network back from learning by heart."""

from __future__ import annotations

from modelshelf.space.catalogue.structure import HAS_HIDDEN
from modelshelf.space.domains import Integer, Real
from modelshelf.space.hyperparameter import Hyperparameter, when

__all__ = ["REGULARISATION"]

REGULARISATION = (
    Hyperparameter(
        name="dropout",
        group="regularisation",
        domain=Real(0.0, 0.95),
        default=0.0,
        off=0.0,
        meaning="The share of hidden units set to 0 at random in each training step.",
        too_little="Units lean on each other: risk of overfitting.",
        too_much="Too little of the network is left at each step: risk of underfitting.",
        source="Srivastava et al. 2014; course notes, dropout rate",
        condition=HAS_HIDDEN,
    ),
    Hyperparameter(
        name="l1",
        group="regularisation",
        domain=Real(0.0, 10.0, log=True),
        default=0.0,
        off=0.0,
        meaning="Adds l1 · Σ|w| to the loss, over weights but not biases.",
        too_little="Weights that carry only noise stay: overfitting.",
        too_much="Most weights go to 0: underfitting.",
        source="Tibshirani 1996; keras.regularizers.L1; course notes, regularisation",
    ),
    Hyperparameter(
        name="l2",
        group="regularisation",
        domain=Real(0.0, 10.0, log=True),
        default=0.0,
        off=0.0,
        meaning=(
            "Adds l2 · Σw² to the loss, over weights but not biases "
            "(PyTorch's coupled weight_decay of 2 · l2)."
        ),
        too_little="Large weights fit the noise: overfitting.",
        too_much="All weights shrink towards 0: underfitting.",
        source="Krogh, Hertz 1991; keras.regularizers.L2; course notes, regularisation",
    ),
    Hyperparameter(
        name="weight_decay",
        group="regularisation",
        domain=Real(0.0, 100.0, log=True),
        default=0.01,
        off=0.0,
        meaning=(
            "AdamW's decay: each step shrinks weights, but not biases, by rate · weight_decay, "
            "whatever the gradient is."
        ),
        too_little="Large weights fit the noise: overfitting.",
        too_much="All weights shrink towards 0: underfitting.",
        source="Loshchilov, Hutter 2019; torch.optim.AdamW",
        condition=when("optimizer", "adamw"),
    ),
    Hyperparameter(
        name="label_smoothing",
        group="regularisation",
        domain=Real(0.0, 0.99),
        default=0.0,
        off=0.0,
        meaning="The share of a row's certainty that is spread over all classes alike.",
        too_little="The network is driven to be surer than the data can tell.",
        too_much="Probabilities are too flat, and classes that are alike run together.",
        source="Szegedy et al. 2016; torch.nn.CrossEntropyLoss(label_smoothing=…)",
        condition=when("loss", "cross_entropy"),
    ),
    Hyperparameter(
        name="patience",
        group="regularisation",
        domain=Integer(0, 100_000, log=True),
        default=16,
        off=0,
        meaning=(
            "Early stopping: training ends when the validation loss has not improved for this "
            "many epochs, and the best epoch's weights are kept; 0 trains to the last epoch."
        ),
        too_little="Stops at the first bump: underfitting.",
        too_much="Trains long past the best epoch: time spent for nothing.",
        source="Prechelt 1998; keras.callbacks.EarlyStopping; course notes, early stopping",
    ),
    Hyperparameter(
        name="min_delta",
        group="regularisation",
        domain=Real(0.0, 1e3),
        default=0.0,
        off=0.0,
        meaning=(
            "By how much the validation loss must fall to count as better, for patience and for "
            "the weights that are kept."
        ),
        too_little="Tiny, accidental gains prolong training.",
        too_much="Slow but steady progress is taken for none: underfitting.",
        source="keras.callbacks.EarlyStopping",
    ),
)
