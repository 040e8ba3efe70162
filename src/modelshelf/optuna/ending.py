"""How a trial ends: with a value, pruned, or failed for a reason."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from modelshelf.optuna.exceptions import UnfitError
from modelshelf.optuna.trial import FrozenTrial, TrialState

__all__ = ["end"]

_LONGEST = 500  # characters of a reason


def end(
    trial: FrozenTrial, returned: Any, state: TrialState | None = None, reason: str = ""
) -> None:
    """Settle state, value, reason and duration. What is no number fails, and so does NaN.

    Raises `UnfitError` where it is told to go on, or is pruned with a value.
    """
    if state is not None and not state.is_finished():
        raise UnfitError(
            f"A trial cannot end as {state.name.lower()}: say COMPLETE, PRUNED or FAIL."
        )
    if state is TrialState.PRUNED and returned is not None:
        raise UnfitError("A pruned trial has the value that it reported last: tell it without one.")
    trial.state = state or TrialState.COMPLETE
    if trial.state is TrialState.PRUNED:
        last = trial.last_step
        trial.value = None if last is None else trial.intermediate_values[last]
    elif trial.state is TrialState.COMPLETE:
        trial.value, reason = _value(returned)
    if reason or trial.state is TrialState.FAIL:
        trial.state, trial.reason = TrialState.FAIL, (reason or "told as failed")[:_LONGEST]
    if trial.datetime_start is not None:
        trial.duration = datetime.now() - trial.datetime_start


def _value(returned: Any) -> tuple[float | None, str]:
    """The value, and why it is none."""
    if isinstance(returned, Sequence) and not isinstance(returned, str) and len(returned) == 1:
        returned = returned[0]
    try:
        value = float(returned)
    except (TypeError, ValueError):
        return None, f"the objective returned {returned!r}: expected one number"
    return value, "the objective returned NaN" if math.isnan(value) else ""
