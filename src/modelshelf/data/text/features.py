"""Tokens to features: runs of words with the text's two ends, and runs of characters."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from modelshelf.data.text.bpe import pieces
from modelshelf.data.text.settings import TextSettings
from modelshelf.data.text.split import normalised, words

__all__ = ["BEGIN", "END", "character_runs", "extractors", "tokens", "word_runs"]

BEGIN, END = "[begin]", "[end]"

Extract = Callable[[str], list[str]]


def tokens(text: str, settings: TextSettings, bpe: str = "") -> list[str]:
    """The tokens of a raw text, in order; `bpe` is the trained tokeniser where that is asked."""
    clean = normalised(text, settings.lower)
    if settings.tokeniser == "bpe":
        return pieces(clean, bpe)
    if settings.tokeniser == "characters":
        return list(clean)
    return clean.split() if settings.tokeniser == "whitespace" else words(clean)


def word_runs(found: Sequence[str], longest: int) -> list[str]:
    """Every run of up to `longest` tokens; where several make one, with the text's two ends.

    What a text begins with often says what it is about: that is worth a feature.

    >>> word_runs(["who", "wrote"], 1)
    ['who', 'wrote']
    >>> word_runs(["who", "wrote"], 2)
    ['who', 'wrote', '[begin] who', 'who wrote', 'wrote [end]']
    """
    runs = list(found)
    ends = [BEGIN, *found, END]
    for length in range(2, longest + 1 if found else 0):
        runs += (" ".join(ends[i : i + length]) for i in range(len(ends) - length + 1))
    return runs


def character_runs(text: str, longest: int) -> list[str]:
    """Every run of two to `longest` characters within each word, with a space at its two ends.

    >>> character_runs("far", 3)
    [' f', 'fa', 'ar', 'r ', ' fa', 'far', 'ar ']
    """
    runs: list[str] = _within_words(min(2, longest), longest)(text)
    return runs


def _within_words(shortest: int, longest: int) -> Any:
    from sklearn.feature_extraction.text import CountVectorizer

    return CountVectorizer(
        analyzer="char_wb", ngram_range=(shortest, longest), lowercase=False
    ).build_analyzer()


def extractors(settings: TextSettings, bpe: str = "") -> tuple[Extract, ...]:
    """From a raw text to its features, repeated as often as they occur; two of them for a union."""

    def by_word(text: str) -> list[str]:
        return word_runs(tokens(text, settings, bpe), settings.word_ngrams)

    if "characters" not in settings.tokeniser:
        return (by_word,)
    longest = settings.character_ngrams
    within_words = _within_words(min(2, longest), longest)

    def by_character(text: str) -> list[str]:
        found: list[str] = within_words(normalised(text, settings.lower))
        return found

    if settings.tokeniser == "characters":
        return (by_character,)
    return by_word, by_character
