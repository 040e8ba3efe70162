"""The levels of a probe: values of one hyperparameter around a network's own, all else held."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import cast

from modelshelf.core.errors import SettingError, nearest
from modelshelf.core.records import Task
from modelshelf.space.catalogue import CATALOGUE, lookup
from modelshelf.space.configuration import Configuration
from modelshelf.space.domains import Choice, Domain, Integer, Layers, Real, Value, checked
from modelshelf.space.own import is_own
from modelshelf.space.part import shown

__all__ = ["SHAPES", "Level", "levels_around"]

#: What hidden layers are varied by: how many there are, or how wide all of them are.
SHAPES = ("depth", "width")

_DEPTHS = (0, 1, 2, 3, 4, 6, 8, 12)
_WIDTH = 64  # of a layer that is added to a network that has none

_SHARES = (0.0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.65, 0.8, 0.9)
_MEMORIES = (0.0, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995)
_LONG_MEMORIES = (0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999, 0.9999)

#: Where the domain alone does not tell what is sensible. What is off comes first, or last where
#: it means that there is no end (see `_OFF_IS_MOST`).
_USUAL: dict[str, tuple[float, ...]] = {
    "dropout": _SHARES,
    "input_dropout": _SHARES,
    "momentum": _MEMORIES,
    "beta1": _MEMORIES,
    "beta2": _LONG_MEMORIES,
    "rho": _LONG_MEMORIES,
    "averaging": (0.0, *_LONG_MEMORIES),
    "label_smoothing": (0.0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5),
    "l1": (0.0, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1),
    "l2": (0.0, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0),
    "weight_decay": (0.0, 1e-4, 1e-3, 1e-2, 3e-2, 0.1, 0.3, 1.0, 10.0),
    "clip_norm": (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 0.0),
    "patience": (1, 2, 4, 8, 16, 32, 64, 0),
    "min_delta": (0.0, 1e-5, 1e-4, 1e-3, 1e-2, 3e-2, 0.1),
    "category_embedding": (0, 1, 2, 4, 8, 16, 32),
}

_OFF_IS_MOST = ("patience", "clip_norm")

#: From one level to the next, and the share of levels below the network's own.
_STEP = {Real: math.sqrt(10.0), Integer: 2.0}
_BELOW = {"epochs": 0.75, "width": 0.75, "hidden_layers": 0.75}


@dataclass(frozen=True, slots=True)
class Level:
    """One value of what a probe varies, and the configuration that has it."""

    value: Value
    configuration: Configuration
    own: bool  #: whether it is the network's own
    label: str  #: for a person
    position: float | None  #: where it stands among the others; None: values have no order
    setting: str  #: the hyperparameter that makes it so


def levels_around(
    name: str,
    base: Configuration,
    task: Task,
    *,
    rows: int,
    values: Sequence[object] | None = None,
    points: int = 9,
) -> tuple[Level, ...]:
    """Levels of the hyperparameter `name` (or of `depth` or `width`), `base`'s own among them.

    Numbers on a log scale are spread geometrically around its own; choices are all tried. `rows` is
    how many rows train: larger batches are all alike. `values` are taken in place of a grid.

    Raises `SettingError` where the hyperparameter plays no part in `base`, with what to set.

    >>> found = levels_around("learning_rate", Configuration(), Task.BINARY, rows=100, points=5)
    >>> [each.label for each in found]
    ['0.0001', '0.000316', '0.001', '0.00316', '0.01']
    """
    _refuse_unknown(name, values)
    domain, own = _domain(name), _own(name, base)
    if values is None:
        wanted = _grid(name, domain, own, points, rows)
    else:
        wanted = [checked(name, domain, each) for each in values]
        if len(set(wanted)) < 2:
            raise SettingError(f"A probe of {name} needs two values or more.")
    found: dict[str, Level] = {}
    fitting = 0
    for value in wanted:
        try:
            configuration = _with(name, value, base).for_task(task)
        except SettingError:
            if values is not None:
                raise
            continue  # a choice that does not fit the task
        fitting += 1
        level = _level(name, domain, value, configuration, value == own)
        found.setdefault(configuration.barcode, level)
    if fitting < 2:
        raise SettingError(f"{name} has one value alone that fits a {task} task: nothing to vary.")
    _refuse_idle(name, base, domain, found.values())
    if len(found) < 2:
        raise SettingError(f"All values of {name} that were to be tried are the same here.")
    return tuple(sorted(found.values(), key=lambda each: each.position or 0.0))


def _refuse_unknown(name: str, values: Sequence[object] | None) -> None:
    if name == "hidden_layers" and values is None:
        raise SettingError(
            "hidden_layers is varied one way at a time: vary depth, or width; or give --values "
            "such as '64;64,32;none'."
        )
    if name not in {*SHAPES, *CATALOGUE} and not is_own(name):
        raise SettingError(
            f"There is no hyperparameter {name!r}: {nearest(name, [*CATALOGUE, *SHAPES])}"
        )


def _level(
    name: str, domain: Domain, value: Value, configuration: Configuration, own: bool
) -> Level:
    setting = "hidden_layers" if name in SHAPES else name
    label, position = _label(name, value), _position(name, domain, value)
    return Level(value, configuration, own, label, position, setting)


def _domain(name: str) -> Domain:
    shape = Layers()
    if name == "depth":
        return Integer(*shape.depth)
    return Integer(*shape.width, log=True) if name == "width" else lookup(name).domain


def _own(name: str, base: Configuration) -> Value:
    if name == "depth":
        return len(base.hidden_layers)
    if name == "width":
        if not base.hidden_layers:
            raise SettingError(
                "This network has no hidden layers: vary depth, or --set hidden_layers=64 too."
            )
        return max(base.hidden_layers)
    return base.value(name)


def _with(name: str, value: Value, base: Configuration) -> Configuration:
    """`base` with this value. Another depth takes the layers' middle width for all of them."""
    if name not in SHAPES:
        return base.replace(**{name: value})
    widths, count = base.hidden_layers, int(cast("int", value))
    if name == "width":
        most = max(widths)
        return base.replace(hidden_layers=tuple(max(1, round(w * count / most)) for w in widths))
    if count == len(widths):
        return base
    middle = round(statistics.geometric_mean(widths)) if widths else _WIDTH
    return base.replace(hidden_layers=(middle,) * count)


