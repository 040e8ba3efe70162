"""Hyperparameters of structure: layers, activations, how weights begin."""

from __future__ import annotations

import itertools
from typing import cast

from modelshelf.space.domains import Choice, Integer, Layers, Real
from modelshelf.space.hyperparameter import Condition, Conflict, Hyperparameter, when
from modelshelf.space.own import Name

__all__ = ["STRUCTURE"]

#: What the compiled engine trains: `network` is absent where it is dense.
DENSE = Condition(lambda active: "network" not in active, "network is dense", ("network",))

HAS_HIDDEN = Condition(
    lambda active: active.get("hidden_layers", ()) != (),
    "there are hidden layers",
    ("hidden_layers",),
)

STRUCTURE = (
    Hyperparameter(
        name="network",
        group="structure",
        domain=Choice(("dense", "conv", "text", "module")),
        default="dense",
        off="dense",
        meaning=(
            "What kind of network it is: fully connected layers; convolutions over an image "
            "(conv); a network that reads tokens in their order (text); or a PyTorch module of "
            "your own (module)."
        ),
        too_little="Fully connected layers do not know which pixels or words are neighbours.",
        too_much="Kinds that look at neighbours cost far more for each row.",
        source="LeCun et al. 1998; Kim 2014; torch.nn.Module; course notes, structure of a network",
    ),
    Hyperparameter(
        name="module",
        group="structure",
        domain=Name(),
        default="module",
        meaning="The name of the class or function that builds your own PyTorch module.",
        too_little="It is a name: there is no more or less of it.",
        too_much="It is a name: there is no more or less of it.",
        source="torch.nn.Module",
        condition=when("network", "module"),
    ),
    Hyperparameter(
        name="hidden_layers",
        group="structure",
        domain=Layers(),
        default=(128, 128),
        meaning="Widths of the fully connected hidden layers, first to last; none: a linear model.",
        too_little="The network cannot bend as the data does: it underfits.",
        too_much="Slow, large, and able to learn the training rows by heart.",
        source="Rumelhart, Hinton, Williams 1986; course notes, structure of a network",
        condition=DENSE,
    ),
    Hyperparameter(
        name="activation",
        group="structure",
        domain=Choice(("relu", "leaky_relu", "tanh", "sigmoid", "gelu", "silu", "mish", "selu")),
        default="relu",
        meaning="The function that each hidden unit applies to its sum.",
        too_little="Saturating ones (sigmoid, tanh) pass little gradient back through many layers.",
        too_much="ReLU units can die: a unit that is never positive learns no more.",
        source=(
            "Nair, Hinton 2010; Maas, Hannun, Ng 2013; Hendrycks, Gimpel 2016 (GELU); "
            "Elfwing et al. 2018 (SiLU); Misra 2020 (Mish); Klambauer et al. 2017 (SELU)"
        ),
        condition=Condition(
            lambda active: HAS_HIDDEN.holds(active) or active.get("network") == "conv",
            "there are hidden layers, or network is conv",
            ("network", "hidden_layers"),
        ),
    ),
    Hyperparameter(
        name="negative_slope",
        group="structure",
        domain=Real(0.0, 1.0),
        default=0.01,
        meaning="Slope of the leaky ReLU below zero.",
        too_little="At 0 it is a plain ReLU, whose units can die.",
        too_much="At 1 it is linear, and depth adds nothing.",
        source="Maas, Hannun, Ng 2013; torch.nn.LeakyReLU",
        condition=when("activation", "leaky_relu"),
    ),
    Hyperparameter(
        name="initialisation",
        group="structure",
        domain=Choice(
            (
                "he_normal",
                "he_uniform",
                "xavier_normal",
                "xavier_uniform",
                "lecun_normal",
                "lecun_uniform",
                "orthogonal",
                "pytorch",
                "standard_normal",
                "data",
            )
        ),
        default="he_normal",
        meaning=(
            "How weights are drawn before training; biases begin at 0 (but for pytorch, and for "
            "data, which fits both to what training rows make of the layers below)."
        ),
        too_little="Signals fade from layer to layer, and learning is slow or never starts.",
        too_much="Signals grow from layer to layer, and the first steps overshoot.",
        source=(
            "Glorot, Bengio 2010; He et al. 2015; course notes, weight initialisation; "
            "Saxe et al. 2014 (orthogonal); Holzmüller et al. 2024 (data)"
        ),
        condition=DENSE,
    ),
    Hyperparameter(
        name="biases",
        group="structure",
        domain=Choice(("yes", "no")),
        default="yes",
        off="yes",
        meaning="Whether each unit adds a learned number to its sum.",
        too_little="Without biases each unit's bend goes through the origin.",
        too_much="A few more numbers to learn; rarely a harm.",
        source="course notes, vanilla NumPy network (which has none); torch.nn.Linear(bias=False)",
        condition=DENSE,
    ),
    Hyperparameter(
        name="parametrisation",
        group="structure",
        domain=Choice(("standard", "ntk")),
        default="standard",
        off="standard",
        meaning=(
            "Whether each layer's sums are divided by the root of its inputs' count (ntk), so that "
            "one learning rate fits all widths."
        ),
        too_little="The best learning rate changes with each width.",
        too_much="Weights are large numbers: rates and penalties mean something else.",
        source="Jacot et al. 2018; Holzmüller et al. 2024",
        condition=DENSE,
    ),
    Hyperparameter(
        name="normalisation",
        group="structure",
        domain=Choice(("none", "layer", "batch")),
        default="none",
        off="none",
        meaning=(
            "Whether a hidden layer's sums are brought to mean 0 and deviation 1: over each row's "
            "units (layer), or over each batch's rows (batch); a learned gain and shift follow."
        ),
        too_little="In deep networks signals drift in size, and only small rates are stable.",
        too_much=(
            "Slower steps; batch normalisation is noisy in small batches, and a last batch of a "
            "few rows moves its statistics as a whole one does."
        ),
        source="Ioffe, Szegedy 2015; Ba, Kiros, Hinton 2016; torch.nn.BatchNorm1d, LayerNorm",
        condition=HAS_HIDDEN,
        # Statistics of a batch would mix members, and one row has no variance.
        conflicts=(Conflict("ensemble_size", own="batch"), Conflict("batch_size", 1, own="batch")),
    ),
    Hyperparameter(
        name="residual",
        group="structure",
        domain=Choice(("no", "yes")),
        default="no",
        off="no",
        meaning="Whether a hidden layer that is as wide as the one below adds that one's outputs.",
        too_little="Through many layers, little gradient reaches the first.",
        too_much="Outputs grow from layer to layer; in two or three layers it changes little.",
        source="He et al. 2016; Gorishniy et al. 2021 (on tables)",
        condition=Condition(
            lambda active: any(
                a == b
                for a, b in itertools.pairwise(cast("tuple[int]", active.get("hidden_layers", ())))
            ),
            "two neighbouring hidden layers are alike in width",
            ("hidden_layers",),
        ),
    ),
    Hyperparameter(
        name="ensemble_size",
        group="structure",
        domain=Integer(1, 128, log=True),
        default=1,
        off=1,
        meaning=(
            "How many networks in one share their hidden weights, told apart by two small vectors "
            "a layer and an output layer each; their mean is the answer."
        ),
        too_little="One network: its chance errors stay in its answers.",
        too_much="Each step costs this many; beyond a few dozen little is gained.",
        source="Wen, Tran, Ba 2020 (BatchEnsemble); Gorishniy et al. 2024 (TabM)",
        condition=HAS_HIDDEN,
        # The first would fit shared weights to one member; variances have no plain mean.
        conflicts=(Conflict("initialisation", "data"), Conflict("loss", "gaussian")),
    ),
    Hyperparameter(
        name="parametric_activation",
        group="structure",
        domain=Choice(("no", "yes")),
        default="no",
        off="no",
        meaning="Each hidden unit learns how much of its activation it applies.",
        too_little="All units bend alike.",
        too_much="Slower steps, and units that may turn linear.",
        source="He et al. 2015 (PReLU); Holzmüller et al. 2024",
        condition=HAS_HIDDEN,
    ),
    Hyperparameter(
        name="input_scale",
        group="structure",
        domain=Choice(("no", "yes")),
        default="no",
        off="no",
        meaning="Each input of the first layer gets a learned scale.",
        too_little="Inputs that tell nothing must be unlearned weight by weight.",
        too_much="An input can be shut out before the network has seen what it is good for.",
        source="Holzmüller et al. 2024",
        condition=DENSE,
    ),
)
