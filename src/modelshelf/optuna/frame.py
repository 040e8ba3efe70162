"""Trials as a data frame of pandas."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from modelshelf.optuna.exceptions import UnfitError
from modelshelf.optuna.trial import FrozenTrial

if TYPE_CHECKING:
    import pandas

__all__ = ["frame_of"]


def frame_of(trials: Sequence[FrozenTrial]) -> pandas.DataFrame:
    """A row for each trial, in Optuna's columns. Raises `UnfitError` without pandas."""
    try:
        import pandas
    except ImportError:
        raise UnfitError("trials_dataframe needs pandas: install it, or read trials.") from None
    rows = [
        {
            "number": each.number,
            "value": each.value,
            "datetime_start": each.datetime_start,
            "datetime_complete": each.datetime_complete,
            "duration": each.duration,
            **{f"params_{name}": value for name, value in each.params.items()},
            **{f"user_attrs_{name}": value for name, value in each.user_attrs.items()},
            "state": each.state.name,
        }
        for each in trials
    ]
    return pandas.DataFrame(rows)
