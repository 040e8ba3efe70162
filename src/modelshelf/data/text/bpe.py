"""Byte-pair encoding, trained on the training rows by Hugging Face's `tokenizers`."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache
from importlib.util import find_spec
from itertools import chain
from typing import TYPE_CHECKING

from modelshelf.core.errors import SettingError

if TYPE_CHECKING:
    from tokenizers import Tokenizer

__all__ = ["has_bpe", "pieces", "train_bpe"]

_UNKNOWN = "[unknown]"
_SPACE = "▁"  # what stands for the space before a word
_LETTERS = 2_000  # the most single characters that get a piece of their own


def has_bpe() -> bool:
    """Whether the `tokenizers` package is installed."""
    return find_spec("tokenizers") is not None


def train_bpe(texts: Iterable[str], size: int) -> str:
    """Learn so many pieces from normalised texts: the trained tokeniser, as JSON.

    Begins with single characters, and again and again joins the pair that is commonest. Source:
    Sennrich, Haddow, Birch 2016. Raises `SettingError` where `tokenizers` is not installed.
    """
    if not has_bpe():
        raise SettingError(
            "tokeniser = bpe needs the package tokenizers: pip install 'modelshelf[text]', "
            "or take tokeniser = words."
        )
    # Its threads would compete with those that train, and warn when a process forks.
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE(unk_token=_UNKNOWN))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Metaspace(), pre_tokenizers.Punctuation()]
    )
    given = list(texts)
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        min_frequency=2,
        show_progress=False,
        special_tokens=[_UNKNOWN],
        limit_alphabet=_LETTERS,
        initial_alphabet=_commonest(given),
    )
    tokenizer.train_from_iterator(given, trainer)
    trained: str = tokenizer.to_str()
    return trained


def _commonest(texts: Sequence[str]) -> list[str]:
    """The characters that get a piece, where there are too many; ties by character.

    Left to itself the trainer drops some of equally rare ones as its hashes fall, anew each time.
    """
    counted = Counter(chain.from_iterable(texts))
    if len(counted) < _LETTERS:
        return []
    del counted[" "]
    ordered = sorted(counted, key=lambda each: (-counted[each], each))
    return [_SPACE, *(each for each in ordered if each != _SPACE)][:_LETTERS]


def pieces(text: str, trained: str) -> list[str]:
    """The pieces of a normalised text; `▁` stands for the space before a word."""
    found: list[str] = _loaded(trained).encode(text, add_special_tokens=False).tokens
    return found


@lru_cache(maxsize=8)
def _loaded(trained: str) -> Tokenizer:
    from tokenizers import Tokenizer

    return Tokenizer.from_str(trained)
