"""Hyperparameters of convolutional networks, which read images."""

from __future__ import annotations

from modelshelf.space.domains import Choice, Integer
from modelshelf.space.hyperparameter import Hyperparameter, when

__all__ = ["IMAGES"]

_READS = when("network", "conv")

IMAGES = (
    Hyperparameter(
        name="conv_stages",
        group="images",
        domain=Integer(1, 6),
        default=2,
        meaning=(
            "How often the image is made half as high and half as wide, with twice the channels; "
            "an image too small for all of them has fewer."
        ),
        too_little="A unit sees a small part of the image, and never the whole of a thing.",
        too_much="Where things are is lost, and the last stages hold most of the parameters.",
        source="LeCun et al. 1998; Simonyan, Zisserman 2015",
        condition=_READS,
    ),
    Hyperparameter(
        name="conv_blocks",
        group="images",
        domain=Integer(1, 8),
        default=1,
        meaning="How many convolutions follow one another in each stage.",
        too_little="What is seen at one size is seen by one layer alone.",
        too_much="Each costs as much as the first; many are hard to train without shortcuts.",
        source="Simonyan, Zisserman 2015",
        condition=_READS,
    ),
    Hyperparameter(
        name="conv_width",
        group="images",
        domain=Integer(1, 512, log=True),
        default=16,
        meaning="How many channels the first stage has; each next one has twice as many.",
        too_little="Few patterns can be told apart: underfitting.",
        too_much="Twice the channels are four times the work.",
        source="Zagoruyko, Komodakis 2016",
        condition=_READS,
    ),
    Hyperparameter(
        name="conv_kernel",
        group="images",
        domain=Choice((1, 3, 5, 7)),
        default=3,
        meaning="How many pixels high and wide the patch is that a convolution looks at.",
        too_little="One of 1 does not look at neighbours at all.",
        too_much="Weights and work grow with its square.",
        source="Simonyan, Zisserman 2015",
        condition=_READS,
    ),
    Hyperparameter(
        name="conv_shortcut",
        group="images",
        domain=Choice(("no", "yes")),
        default="no",
        off="no",
        meaning="Whether what goes into a convolution of the same size is added to what comes out.",
        too_little="Gradients must pass through every layer: many layers learn slowly.",
        too_much="With few layers it is of no use.",
        source="He et al. 2016",
        condition=_READS,
    ),
    Hyperparameter(
        name="conv_pooling",
        group="images",
        domain=Choice(("max", "average", "stride")),
        default="max",
        meaning=(
            "How a stage halves the image: the strongest of four neighbours (max), their average, "
            "or a first convolution that looks at every second pixel (stride)."
        ),
        too_little="With stride, three in four places are never looked at closely; it is fast.",
        too_much="Max keeps the strongest answer, and forgets exactly where it was.",
        source="LeCun et al. 1998 (average); Springenberg et al. 2015 (stride)",
        condition=_READS,
    ),
    Hyperparameter(
        name="conv_head",
        group="images",
        domain=Choice(("flatten", "average", "max")),
        default="flatten",
        meaning=(
            "What the last layer sees: every place of the last stage (flatten), or of each channel "
            "its average or its strongest answer."
        ),
        too_little="Averages do not know where something was seen.",
        too_much="Flat, the last layer has most of the weights, and learns places by heart.",
        source="Lin, Chen, Yan 2014 (average)",
        condition=_READS,
    ),
    Hyperparameter(
        name="conv_norm",
        group="images",
        domain=Choice(("batch", "none")),
        default="batch",
        off="none",
        meaning="Whether each channel is brought to mean 0 and deviation 1 over the batch.",
        too_little="Rates must be low, and a deep network may not begin to learn at all.",
        too_much="In small batches the mean is a matter of chance; it costs time on a CPU.",
        source="Ioffe, Szegedy 2015",
        condition=_READS,
    ),
    Hyperparameter(
        name="image_augmentation",
        group="images",
        domain=Choice(("none", "shift", "flip", "flip_shift")),
        default="none",
        off="none",
        meaning=(
            "What is done to training images at random, anew in each epoch: shifted by up to a "
            "twelfth of their size, mirrored left to right, or both."
        ),
        too_little="The network may learn the training images by heart.",
        too_much="Mirrored letters and digits are others; and more epochs are needed.",
        source="Krizhevsky, Sutskever, Hinton 2012; He et al. 2016",
        condition=_READS,
    ),
)
