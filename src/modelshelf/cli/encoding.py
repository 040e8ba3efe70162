"""What is written where an encoding lacks a character: one that looks alike, and never an error."""

from __future__ import annotations

import codecs
import os
import sys
from contextlib import suppress
from io import TextIOWrapper
from pathlib import Path

__all__ = ["alike", "any_encoding"]

# Heights and widths keep their order; one character for each, so that tables stay aligned.
_ALIKE = {
    **dict(zip("▏▎▍▌▋▊▉█", ".:-=+*%#", strict=True)),
    **dict(zip("▁▂▃▄▅▆▇", ".:-=+*%", strict=True)),
    **dict(zip("│├└─●★·–—−×→▶▸⏎²", "|++-o*----x>>>/2", strict=True)),
    **dict(zip("‘’“”", "''\"\"", strict=True)),
    "…": "...",
    "±": "+-",
    "≤": "<=",
    "≥": ">=",
    "°": "deg",
}
_NAME = "modelshelf.alike"


def alike(error: UnicodeError) -> tuple[str | bytes, int]:
    """A handler of encoding errors. Bytes that were no text when they were read stay as they are.

    >>> codecs.register_error("alike", alike)
    >>> "0.98 ± 0.01 · 128×64 ▏▉ é".encode("ascii", "alike")
    b'0.98 +- 0.01 - 128x64 .% ?'
    """
    if not isinstance(error, UnicodeEncodeError):
        raise error
    character = error.object[error.start]
    after = error.start + 1
    if "\udc80" <= character <= "\udcff":
        return bytes([ord(character) - 0xDC00]), after
    return _ALIKE.get(character, "?"), after


def any_encoding() -> None:
    """Let standard output and standard error take any character; one that is closed, in vain."""
    codecs.register_error(_NAME, alike)
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # a file that is opened now would take its number
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            with suppress(OSError, ValueError):  # it is closed
                stream.reconfigure(errors=_NAME)