def _grid(name: str, domain: Domain, own: Value, points: int, rows: int) -> list[Value]:
    if isinstance(domain, Choice):
        return list(domain.values)
    if name == "depth":
        return _some([*_DEPTHS], own, points)
    if name in _USUAL:
        return _some([domain.check(each) for each in _USUAL[name]], own, points, name)
    if not isinstance(domain, (Real, Integer)):
        raise SettingError(
            f"{name} has no range that is known here: say which --values it is to have."
        )
    number = float(cast("float", own))
    if isinstance(domain, Real) and not domain.log and domain.high <= 1.0:
        step = (domain.high - domain.low) / max(points - 1, 1)
        around: list[float] = [domain.low + k * step for k in range(points)]
        return list(dict.fromkeys([_rounded(domain, each, own) for each in around] + [own]))
    most = float(rows) if name == "batch_size" else domain.high
    below = round((points - 1) * _BELOW.get(name, 0.5))
    middle = number if number > 0.0 else 1.0
    factors = [_STEP[type(domain)] ** k for k in range(-below, points - below)]
    around = [f * middle for f in factors if domain.low <= f * middle <= max(most, middle)]
    return list(dict.fromkeys([*(_rounded(domain, each, own) for each in around), own]))


def _rounded(domain: Domain, value: float, own: Value) -> Value:
    """To three digits, so that it can be read; the network's own value as it is."""
    if math.isclose(value, float(cast("float", own)), rel_tol=1e-9):
        return own
    whole = isinstance(domain, Integer)
    return domain.check(max(round(value), 1) if whole else float(f"{value:.3g}"))


def _some(usual: list[Value], own: Value, points: int, name: str = "") -> list[Value]:
    """So many of the usual values, spread over all of them, and the network's own among them."""
    every = list(dict.fromkeys([*usual, own]))
    order = sorted(every, key=lambda each: _rank(name, each))
    if len(order) <= points:
        return order
    steps = (len(order) - 1) / max(points - 1, 1)
    chosen = {round(k * steps) for k in range(points)}
    if (place := order.index(own)) not in chosen:
        inner = chosen - {0, len(order) - 1} or chosen
        chosen.remove(min(inner, key=lambda each: abs(each - place)))
        chosen.add(place)
    return [order[each] for each in sorted(chosen)]


def _rank(name: str, value: Value) -> float:
    number = float(cast("float", value))
    return math.inf if name in _OFF_IS_MOST and number == 0.0 else number


def _position(name: str, domain: Domain, value: Value) -> float | None:
    if isinstance(value, (str, tuple)):
        return None
    return _rank(name, value)


def _label(name: str, value: Value) -> str:
    off = name not in SHAPES and value == 0 == lookup(name).off
    return f"{shown(value)} (off)" if off else shown(value)


def _refuse_idle(name: str, base: Configuration, domain: Domain, levels: Iterable[Level]) -> None:
    """Raise `SettingError` where the hyperparameter plays no part, whatever its value is."""
    if name in SHAPES or any(name in each.configuration for each in levels):
        return
    h = lookup(name)
    offer = next(
        (
            f" Set that for the probe: --set {other}={shown(value)}."
            for other in h.hangs_on
            for value in _tried(lookup(other).domain)
            for some in _tried(domain)
            if some != h.off and name in base.replace(**{other: value, name: some})
        ),
        "",
    )
    raise SettingError(f"{name} plays no part here: it counts where {h.active_when}.{offer}")


def _tried(domain: Domain) -> Iterable[Value]:
    """A few values of a domain, to see what would bring a hyperparameter into play."""
    if isinstance(domain, Choice):
        return domain.values
    if isinstance(domain, Layers):
        return ((_WIDTH,), (_WIDTH, _WIDTH))
    assert isinstance(domain, (Real, Integer))
    middle = max(domain.low, 1) if domain.log else (domain.low + min(domain.high, 1)) / 2
    return (domain.check(middle),) if middle == int(middle) or domain.tag == "f" else ()
