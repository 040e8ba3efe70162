"""How many significant digits a number needs: for the search to round it, and to be told."""

from __future__ import annotations

import math
from functools import lru_cache

__all__ = ["digits_for", "exactly", "rounded", "spacing"]

_MOST = 17  # significant digits tell any two floats apart


@lru_cache(maxsize=1024)  # asked for each value of each proposal
def digits_for(low: float, high: float, least: int, apart: int) -> int:
    """Significant digits, `least` or more, that tell `apart` values of a range from each other.

    A range that is narrow beside its size needs more of them.

    >>> digits_for(1e-4, 1e-2, 4, 500), digits_for(1000.0, 1000.5, 4, 500)
    (4, 7)
    """
    digits, size = least, max(abs(low), abs(high))
    # A hundredth of a step is allowed for: binary floats seldom hold the ends exactly.
    while digits < _MOST and high - low < (apart - 0.01) * spacing(size, digits):
        digits += 1
    return digits


def spacing(size: float, digits: int) -> float:
    """How far apart numbers up to this size lie, at most, when rounded to so many digits.

    >>> spacing(1.0, 4), spacing(1.5, 4)
    (0.0001, 0.001)
    """
    return float(f"1e{math.ceil(math.log10(size)) - digits}") if size else 0.0


def rounded(value: float, digits: int) -> float:
    """The value to so many significant digits."""
    return float(f"{value:.{digits}g}")


def exactly(number: float) -> str:
    """A number for a person: in six digits where they lose nothing, else in all it takes.

    >>> exactly(1e-4), exactly(0.1234567)
    ('0.0001', '0.1234567')
    """
    short = f"{number:g}"
    return short if float(short) == number else repr(float(number))
