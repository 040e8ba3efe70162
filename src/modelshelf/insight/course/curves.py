"""What learning curves say of batch size, epochs, early stopping, and what holds networks back."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from modelshelf.core.records import Status
from modelshelf.insight.course.finding import CHANCE, Finding, Floats, figure, finding, trend, words
from modelshelf.insight.studied import Studied

__all__ = ["early_stopping", "epochs", "gap", "noise", "pace"]

_RISE = 0.02  # by which a validation loss must have risen from its best to count as overfitting
_PATIENCES = (4, 8, 16)
_LEAST = 8  # curves below which nothing is said of them


def gap(studied: Studied, name: str, *, falls: bool) -> Iterator[Finding]:
    """Whether a setting closes the gap between validation and training loss, or opens it.

    At an epoch to which many came. `falls` is whether the course says that it closes.
    """
    epoch = studied.compared_at
    losses, x = studied.at_epoch(epoch), studied.number(name)
    gaps = losses[:, 1] - losses[:, 0]
    rho, chance, known = trend(x, gaps)
    if chance < CHANCE:
        low, high = _ends(x[known], gaps[known])
        yield finding(
            studied, known,
            f"The larger the {words(name)}, the {'smaller' if rho < 0 else 'larger'} the gap "
            f"between validation and training loss after {epoch} epochs: {figure(low)} in the "
            f"lowest third, {figure(high)} in the highest ({known.sum()} networks).",
            chance=chance, supports=(rho < 0) is falls,
        )  # fmt: skip


def noise(studied: Studied) -> Iterator[Finding]:
    """Whether small batches make noisy curves: how far the validation loss jumps to and fro."""
    x, y = studied.number("batch_size"), np.full(len(studied), np.nan)
    epoch = studied.compared_at
    for row, number in enumerate(studied.numbers):
        curve = studied.curves.get(int(number))
        if curve is None or len(curve) < epoch or epoch < 5:
            continue
        losses = np.log(np.maximum(curve[:epoch, 1], 1e-12))
        y[row] = np.abs(np.diff(losses, 2)).mean()
    rho, chance, known = trend(x, y)
    if chance < CHANCE:
        low, high = _ends(x[known], y[known])
        yield finding(
            studied, known,
            f"Small batches make {'noisier' if rho < 0 else 'calmer'} curves: from epoch to epoch "
            f"the validation loss jumps by {low:.1%} in the third with the smallest batches, by "
            f"{high:.1%} in that with the largest.",
            chance=chance, supports=rho < 0,
        )  # fmt: skip


def pace(studied: Studied) -> Iterator[Finding]:
    """What the batch size does to the time of an epoch, beside the network's size."""
    seconds = studied.seconds / np.maximum(studied.epochs, 1)
    x = studied.number("batch_size")
    known = (seconds > 0) & np.isfinite(x) & (studied.parameters > 0)
    if known.sum() < 24:
        return
    y = np.full(len(studied), np.nan, np.float64)
    size, time = np.log(studied.parameters[known]), np.log(seconds[known])
    slope = np.polyfit(size, time, 1)[0] if np.ptp(size) > 0 else 0.0
    y[known] = time - slope * size
    rho, chance, rows = trend(x, y)
    if chance < CHANCE:
        low, high = _ends(x[rows], y[rows])
        ratio = math.exp(abs(high - low))
        longer = "large" if rho > 0 else "small"
        yield finding(
            studied, rows,
            f"An epoch takes {ratio:.1f} times as long with a {longer} batch size (the "
            f"outer thirds of {rows.sum()} networks for networks of equal size).",
            chance=chance, supports=rho <= 0,
        )  # fmt: skip


def epochs(studied: Studied) -> Iterator[Finding]:
    """Of the networks that came to their last epoch: which wanted more, and which had too many."""
    whole = _whole(studied)
    if whole.sum() < _LEAST:
        return
    part = studied.kept(whole)
    last = part.best_epochs >= part.epochs
    over = np.array([_overfitted(part.curves[int(n)]) for n in part.numbers])
    hope = ": more epochs might still help them" if last.any() else ""
    yield finding(
        part, last if last.any() else np.ones(len(part), bool),
        f"Of {len(part)} networks trained for all their epochs (mostly "
        f"{int(np.median(part.epochs))}), {last.sum() or 'none'} had their best at the last one"
        f"{hope}.",
        supports=True if last.mean() > 0.5 else None,
    )  # fmt: skip
    if over.any():
        yield finding(
            part, over,
            f"{over.sum()} of them had overfitted by then: the validation loss had risen by more "
            f"than {_RISE:.0%} from its best while the training loss still fell.",
            supports=True,
        )  # fmt: skip


def early_stopping(studied: Studied) -> Iterator[Finding]:
    """What patience would have saved and cost, by the curves of whole trainings."""
    part = studied.kept(_whole(studied))
    if len(part) < _LEAST:
        return
    cycles = np.mean([each.word("schedule") == "coslog" for each in part.configurations])
    again = ", whose learning rate rises thrice on the way and the loss with it" * int(cycles > 0.5)
    for patience in _PATIENCES:
        saved, cost = _stopped([part.curves[int(n)][:, 1] for n in part.numbers], patience)
        stopped = saved > 0
        if not stopped.any():
            continue
        worse = cost[stopped] > 0.001
        price = f"cost {worse.sum()} of them more than 0.1 % of their best loss"
        if worse.any():
            price += f" ({np.median(cost[stopped][worse]):.1%} in the middle)"
        again, told = "", again
        yield finding(
            part, stopped,
            f"A patience of {patience} would have stopped {stopped.sum()} of {len(part)} whole "
            f"trainings{told}, saved {saved.mean():.0%} of all their epochs, and {price}.",
            supports=None if worse.mean() < 0.1 and saved.mean() < 0.1 else True,
        )  # fmt: skip


def _stopped(losses: list[Floats], patience: int) -> tuple[Floats, Floats]:
    """The share of epochs that patience saves on each curve, and the share of the loss it costs."""
    saved, cost = np.zeros(len(losses)), np.zeros(len(losses))
    for i, each in enumerate(losses):
        best, at = math.inf, 0
        for epoch, loss in enumerate(each):
            if loss < best:
                best, at = float(loss), epoch
            elif epoch - at >= patience:
                saved[i] = 1 - (epoch + 1) / len(each)
                break
        cost[i] = best / max(float(np.nanmin(each)), 1e-12) - 1
    return saved, cost


def _whole(studied: Studied) -> NDArray[np.bool_]:
    """Which came to the last epoch that they were planned for."""
    planned = np.array([each.whole("epochs") for each in studied.configurations])
    finished = np.array([each is Status.FINISHED for each in studied.statuses], bool)
    curves = np.array([len(studied.curves.get(int(n), ())) for n in studied.numbers])
    return finished & (studied.epochs >= planned) & (curves >= planned)


def _overfitted(curve: Floats) -> bool:
    best = int(np.nanargmin(curve[:, 1]))
    risen = curve[-1, 1] > (1 + _RISE) * curve[best, 1]
    return bool(risen and curve[-1, 0] < curve[best, 0])


def _ends(x: Floats, y: Floats) -> tuple[float, float]:
    """The middle of y in the lowest and the highest third of x."""
    low, high = np.quantile(x, [1 / 3, 2 / 3])
    return float(np.median(y[x <= low])), float(np.median(y[x >= high]))
