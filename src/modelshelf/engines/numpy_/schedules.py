"""Schedules: the share of the learning rate that a step takes.

To add one: a branch in `share`, a line in `SCHEDULES`, and the catalogue's choices.
"""

from __future__ import annotations

import math

from modelshelf.engines.numpy_.compile import kernel

__all__ = ["SCHEDULES", "fading", "share"]

_CONSTANT, _STEP, _COSINE, _ONE_CYCLE, _COSLOG = range(5)

#: The code by which kernels know each schedule.
SCHEDULES = {
    "constant": _CONSTANT,
    "step": _STEP,
    "cosine": _COSINE,
    "one_cycle": _ONE_CYCLE,
    "coslog": _COSLOG,
}

_DROP = 0.1  # `step` multiplies by this, after half of all steps and after three quarters
_CYCLES = 4  # of `coslog`, each twice as long as the one before; Holzmüller et al. 2024
_RISE, _FIRST, _LAST = 0.3, 1 / 25, 1 / 25e4  # torch's OneCycleLR, by its defaults


@kernel
def _cosine(begin: float, end: float, way: float) -> float:
    return end + (begin - end) * 0.5 * (1.0 + math.cos(math.pi * way))


@kernel
def share(schedule: int, warmup: float, step: int, steps: int) -> float:
    """Of step `step`, from 1, of `steps` that are planned: 1 at the full rate.

    Over its first `warmup` share of the steps the rate rises in a straight line.
    """
    done = step - 1
    value = 1.0
    if schedule == _STEP:
        value = _DROP ** ((2 * done >= steps) + (4 * done >= 3 * steps))
    elif schedule == _COSINE:
        value = _cosine(1.0, 0.0, done / steps)
    elif schedule == _ONE_CYCLE:
        top = _RISE * steps - 1.0
        if done < top:
            value = _cosine(_FIRST, 1.0, done / top)
        else:
            value = _cosine(1.0, _LAST, (done - top) / (steps - 1.0 - top))
    elif schedule == _COSLOG:
        turns = math.log2(1.0 + (2.0**_CYCLES - 1.0) * done / steps)
        value = 0.5 * (1.0 - math.cos(2.0 * math.pi * turns))
    rising = warmup * steps
    return value * (step / rising) if step < rising else value


@kernel
def fading(step: int, steps: int) -> float:
    """1 for the first half of the steps that are planned, and then along a cosine to 0."""
    way = 2.0 * (step - 1) / steps - 1.0
    return _cosine(1.0, 0.0, max(way, 0.0))
