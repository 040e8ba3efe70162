"""Hyperparameters of text: how it is cut, counted and weighed, and the networks that read it."""

from __future__ import annotations

from collections.abc import Mapping

from modelshelf.space.domains import Choice, Integer, Value
from modelshelf.space.hyperparameter import Condition, Conflict, Hyperparameter, when

__all__ = ["TEXT"]

_READS = when("network", "text")


def _bagged(active: Mapping[str, Value]) -> bool:
    return "text" in active


def _by_word(active: Mapping[str, Value]) -> bool:
    return _bagged(active) and active.get("tokeniser") != "characters"


def _by_character(active: Mapping[str, Value]) -> bool:
    return _bagged(active) and active.get("tokeniser") in ("characters", "words+characters")


_ANY = Condition(
    lambda active: _bagged(active) or active.get("network") == "text",
    "text is on, or network is text",
    ("network", "text"),
)
_BAG = Condition(_bagged, "text is on", ("text",))

TEXT = (
    Hyperparameter(
        name="text",
        group="text",
        domain=Choice(("none", "bag", "hashed", "embedding")),
        default="none",
        off="none",
        meaning=(
            "What a text column becomes: nothing; a number for each of its commonest features "
            "(bag); for each bucket that features are hashed into (hashed); or the mean of its "
            "features' embeddings (embedding). A table with text has bag where nothing is said."
        ),
        too_little="An embedding squeezes rare words out; hashed, words share their numbers.",
        too_much="A bag has thousands of inputs: slow, and able to learn rare words by heart.",
        source=(
            "Salton, Wong, Yang 1975 (bag); Weinberger et al. 2009 (hashed); "
            "Deerwester et al. 1990 (embedding)"
        ),
        condition=Condition(
            lambda active: active.get("network") not in ("text", "conv"),
            "network is dense or module",
            ("network",),
        ),
    ),
    Hyperparameter(
        name="tokeniser",
        group="text",
        domain=Choice(("whitespace", "words", "characters", "words+characters", "bpe")),
        default="words",
        meaning=(
            "How a text is cut: at its spaces; into words and signs; into characters; both "
            "(words+characters); or into pieces learned from the training rows (bpe)."
        ),
        too_little="Words alone know nothing of a misspelt or inflected form.",
        too_much="Runs of characters are many, and most of them say little.",
        source="Manning, Raghavan, Schütze 2008; Sennrich, Haddow, Birch 2016 (bpe)",
        condition=_ANY,
        conflicts=(Conflict("network", "text", own="words+characters"),),
    ),
    Hyperparameter(
        name="lower_case",
        group="text",
        domain=Choice(("yes", "no")),
        default="yes",
        meaning="Whether capital letters are read as small ones.",
        too_little="The same word at the beginning of a sentence is another one.",
        too_much="Names are no longer told from words.",
        source="Manning, Raghavan, Schütze 2008",
        condition=_ANY,
    ),
    Hyperparameter(
        name="word_ngrams",
        group="text",
        domain=Integer(1, 4),
        default=2,
        meaning=(
            "The longest run of tokens that is one feature; from 2 on, where a text begins and "
            "ends counts too."
        ),
        too_little="The order of words is lost.",
        too_much="Most long runs stand in one text only.",
        source="Wang, Manning 2012",
        condition=Condition(
            _by_word, "text is on and tokeniser is not characters", ("text", "tokeniser")
        ),
    ),
    Hyperparameter(
        name="character_ngrams",
        group="text",
        domain=Integer(1, 8),
        default=5,
        meaning="The longest run of characters, within a word, that is one feature.",
        too_little="Runs of two or three stand in nearly every text.",
        too_much="Long runs are whole words again.",
        source="Cavnar, Trenkle 1994",
        condition=Condition(
            _by_character,
            "text is on and tokeniser is characters or words+characters",
            ("text", "tokeniser"),
        ),
    ),
    Hyperparameter(
        name="bpe_size",
        group="text",
        domain=Integer(64, 100_000, log=True),
        default=4_000,
        meaning="How many pieces byte-pair encoding learns.",
        too_little="Words fall into single letters.",
        too_much="Pieces are whole words, rare ones among them.",
        source="Sennrich, Haddow, Birch 2016",
        condition=when("tokeniser", "bpe"),
    ),
    Hyperparameter(
        name="vocabulary_size",
        group="text",
        domain=Integer(2, 200_000, log=True),
        default=4_000,
        meaning=(
            "The most features that are kept, those in most training texts first; or buckets; or "
            "tokens that a network knows. All text columns together."
        ),
        too_little="Rare words, which often tell the most, are unknown.",
        too_much="Wide inputs: slow, and words of one text are learned by heart.",
        source="Manning, Raghavan, Schütze 2008",
        condition=_ANY,
    ),
    Hyperparameter(
        name="min_count",
        group="text",
        domain=Integer(1, 1_000, log=True),
        default=1,
        off=1,
        meaning="In how many training texts a feature must stand to be kept.",
        too_little="What stands in one text alone cannot tell anything of others.",
        too_much="Rare words, which often tell the most, are unknown.",
        source="Manning, Raghavan, Schütze 2008",
        condition=_ANY,
        conflicts=(Conflict("text", "hashed"),),
    ),
    Hyperparameter(
        name="text_counts",
        group="text",
        domain=Choice(("presence", "log", "count")),
        default="presence",
        off="presence",
        meaning="What a feature counts: that it is there; 1 + log of how often; or how often.",
        too_little="A word that a long text says ten times counts as one said in passing.",
        too_much="A word that is often repeated drowns the others.",
        source="Pang, Lee, Vaithyanathan 2002 (presence); Salton, Buckley 1988 (log)",
        condition=_BAG,
    ),
    Hyperparameter(
        name="idf",
        group="text",
        domain=Choice(("no", "yes")),
        default="no",
        off="no",
        meaning="Whether a feature weighs more the fewer training texts it stands in (tf-idf).",
        too_little="Words that stand everywhere weigh as much as those that tell texts apart.",
        too_much="Misspellings weigh most.",
        source="Spärck Jones 1972",
        condition=_BAG,
    ),
    Hyperparameter(
        name="text_size",
        group="text",
        domain=Integer(2, 2_048, log=True),
        default=256,
        meaning="How many numbers an embedding has.",
        too_little="Texts that differ become alike.",
        too_much="Slow, and the last of them are noise.",
        source="Deerwester et al. 1990",
        condition=when("text", "embedding"),
    ),
    Hyperparameter(
        name="text_length",
        group="text",
        domain=Integer(2, 2_048, log=True),
        default=64,
        meaning="How many tokens of a text the network reads; what is behind is left out.",
        too_little="The end of a text is not seen.",
        too_much="Slow: every row takes as much work as the longest.",
        source="Kim 2014",
        condition=_READS,
    ),
    Hyperparameter(
        name="text_network",
        group="text",
        domain=Choice(("mean", "conv", "recurrent")),
        default="conv",
        meaning=(
            "How tokens are joined: the mean of their embeddings; the strongest answer of "
            "detectors of 3, 4 and 5 tokens (conv); or token by token, both ways (recurrent, GRU)."
        ),
        too_little="The mean does not know the order of words.",
        too_much="A recurrent network is slow, and wants many rows.",
        source="Joulin et al. 2017 (mean); Kim 2014 (conv); Cho et al. 2014 (recurrent)",
        condition=_READS,
    ),
    Hyperparameter(
        name="embedding_size",
        group="text",
        domain=Integer(2, 1_024, log=True),
        default=64,
        meaning="How many learned numbers stand for each token.",
        too_little="Words that act differently cannot be told apart.",
        too_much="Rare words are learned by heart.",
        source="Bengio et al. 2003; Mikolov et al. 2013",
        condition=_READS,
    ),
    Hyperparameter(
        name="text_width",
        group="text",
        domain=Integer(2, 2_048, log=True),
        default=64,
        meaning="How many units or detectors read the embeddings (of each width, of each way).",
        too_little="Few patterns are found.",
        too_much="Slow, and able to learn the training texts by heart.",
        source="Kim 2014",
        condition=_READS,
    ),
)
