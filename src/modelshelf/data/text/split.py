"""Raw text to tokens: normalised, then cut."""

from __future__ import annotations

import re
import unicodedata
from functools import cache

__all__ = ["MOST_CHARACTERS", "normalised", "words"]

#: A text is read up to here; what stands behind would change little and cost much.
MOST_CHARACTERS = 100_000

#: Scripts that put no spaces between words: each of their characters is a token.
_UNSPACED = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003fa1f"

_LAST_MARK = 0x20000  # behind it there are no letters that take marks


def normalised(text: str, lower: bool = True) -> str:
    """One form for what looks the same (NFC), single spaces, and small letters if asked.

    >>> normalised("  How FAR\\tis it ?")
    'how far is it ?'
    """
    text = unicodedata.normalize("NFC", text[:MOST_CHARACTERS])
    return " ".join((text.lower() if lower else text).split())


def words(text: str) -> list[str]:
    """Words, numbers, and each sign that stands between them; with their accents.

    >>> words("is it 3.5 km?")
    ['is', 'it', '3', '.', '5', 'km', '?']
    >>> words("नमस्ते दुनिया"), words("你好 👍🏽")
    (['नमस्ते', 'दुनिया'], ['你', '好', '👍🏽'])
    """
    return (_PLAIN if text.isascii() else _pattern()).findall(text)


_PLAIN = re.compile(r"\w+|[^\w\s]")


@cache
def _pattern() -> re.Pattern[str]:
    # Signs above or below letters, and what joins emoji, are no letters to `re`.
    marks = "".join(c for c in map(chr, range(_LAST_MARK)) if _joins(c))
    mark = f"[{marks}]"
    return re.compile(
        f"[{_UNSPACED}]{mark}*"
        rf"|(?:[^\W{_UNSPACED}]{mark}*)+"
        rf"|[^\w\s](?:{mark}|(?<=\u200d)[^\w\s])*"
    )


def _joins(character: str) -> bool:
    joiner = character in "\u200c\u200d" or "\U0001f3fb" <= character <= "\U0001f3ff"
    return joiner or unicodedata.category(character).startswith("M")
