"""What to use, in words: from a choice among contenders to sentences for a person."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from modelshelf.core.words import number
from modelshelf.insight.paired import Difference
from modelshelf.insight.worth import Choice, Contender, CurveOverRows

__all__ = ["advised", "called", "rows_advice"]

_RIVAL = "gradient boosting"
_CALLED = {
    "constant": "one answer for all rows",
    "linear": "the linear model",
    "network": "the network",
    "ensemble": "the ensemble of networks",
}


def called(name: str) -> str:
    """A contender in the midst of a sentence.

    >>> called("linear"), called("gradient boosting")
    ('the linear model', 'gradient boosting')
    """
    return _CALLED.get(name, name)


def advised(
    choice: Choice, contenders: Sequence[Contender], metric: str, rows: int, classes: bool
) -> tuple[str, ...]:
    """Sentences: what to use, why, and what it costs beside the others."""
    by_name = {each.name: each for each in contenders}
    if not any(each.plain for each in contenders):
        return (
            "Whether a deep network is worth it cannot be told: no plain model was fitted in the "
            "time. Give it more.",
        )
    if not choice.learned:
        always = "the commonest class" if classes else "the mean"
        return (
            f"Nothing is learned here: on {rows:,} rows no model is better than always answering "
            f"{always} by more than chance. The inputs may not tell of this target.",
        )
    said = list(_sentences(choice, by_name, metric, rows))
    if _RIVAL not in by_name:
        said.append(
            f"{_RIVAL.capitalize()} had no time, and is often the best plain model: give it more "
            "before you settle."
        )
    return tuple(said)


def _sentences(
    choice: Choice, by_name: dict[str, Contender], metric: str, rows: int
) -> Iterator[str]:
    chosen, best = by_name[choice.name], by_name[choice.best]
    yield f"Use {called(choice.name)}."
    if choice.behind is not None:
        yield (
            f"Its {metric} of {number(chosen.score)} is as good as the best, that of "
            f"{called(best.name)} ({number(best.score)}), for all that {rows:,} rows can tell: "
            f"the difference is {_apart(choice.behind)}."
        )
        yield f"It is the cheapest of what is as good: {_beside(chosen, best)}."
    else:
        yield f"It has the best {metric}: {number(chosen.score)}."
        others = [called(each) for each in choice.alike if each != choice.name]
        if others:
            yield (
                f"{_listed(others)} cannot be told from it on {rows:,} rows, and "
                f"{'costs' if len(others) == 1 else 'cost'} more."
            )
        yield from _cheaper(chosen, by_name, choice.learned)
    if chosen.deep:
        yield from _against_plain(by_name)
    elif "network" not in choice.alike and chosen.to_network is not None:
        yield (
            f"It is better than the network by more than chance: {_apart(chosen.to_network)}. "
            "A deep network is not worth it here."
        )
    else:
        yield "A deep network is not worth its cost here."


def _cheaper(
    chosen: Contender, by_name: dict[str, Contender], learned: Sequence[str]
) -> Iterator[str]:
    """What the best of those that cost less reaches: contenders are best first."""
    less = [by_name[name] for name in by_name if name in learned and name != chosen.name]
    for other in [each for each in less if each.cost < chosen.cost][:1]:
        name = called(other.name)
        yield (
            f"{name[0].upper()}{name[1:]} costs less, and reaches {number(other.score)}: "
            f"{_beside(other, chosen)}."
        )


def _against_plain(by_name: dict[str, Contender]) -> Iterator[str]:
    """That a deep network is worth it, beside the best plain model: contenders are best first."""
    plain = [each for each in by_name.values() if each.plain]
    for best in plain[:1]:
        yield (
            f"The best plain model, {called(best.name)}, reaches {number(best.score)}: "
            "a deep network is worth it here."
        )


def rows_advice(curves: Sequence[CurveOverRows], metric: str) -> tuple[str, ...]:
    """What more rows should bring to each contender, a sentence each."""
    return tuple(_more(each, metric) for each in curves)


def _more(curve: CurveOverRows, metric: str) -> str:
    name, more = called(curve.name), curve.more
    if more is None:
        return f"Whether more rows would help {name} cannot be told: too few trainings had time."
    if more.told:
        return (
            f"Twice the rows should improve {name}'s {metric} by about {_rough(more.gain)} "
            f"(95 %: {_rough(more.low)} to {_rough(more.high)})."
        )
    if not more.rising:
        return (
            f"Whether twice the rows would help {name} cannot be told: from half of the rows to "
            f"all its {metric} improved by {_rough(more.last[0])} to {_rough(more.last[1])}."
        )
    return (
        f"Whether twice the rows would help {name} cannot be told: its {metric} should improve by "
        f"{_rough(more.low)} to {_rough(more.high)}."
    )


def _beside(mine: Contender, its: Contender) -> str:
    """What one costs, and what the other does."""
    parts = [
        f"fitted in {_seconds(mine.fit_seconds)} against {_seconds(its.fit_seconds)}",
        f"{_bytes(mine.bytes)} against {_bytes(its.bytes)}",
        f"1,000 answers in {_seconds(mine.answer_seconds)} against {_seconds(its.answer_seconds)}",
    ]
    return ", ".join(parts)


def _apart(found: Difference) -> str:
    return f"{_rough(found.value)} (95 %: {_rough(found.low)} to {_rough(found.high)})"


def _listed(names: Sequence[str]) -> str:
    text = " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
    return text[0].upper() + text[1:]


def _rough(value: float) -> str:
    """A difference: two significant digits.

    >>> _rough(0.00123), _rough(-523.4), _rough(0.0)
    ('0.0012', '-520', '0')
    """
    if value == 0.0 or not math.isfinite(value):
        return "0" if value == 0.0 else "–"
    digits = 1 - math.floor(math.log10(abs(value)))
    text = f"{round(abs(value), digits):,.{max(digits, 0)}f}"
    return f"-{text}" if value < 0 else text


def _seconds(value: float) -> str:
    if not math.isfinite(value):
        return "an unknown time"
    if value >= 10.0:
        return f"{value:,.0f} s"
    return f"{value:.2g} s" if value >= 0.1 else f"{1000 * value:.2g} ms"


def _bytes(value: int) -> str:
    return f"{value / 1024:,.0f} KiB" if value >= 1024 else f"{value} bytes"
