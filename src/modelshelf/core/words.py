"""Numbers as a person reads them."""

from __future__ import annotations

import math

__all__ = ["number"]


def number(value: float | None, digits: int = 4) -> str:
    """A score: four digits after the point, or four significant ones from 10 on; – if unknown.

    >>> number(0.97222), number(49030.2), number(float("nan"))
    ('0.9722', '49,030', '–')
    """
    if value is None or not math.isfinite(value):
        return "–"
    if abs(value) < 10:
        return f"{value:.{digits}f}"
    return f"{value:,.{max(digits - 1 - math.floor(math.log10(abs(value))), 0)}f}"
