"""What a hyperparameter is: one declaration, used wherever its name appears."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from modelshelf.space.domains import Domain, Real, Value

__all__ = ["Condition", "Conflict", "Hyperparameter", "rate_factor", "when"]


@dataclass(frozen=True, slots=True)
class Condition:
    """When a hyperparameter plays a part: `holds(active)`, told to a person by `words`.

    `active` holds the active settings declared before it in the catalogue.
    """

    holds: Callable[[Mapping[str, Value]], bool]
    words: str
    names: tuple[str, ...]  #: the settings that it looks at


@dataclass(frozen=True, slots=True)
class Conflict:
    """What a hyperparameter does not go with: beside it, it plays no part."""

    name: str  #: the other one
    value: Value | None = None  #: that the other has; any that is not off
    own: Value | None = None  #: that this one has; any that is not off

    def arises(self, own: Value, active: Mapping[str, Value]) -> bool:
        """Whether these settings do not go together."""
        beside = self.name in active and self.value in (None, active[self.name])
        return beside and self.own in (None, own)

    @property
    def words(self) -> str:
        """Where it does count."""
        other = f"{self.name} is {'off' if self.value is None else f'not {self.value}'}"
        return other if self.own is None else f"{other} (as {self.own})"


def when(name: str, *values: Value) -> Condition:
    """The condition that another hyperparameter has one of these values."""
    return Condition(
        holds=lambda active: active.get(name) in values,
        words=f"{name} is {' or '.join(str(value) for value in values)}",
        names=(name,),
    )


@dataclass(frozen=True, slots=True)
class Hyperparameter:
    """A setting fixed before training.

    A hyperparameter is *active* when its condition holds and its value is not `off`. Only active
    ones enter the barcode: what is switched off leaves no trace in a network's identity, and a
    hyperparameter that is added later, off by default, changes no barcode of before.
    """

    name: str
    group: str  #: training, structure, regularisation or preparation
    domain: Domain
    default: Value
    meaning: str  #: one sentence
    too_little: str  #: what a value too low, or the plainer choice, does
    too_much: str  #: what a value too high, or the richer choice, does
    source: str
    condition: Condition | None = None
    off: Value | None = None  #: the value that switches it off
    conflicts: tuple[Conflict, ...] = ()

    @property
    def hangs_on(self) -> tuple[str, ...]:
        """The hyperparameters that decide whether it plays a part."""
        first = self.condition.names if self.condition else ()
        return (*first, *(conflict.name for conflict in self.conflicts))

    @property
    def active_when(self) -> str:
        """Its condition and what it does not go with, in words; empty where it always counts."""
        first = [self.condition.words] if self.condition else []
        return " and ".join([*first, *(conflict.words for conflict in self.conflicts)])


def rate_factor(name: str, what: str, condition: Condition) -> Hyperparameter:
    """The declaration of a factor on the learning rate of some of the parameters."""
    return Hyperparameter(
        name=name,
        group="training",
        domain=Real(0.0, 100.0),
        default=1.0,
        off=1.0,
        meaning=f"The learning rate of {what}, as a multiple of learning_rate.",
        too_little="They stay as they began.",
        too_much="They jump ahead of the weights.",
        source="Holzmüller et al. 2024",
        condition=condition,
    )
