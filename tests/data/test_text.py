"""Text: from what people write to numbers, fitted on training rows, the same after a round trip."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer

from modelshelf.core.errors import SettingError
from modelshelf.data.text import Bag, TextSettings, TokenIds, fit_bag, fit_ids
from modelshelf.data.text import bpe as bpe_module
from modelshelf.data.text import counted as counted_module
from modelshelf.data.text.bpe import has_bpe, train_bpe
from modelshelf.data.text.features import extractors, tokens
from modelshelf.data.text.split import MOST_CHARACTERS, normalised, words

TEXTS = [
    "How far is it from Denver to Aspen ?",
    "Who wrote the book ? The book !",
    "What is the capital of France ?",
    "How many people live in the city of Denver ?",
    "",
    "كم تبعد المدينة ؟",
    "你好，世界",
    "नमस्ते दुनिया 👍🏽",
]

WAYS = {
    "bag": TextSettings(),
    "tf-idf": TextSettings(counts="log", idf=True, word_ngrams=3),
    "counts": TextSettings(counts="count", word_ngrams=1, lower=False),
    "characters": TextSettings(tokeniser="characters", character_ngrams=4),
    "both": TextSettings(tokeniser="words+characters", vocabulary=60),
    "whitespace": TextSettings(tokeniser="whitespace", min_count=2),
    "hashed": TextSettings(features="hashed", vocabulary=64),
    "embedding": TextSettings(features="embedding", size=3, idf=True),
}
needs_bpe = pytest.mark.skipif(not has_bpe(), reason="tokenizers is not installed")


def way(name):
    return pytest.param(WAYS[name], id=name)


every = [*map(way, WAYS)]
every.append(pytest.param(TextSettings(tokeniser="bpe", bpe_size=90), id="bpe", marks=needs_bpe))


@pytest.mark.parametrize("settings", every)
def test_a_round_trip_through_json_gives_the_same_bits(settings):
    bag = fit_bag(TEXTS, settings)
    plain, arrays = bag.to_state()
    again = Bag.from_state(json.loads(json.dumps(plain)), arrays)
    new = ["Who lives in Aspen ?", "never seen ☃", None, *TEXTS]
    assert np.array_equal(again.transform(new), bag.transform(new))
    assert again.size == bag.size == len(bag.columns("q")) == bag.transform(new).shape[1]


@pytest.mark.parametrize("settings", every)
@pytest.mark.parametrize(
    "training",
    [
        [],
        [""],
        [None, ""],
        ["same words here"] * 5,
        ["x" * 200_000],
        ["a b " * 60_000],
        ["\x00 \t"],
    ],
    ids=["no rows", "empty", "missing", "all equal", "one long word", "long", "control"],
)
def test_any_training_texts_give_finite_numbers(settings, training):
    bag = fit_bag(training, settings)
    found = bag.transform(["", None, "new words only", "same", "🏳️‍🌈" * 20, "a" * 1_000_000])
    assert found.dtype == np.float32
    assert np.isfinite(found).all()
    assert found.shape == (6, bag.size)


def test_an_empty_text_and_one_of_new_words_say_that_nothing_is_known():
    found = fit_bag(TEXTS, TextSettings(word_ngrams=1)).transform(["", "xyzzy plugh", "book"])
    assert found[:, -1].tolist() == [1.0, 1.0, 0.0]
    assert not found[:2, :-1].any()


@pytest.mark.parametrize("settings", [way("tf-idf"), way("counts"), way("bag")])
def test_weights_are_those_of_scikit_learn(settings):
    """The oracle counts the same features by itself; it lacks the text's two ends."""
    settings = replace(settings, word_ngrams=1, vocabulary=10_000)
    oracle = TfidfVectorizer(
        analyzer=lambda text: words(normalised(text, settings.lower)),
        use_idf=settings.idf,
        sublinear_tf=settings.counts == "log",
        binary=settings.counts == "presence",
    )
    wanted = oracle.fit_transform(TEXTS).toarray()
    bag = fit_bag(TEXTS, settings)
    assert list(bag.names[0]) == oracle.get_feature_names_out().tolist()
    found = bag.transform(TEXTS)[:, :-1] / 5.0
    np.testing.assert_allclose(found, wanted, atol=1e-6)
    other = fit_bag(TEXTS, replace(settings, idf=not settings.idf)).transform(TEXTS)[:, :-1] / 5.0
    assert np.abs(other - wanted).max() > 1e-3  # the comparison can fail


