"""A probe: what one hyperparameter does around one network, found by experiment."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from modelshelf.insight.contrast import Contrast, against_best
from modelshelf.insight.grid import Level

__all__ = ["Probe", "ProbePoint", "Run", "Verdict", "probed"]


_NEAR = 1.1  # times the best loss


class Verdict(StrEnum):
    """What a probe says of one value."""

    GOOD = "good"  # as good as the best: not shown to be worse, and its loss within a tenth
    TOO_LOW = "too low"  # worse than the best, and below every good value
    TOO_HIGH = "too high"  # worse than the best, and above every good value
    WORSE = "worse"  # worse than the best; values have no order, or good ones lie on both sides
    DIVERGES = "diverges"  # half of its networks or more did
    NO_DIFFERENCE = "no difference"  # no value is shown to be worse than another
    UNCLEAR = "unclear"  # too few networks, or too unlike each other, to tell


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """One network of a probe, as it was trained and judged."""

    level: int  #: which of the levels it has
    seed: int  #: which of the seeds, counted from 0
    #: It left the finite numbers; or it ended worse than it began, and far worse than a constant.
    diverged: bool
    epoch: int
    best_epoch: int
    seconds: float
    score: float  #: the study's metric on the validation rows
    train_loss: float  #: of its kept weights on training rows, without dropout and penalties
    kept_loss: float  #: validation loss of its kept weights, as its curve has it
    last_loss: float  #: and of those of the last epoch
    parameters: int
    losses: NDArray[np.float64]  #: of its kept weights on each validation row; none if not finite


@dataclass(frozen=True, slots=True)
class ProbePoint:
    """One value, and what came of its networks. Means are over its seeds."""

    value: float | int | str | tuple[int, ...]
    label: str
    barcode: str
    changes: dict[str, object] = field(hash=False)  #: the setting that makes it so
    own: bool  #: the network's own value
    networks: int  #: trained
    diverged: int
    verdict: Verdict
    score: float  #: mean of the study's metric; NaN where none was finite
    score_std: float  #: over the seeds; NaN where there is one
    loss: float  #: geometric mean of the validation loss
    low: float  #: 95 % interval of `loss`, by the seeds' spread (t, on logarithms)
    high: float
    ratio: float  #: of the loss to the best value's, on the same seeds
    least_ratio: float  #: at least this, with 95 % confidence for all values together
    train_loss: float  #: of the kept weights on training rows, without dropout and penalties
    kept_loss: float  #: validation loss of the kept weights, as curves have it, whatever the metric
    last_loss: float  #: and what the last epoch's weights would have had
    best_epoch: float
    epoch: float  #: epochs trained
    seconds: float  #: to train one, on one core
    parameters: int

    @property
    def gap(self) -> float:
        """Validation loss less training loss: what was learned by heart."""
        return self.loss - self.train_loss


@dataclass(frozen=True, slots=True)
class Probe:
    """A small designed experiment: one hyperparameter varied, everything else held.

    Each value is trained with the same seeds (the same first weights, where shapes agree, and the
    same order of rows), on the same rows. So a difference is the value's doing, not that of what
    else a search happened to vary with it. It holds around this network, on these rows.
    """

    barcode: str  #: of the network that it is around
    study: str
    vary: str
    ordered: bool  #: whether values have an order
    own: str  #: the network's own value
    held: dict[str, object] = field(hash=False)  #: what was set besides, for the probe alone
    loss: str  #: what networks are compared by, of each validation row
    metric: str
    maximize: bool
    seeds: int
    training_rows: int
    validation_rows: int
    points: tuple[ProbePoint, ...]
    wanted: int  #: networks that the design has
    left_out: int  #: of these, how many were not trained: stopped, or no time
    seconds: float  #: of training, on one core, all networks together
    notes: tuple[str, ...] = ()

    @property
    def best(self) -> ProbePoint | None:
        """The value with the least loss; None where nothing was trained."""
        judged = [each for each in self.points if math.isfinite(each.ratio)]
        return min(judged, key=lambda each: each.ratio, default=None)

    @property
    def sentences(self) -> tuple[str, ...]:
        """What it found, in words."""
        from modelshelf.insight.probe_words import sentences

        return sentences(self)


def probed(levels: Sequence[Level], runs: Sequence[Run], seeds: int) -> tuple[ProbePoint, ...]:
    """The points of a probe, each with its verdict.

    The rule: a value *diverges* where half of its networks or more did: they left the finite
    numbers, or ended worse than they began, with three times the loss of a constant answer. Each
    other is held against
    the best one by `against_best`: seed by seed, with the error of seeds and of validation rows,
    at 95 % confidence for all values together. A value that is shown to be worse is *too low* below
    all good ones, *too high* above them, else *worse*. One that is not is *good* if its loss is at
    most a tenth above the best, else *unclear*: more seeds would tell, as where there are fewer
    than two. Where all are good, there is *no difference*.
    """
    mine = [[run for run in runs if run.level == at] for at in range(len(levels))]
    diverges = [_diverges(each) for each in mine]
    losses = np.full((seeds, len(levels)), np.nan)
    for run in runs:
        if len(run.losses) and not diverges[run.level]:
            losses[run.seed, run.level] = run.losses.mean()
    contrasts: list[Contrast | None] = [None] * len(levels)
    if np.isfinite(losses).any():
        _, contrasts = against_best(losses, [_rows(each) for each in mine])
    verdicts = _verdicts(levels, diverges, contrasts)
    return tuple(
        _point(level, some, losses[:, at], contrasts[at], verdicts[at])
        for at, (level, some) in enumerate(zip(levels, mine, strict=True))
    )


def _diverges(runs: Sequence[Run]) -> bool:
    """Whether half of them or more did."""
    return bool(runs) and 2 * sum(run.diverged for run in runs) >= len(runs)


def _rows(runs: Sequence[Run]) -> NDArray[np.float64] | None:
    """The loss of each validation row, as a mean over the seeds."""
    finite = [run.losses for run in runs if len(run.losses)]
    return np.mean(finite, axis=0) if finite else None


def _verdicts(
    levels: Sequence[Level], diverges: Sequence[bool], contrasts: Sequence[Contrast | None]
) -> list[Verdict]:
    good = [at for at, each in enumerate(contrasts) if each is not None and _alike(each)]
    alike = len(good) == sum(each is not None for each in contrasts) and not any(diverges)
    found = []
    for at, (level, contrast) in enumerate(zip(levels, contrasts, strict=True)):
        if diverges[at]:
            found.append(Verdict.DIVERGES)
        elif contrast is None or not (contrast.worse or _alike(contrast)):
            found.append(Verdict.UNCLEAR)
        elif not contrast.worse:
            found.append(Verdict.NO_DIFFERENCE if alike else Verdict.GOOD)
        elif level.position is None or (min(good) < at < max(good)):
            found.append(Verdict.WORSE)
        else:
            found.append(Verdict.TOO_LOW if at < min(good) else Verdict.TOO_HIGH)
    return found


def _alike(contrast: Contrast) -> bool:
    return not contrast.worse and contrast.ratio <= _NEAR


def _point(
    level: Level,
    runs: Sequence[Run],
    losses: NDArray[np.float64],
    contrast: Contrast | None,
    verdict: Verdict,
) -> ProbePoint:
    scores = _finite([run.score for run in runs])
    ends = [(run.kept_loss, run.last_loss) for run in runs if math.isfinite(run.last_loss)]
    loss, low, high = _geometric(losses[np.isfinite(losses)])
    return ProbePoint(
        value=level.value,
        label=level.label,
        barcode=level.configuration.barcode,
        changes={level.setting: level.configuration.value(level.setting)},
        own=level.own,
        networks=len(runs),
        diverged=sum(run.diverged for run in runs),
        verdict=verdict,
        score=_mean(scores),
        score_std=float(np.std(scores, ddof=1)) if len(scores) > 1 else math.nan,
        loss=loss,
        low=low,
        high=high,
        ratio=contrast.ratio if contrast else math.nan,
        least_ratio=contrast.least if contrast else math.nan,
        train_loss=_mean(_finite([run.train_loss for run in runs])),
        kept_loss=_mean([kept for kept, _ in ends]),
        last_loss=_mean([last for _, last in ends]),
        best_epoch=_mean([run.best_epoch for run in runs]),
        epoch=_mean([run.epoch for run in runs]),
        seconds=_mean([run.seconds for run in runs]),
        parameters=runs[0].parameters if runs else 0,
    )


def _finite(values: Sequence[float]) -> list[float]:
    return [each for each in values if math.isfinite(each)]


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if values else math.nan


def _geometric(losses: NDArray[np.float64]) -> tuple[float, float, float]:
    """Geometric mean, and the ends of its 95 % interval; NaN where there are too few."""
    if not len(losses):
        return math.nan, math.nan, math.nan
    logs = np.log(np.maximum(losses, 1e-12))
    middle = float(logs.mean())
    if len(logs) < 2:
        return math.exp(middle), math.nan, math.nan
    reach = float(stats.t.ppf(0.975, len(logs) - 1) * logs.std(ddof=1)) / math.sqrt(len(logs))
    return math.exp(middle), math.exp(middle - reach), math.exp(min(middle + reach, 700.0))
