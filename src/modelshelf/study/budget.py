"""How much a study may spend, and how its time is shared out."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from modelshelf.core.errors import SettingError
from modelshelf.study.gain import LeastGain

__all__ = ["DEFAULT_SECONDS", "NO_GAIN_SECONDS", "Budget", "Clock", "parse_time"]

#: What a study takes when no budget is given.
DEFAULT_SECONDS = 60.0

#: What it takes at most where it stops for want of gain, and no other time is given.
NO_GAIN_SECONDS = 3600.0

_UNITS = {"ms": 0.001, "s": 1.0, "sec": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}


_LONGEST = 366 * 86_400.0  # seconds


def parse_time(text: str | float) -> float:
    """Seconds from `60`, `60s`, `10m`, `1.5h` or `1m30s`.

    >>> parse_time("1m30s"), parse_time("90"), parse_time(2.5)
    (90.0, 90.0, 2.5)

    Raises `SettingError` where it is no time, not above 0, or above a year.
    """
    wanted = "expected a time above 0 and up to a year, such as 60s, 10m or 1h30m"
    if isinstance(text, (int, float)) and not isinstance(text, bool):
        seconds = float(text)
    else:
        compact = str(text).strip().lower().replace(" ", "")
        parts = re.findall(r"(\d+(?:\.\d*)?|\.\d+)([a-z]*)", compact)
        if not parts or "".join(n + u for n, u in parts) != compact:
            raise SettingError(f"{text!r} is not a time: {wanted}.")
        unknown = next((u for _, u in parts if u and u not in _UNITS), None)
        if unknown or (len(parts) > 1 and any(not u for _, u in parts)):
            raise SettingError(f"{text!r} is not a time: {wanted}.")
        seconds = sum(float(n) * _UNITS[u or "s"] for n, u in parts)
    if not 0 < seconds <= _LONGEST:
        raise SettingError(f"The time is {text!r}: {wanted}.")
    return seconds


@dataclass(frozen=True, slots=True)
class Budget:
    """Either seconds for everything, or a number of networks to start.

    With a least gain, fewer seconds: the search ends once more time promises less than that.
    """

    seconds: float | None = None
    trials: int | None = None
    least_gain: LeastGain | None = None

    @classmethod
    def of(
        cls,
        time_limit: str | float | None,
        trials: int | None,
        until_no_gain: str | float | bool | None = None,
    ) -> Budget:
        """The budget that was asked for; 60 s where nothing was, an hour at most until no gain.

        Raises `SettingError` where both are given, or one is not above 0.
        """
        wanted = until_no_gain is not None and until_no_gain is not False
        least = LeastGain.of(until_no_gain or 0.0) if wanted else None
        if time_limit is not None and trials is not None:
            raise SettingError("Give a time or a number of trials, not both.")
        if trials is not None:
            if isinstance(trials, bool) or not isinstance(trials, int) or trials < 1:
                raise SettingError(
                    f"The number of trials is {trials!r}: expected a whole number above 0."
                )
            if least is not None:
                raise SettingError(
                    "A number of trials is trained to its end: give a time with until-no-gain, "
                    "or leave the trials out."
                )
            return cls(trials=trials)
        usual = DEFAULT_SECONDS if least is None else NO_GAIN_SECONDS
        return cls(usual if time_limit is None else parse_time(time_limit), None, least)

    def had(self, stored: Mapping[str, Any]) -> bool:
        """Whether a study that was given `stored` (of `to_json`) has had at least this budget."""
        if self.trials is not None:
            return stored["trials"] is not None and stored["trials"] >= self.trials
        if self.least_gain is not None and stored.get("no_gain") == str(self.least_gain):
            return True
        return stored["seconds"] is not None and stored["seconds"] >= (self.seconds or 0.0)

    def to_json(self, before: Mapping[str, Any] | None, stopped: float | None) -> dict[str, Any]:
        """What a study has had by now, given what it had `before`.

        Where it was `stopped` after so many seconds for want of gain, it had these, not its limit.
        """
        seconds, trials = self.seconds if stopped is None else stopped, self.trials
        if before is not None:
            seconds, trials = _larger(seconds, before["seconds"]), _larger(trials, before["trials"])
        no_gain = (before or {}).get("no_gain") if stopped is None else str(self.least_gain)
        return {"seconds": seconds, "trials": trials, "no_gain": no_gain}


T = TypeVar("T", int, float)


def _larger(mine: T | None, other: T | None) -> T | None:
    """The larger of two numbers that may be unknown."""
    known = [each for each in (mine, other) if each is not None]
    return max(known, default=None)


class Clock:
    """Time since a study's process began its work, in seconds."""

    def __init__(self, began: float | None = None, now: Callable[[], float] = time.monotonic):
        self._now = now
        self._began = now() if began is None else began

    def __call__(self) -> float:
        """Seconds since the beginning."""
        return self._now() - self._began
