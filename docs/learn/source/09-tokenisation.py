# %% [markdown]
# # 9 · Tokenisation
#
# **Tokenisation** is simply the process of breaking a text sample into words. A network takes
# numbers, so the words are then counted. This notebook does both by hand, in a few lines, then
# shows that modelshelf does the same when a column of your table is text.

# %%
import re
import tempfile
from collections import Counter
from pathlib import Path

import polars as pl

from modelshelf import Configuration, UserError, dissect, tokenise, train
from modelshelf.data.text import TextSettings, fit_bag

WEATHER = """
Rain in the morning, and a strong wind from the west.
The wind will turn north in the evening; clear and cold.
Clouds at first, then sun. It stays dry and warm.
Snow above 900 metres, rain below. Cold wind from the north.
Sun all day, and hardly any wind.
The morning is cold and clear, the evening brings rain.
Warm air from the south; showers of rain in the evening.
Strong wind and heavy rain along the west coast.
A dry day with sun and a few clouds.
It will be cold in the north, and warm in the south.
Clear in the morning. In the evening clouds and some snow.
Rain, wind, and more rain: a wet day in the west.
The sun comes out in the south; clouds stay in the north.
A cold night, a clear day, no rain.
Snow in the evening, and a wind that is cold and strong.
Warm and dry in the morning, with sun and little wind.
"""
KITCHEN = """
Melt the butter in a pan, and add the onions.
Beat the eggs with the sugar, then add the flour.
Add salt and pepper, and stir the soup for a minute.
Bake the bread in a hot oven until it is brown.
Cut the onions, and fry them in butter until they are brown.
Stir the flour into the butter. Add the milk.
Boil the eggs in water with a little salt.
Put the pan in the oven for an hour.
Add the milk and the eggs to the flour, and stir.
Fry the fish in a hot pan with butter, salt and pepper.
Cut the bread, and put it in the soup.
Stir in the sugar, and bake it for half an hour.
Add water to the pan, and boil it with the onions.
Beat the butter and the sugar. Stir in the eggs.
Salt the water, and boil the fish for a minute.
Put flour in a bowl; add milk, an egg, salt, and stir.
"""
samples = [(line, "weather") for line in WEATHER.strip().splitlines()]
samples += [(line, "kitchen") for line in KITCHEN.strip().splitlines()]
print(len(samples), "samples")

# %% [markdown]
# ## Into words
#
# The simplest way is to cut at spaces. But then `wind.` and `wind` are two words. So we take runs
# of letters, in lower case.

# %%
texts = [text for text, _ in samples]
text = texts[0]
print("at spaces:", text.split())


def tokens(text):
    return re.findall(r"[a-z]+", text.lower())


print("words:    ", tokens(text))

# %% [markdown]
# ## Other ways to cut
#
# `tokenise` shows how modelshelf takes a text apart; at the command line it is `modelshelf tokenise
# "…"`. The way of cutting is a hyperparameter, `tokeniser`. Its words are ours, and signs besides.
# Characters need no list of words at all.

# %%
for way in ("whitespace", "words", "characters"):
    print(f"{way:10}", " ".join(tokenise(text, tokeniser=way).tokens))

# %% [markdown]
# Between the two lies **byte-pair encoding**: it begins with characters and joins the pair that
# stands side by side most often, again and again. Common words become one piece, rare ones stay in
# several. Which pieces there are is learned from texts, here from our samples.

# %%
try:
    pieces = tokenise("A windy, rainy morning", tokeniser="bpe", rows=texts, pieces=150)
    print(" ".join(pieces.tokens))
except UserError as error:  # it is a package of its own
    print(error)

# %% [markdown]
# **Question.** Ask for 50 pieces, then for 1000. What becomes of `windy`, and why does it never
# become one piece?

# %% [markdown]
# ## The vocabulary
#
# The words that we know. Words that are in one sample alone teach nothing about others, so we keep
# those that are in four samples or more. Every other word will be *unknown*, and is not counted.

# %%
seen_in = Counter(word for text, _ in samples for word in set(tokens(text)))
vocabulary = sorted(word for word, samples_with in seen_in.items() if samples_with >= 4)
print(len(seen_in), "words,", len(vocabulary), "of them in the vocabulary:")
print(" ".join(vocabulary))

# %% [markdown]
# ## Into numbers
#
# One row for each sample, one column for each word: how often it is in there. This is called a *bag
# of words*: the order is lost.


# %%
def counted(texts):
    counts = [Counter(tokens(text)) for text in texts]
    return pl.DataFrame({word: [each[word] for each in counts] for word in vocabulary})


table = counted(texts)
print(table.shape)
print({word: count for word, count in table.row(0, named=True).items() if count})

# %% [markdown]
# scikit-learn's `CountVectorizer` makes the same table. So does modelshelf, with columns for signs
# besides: a bag of single words, of those that are in four samples or more.

# %%
from sklearn.feature_extraction.text import CountVectorizer

