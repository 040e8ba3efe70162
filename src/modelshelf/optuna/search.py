"""Define by run: the space is what trials asked for so far, and the search works within it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from modelshelf.optuna.distributions import Distribution
from modelshelf.optuna.trial import FrozenTrial, TrialState
from modelshelf.search import Evidence, Result, suggest
from modelshelf.space.catalogue import CATALOGUE
from modelshelf.space.configuration import Configuration
from modelshelf.space.defaults import entries_for
from modelshelf.space.domains import Choice, Integer, Value
from modelshelf.space.own import OWN, is_own
from modelshelf.space.space import Space

__all__ = ["Names", "Proposer", "configuration_of", "labels_of", "space_of", "when_absent"]

Labels = Mapping[str, Value]


def space_of(objective: str, names: Mapping[str, Distribution]) -> Space:
    """The space of an objective's parameters; the catalogue's own have their defaults in it."""
    entries: dict[str, Any] = {n: CATALOGUE[n].default for n in entries_for(("module",))}
    entries |= {OWN + name: each.domain for name, each in names.items()}
    return Space(**{**entries, "network": "module", "module": objective})


def configuration_of(objective: str, labels: Labels) -> Configuration:
    """Parameters as a configuration: arguments of a person's own module."""
    own = {OWN + name: value for name, value in labels.items()}
    return Configuration(network="module", module=objective, **own)


def when_absent(
    names: Mapping[str, Distribution], trials: Sequence[Labels]
) -> dict[str, tuple[str, frozenset[Value | None]]]:
    """Of each name that some trials did not ask for: an earlier name, and its values where not.

    That name is one that tells by its value, in all trials so far, whether this one is asked for;
    the one of fewest values, where there are several. None stands for not asked for itself.

    >>> from modelshelf.optuna.distributions import CategoricalDistribution, FloatDistribution
    >>> names = {"model": CategoricalDistribution(("mlp", "svm")), "c": FloatDistribution(0, 1)}
    >>> when_absent(names, [{"model": "svm", "c": 0.5}, {"model": "mlp"}])
    {'c': ('model', frozenset({'mlp'}))}
    """
    found = {}
    order, few = list(names), _few(names)
    for at, name in enumerate(order):
        rules = []
        for parent in () if all(name in each for each in trials) else order[:at]:
            seen = [(_told(few, parent, each), name in each) for each in trials]
            there = frozenset(value for value, asked in seen if asked)
            absent = frozenset(value for value, asked in seen if not asked)
            if there and absent and not there & absent:
                rules.append((len(there | absent), parent, absent))
        if rules:
            _, parent, absent = min(rules, key=lambda rule: rule[0])
            found[name] = parent, absent
    return found


def _few(names: Mapping[str, Distribution]) -> frozenset[str]:
    """The names whose values can be counted."""
    return frozenset(n for n, each in names.items() if isinstance(each.domain, (Choice, Integer)))


def _told(few: frozenset[str], name: str, labels: Labels) -> Value | None:
    """A name's value where there are few, else whether it was asked for."""
    if name not in labels:
        return None
    return labels[name] if name in few else True


class Names:
    """The space of known names as the search sees it: what would not be asked for is left out."""

    known: Sequence[Configuration] = ()

    def __init__(
        self, objective: str, names: Mapping[str, Distribution], trials: Sequence[Labels]
    ) -> None:
        self._objective, self._names = objective, dict(names)
        self._space = space_of(objective, names)
        self._absent, self._few = when_absent(names, trials), _few(names)
        self.dimensions = self._space.dimensions

    @property
    def key(self) -> tuple[Any, ...]:
        """Equal for spaces that are."""
        return self._objective, tuple(self._names.items()), tuple(self._absent.items())

    def configuration(self, unit: Sequence[float]) -> Configuration:
        """The parameters at a point of the unit cube, in whole steps."""
        found = labels_of(self._space.configuration(unit))
        labels: dict[str, Value] = {}
        for name, distribution in self._names.items():
            parent, absent = self._absent.get(name, ("", frozenset[Value | None]()))
            if not parent or _told(self._few, parent, labels) not in absent:
                labels[name] = distribution.snapped(found[name])
        return configuration_of(self._objective, labels)

    def vector(self, configuration: Configuration) -> tuple[float, ...]:
        """Where parameters lie; NaN for those that were not asked for."""
        return self._space.vector(configuration)

    def features(self, configuration: Configuration) -> tuple[float, ...]:
        """What a model sees of them."""
        return self._space.features(configuration)


def labels_of(configuration: Configuration) -> dict[str, Value]:
    """The parameters of a configuration, by the names that the objective gave them."""
    return {name.removeprefix(OWN): v for name, v in configuration.items() if is_own(name)}


@dataclass(eq=False)
class Proposer:
    """modelshelf's search over trials. What it proposes is a function of what it is given."""

    seed: int
    minimise: bool

    def __post_init__(self) -> None:
        self._key: tuple[Any, ...] = ()
        self._evidence, self._observed = Evidence(), 0
        self._labels: list[Labels] = []

    def propose(
        self,
        objective: str,
        names: Mapping[str, Distribution],
        told: Sequence[FrozenTrial],
        running: Mapping[int, Labels],
    ) -> Labels:
        """Values of known names. `told` are ended trials, in the order in which they ended."""
        self._labels += (each.labels for each in told[len(self._labels) :])
        space = Names(objective, names, self._labels)
        if not space.dimensions:
            return {}
        if space.key != self._key:
            self._key, self._evidence, self._observed = space.key, Evidence(), 0
        for at in range(self._observed, len(told)):
            self._evidence.start(told[at].number, configuration_of(objective, self._labels[at]))
            self._evidence.observe(self._result(told[at]))
        self._observed = len(told)
        for number, labels in running.items():
            self._evidence.start(number, configuration_of(objective, labels))
        found = suggest(space, self._evidence, self.seed, rungs=1)
        if found is None or found.configuration is None:
            return {}  # all were tried: by chance
        return labels_of(found.configuration)

    def _result(self, trial: FrozenTrial) -> Result:
        """A trial that ended counts for more than one that was pruned, at its last report."""
        value = math.inf
        if trial.state is not TrialState.FAIL and trial.value is not None:
            value = trial.value if self.minimise else -trial.value
        rung = int(trial.state is TrialState.COMPLETE)
        return Result(trial.number, rung, value if math.isfinite(value) else math.inf, open=False)
