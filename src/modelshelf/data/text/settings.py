"""How text becomes numbers: the choices, as one record."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["TOKENISERS", "TextSettings"]

#: How a text is cut into tokens.
TOKENISERS = ("whitespace", "words", "characters", "words+characters", "bpe")


@dataclass(frozen=True, slots=True)
class TextSettings:
    """The settings of one preparation of text; each is a hyperparameter of the catalogue."""

    features: str = "bag"  #: bag, hashed, embedding; or ids, for networks that read tokens
    tokeniser: str = "words"  #: one of `TOKENISERS`
    lower: bool = True
    word_ngrams: int = 2  #: the longest run of tokens that is one feature
    character_ngrams: int = 5  #: the longest run of characters
    bpe_size: int = 4_000  #: pieces that byte-pair encoding learns
    vocabulary: int = 8_000  #: the most features, buckets or ids
    min_count: int = 1  #: in so many training texts a feature must be
    counts: str = "presence"  #: presence, log or count
    idf: bool = False  #: whether rare features weigh more
    size: int = 256  #: numbers of an averaged embedding
    length: int = 64  #: tokens that a network reads of a text
