"""What the JSON on a shelf may hold: a shelf that someone wrote to is told at its door."""

from __future__ import annotations

import json
import math
import types
from enum import Enum
from functools import cache
from typing import Any, NotRequired, TypedDict, Union, get_args, get_origin, get_type_hints

from modelshelf.core.records import Direction, Task

__all__ = ["RESULT", "SETTINGS", "UNDERSTOOD", "parsed", "settings_in"]

_DEEPEST = 60  # lists in lists: none of ours comes near
_LARGEST = 2**63  # integers, as SQLite and NumPy hold them

_PLAIN = {str, int, float, bool, type(None)}
_Figure = float | None  # one that is not finite is null
_Pair = list[float | None] | None


class _Winner(TypedDict):
    barcode: str
    copy: str
    configuration: dict[str, Any]
    validation: NotRequired[_Figure]
    validation_std: NotRequired[_Figure]
    test: NotRequired[_Figure]
    test_interval: NotRequired[_Pair]
    retests: NotRequired[int]
    refitted: NotRequired[bool]


class _Member(TypedDict):
    copy: str
    weight: float


class _Ensemble(TypedDict, total=False):
    size: int
    validation: _Figure
    test: _Figure
    test_interval: _Pair
    single: _Figure
    candidates: int
    configurations: int
    members: list[_Member]
    parameters: int
    winner_parameters: int
    bytes: int
    seconds: _Figure
    winner_seconds: _Figure
    file: str


class _Baseline(TypedDict):
    name: str
    validation: _Figure
    test: _Figure
    fit_seconds: float


class _Traded(TypedDict):
    prefer: str
    barcode: str
    validation: _Figure
    parameters: list[int]
    multiply_adds: list[int]


class _MoreTime(TypedDict):
    networks: int
    gain: _Figure
    share: _Figure
    noise: _Figure


class _Budget(TypedDict):
    seconds: float | None
    trials: int | None
    no_gain: NotRequired[str | None]


class _Result(TypedDict, total=False):
    """Of `StudyResult.to_json`, with the budget that the study has had."""

    study: str
    task: Task
    metric: str
    direction: Direction
    winner: _Winner | None
    ensemble: _Ensemble | None
    bag: _Ensemble | None
    baselines: list[_Baseline]
    trials: dict[str, int]
    member_steps: int
    seconds: dict[str, _Figure]
    core_seconds: dict[str, _Figure]
    shelf: str
    understood: list[str]
    notes: list[str]
    complete: bool
    prefer: str
    traded: _Traded | None
    timed: bool
    more_time: _MoreTime | None
    budget: _Budget


class _Entry(TypedDict, total=False):
    space: dict[str, Any]
    first_trial: int
    began: str
    command: str
    seconds: float
    winner: str | None


class _Warm(TypedDict):
    studies: list[str]
    configurations: list[dict[str, Any]]


class _Rows(TypedDict, total=False):
    source: str
    test: str | float
    test_key: str


class _Settings(TypedDict, total=False):
    question: str
    data_key: str
    profile: dict[str, float]
    spaces: list[_Entry]
    space: dict[str, Any]
    test: str
    folds: int | None
    epochs: int
    drawn: int | None
    data: str
    left_aside: list[str]
    rows: _Rows
    command: str
    beside: str
    warm_start: _Warm
    optuna: dict[str, Any]


RESULT: Any = _Result | None
SETTINGS: Any = _Settings
UNDERSTOOD: Any = list[str]


def parsed(text: str | None, kind: Any) -> Any:
    """JSON of this kind: a type, a `TypedDict`, or a list, a dictionary or a union of these.

    What a `TypedDict` does not know may be anything. Raises `ValueError` where it is another kind.

    >>> parsed('{"a": [1]}', dict[str, list[int]])
    {'a': [1]}
    >>> parsed('{"a": ["1"]}', dict[str, list[int]])
    Traceback (most recent call last):
    ...
    ValueError: in its JSON, 'a' holds '1': expected int
    """
    try:
        value = None if text is None else json.loads(text)
    except RecursionError:
        raise ValueError("its JSON is nested too deeply") from None
    _fit(value, kind, "", _DEEPEST)
    return value


def settings_in(text: str) -> dict[str, Any]:
    """A configuration's settings: each a plain value, or a list of such.

    `parsed` in short: there are tens of thousands. What the values may be, their domains know.
    Raises `ValueError` where they are something else.
    """
    try:
        found = json.loads(text)
    except RecursionError:
        raise ValueError("its JSON is nested too deeply") from None
    if type(found) is not dict:
        raise ValueError(f"it holds {found!r:.40}: expected an object")
    for value in [each for each in found.values() if type(each) not in _PLAIN]:
        if type(value) is not list or not set(map(type, value)) <= _PLAIN:
            raise ValueError(f"in its JSON, it holds {value!r:.40}")
    return found


def _fit(value: Any, kind: Any, where: str, deepest: int) -> None:
    if deepest == 0:
        raise ValueError("its JSON is nested too deeply")
    if isinstance(value, int) and not -_LARGEST <= value < _LARGEST:
        raise ValueError(f"in its JSON, {where or 'it'} holds a number that is too large")
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        _fit_one_of(value, arguments, where, deepest)
    elif not _is_a(value, dict if isinstance(kind, type) and hasattr(kind, "__total__") else kind):
        shown = f"{value!r:.40}"
        raise ValueError(f"in its JSON, {where or 'it'} holds {shown}: expected {_name(kind)}")
    elif isinstance(value, list):
        inner = arguments[0] if origin is list else Any
        for each in value:
            _fit(each, inner, where, deepest - 1)
    elif isinstance(value, dict):
        known, needed = _fields(kind) if hasattr(kind, "__total__") else ({}, frozenset())
        missing = needed - set(value)
        if missing:
            raise ValueError(f"its JSON has no {min(missing)!r} {f'in {where}' if where else ''}")
        inner = arguments[1] if origin is dict else Any
        for name, each in value.items():
            _fit(each, known.get(name, inner), repr(name), deepest - 1)


def _fit_one_of(value: Any, kinds: tuple[Any, ...], where: str, deepest: int) -> None:
    """The kind that is an object, or a list, says best what is wrong with one."""
    whole = [each for each in kinds if isinstance(value, (dict, list)) and each is not type(None)]
    if len(whole) == 1:
        _fit(value, whole[0], where, deepest)
        return
    for each in kinds:
        try:
            _fit(value, each, where, deepest)
        except ValueError:
            continue
        return
    names = " or ".join(map(_name, kinds))
    raise ValueError(f"in its JSON, {where or 'it'} holds {value!r:.40}: expected {names}")


@cache
def _fields(kind: Any) -> tuple[dict[str, Any], frozenset[str]]:
    """Of a `TypedDict`: its fields' kinds, and which of them must be there."""
    hints = get_type_hints(kind, include_extras=True)
    optional = {name for name, each in hints.items() if get_origin(each) is NotRequired}
    needed = frozenset(hints) - optional if kind.__total__ else frozenset()
    return get_type_hints(kind), needed


def _is_a(value: Any, kind: Any) -> bool:
    if kind is Any:
        return True
    plain = get_origin(kind) or kind
    if plain is float:
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        return number and math.isfinite(value)
    if plain is int:
        return isinstance(value, int) and not isinstance(value, bool)
    if issubclass(plain, Enum):
        return value in {each.value for each in plain} if isinstance(value, str) else False
    return isinstance(value, plain)


def _name(kind: Any) -> str:
    if kind is type(None):
        return "null"
    return "an object" if hasattr(kind, "__total__") else getattr(kind, "__name__", str(kind))
