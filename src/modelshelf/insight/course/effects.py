"""What a setting does to where networks stand: a sentence for a number, or for names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from modelshelf.insight.course.finding import CHANCE, Bools, Finding, finding, words
from modelshelf.insight.importance import Importance, LevelEffect, standings
from modelshelf.insight.studied import Studied

__all__ = ["effect_of"]


def effect_of(
    studied: Studied, importance: Importance | None, *, expects: Sequence[str] = ()
) -> Iterator[Finding]:
    """The effect of one setting, where forests and the networks themselves agree that it has one.

    `expects` names the values that the course thinks well of. A number is as the course says where
    neither end of it is best, for there is too little and too much of it.
    """
    if importance is None or not importance.sure or importance.alone_interval[0] <= 0.0:
        return
    good = _good_levels(importance)
    if len(good) == len(importance.levels):
        return
    rows, plays = _having(studied, importance, good)
    # The values were picked by these same networks: any run of a number's levels, any names.
    count = len(importance.levels)
    picked = count * (count + 1) / 2 if importance.ordered else 2.0**count
    chance = min(picked * _chance(studied, rows, plays), 1.0)
    if chance >= CHANCE:
        return
    ends = {importance.levels[0], importance.levels[-1]}
    supports: bool | None
    if importance.ordered:
        supports = not (len(good) == 1 and good[0] in ends)
        says = _number_words(importance, good)
    else:
        supports = {each.label for each in good} <= set(expects) if expects else None
        says = _name_words(importance, good)
    yield finding(studied, plays, says, chance=chance, supports=supports)


def _good_levels(importance: Importance) -> list[LevelEffect]:
    """The best level, and those that it may not be better than: of a number, next to each other."""
    best = min(range(len(importance.levels)), key=lambda i: importance.levels[i].standing)
    top = importance.levels[best]

    def alike(each: LevelEffect) -> bool:
        return each.standing <= top.high and each.low <= top.high

    if not importance.ordered:
        return [each for each in importance.levels if alike(each)]
    first = last = best
    while first > 0 and alike(importance.levels[first - 1]):
        first -= 1
    while last < len(importance.levels) - 1 and alike(importance.levels[last + 1]):
        last += 1
    return list(importance.levels[first : last + 1])


def _having(
    studied: Studied, importance: Importance, good: Sequence[LevelEffect]
) -> tuple[Bools, Bools]:
    """Which networks have one of these levels, and in which the setting plays a part."""
    values = studied.setting(importance.name)
    off = any(each.value is None for each in importance.levels)
    plays = np.array([off or value is not None for value in values])
    if not importance.ordered:
        wanted = [each.value for each in good]
        return np.array([value in wanted for value in values]) & plays, plays
    numbers = studied.number(importance.name)
    on = [float(str(each.value)) for each in importance.levels if each.value is not None]
    inside = [float(str(each.value)) for each in good if each.value is not None]
    rows = np.zeros(len(studied), bool)
    if inside:
        low = max((each for each in on if each < min(inside)), default=-np.inf)
        high = min((each for each in on if each > max(inside)), default=np.inf)
        rows = (numbers > low) & (numbers < high)
    if any(each.value is None for each in good):
        rows |= np.isnan(numbers)
    return rows & plays, plays


def _chance(studied: Studied, rows: Bools, plays: Bools) -> float:
    """How often chance alone would put these networks so far ahead of the others."""
    from scipy.stats import mannwhitneyu

    stands = standings(studied.values)
    others = plays & ~rows
    if min(rows.sum(), others.sum()) < 4:
        return 1.0
    return float(mannwhitneyu(stands[rows], stands[others], alternative="less").pvalue)


def _number_words(importance: Importance, good: Sequence[LevelEffect]) -> str:
    worst = max(importance.levels, key=lambda each: each.standing)
    if len(good) == 1:
        where = _at(good[0])
    elif good[0].value is None:
        where = f"off or up to {good[-1].label}"
    else:
        where = f"from {good[0].label} to {good[-1].label}"
    first = f"{_name(importance)} is best {where}: {_beats(good)}"
    return f"{first}; {_at(worst)}, {_beats([worst])}."


def _at(level: LevelEffect) -> str:
    return "off" if level.value is None else f"at {level.label}"


def _name_words(importance: Importance, good: Sequence[LevelEffect]) -> str:
    order = sorted(importance.levels, key=lambda each: each.standing)
    rest = [each for each in order if each not in good]
    names = " or ".join(each.label for each in good)
    behind = ", ".join(f"{each.label} {1 - each.standing:.0%}" for each in rest)
    return f"{_name(importance)}: {names} {_beats(good)}; {behind}."


def _beats(levels: Sequence[LevelEffect]) -> str:
    beaten = 1 - float(np.mean([each.standing for each in levels]))
    return f"better than {beaten:.0%} on average"


def _name(importance: Importance) -> str:
    name = words(importance.name)
    return name[0].upper() + name[1:]
