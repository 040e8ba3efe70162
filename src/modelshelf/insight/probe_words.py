"""A probe in words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from modelshelf.core.words import counted

if TYPE_CHECKING:
    from modelshelf.insight.probe import Probe, ProbePoint

__all__ = ["sentences"]

_MUCH = 1.1  # a loss this many times another is worth a sentence


def sentences(probe: Probe) -> tuple[str, ...]:
    """What a probe found: the good values, what lies beyond, what it cost, how it fits."""
    judged = [each for each in probe.points if math.isfinite(each.ratio) or each.diverged]
    if not judged or probe.best is None:
        return (_nothing(probe),)
    said = [_good(probe, judged), *_bad(judged), *_diverged(judged)]
    said += [*_heart(probe.best, judged), *_time(judged)]
    return tuple(said)


def _nothing(probe: Probe) -> str:
    if probe.points and all(each.diverged for each in probe.points if each.networks):
        return "Every network diverged: try a probe of learning_rate, further down."
    return "Too few networks were trained to tell values apart: give more time or more seeds."


def _good(probe: Probe, judged: Sequence[ProbePoint]) -> str:
    best = probe.best
    assert best is not None
    if all(each.verdict == "no difference" for each in judged):
        worst = max(each.ratio for each in judged)
        return (
            f"No difference was found between the {len(judged)} values of {probe.vary}: on "
            f"{counted(probe.seeds, 'seed')} none is shown to be worse than {best.label} (losses "
            f"differ by up to {100 * (worst - 1):.0f} %, within the noise of seeds and rows)."
        )
    good = [each for each in judged if each.verdict == "good"]
    words = _range(good) if probe.ordered else ", ".join(each.label for each in good)
    if len(good) == 1:
        rest = [each for each in judged if each.verdict == "unclear"]
        return f"Good: {words}." if rest else f"Good: {words} alone: every other value is worse."
    between = "" if not probe.ordered else "from "
    return f"Good: {between}{words} (the least loss at {best.label})."


def _range(points: Sequence[ProbePoint]) -> str:
    first, last = (
        "off" if each.label.endswith("(off)") else each.label for each in (points[0], points[-1])
    )
    return first if first == last else f"{first} to {last}"


def _bad(judged: Sequence[ProbePoint]) -> list[str]:
    """Values that are worse, neighbours together."""
    said = []
    for verdict, some in groupby(judged, key=lambda each: each.verdict):
        group = list(some)
        if verdict == "unclear":
            said.append(
                f"Unclear: {_range(group)}; seeds or validation rows differ too much to tell. More "
                "--seeds may."
            )
        if verdict not in ("too low", "too high", "worse"):
            continue
        ratios = [each.ratio for each in group]
        low, high = _times(min(ratios)), _times(max(ratios))
        much = low if low == high else f"{low} to {high}"
        said.append(f"{str(verdict).capitalize()}: {_range(group)} ({much} times the best loss).")
    return said


def _times(ratio: float) -> str:
    return f"{ratio:.2f}" if ratio < 10 else f"{ratio:,.0f}"


def _diverged(judged: Sequence[ProbePoint]) -> list[str]:
    wild = [each for each in judged if each.diverged]
    if not wild:
        return []
    networks, count = sum(each.networks for each in wild), sum(each.diverged for each in wild)
    where = ", ".join(each.label for each in wild)
    return [f"At {where}, {count} of {counted(networks, 'network')} diverged."]


def _heart(best: ProbePoint, judged: Sequence[ProbePoint]) -> list[str]:
    """Where the last epoch's weights would have been much worse than those that were kept."""
    worst = max(judged, key=lambda each: _over(each))
    if _over(worst) < _MUCH or not math.isfinite(_over(worst)):
        return []
    return [
        f"Had the last epoch's weights been kept, the loss at {worst.label} would have been "
        f"{_times(_over(worst))} times as high: the best epoch there was "
        f"{worst.best_epoch:.0f} of {worst.epoch:.0f}."
    ]


def _over(point: ProbePoint) -> float:
    ratio = point.last_loss / point.kept_loss if point.kept_loss > 0 else math.nan
    return ratio if math.isfinite(ratio) else 0.0


def _time(judged: Sequence[ProbePoint]) -> list[str]:
    """What the good values cost, where that differs."""
    good = [each for each in judged if each.verdict in ("good", "no difference")]
    if len(good) < 2:
        return []
    cheap = min(good, key=lambda each: each.seconds)
    dear = max(good, key=lambda each: each.seconds)
    if dear.seconds < 2.0 * cheap.seconds or dear.seconds < 0.05:
        return []
    return [
        f"Of those that are as good, {cheap.label} trains fastest: {cheap.seconds:.2g} s against "
        f"{dear.seconds:.2g} s at {dear.label}."
    ]
