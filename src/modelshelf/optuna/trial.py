"""A trial: what an objective asks for, reports and is told; and what is left of it."""

from __future__ import annotations

import copy
import json
import warnings
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import Enum
from typing import Any, Protocol

from modelshelf.core.seeds import generator
from modelshelf.optuna.distributions import (
    CategoricalDistribution,
    Distribution,
    FloatDistribution,
    IntDistribution,
    allows,
    merged,
)
from modelshelf.optuna.exceptions import UnfitError
from modelshelf.space.domains import Value

__all__ = ["Asking", "FixedTrial", "FrozenTrial", "Home", "Trial", "TrialState", "plain"]


def plain(value: Any) -> Any:
    """A value as it comes back from JSON, arrays and tensors as lists.

    Raises `UnfitError` for what JSON cannot hold.
    """
    try:
        return json.loads(json.dumps(value, default=_listed))
    except (TypeError, ValueError) as error:
        raise UnfitError(f"An attribute must be what JSON can hold: {error}.") from None


def _listed(value: Any) -> Any:
    if not hasattr(value, "tolist"):
        raise TypeError(f"it holds {value!r}")
    return value.tolist()


class TrialState(Enum):
    """Where a trial stands."""

    RUNNING = 0
    COMPLETE = 1
    PRUNED = 2
    FAIL = 3
    WAITING = 4

    def is_finished(self) -> bool:
        """Whether nothing more will come of it."""
        return self not in (TrialState.RUNNING, TrialState.WAITING)


@dataclass
class FrozenTrial:
    """What is known of a trial."""

    number: int  #: counted from 0 in its study
    state: TrialState = TrialState.RUNNING
    value: float | None = None  #: the objective's; the last report's where it was pruned
    params: dict[str, Any] = field(default_factory=dict)
    distributions: dict[str, Distribution] = field(default_factory=dict)
    intermediate_values: dict[int, float] = field(default_factory=dict)  #: by step
    user_attrs: dict[str, Any] = field(default_factory=dict)
    datetime_start: datetime | None = None
    duration: timedelta | None = None
    reason: str = ""  #: why it failed
    barcode: str = ""  #: of its parameters, once it is on the shelf

    @property
    def values(self) -> list[float] | None:
        """The value, in a list."""
        return None if self.value is None else [self.value]

    @property
    def last_step(self) -> int | None:
        """The highest step that was reported."""
        return max(self.intermediate_values, default=None)

    @property
    def datetime_complete(self) -> datetime | None:
        """When it ended."""
        if self.datetime_start is None or self.duration is None:
            return None
        return self.datetime_start + self.duration

    def snapshot(self) -> FrozenTrial:
        """A copy that does not change while the trial goes on."""
        return replace(
            self,
            params=dict(self.params),
            distributions=dict(self.distributions),
            intermediate_values=dict(self.intermediate_values),
            user_attrs=copy.deepcopy(dict(self.user_attrs)),
        )

    @property
    def labels(self) -> dict[str, Value]:
        """Its parameters as the shelf keeps them."""
        return {name: self.distributions[name].label(v) for name, v in self.params.items()}


class Asking(ABC):
    """The `suggest_*` of a trial; who answers is said by `suggest`."""

    def suggest_float(
        self, name: str, low: float, high: float, *, step: float | None = None, log: bool = False
    ) -> float:
        """A number from `low` to `high`, both allowed."""
        return float(self.suggest(name, FloatDistribution(low, high, log, step)))

    def suggest_int(
        self, name: str, low: int, high: int, *, step: int = 1, log: bool = False
    ) -> int:
        """A whole number from `low` to `high`, both allowed."""
        return int(self.suggest(name, IntDistribution(low, high, log, step)))

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any:
        """One of the choices: None, switches, numbers, words, or lists of these."""
        return self.suggest(name, CategoricalDistribution(tuple(choices)))

    def suggest_uniform(self, name: str, low: float, high: float) -> float:
        """`suggest_float`, as it was called before."""
        return self.suggest_float(name, low, high)

    def suggest_loguniform(self, name: str, low: float, high: float) -> float:
        """`suggest_float` with `log`, as it was called before."""
        return self.suggest_float(name, low, high, log=True)

    def suggest_discrete_uniform(self, name: str, low: float, high: float, q: float) -> float:
        """`suggest_float` with `step`, as it was called before."""
        return self.suggest_float(name, low, high, step=q)

    @abstractmethod
    def suggest(self, name: str, distribution: Distribution) -> Any:
        """A value of this distribution."""


