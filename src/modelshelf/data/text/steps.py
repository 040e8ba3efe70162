"""One text, step by step: from what was written to the numbers that a network is given."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from modelshelf.core.errors import SettingError, nearest
from modelshelf.data.text.bag import fit_bag
from modelshelf.data.text.features import extractors, tokens
from modelshelf.data.text.ids import fit_ids
from modelshelf.data.text.settings import TOKENISERS, TextSettings
from modelshelf.data.text.split import MOST_CHARACTERS, normalised

__all__ = ["Tokenised", "tokenise"]


@dataclass(frozen=True, slots=True)
class Tokenised:
    """One text, step by step."""

    raw: str
    normalised: str  #: as tokenisers see it
    tokens: tuple[str, ...]  #: in order
    features: tuple[tuple[str, int], ...]  #: runs of tokens, and how often each is there
    ids: tuple[int, ...]  #: of the tokens; 1 is an unknown one
    weights: tuple[tuple[str, float], ...]  #: of the features that are known, the heaviest first
    rows: int  #: texts that vocabulary and weights come from; 0: this text alone
    settings: TextSettings

    @property
    def cut(self) -> bool:
        """Whether the text is longer than what is read of one."""
        return len(self.raw) > MOST_CHARACTERS


def tokenise(
    text: str,
    *,
    tokeniser: str = "words",
    lower: bool = True,
    ngrams: int = 2,
    character_ngrams: int = 5,
    rows: Sequence[str] | None = None,
    pieces: int = 4_000,
) -> Tokenised:
    """Take a text apart as networks do: normalised, cut into tokens, counted, weighed.

    `tokeniser` is `whitespace`, `words`, `characters`, `words+characters` or `bpe`; `ngrams` the
    longest run of words that is one feature, `character_ngrams` that of characters. From `rows`,
    other texts, come the vocabulary, how rare features are, and the pieces (at most so many) that
    `bpe` learns. Without them every token is known, and all features weigh alike.

    >>> found = tokenise("How far is it?", ngrams=1)
    >>> found.tokens
    ('how', 'far', 'is', 'it', '?')
    >>> tokenise("How far?", rows=["how much", "how many", "far away"]).ids
    (4, 3, 1)

    Raises `SettingError` for an unknown tokeniser, and for `bpe` without rows or its package.
    """
    settings = _checked(tokeniser, lower, ngrams, character_ngrams, pieces)
    if tokeniser == "bpe" and not rows:
        raise SettingError(
            "bpe learns its pieces from rows: give some (--rows FILE --column NAME, rows=[…])."
        )
    text = text.encode("utf-8", "replace").decode("utf-8")  # a terminal may pass broken bytes on
    known = [text] if rows is None else list(rows)
    bag = fit_bag(known, settings)
    ids = fit_ids(known, replace(settings, length=max(len(text), 1)))
    found = tokens(text, settings, ids.bpe)
    counted = Counter(f for each in extractors(settings, bag.bpe) for f in each(text))
    weights = bag.transform([text])[0, :-1]
    heaviest = np.argsort(-weights, kind="stable")[: int((weights > 0).sum())]
    names = [name for part in bag.names for name in part]
    return Tokenised(
        raw=text,
        normalised=normalised(text, lower),
        tokens=tuple(found),
        features=tuple(counted.items()),
        ids=tuple(ids.transform([text])[0, : len(found)].tolist()),
        weights=tuple((names[i], float(weights[i])) for i in heaviest),
        rows=0 if rows is None else len(known),
        settings=settings,
    )


def _checked(
    tokeniser: str, lower: bool, ngrams: int, character_ngrams: int, pieces: int
) -> TextSettings:
    if tokeniser not in TOKENISERS:
        raise SettingError(f"There is no tokeniser {tokeniser!r}: {nearest(tokeniser, TOKENISERS)}")
    whole = {"ngrams": ngrams, "character_ngrams": character_ngrams, "pieces": pieces}
    for name, value in whole.items():
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise SettingError(f"{name} is {value!r}: expected a whole number from 1 on.")
    return TextSettings(
        tokeniser=tokeniser,
        lower=lower,
        word_ngrams=ngrams,
        character_ngrams=character_ngrams,
        bpe_size=pieces,
        vocabulary=1_000_000,
        counts="log",
        idf=True,
    )
