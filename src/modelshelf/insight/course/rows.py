"""The course's rows, in its order, with what a study has to say of each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain

from modelshelf.insight.course.curves import early_stopping, epochs, gap, noise, pace
from modelshelf.insight.course.effects import effect_of
from modelshelf.insight.course.finding import CourseRow, Finding
from modelshelf.insight.course.rates import learning_rate
from modelshelf.insight.course.size import time_and_memory
from modelshelf.insight.importance import Importance
from modelshelf.insight.studied import Studied
from modelshelf.space.catalogue import lookup
from modelshelf.space.configuration import Configuration

__all__ = ["course_rows"]

Found = Mapping[str, Importance]
Maker = Callable[[Studied, Found], Iterable[Finding]]

_ADAPTIVE = ("adam", "adamw", "rmsprop", "adagrad")
_GOOD_STARTS = ("he_normal", "he_uniform", "xavier_normal", "xavier_uniform")


def course_rows(studied: Studied, found: Iterable[Importance]) -> tuple[CourseRow, ...]:
    """Each of the course's rows, with its evidence in this study."""
    by_name = {each.name: each for each in found}
    return tuple(
        CourseRow(name, says, tuple(make(studied, by_name)), probe)
        for name, says, probe, make in _ROWS
        if _plays(probe, studied)
    )


def _plays(probe: str, studied: Studied) -> bool:
    """Whether it can play a part in networks of the kinds that there are."""
    condition = lookup("hidden_layers" if probe == "depth" else probe).condition
    if condition is None or "network" not in condition.names:
        return True
    kinds = {each.word("network") for each in studied.configurations}
    return any(condition.holds(Configuration(network=kind)) for kind in kinds)


def _batch(studied: Studied, found: Found) -> Iterator[Finding]:
    yield from noise(studied)
    yield from gap(studied, "batch_size", falls=False)
    yield from effect_of(studied, found.get("batch_size"))
    yield from pace(studied)


def _held(*names: str) -> Maker:
    """Of penalties and dropout: whether they close the gap, and where they do best."""

    def make(studied: Studied, found: Found) -> Iterator[Finding]:
        for name in names:
            yield from gap(studied, name, falls=True)
            yield from effect_of(studied, found.get(name))

    return make


def _choice(name: str, *good: str) -> Maker:
    def make(studied: Studied, found: Found) -> Iterable[Finding]:
        return effect_of(studied, found.get(name), expects=good)

    return make


def _size(studied: Studied, found: Found) -> Iterable[Finding]:
    effects = (effect_of(studied, found.get(name)) for name in ("depth", "width"))
    return chain(*effects, time_and_memory(studied))


_ROWS: tuple[tuple[str, str, str, Maker], ...] = (
    ("learning rate", "Too high is unstable and may diverge; too low converges slowly.",
     "learning_rate", lambda s, _: learning_rate(s)),
    ("batch size", "Small is noisy but often generalises better; large is stable, and may not.",
     "batch_size", _batch),
    ("epochs", "Too few underfit, too many overfit.", "epochs", lambda s, _: epochs(s)),
    ("optimizer", "SGD is simple and may struggle; Adam works well in most cases.",
     "optimizer", _choice("optimizer", *_ADAPTIVE)),
    ("dropout", "Too little overfits, too much underfits.", "dropout", _held("dropout")),
    ("initialisation", "A poor start is slow or fails; He's or Xavier's is fast and stable.",
     "initialisation", _choice("initialisation", *_GOOD_STARTS)),
    ("regularisation", "L1, L2 and weight decay: too strong underfits, too weak overfits.",
     "weight_decay", _held("l1", "l2", "weight_decay")),
    ("early stopping", "It avoids overfitting and saves time, but may stop too early.",
     "patience", lambda s, _: early_stopping(s)),
    ("loss", "Cross-entropy or quadratic: it decides what training makes small.",
     "loss", _choice("loss")),
    ("structure", "Depth and width: more can learn more, and costs time and memory.",
     "depth", _size),
    ("activation", "Which bend the hidden units have.", "activation", _choice("activation")),
)  # fmt: skip
