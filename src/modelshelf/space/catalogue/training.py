"""Hyperparameters of training: how far, how fast, by which rule, towards what."""

from __future__ import annotations

from modelshelf.space.domains import Choice, Integer, Real
from modelshelf.space.hyperparameter import Condition, Conflict, Hyperparameter, rate_factor, when

__all__ = ["TRAINING"]

TRAINING = (
    Hyperparameter(
        name="learning_rate",
        group="training",
        domain=Real(0.0, 1e3, log=True),
        default=1e-3,
        meaning="The size of the step along the gradient at each update of the weights.",
        too_little="Slow convergence, or stuck in a local minimum.",
        too_much="Unstable training that may diverge.",
        source="course notes, learning rate; Kingma, Ba 2015 for the default with Adam",
    ),
    Hyperparameter(
        name="batch_size",
        group="training",
        domain=Integer(1, 1_000_000, log=True),
        default=64,
        meaning="How many rows are seen before each update of the weights.",
        too_little="Noisy updates and slow epochs, but often better generalisation.",
        too_much="Stable updates, but few of them an epoch, and often poorer generalisation.",
        source="course notes, batch size; Keskar et al. 2017",
    ),
    Hyperparameter(
        name="epochs",
        group="training",
        domain=Integer(1, 100_000, log=True),
        default=100,
        meaning="The most passes over the training rows; patience may end training sooner.",
        too_little="Underfitting.",
        too_much="Overfitting, and time spent for nothing.",
        source="course notes, number of epochs",
    ),
    Hyperparameter(
        name="optimizer",
        group="training",
        domain=Choice(("sgd", "momentum", "rmsprop", "adam", "nesterov", "adagrad", "adamw")),
        default="adam",
        meaning="The rule that turns gradients into updates.",
        too_little="Plain SGD is simple, but slow where the loss is steep one way, flat another.",
        too_much="Adaptive rules converge fast, and can generalise a little worse.",
        source=(
            "Polyak 1964; Tieleman, Hinton 2012; Kingma, Ba 2015; course notes, optimiser type; "
            "Sutskever et al. 2013 (Nesterov); Duchi et al. 2011 (Adagrad); "
            "Loshchilov, Hutter 2019 (AdamW)"
        ),
    ),
    Hyperparameter(
        name="momentum",
        group="training",
        domain=Real(0.0, 0.9999),
        default=0.9,
        meaning="The share of the last update that the next one keeps.",
        too_little="At 0 it is plain SGD.",
        too_much="The weights overshoot and circle the minimum.",
        source="Polyak 1964; torch.optim.SGD; course notes, gradient descent with momentum",
        condition=when("optimizer", "momentum", "nesterov"),
    ),
    Hyperparameter(
        name="beta1",
        group="training",
        domain=Real(0.0, 0.9999),
        default=0.9,
        meaning="The memory of Adam's mean of the gradients.",
        too_little="Each batch's noise steers the step.",
        too_much="The step follows gradients long past.",
        source="Kingma, Ba 2015; torch.optim.Adam",
        condition=when("optimizer", "adam", "adamw"),
    ),
    Hyperparameter(
        name="beta2",
        group="training",
        domain=Real(0.0, 0.999999),
        default=0.999,
        meaning="The memory of Adam's mean of the squared gradients.",
        too_little="The step's scale jumps with every batch.",
        too_much="The step's scale is slow to follow a change.",
        source="Kingma, Ba 2015; torch.optim.Adam",
        condition=when("optimizer", "adam", "adamw"),
    ),
    Hyperparameter(
        name="rho",
        group="training",
        domain=Real(0.0, 0.9999),
        default=0.99,
        meaning="The memory of RMSprop's mean of the squared gradients (`alpha` in PyTorch).",
        too_little="The step's scale jumps with every batch.",
        too_much="The step's scale is slow to follow a change.",
        source="Tieleman, Hinton 2012; torch.optim.RMSprop",
        condition=when("optimizer", "rmsprop"),
    ),
    Hyperparameter(
        name="epsilon",
        group="training",
        domain=Real(1e-16, 1.0, log=True),
        default=1e-8,
        meaning="Added to the root of the squared gradients' mean, so that no step divides by 0.",
        too_little="Weights with tiny gradients take huge steps.",
        too_much="Adaptive steps shrink, and the rule turns into plain momentum.",
        source="Kingma, Ba 2015; torch.optim.Adam",
        condition=when("optimizer", "adam", "rmsprop", "adagrad", "adamw"),
    ),
    Hyperparameter(
        name="loss",
        group="training",
        domain=Choice(("cross_entropy", "quadratic", "absolute", "huber", "gaussian", "quantile")),
        default="cross_entropy",
        meaning=(
            "What training makes small: cross-entropy of the classes, or squared error "
            "(of the class probabilities, or of the standardised target); for numbers also the "
            "absolute error, Huber's mixture of both, or how badly a normal distribution "
            "(gaussian) or an interval (quantile) that it answers with fits."
        ),
        too_little="Quadratic loss on classes learns slowly from rows that are badly wrong.",
        too_much="Cross-entropy punishes sure and wrong answers hard, mislabelled rows among them.",
        source=(
            "Brier 1950; Bishop 2006, 4.3; Huber 1964; Nix, Weigend 1994 (gaussian); Koenker, "
            "Bassett 1978 (quantile); course notes, which loss function"
        ),
    ),
    Hyperparameter(
        name="interval",
        group="training",
        domain=Real(0.01, 0.999),
        default=0.9,
        meaning="The share of all rows that a predicted interval should hold.",
        too_little="A narrow interval, which most rows may miss.",
        too_much="A wide one, whose ends few rows have taught.",
        source="Koenker, Bassett 1978",
        condition=when("loss", "quantile"),
    ),
    Hyperparameter(
        name="huber_delta",
        group="training",
        domain=Real(1e-6, 1e6, log=True),
        default=1.0,
        meaning="The error, in deviations of the target, from which Huber's loss grows linearly.",
        too_little="It is the absolute error: small errors are pulled as hard as large ones.",
        too_much="It is the quadratic loss: a few wild targets decide.",
        source="Huber 1964; torch.nn.HuberLoss",
        condition=when("loss", "huber"),
    ),
    Hyperparameter(
        name="schedule",
        group="training",
        domain=Choice(("constant", "step", "cosine", "one_cycle", "coslog")),
        default="constant",
        off="constant",
        meaning=(
            "How the learning rate changes over the planned epochs: a tenth after half and after "
            "three quarters (step); down to 0 along a cosine; up and then down (one_cycle); or "
            "four times up and down, each time over twice as many epochs (coslog)."
        ),
        too_little="A constant rate keeps jumping around the minimum.",
        too_much="A rate that has fallen too soon leaves the network where it is.",
        source=(
            "Loshchilov, Hutter 2017; Smith 2018; torch.optim.lr_scheduler; "
            "Holzmüller et al. 2024 (coslog)"
        ),
    ),
    Hyperparameter(
        name="warmup",
        group="training",
        domain=Real(0.0, 1.0),
        default=0.0,
        off=0.0,
        meaning="The share of all planned steps over which the learning rate rises from 0.",
        too_little="The first steps, taken with poor estimates, can throw the network far off.",
        too_much="Most of the training runs at too low a rate.",
        source="Goyal et al. 2017",
        condition=Condition(
            lambda active: active.get("schedule") != "one_cycle",
            "schedule is not one_cycle, which warms up by itself",
            ("schedule",),
        ),
    ),
    Hyperparameter(
        name="clip_norm",
        group="training",
        domain=Real(0.0, 1e6),
        default=0.0,
        off=0.0,
        meaning="The longest gradient, by its norm over all weights; a longer one is shortened.",
        too_little="Every step is shortened, and the learning rate no longer says how far.",
        too_much="A rare, huge gradient can throw the network far off.",
        source="Pascanu, Mikolov, Bengio 2013; torch.nn.utils.clip_grad_norm_",
    ),
    Hyperparameter(
        name="reduction",
        group="training",
        domain=Choice(("mean", "sum")),
        default="mean",
        off="mean",
        meaning="Whether a batch's loss is the mean over its rows, or their sum.",
        too_little="As usual: the learning rate means the same for any batch size.",
        too_much="A sum grows with the batch: the learning rate must shrink as it grows.",
        source="course notes, MSELoss(reduction='sum')",
    ),
    rate_factor(
        "bias_lr_factor",
        "biases",
        Condition(
            lambda active: not {"network", "biases"} & active.keys(),
            "network is dense, and there are biases",
            ("network", "biases"),
        ),
    ),
    rate_factor("scale_lr_factor", "the inputs' scales", when("input_scale", "yes")),
    rate_factor(
        "activation_lr_factor",
        "the units' shares of activation",
        when("parametric_activation", "yes"),
    ),
    Hyperparameter(
        name="averaging",
        group="training",
        domain=Real(0.0, 0.99999),
        default=0.0,
        off=0.0,
        meaning=(
            "Validates and keeps a running mean of the weights, of which each step leaves this "
            "share: good at any time, without a schedule."
        ),
        too_little="The mean is the last weights, with all their noise.",
        too_much="The mean lags behind, and begins with weights that had learned nothing.",
        source="Polyak, Juditsky 1992; torch.optim.swa_utils.AveragedModel",
    ),
    Hyperparameter(
        name="clamp_output",
        group="training",
        domain=Choice(("no", "yes")),
        default="no",
        off="no",
        meaning="Whether predicted numbers are held within the range of the training target.",
        too_little="An unusual row can be answered with an absurd number.",
        too_much="No answer lies beyond what was seen.",
        source="Holzmüller et al. 2024",
        conflicts=(Conflict("loss", "gaussian"),),  # a variance would be clamped too
    ),
)
