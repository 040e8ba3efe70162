"""Numbers and text as a person reads them, and as JSON may hold them."""

from __future__ import annotations

import math
import unicodedata
from typing import Any

__all__ = ["counted", "finite", "number", "printable"]


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


def counted(count: int, noun: str, several: str = "") -> str:
    """How many there are of something, of one as well as of several.

    >>> counted(1, "network"), counted(1200, "network"), counted(0, "more study", "more studies")
    ('1 network', '1,200 networks', '0 more studies')
    """
    return f"{count:,} {noun if count == 1 else several or f'{noun}s'}"


def finite(value: Any) -> Any:
    """The value as JSON may hold it: what is NaN or infinite becomes null."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {key: finite(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(each) for each in value]
    return value


def printable(text: str, instead: str = "�") -> str:
    r"""The text without characters that steer a terminal, or that cannot be seen.

    >>> printable("red \x1b[31m\nblue"), printable("ab\u202e", instead="")
    ('red �[31m\nblue', 'ab')
    """
    if text.isprintable():
        return text
    return "".join(
        c if c == "\n" or unicodedata.category(c) not in ("Cc", "Cf") else instead for c in text
    )
