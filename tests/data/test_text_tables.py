"""Tables with text: understood, prepared with training rows alone, kept, trained, asked."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest

from modelshelf.api import request, train, tune
from modelshelf.core.errors import DataError, SettingError
from modelshelf.core.seeds import generator
from modelshelf.data.dataset import Dataset, Kind, Schema, Table
from modelshelf.data.prepare import Preparation, fit_preparation
from modelshelf.data.text import TextSettings
from modelshelf.data.understand import conform, understand
from modelshelf.space.configuration import Configuration
from modelshelf.space.space import Space
from modelshelf.study.budget import Budget
from modelshelf.study.problem import asked_of

ROWS = 120
NOUNS = ("river", "song", "city", "king", "number", "year")


def sentences(seed: int = 0) -> list[str]:
    """Of five words; `please` stands in half of them."""
    rng = generator(seed, "sentences")
    picked = [[NOUNS[i] for i in rng.integers(0, len(NOUNS), 4)] for _ in range(ROWS)]
    return [f"{' '.join(each)} {i} {'please' if i % 2 else 'now'}" for i, each in enumerate(picked)]


def frame(**more) -> pl.DataFrame:
    return pl.DataFrame({"said": sentences(), "y": [i % 2 for i in range(ROWS)], **more})


def made(**more) -> Dataset:
    return understand(Table("t", frame(**more)), "y")


def kind_of(values, **options) -> Kind:
    table = Table("t", frame(x=values))
    return understand(table, "y", columns=options).schema.columns[1].kind


def test_sentences_are_text_and_short_labels_are_not():
    assert kind_of(sentences(1)) is Kind.TEXT
    assert kind_of([f"Braund, Mr. Owen {i}" for i in range(ROWS)]) is Kind.IGNORE
    assert kind_of([f"id-{i:05}" for i in range(ROWS)]) is Kind.IGNORE
    assert (
        kind_of(["of five words and more", "some others, five too", "and a third of five"] * 40)
        is Kind.CATEGORICAL
    )
    assert kind_of([f"第{i}回のテストです" for i in range(ROWS)]) is Kind.TEXT


def test_a_person_may_say_that_a_column_is_text():
    names = [f"Owen {i}" for i in range(ROWS)]
    assert kind_of(names) is Kind.IGNORE
    assert kind_of(names, x="text") is Kind.TEXT
    assert kind_of([float(i) for i in range(ROWS)], x="text") is Kind.TEXT


def test_the_summary_counts_text_columns():
    told = made(size=[float(i % 7) for i in range(ROWS)]).summary()
    assert told[0] == "t: 120 rows, 2 inputs (1 numeric, 1 text)"


def test_a_schema_with_text_is_read_again_and_another_table_conforms():
    dataset = made()
    schema = Schema.from_json(json.loads(json.dumps(dataset.schema.to_json())))
    assert schema == dataset.schema
    other, _, _ = conform(schema, Table("u", pl.DataFrame({"said": ["new", None]})), False)
    assert other["said"].to_list() == ["new", None]
    with pytest.raises(DataError, match="said"):
        conform(schema, Table("u", pl.DataFrame({"sad": ["new"]})), False)


@pytest.mark.parametrize(
    "settings",
    [TextSettings(), TextSettings(features="hashed"), TextSettings(features="embedding", size=4),
     TextSettings(features="ids", length=6)],
    ids=["bag", "hashed", "embedding", "ids"],
)  # fmt: skip
def test_a_preparation_with_text_comes_back_to_the_bit(settings):
    dataset = made(size=[None, *(float(i % 7) for i in range(ROWS - 1))], hue=["a", "b"] * 60)
    preparation = fit_preparation(dataset, np.arange(80), "standard", text=settings)
    plain, arrays = preparation.to_state()
    again = Preparation.from_state(json.loads(json.dumps(plain)), arrays)
    x = preparation.transform(dataset.frame)
    assert np.array_equal(again.transform(dataset.frame), x)
    assert x.dtype == preparation.dtype
    assert x.shape == (ROWS, *preparation.row)
    assert len(preparation.columns) == len(preparation.features) == x.shape[1]
    alone = 6 if settings.features == "ids" else preparation.texts[0].size
    assert preparation.texts[0].size == alone
    assert (x.shape[1] == alone) is (settings.features == "ids")


def test_only_training_rows_decide():
    """Other texts in rows that are not trained on change nothing; in those that are, they do."""
    train_rows = np.arange(60)
    settings = TextSettings(features="embedding", size=4, idf=True)
    dataset = made()
    first = dataset.frame.clone()
    said = dataset.frame["said"].to_list()

    def fitted(texts):
        other = pl.DataFrame({"said": texts})
        changed = Dataset(dataset.name, dataset.schema, other, dataset.target, (), "")
        prepared = fit_preparation(changed, train_rows, "standard", text=settings)
        return prepared.transform(first)

    same = fitted(said[:60] + ["entirely different words here"] * 60)
    assert np.array_equal(same, fitted(said))
    assert not np.array_equal(fitted(["entirely different words here"] * 60 + said[60:]), same)


def test_tables_without_text_are_written_as_before():
    table = frame(size=[float(i % 7) for i in range(ROWS)]).drop("said")
    dataset = understand(Table("t", table), "y")
    plain, arrays = fit_preparation(dataset, np.arange(80), "standard").to_state()
    assert set(plain) == {"schema", "scaling", "numbers", "categories", "target", "coded"}
    assert not arrays
    assert asked_of(Configuration())[2] is None


def test_text_that_is_left_aside_leaves_the_rest():
    dataset = made(size=[float(i % 7) for i in range(ROWS)])
    x = fit_preparation(dataset, np.arange(80), "standard").transform(dataset.frame)
    assert x.shape[1] == 1
    with pytest.raises(SettingError, match="text = bag"):
        fit_preparation(made(), np.arange(80), "standard")


def test_a_table_with_text_gives_a_configuration_its_bag():
    assert Configuration().for_text(0) == Configuration()
    assert Configuration().for_text(1)["text"] == "bag"
    assert "text" not in Configuration(text="none").for_text(1)
    assert Configuration(network="text").for_text(1) == Configuration(network="text")
    for asked in (Configuration(text="bag"), Configuration(network="text")):
        with pytest.raises(SettingError, match="no text column"):
            asked.for_text(0)


def test_what_plays_no_part_makes_no_other_preparation():
    one = Configuration(text="bag", tokeniser="words", bpe_size=100, character_ngrams=3)
    assert asked_of(one) == asked_of(Configuration(text="bag"))
    assert asked_of(Configuration(text="bag", word_ngrams=1)) != asked_of(one)
    both = Configuration(network="text", tokeniser="words+characters")
    assert asked_of(both)[2].tokeniser == "words"


def test_a_space_for_text_searches_it_and_a_persons_word_stands():
    space = Space(learning_rate=(1e-3, 2e-3), idf="no").for_text(5_000, alone=True)
    assert "tokeniser" in space.varied
    assert space.fixed["idf"] == "no"
    assert (
        space.varied["learning_rate"] == Space(learning_rate=(1e-3, 2e-3)).varied["learning_rate"]
    )
    assert len(Space().for_text(5_000, alone=True).known) >= 5
    assert all(each in space for each in space.known)
    assert "text" not in Space().general


def test_the_study_of_a_table_without_text_is_the_one_of_before(tmp_path):
    table = frame(size=[float(i % 7) for i in range(ROWS)]).drop("said")
    asked = request(Table("t", table), "y", budget=Budget(trials=2), shelf=tmp_path)
    assert asked.space.to_json() == Space().to_json()


def test_a_study_of_a_mixed_table_learns_from_its_text(tmp_path):
    table = frame(size=[float(i % 7) for i in range(ROWS)])
    space = {"vocabulary_size": 200, "epochs": 15, "hidden_layers": [16]}
    found = tune(table, target="y", trials=3, shelf=tmp_path, space=space, workers=1)
    assert found.winner.test is not None
    assert found.winner.test > 0.9  # `please` decides; without text there is nothing to go by
    told = found.model.predict(pl.DataFrame({"said": ["a river please", None], "size": [1.0, 2.0]}))
    assert told[0] == 1
    assert found.baselines


def test_one_network_on_text(tmp_path):
    settings = {"epochs": 20, "hidden_layers": (16,), "learning_rate": 0.01}
    model = train(frame(), configuration=Configuration(**settings), target="y", shelf=tmp_path)
    assert model.configuration["text"] == "bag"
    assert model.record is not None
    assert model.record.score > 0.9
    none = Configuration(**settings, text="none")
    with pytest.raises(SettingError, match="All columns are text"):
        train(frame(), configuration=none, target="y")