def test_an_embedding_keeps_what_the_bag_says_of_likeness():
    """With as many numbers as texts, nothing is lost: the singular vectors span their weights."""
    settings = TextSettings(idf=True, counts="log")
    known = [text for text in TEXTS if text]
    bag = fit_bag(known, settings).transform(known)[:, :-1]
    full = fit_bag(known, replace(settings, features="embedding", size=len(known)))
    rows = full.transform(known)[:, :-1]
    np.testing.assert_allclose(rows @ rows.T, bag @ bag.T, atol=1e-3)
    few = fit_bag(known, replace(settings, features="embedding", size=2)).transform(known)[:, :-1]
    assert np.abs(few @ few.T - bag @ bag.T).max() > 1.0


def test_the_commonest_features_are_kept_and_the_rare_left_out():
    texts = ["a b", "a c", "a b d", "e"]
    kept = fit_bag(texts, TextSettings(word_ngrams=1, vocabulary=2)).names
    assert kept == (("a", "b"),)
    assert fit_bag(texts, TextSettings(word_ngrams=1, min_count=2)).names == (("a", "b"),)


def test_hashes_are_the_same_in_every_process():
    code = (
        "from modelshelf.data.text import *;"
        "b = fit_bag([''], TextSettings(features='hashed', vocabulary=32));"
        "print(b.transform(['how far is it']).tolist())"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True,
            env={"PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    }  # fmt: skip
    assert len(found) == 1


def test_words_of_any_script():
    assert words("naïve café, 3.5€") == ["naïve", "café", ",", "3", ".", "5", "€"]
    assert words("e\u0301te\u0301") == ["e\u0301te\u0301"]
    assert words("كم تبعد؟") == ["كم", "تبعد", "؟"]
    assert words("東京タワー") == list("東京タワー")
    assert words("👩‍👩‍👧 🏳️‍🌈") == ["👩‍👩‍👧", "🏳️‍🌈"]


def test_what_looks_alike_is_one_word():
    assert normalised("Cafe\u0301\u00a0 noir\n") == normalised("café noir") == "café noir"
    assert len(normalised("x" * (MOST_CHARACTERS + 9))) == MOST_CHARACTERS


def test_ids_know_training_tokens_and_pad_the_rest():
    ids = fit_ids(["how far", "how much is it"], TextSettings(features="ids", length=4))
    found = ids.transform(["how far", "what", "", "how how how how how", None])
    assert found.dtype == np.int64
    known = {name: i + 2 for i, name in enumerate(ids.names)}
    assert found[0].tolist() == [known["how"], known["far"], 0, 0]
    assert found[1:3].tolist() == [[1, 0, 0, 0], [1, 0, 0, 0]]
    assert found[3].tolist() == [known["how"]] * 4
    plain, arrays = ids.to_state()
    again = TokenIds.from_state(json.loads(json.dumps(plain)), arrays)
    assert np.array_equal(again.transform(TEXTS), ids.transform(TEXTS))


@needs_bpe
def test_bpe_learns_pieces_that_spell_the_text():
    rows = ["lower lowest newer newest", "low new wide wider widest"] * 20
    settings = TextSettings(tokeniser="bpe")
    trained = train_bpe(rows, 40)
    assert trained == train_bpe(rows, 40)
    pieces = tokens("lowest wider", settings, trained)
    assert "".join(pieces).replace("▁", " ").strip() == "lowest wider"
    assert len(pieces) < len("lowest wider")
    assert len(tokens("lowest wider", settings, train_bpe(rows, 14))) > len(pieces)


def test_bpe_without_its_package_says_what_to_do(monkeypatch):
    monkeypatch.setattr(bpe_module, "find_spec", lambda name: None)
    with pytest.raises(SettingError, match=r"pip install 'modelshelf\[text\]'"):
        fit_bag(TEXTS, TextSettings(tokeniser="bpe"))


def test_features_are_kept_up_to_a_limit_and_without_their_texts():
    drawn = np.random.default_rng(0).integers(0, 5000, (40, 300))
    batches = [[" ".join(map(str, row + 5000 * i)) for row in drawn] for i in range(4)]
    (extract,) = extractors(TextSettings(), "")
    (one,) = counted_module.counted(batches[0], TextSettings())
    assert one.bytes > one.matrix.data.nbytes + sum(map(len, one.column))
    latest = counted_module._Latest(int(2.5 * one.bytes))
    made = [latest(batch, TextSettings(), "") for batch in batches]
    assert list(latest.kept.values()) == made[2:]
    assert latest(batches[2], TextSettings(), "") is made[2]
    assert list(latest.kept.values()) == [made[3], made[2]]
    nothing = counted_module._Latest(0)
    assert len(nothing(batches[0], TextSettings(), "")) == 1
    assert not nothing.kept
    count = one.matrix[0, one.column[str(drawn[0, 0])]]
    assert count == extract(batches[0][0]).count(str(drawn[0, 0]))
