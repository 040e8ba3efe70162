"""The learning rate: too high diverges, too low learns slowly, and between them it is good."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from modelshelf.insight.course.finding import (
    CHANCE,
    Bools,
    Finding,
    Floats,
    best_cut,
    figure,
    finding,
)
from modelshelf.insight.importance import standings
from modelshelf.insight.studied import Studied

__all__ = ["learning_rate"]

_LEAST = 24  # networks of a kind below which nothing is said of it
_PLAIN = ("sgd", "momentum", "nesterov")  # optimizers whose rates are of another size


def learning_rate(studied: Studied) -> Iterator[Finding]:
    """Of each kind of network whose rates are of one size, the two commonest first."""
    for words, rows in _kinds(studied)[:2]:
        part = studied.kept(rows)
        rates = part.number("learning_rate")
        yield from _too_high(part, rates, words)
        yield from _too_low(part, rates, words)
        yield from _good(part, rates, words)


def _kinds(studied: Studied) -> list[tuple[str, Bools]]:
    """Rates of plain SGD, of adaptive rules, and of NTK's form differ by their nature."""
    plain = np.array([each.word("optimizer") in _PLAIN for each in studied.configurations])
    ntk = np.array([each.word("parametrisation") == "ntk" for each in studied.configurations])
    kinds = {
        "with Adam, AdamW or RMSprop": ~plain & ~ntk,
        "with SGD": plain & ~ntk,
        "in NTK form": ntk,
    }
    found = [(words, rows) for words, rows in kinds.items() if rows.sum() >= _LEAST]
    found.sort(key=lambda each: -int(each[1].sum()))
    if len(found) == 1 and found[0][1].all():
        return [("", found[0][1])]
    return [(f" ({words})", rows) for words, rows in found]


def _too_high(part: Studied, rates: Floats, words: str) -> Iterator[Finding]:
    """Where networks diverged."""
    from scipy.stats import fisher_exact

    bad = part.diverged
    if not bad.any():
        yield finding(
            part, np.isfinite(rates),
            f"None of {len(part)} networks diverged{words}: the rates that were tried end at "
            f"{figure(np.nanmax(rates))}, before that.",
        )  # fmt: skip
        return

    def chance(above: Bools) -> float:
        table = [[(bad & above).sum(), (~bad & above).sum()],
                 [(bad & ~above).sum(), (~bad & ~above).sum()]]  # fmt: skip
        return float(fisher_exact(table, alternative="greater").pvalue)

    cut, p = best_cut(rates, chance)
    if p < CHANCE:
        above = rates >= cut
        below = f"{(bad & ~above).sum()} of {(~above).sum()}" if bad[~above].any() else "none"
        yield finding(
            part, above,
            f"From {figure(cut)} on, {(bad & above).sum()} of {above.sum()} networks "
            f"diverged{words}; below it {below}.",
            chance=p, supports=True,
        )  # fmt: skip


def _too_low(part: Studied, rates: Floats, words: str) -> Iterator[Finding]:
    """Where training was behind at an epoch to which all came."""
    from scipy.stats import mannwhitneyu

    lengths = [len(part.curves[n]) for n in part.numbers.tolist() if n in part.curves]
    epoch = min(lengths, default=0)
    losses = part.at_epoch(max(epoch, 1))[:, 0]
    known = np.isfinite(losses) & np.isfinite(rates)
    if known.sum() < _LEAST:
        return
    seen, x, y = part.kept(known), rates[known], losses[known]

    def chance(above: Bools) -> float:
        return float(mannwhitneyu(y[~above], y[above], alternative="greater").pvalue)

    cut, p = best_cut(x, chance)
    if p < CHANCE:
        below = x < cut
        yield finding(
            seen, below,
            f"Below {figure(cut)}, training is slow{words}: after {_epochs(epoch)} the training "
            f"loss of {below.sum()} networks was still {figure(np.median(y[below]))} in the "
            f"middle, against {figure(np.median(y[~below]))} above.",
            chance=p, supports=True,
        )  # fmt: skip


def _epochs(count: int) -> str:
    return "one epoch" if count == 1 else f"{count} epochs"


def _good(part: Studied, rates: Floats, words: str) -> Iterator[Finding]:
    """The range outside of which networks stand worse."""
    from scipy.stats import mannwhitneyu

    stands = standings(part.values)
    edges = np.unique(np.quantile(rates, np.linspace(0.0, 1.0, 7)))
    bins = np.clip(np.searchsorted(edges, rates, "right") - 1, 0, len(edges) - 2)
    filled = np.unique(bins)  # edges that all but coincide leave none between them
    edges = np.append(edges[filled], edges[-1])
    bins = np.searchsorted(filled, bins)
    if len(edges) < 4:
        return
    middles = [float(np.median(stands[bins == i])) for i in range(len(edges) - 1)]
    best = int(np.argmin(middles))

    def alike(i: int) -> bool:
        found = mannwhitneyu(stands[bins == i], stands[bins == best], alternative="greater")
        return bool(found.pvalue > 0.05)

    first = last = best
    while first > 0 and alike(first - 1):
        first -= 1
    while last < len(edges) - 2 and alike(last + 1):
        last += 1
    inside = (bins >= first) & (bins <= last)
    if inside.all():
        return
    p = float(mannwhitneyu(stands[inside], stands[~inside], alternative="less").pvalue)
    p = min(p * len(middles) ** 2 / 2, 1.0)  # so many ranges could have been chosen
    if p < CHANCE:
        yield finding(
            part, inside,
            f"Best between {figure(edges[first])} and {figure(edges[last + 1])}{words}: those "
            f"{inside.sum()} networks do better than {1 - np.median(stands[inside]):.0%} of their "
            f"kind in the middle, the other {(~inside).sum()} than "
            f"{1 - np.median(stands[~inside]):.0%}.",
            chance=p, supports=True if first > 0 and last < len(edges) - 2 else None,
        )  # fmt: skip
