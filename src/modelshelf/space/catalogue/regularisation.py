"""Hyperparameters of regularisation: what holds a network back from learning by heart."""

from __future__ import annotations

from modelshelf.space.catalogue.structure import DENSE, HAS_HIDDEN
from modelshelf.space.domains import Choice, Integer, Real
from modelshelf.space.hyperparameter import Condition, Hyperparameter, when

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
        condition=Condition(
            lambda active: HAS_HIDDEN.holds(active) or active.get("network") in ("conv", "text"),
            "there are hidden layers, or network is conv or text",
            ("network", "hidden_layers"),
        ),
    ),
    Hyperparameter(
        name="input_dropout",
        group="regularisation",
        domain=Real(0.0, 0.95),
        default=0.0,
        off=0.0,
        meaning="The share of the first layer's inputs set to 0 at random in each training step.",
        too_little="The network may hang on one input alone.",
        too_much="Rows lose what tells them apart: underfitting.",
        source="Srivastava et al. 2014",
        condition=DENSE,
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
        name="decay_by_factor",
        group="regularisation",
        domain=Choice(("no", "yes")),
        default="no",
        off="no",
        meaning=(
            "Whether parameters whose learning rate has a factor of its own (input scales, "
            "encodings, shares of activation) decay by that factor once more."
        ),
        too_little="Input scales that move fast are hardly held back.",
        too_much="Scales with a large factor shrink faster than they learn.",
        source="pytabkit 1.7.3, whose RealMLP (Holzmüller et al. 2024) decays so",
        condition=Condition(
            lambda active: "weight_decay" in active, "there is weight_decay", ("weight_decay",)
        ),
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
        name="regularisation_schedule",
        group="regularisation",
        domain=Choice(("constant", "flat_cosine")),
        default="constant",
        off="constant",
        meaning=(
            "Whether dropout and weight decay stay as they are, or fade along a cosine to 0 "
            "over the second half of the planned epochs (flat_cosine)."
        ),
        too_little="Held to the end, they blur what the last, small steps could settle.",
        too_much="Faded, they no longer hold back a network that trains on for long.",
        source="Holzmüller et al. 2024",
        condition=Condition(
            lambda active: "dropout" in active or "weight_decay" in active,
            "there is dropout or weight_decay",
            ("dropout", "weight_decay"),
        ),
    ),
    Hyperparameter(
        name="class_weight",
        group="regularisation",
        domain=Choice(("none", "balanced")),
        default="none",
        off="none",
        meaning="Whether rare classes weigh as much in the loss as common ones (balanced).",
        too_little="A rare class is ignored.",
        too_much="Probabilities no longer tell how common a class is, and log loss suffers.",
        source="King, Zeng 2001; torch.nn.CrossEntropyLoss(weight=…)",
        condition=when("loss", "cross_entropy"),
    ),
    Hyperparameter(
        name="monitor",
        group="regularisation",
        domain=Choice(("loss", "accuracy")),
        default="loss",
        off="loss",
        meaning=(
            "What of the validation rows says which epoch is the best, for patience and for the "
            "weights that are kept: their loss, or the share of right answers."
        ),
        too_little="The loss can rise, by answers that are too sure, while accuracy still grows.",
        too_much="Accuracy on few rows is coarse, and the luckiest epoch wins.",
        source="keras.callbacks.EarlyStopping; course notes, early stopping",
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
