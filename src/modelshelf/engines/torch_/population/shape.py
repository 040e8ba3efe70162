"""What members must have in common to be trained as one: whatever changes the operations."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace

from modelshelf.core.protocols import TrainingData
from modelshelf.engines.numpy_.assemble import NO_LIMITS, groups_of, head_of, limits_of
from modelshelf.engines.numpy_.layout import Layout
from modelshelf.space.configuration import Configuration

__all__ = ["FREE", "Shape", "shape_of"]

#: The hyperparameters in which members of a stack may differ, on or off: a search that varies
#: nothing else fills its stacks.
FREE = (
    "learning_rate", "momentum", "beta1", "beta2", "rho", "epsilon", "schedule", "warmup",
    "epochs", "patience", "min_delta", "monitor", "negative_slope", "initialisation",
    "periodic_sigma", "interval", "huber_delta", "dropout", "input_dropout", "l1", "l2",
    "weight_decay", "decay_by_factor", "regularisation_schedule", "label_smoothing", "clip_norm",
    "averaging", "bias_lr_factor", "scale_lr_factor", "activation_lr_factor",
    "encoding_lr_factor",
)  # fmt: skip


def _switch() -> bool:
    return field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class Shape:
    """The operations of a step. Numbers (rates, penalties, shares of dropout) are each member's.

    Switches say which operations can be left out, and are no part of what is compared: what is on
    for one member does nothing to those for whom its number is 0.
    """

    layout: Layout
    activation: str
    optimizer: str
    loss: str
    point: int  #: which output is the answer, where it answers with numbers
    classes: bool
    batch: int  #: rows of a whole batch
    summed: bool  #: a batch's loss is the sum over its rows
    weighted: bool  #: classes have weights
    clamped: bool  #: answers are held within the range of the training target
    smoothed: bool = _switch()
    dropout: bool = _switch()
    input_dropout: bool = _switch()
    penalised: bool = _switch()  #: by l1 or l2
    clipped: bool = _switch()
    decayed: bool = _switch()
    factored: bool = _switch()  #: some parameters have a learning rate of their own
    averaged: bool = _switch()

    def joined(self, other: Shape) -> Shape:
        """The shape with all that is on in either."""
        switches = {
            each.name: getattr(self, each.name) or getattr(other, each.name)
            for each in fields(self)
            if not each.compare
        }
        return replace(self, **switches)

    def covers(self, other: Shape) -> bool:
        """Whether all that is on in the other is on in this one."""
        joined = self.joined(other)
        return all(getattr(joined, each.name) == getattr(self, each.name) for each in fields(self))


def shape_of(configuration: Configuration, layout: Layout, data: TrainingData) -> Shape:
    """The shape of a member with this configuration, on this data."""
    groups = groups_of(configuration, layout)
    return Shape(
        layout=layout,
        activation=configuration.word("activation"),
        optimizer=configuration.word("optimizer"),
        loss=configuration.word("loss"),
        point=head_of(configuration, data.classes).point,
        classes=data.classes,
        batch=min(configuration.whole("batch_size"), len(data.x)),
        summed=configuration.word("reduction") == "sum",
        smoothed="label_smoothing" in configuration,
        weighted=data.classes and "class_weight" in configuration,
        dropout="dropout" in configuration,
        input_dropout="input_dropout" in configuration,
        penalised="l1" in configuration or "l2" in configuration,
        clipped="clip_norm" in configuration,
        decayed="weight_decay" in configuration,
        factored=bool((groups[:, 2] != 1.0).any()),
        averaged="averaging" in configuration,
        clamped=limits_of(configuration, data) != NO_LIMITS,
    )
