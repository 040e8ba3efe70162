"""What a parameter may be: asked for in Optuna's words, searched as a domain of modelshelf's."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any, cast

import numpy as np

from modelshelf.optuna.exceptions import UnfitError
from modelshelf.space.digits import rounded, spacing
from modelshelf.space.domains import Choice, Domain, Integer, Real, Value
from modelshelf.space.own import Own

__all__ = [
    "CategoricalDistribution",
    "Distribution",
    "FloatDistribution",
    "IntDistribution",
    "allows",
    "from_json",
    "merged",
    "to_json",
]

_STEP_DIGITS = 12  # to which steps are rounded
_GRID = 64  # steps up to which each has its own equal share of the search


@dataclass(frozen=True, slots=True)
class FloatDistribution:
    """A number from `low` to `high`, both allowed; on a log scale, or in steps from `low`.

    Raises `UnfitError` where that is no range. The last step is the highest within the range.

    >>> FloatDistribution(0.0, 1.0, step=0.3).high
    0.9
    """

    low: float
    high: float
    log: bool = False
    step: float | None = None

    def __post_init__(self) -> None:
        _check(self, float(self.low), float(self.high))
        object.__setattr__(self, "low", float(self.low))
        high = float(self.high)
        if self.step is not None:
            object.__setattr__(self, "step", float(self.step))
            high = _at_step(self.low, _steps(self.low, high, self.step), self.step)
        object.__setattr__(self, "high", high)

    @property
    def domain(self) -> Domain:
        """Where it is searched: few steps are choices, many are rounded by `snapped`."""
        if self.step is not None and (most := _steps(self.low, self.high, self.step)) < _GRID:
            return Choice(tuple(self.snapped(self.low + k * self.step) for k in range(most + 1)))
        return Real(self.low, self.high, self.log)

    def label(self, value: object) -> float:
        """A value as the shelf keeps it. Raises `UnfitError` where it is outside."""
        number = _number(value)
        if not self.low <= number <= self.high:
            raise UnfitError(f"expected {Real(self.low, self.high).words()}, not {value!r}")
        return number

    def value(self, label: Value) -> float:
        """What the objective is given."""
        return float(cast("float", label))

    def snapped(self, label: Value) -> float:
        """The nearest step."""
        value = self.value(label)
        if self.step is None:
            return value
        nearest = _at_step(self.low, round((value - self.low) / self.step), self.step)
        return min(max(nearest, self.low), self.high)


@dataclass(frozen=True, slots=True)
class IntDistribution:
    """A whole number from `low` to `high`, both allowed; on a log scale, or in steps from `low`.

    Raises `UnfitError` where that is no range. The last step is the highest within the range.
    """

    low: int
    high: int
    log: bool = False
    step: int = 1

    def __post_init__(self) -> None:
        for each in (self.low, self.high, self.step):
            if _number(each) != int(each):
                raise UnfitError(f"A range of whole numbers has {each!r}: expected a whole number.")
        _check(self, self.low, self.high)
        for name in ("low", "high", "step"):
            object.__setattr__(self, name, int(getattr(self, name)))
        most = (self.high - self.low) // self.step
        object.__setattr__(self, "high", self.low + most * self.step)

    @property
    def domain(self) -> Domain:
        """Where it is searched: few steps are choices, many are rounded by `snapped`."""
        if self.step > 1 and (self.high - self.low) // self.step < _GRID:
            return Choice(tuple(range(self.low, self.high + 1, self.step)))
        return Integer(self.low, self.high, self.log)

    def label(self, value: object) -> int:
        """A value as the shelf keeps it. Raises `UnfitError` where it is outside."""
        number = _number(value)
        if not self.low <= number <= self.high or number != int(number):
            raise UnfitError(f"expected a whole number from {self.low} to {self.high}, not {value}")
        return int(number)

    def value(self, label: Value) -> int:
        """What the objective is given."""
        return int(cast("int", label))

    def snapped(self, label: Value) -> int:
        """The nearest step."""
        steps = round((self.value(label) - self.low) / self.step)
        return min(max(self.low + steps * self.step, self.low), self.high)


@dataclass(frozen=True, slots=True)
class CategoricalDistribution:
    """One of several choices: switches, numbers, words, None, or lists of these.

    Raises `UnfitError` where there is none, and where one is an object that JSON cannot hold.
    """

    choices: tuple[Any, ...]

    def __post_init__(self) -> None:
        plain = (e.item() if isinstance(e, np.generic) else e for e in self.choices)
        object.__setattr__(self, "choices", tuple(plain))
        if not self.choices:
            raise UnfitError("There are no choices: expected one or more.")
        for each in self.choices:
            _label(each)

    @property
    def domain(self) -> Domain:
        """Where it is searched."""
        return Choice(tuple(dict.fromkeys(map(_label, self.choices))))

    def label(self, value: object) -> Value:
        """A choice as the shelf keeps it. Raises `UnfitError` where it is none of them."""
        for each in self.choices:
            if each is value or each == value:
                return _label(each)
        raise UnfitError(f"expected one of {', '.join(map(repr, self.choices))}, not {value!r}")

    def value(self, label: Value) -> Any:
        """What the objective is given: the choice itself."""
        return next(each for each in self.choices if _label(each) == label)

    def snapped(self, label: Value) -> Value:
        """The label as it is."""
        return label


Distribution = FloatDistribution | IntDistribution | CategoricalDistribution

_KINDS: dict[str, type[Any]] = {
    each.__name__: each for each in (FloatDistribution, IntDistribution, CategoricalDistribution)
}


def allows(distribution: Distribution, label: Value) -> bool:
    """Whether a value, as the shelf keeps it, lies in the range or is one of the choices."""
    if isinstance(distribution, CategoricalDistribution):
        return any(_label(each) == label for each in distribution.choices)
    return isinstance(label, (int, float)) and distribution.low <= label <= distribution.high


def merged(name: str, before: Distribution | None, now: Distribution) -> Distribution:
    """What is known of a parameter that is asked for again: a range that holds both ranges.

    Raises `UnfitError` where the two are of different kinds, scales or choices.
    """
    if before is None or before == now:
        return now
    if isinstance(before, CategoricalDistribution) and isinstance(now, CategoricalDistribution):
        if before.domain == now.domain:
            return now
    elif isinstance(before, FloatDistribution) and isinstance(now, FloatDistribution):
        if before.log == now.log:
            step = now.step if (before.low, before.step) == (now.low, now.step) else None
            low, high = min(before.low, now.low), max(before.high, now.high)
            return FloatDistribution(low, high, now.log, step)
    elif (
        isinstance(before, IntDistribution)
        and isinstance(now, IntDistribution)
        and before.log == now.log
    ):
        whole = now.step if (before.low, before.step) == (now.low, now.step) else 1
        least, most = min(before.low, now.low), max(before.high, now.high)
        return IntDistribution(least, most, now.log, whole)
    raise UnfitError(
        f"The parameter {name!r} was asked for as {before} and now as {now}: expected the same "
        "choices, or a range of the same kind and scale. Give it another name."
    )


def to_json(distribution: Distribution) -> dict[str, Any]:
    """Plain JSON values; `from_json` reads them back, with lists as tuples."""
    return {"kind": type(distribution).__name__, **asdict(distribution)}


def from_json(told: Mapping[str, Any]) -> Distribution:
    """The distribution whose `to_json` this is."""
    settings = {name: value for name, value in told.items() if name != "kind"}
    if "choices" in settings:
        settings["choices"] = tuple(map(_frozen, settings["choices"]))
    made: Distribution = _KINDS[told["kind"]](**settings)
    return made


def _frozen(value: Any) -> Any:
    return tuple(map(_frozen, value)) if isinstance(value, list) else value


def _check(given: FloatDistribution | IntDistribution, low: float, high: float) -> None:
    if not (math.isfinite(low) and math.isfinite(high) and low <= high):
        raise UnfitError(
            f"The range is {low} to {high}: expected finite numbers, the lowest first."
        )
    if given.log and low <= 0:
        raise UnfitError(f"The range begins at {low}: expected it above 0, for its scale is log.")
    if given.step is not None and not 0 < given.step < math.inf:
        raise UnfitError(f"The step is {given.step}: expected it above 0.")
    if given.log and given.step not in (None, 1):
        raise UnfitError("A range on a log scale has no steps: leave out log or step.")


def _steps(low: float, high: float, step: float) -> int:
    """How many whole steps lie in a range."""
    if _is_fine(low, high, step):
        return int((_decimal(high) - _decimal(low)) / _decimal(step))
    return int((high - low) / step + 1e-8)


def _at_step(low: float, count: int, step: float) -> float:
    """The value so many steps above the lowest.

    Without the last digits, which come of adding steps: three of 0.1 are 0.3.
    """
    value = low + count * step
    if _is_fine(low, value, step):
        return float(_decimal(low) + count * _decimal(step))
    return rounded(value, _STEP_DIGITS)


def _is_fine(low: float, high: float, step: float) -> bool:
    """Whether rounding would blur the steps, which are then counted in decimals as written."""
    return step < 1e3 * spacing(max(abs(low), abs(high)), _STEP_DIGITS)


def _decimal(number: float) -> Decimal:
    return Decimal(repr(number))


def _number(value: object) -> float:
    try:
        return float(cast("float", value))
    except (TypeError, ValueError):
        raise UnfitError(f"expected a number, not {value!r}") from None


def _label(choice: object) -> Value:
    """A choice as a hyperparameter's value: itself where it can be one, else how it is written."""
    try:
        return Own().check(choice)
    except ValueError:
        pass
    try:
        json.dumps(choice)
    except (TypeError, ValueError):
        raise UnfitError(
            f"The choice {choice!r} cannot be put on the shelf: expected None, a switch, a number, "
            "a word, or a list of these. Choose among words, and look the object up by its word."
        ) from None
    return repr(_frozen(choice) if isinstance(choice, Sequence) else choice)