class Home(Protocol):
    """What a trial knows of its study."""

    def learn(self, name: str, distribution: Distribution) -> None:
        """A parameter was asked for. Raises `UnfitError` where it was another one before."""

    def is_hopeless(self, trial: FrozenTrial) -> bool:
        """Whether the study's pruner would end it at its last report."""


class Trial(Asking):
    """What an objective is given. Values come from the search, or from the trial's own seed."""

    def __init__(
        self,
        study: Home,
        record: FrozenTrial,
        seed: int,
        proposed: Mapping[str, Value],
        enqueued: Mapping[str, Any],
    ) -> None:
        self.study = study
        self._record, self._seed = record, seed
        self._proposed, self._enqueued = proposed, enqueued

    def suggest(self, name: str, distribution: Distribution) -> Any:
        """A value of this distribution; a name that was asked for before keeps its value."""
        record = self._record
        if not isinstance(name, str) or not name:
            raise UnfitError(f"A parameter's name is {name!r}: expected a word.")
        if name in record.params:
            merged(name, record.distributions[name], distribution)
            return record.params[name]
        self.study.learn(name, distribution)
        record.params[name] = distribution.value(self._label(name, distribution))
        record.distributions[name] = distribution
        return record.params[name]

    def _label(self, name: str, distribution: Distribution) -> Value:
        if name in self._enqueued:
            try:
                return distribution.snapped(distribution.label(self._enqueued[name]))
            except UnfitError as error:
                raise UnfitError(f"The parameter {name!r} was enqueued: {error}.") from None
        label = self._proposed.get(name)
        if label is None or not allows(distribution, label):
            domain = distribution.domain
            draw = generator(self._seed, "parameter", name).random(domain.dimensions)
            label = domain.from_unit(draw.tolist())
        return distribution.snapped(label)

    def report(self, value: float, step: int) -> None:
        """Tell how good it is after this step, counted up from 0; the first word at a step counts.

        Raises `UnfitError` where the value is no number, or the step no whole one.
        """
        try:
            number, at = float(value), int(step)
        except (TypeError, ValueError):
            raise UnfitError(
                f"A trial reported {value!r} at step {step!r}: expected a number, and a whole one."
            ) from None
        if at < 0:
            raise UnfitError(f"A trial reported at step {at}: expected 0 or above.")
        if at in self._record.intermediate_values:
            warnings.warn(f"Step {at} was reported before: this is left out.", stacklevel=2)
            return
        self._record.intermediate_values[at] = number

    def should_prune(self) -> bool:
        """Whether the study's pruner would end it now; never before it has reported."""
        return bool(self._record.intermediate_values) and self.study.is_hopeless(self._record)

    def set_user_attr(self, key: str, value: Any) -> None:
        """Keep something with the trial. Raises `UnfitError` for what JSON cannot hold."""
        self._record.user_attrs[key] = plain(value)

    @property
    def number(self) -> int:
        """Counted from 0 in its study."""
        return self._record.number

    @property
    def params(self) -> dict[str, Any]:
        """What was asked for so far."""
        return dict(self._record.params)

    @property
    def distributions(self) -> dict[str, Distribution]:
        """What it was asked as."""
        return dict(self._record.distributions)

    @property
    def user_attrs(self) -> dict[str, Any]:
        """What was kept with it."""
        return dict(self._record.user_attrs)

    @property
    def datetime_start(self) -> datetime | None:
        """When it began."""
        return self._record.datetime_start


class FixedTrial(Asking):
    """Answers with given parameters, to call an objective without a study.

    >>> FixedTrial({"x": 0.5}).suggest_float("x", 0, 1)
    0.5
    """

    def __init__(self, params: Mapping[str, Any], number: int = 0) -> None:
        self._given = dict(params)
        self.number = number
        self.params: dict[str, Any] = {}  #: what was asked for so far
        self.distributions: dict[str, Distribution] = {}  #: what it was asked as
        self.user_attrs: dict[str, Any] = {}

    def suggest(self, name: str, distribution: Distribution) -> Any:
        """The given value. Raises `UnfitError` where there is none, or it lies outside."""
        if name not in self._given:
            raise UnfitError(f"The parameter {name!r} was not given to FixedTrial.")
        try:
            label = distribution.label(self._given[name])
        except UnfitError as error:
            raise UnfitError(f"The parameter {name!r} was fixed: {error}.") from None
        self.distributions[name] = distribution
        self.params[name] = distribution.value(label)
        return self.params[name]

    def report(self, value: float, step: int) -> None:
        """Heard by nobody."""

    def should_prune(self) -> bool:
        """Never."""
        return False

    def set_user_attr(self, key: str, value: Any) -> None:
        """Keep something with the trial."""
        self.user_attrs[key] = value