vectorizer = CountVectorizer(vocabulary=vocabulary, tokenizer=tokens, token_pattern=None)
same = vectorizer.transform(texts).toarray()
print("scikit-learn:", (same == table.to_numpy()).all())

bag = fit_bag(texts, TextSettings(tokeniser="words", word_ngrams=1, min_count=4))
names = bag.names[0]
counts = bag.counts(texts).toarray()
ours = counts[:, [names.index(word) for word in vocabulary]]
print("modelshelf:  ", (ours == table.to_numpy()).all())
print("signs besides:", *(name for name in names if name not in vocabulary))

# %% [markdown]
# ## A network that reads
#
# The table goes into a file, as your own data would. A network needs more rows than columns to
# learn anything that holds for other rows; modelshelf refuses a table that has fewer. An L2 penalty
# keeps it from leaning on a single word.

# %%
folder = Path(tempfile.mkdtemp())
labelled = table.with_columns(about=pl.Series([label for _, label in samples]))
labelled.write_csv(folder / "samples.csv")

model = train(
    folder / "samples.csv",
    target="about",
    configuration=Configuration(
        hidden_layers=[8], learning_rate=0.02, batch_size=8, epochs=60, l2=0.01
    ),
    shelf=folder / "shelf",
)
print("validation accuracy:", round(model.record.score, 2), "on a fifth of the samples")

# %% [markdown]
# Sentences that are in no sample. The last one has no known word: the network can only guess.

# %%
new = [
    "Cold rain and a wind from the north",
    "Add butter and stir",
    "The hot soup is in the pan",
    "Quantum chromodynamics",
]
for text, chances in zip(new, model.predict_proba(counted(new)), strict=True):
    known = [word for word in tokens(text) if word in vocabulary]
    answer = model.classes[chances.argmax()]
    print(f"{text!r:40} {answer:8} {chances.max():.2f}   known: {' '.join(known)}")

# %% [markdown]
# ## Which words count?
#
# Each column is shuffled in turn: what does the accuracy lose? And what did each word add to the
# answer for the first sample?

# %%
found = dissect(model.copy, row=1, shelf=folder / "shelf")
print(samples[0][0])
for word, amount in found.row.attribution.columns[:8]:
    print(f"{word:10} {amount:+.3f}")
print(found.row.attribution.what)

# %% [markdown]
# **Question.** Words such as *the* and *a* say nothing about the subject. Leave them out of the
# vocabulary: which words does the network lean on then?
#
# **Question.** `egg` and `eggs` are two words here. What would you change in `tokens` so that they
# are one?

# %% [markdown]
# ## A text column, straight into a network
#
# All this was by hand. The sentences may also stand in the table as they are: modelshelf makes the
# bag itself, from training rows alone. In a longer table it sees that a column is text; in so short
# a one it might be names of things, so we say it. Every choice above is now a hyperparameter that
# `tune` can search. The defaults differ from ours: runs of two words count too, and a word counts
# once, however often it is there.

# %%
written = pl.DataFrame({"text": texts, "about": [label for _, label in samples]})
shared = {"hidden_layers": [8], "learning_rate": 0.02, "batch_size": 8, "epochs": 30, "l2": 0.01}
known = {"target": "about", "columns": {"text": "text"}}
by_word = train(written, configuration=Configuration(**shared), **known)
inputs = by_word.preparation.features
print(len(inputs), "inputs, among them:")
print(*(repr(name) for name in inputs if name.endswith(" wind")), sep="\n")

# %% [markdown]
# ## Words that were never seen
#
# `windy` and `buttered` stand in no sample. Whole words know nothing of them; runs of characters
# within them, such as `wind` and `butter`, are known.

# %%
parts = Configuration(text="bag", tokeniser="characters", **shared)
by_part = train(written, configuration=parts, **known)
asked = pl.DataFrame({"text": ["Windy nights", "Buttered toast", "Quantum chromodynamics"]})
for name, model in (("words", by_word), ("characters", by_part)):
    for text, inputs, chances in zip(
        asked["text"], model.preparation.transform(asked), model.predict_proba(asked), strict=True
    ):
        found = int((inputs[:-1] > 0).sum())  # the last input says that nothing is known
        answer = model.classes[chances.argmax()]
        print(f"{name:10} {text!r:25} known: {found:2}   {answer:8} {chances.max():.2f}")

# %% [markdown]
# Look at the last line: some runs of letters in *quantum chromodynamics* are known, and they mean
# nothing. A network that answers is not a network that knows.
#
# A bag forgets the order of words. Networks that read tokens in their order, by convolution or one
# after another, are `Configuration(network="text")`; they need PyTorch, and many more samples.

# %% [markdown]
# ## What you saw
#
# - Tokenisation breaks a text into words, characters or pieces; a vocabulary says which are known.
# - Counted, a text is a row of numbers, and a network learns from it as from any table.
# - Words that were never seen tell the network nothing; parts of words are the usual answer to
#   that.
# - A text column goes straight into `train` and `tune`; how it is cut is a hyperparameter.
#
# Next: [taking a network apart](10-taking-a-network-apart.ipynb).
