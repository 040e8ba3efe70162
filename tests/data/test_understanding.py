"""Understanding: what each column is, what is asked, and what is left aside and why."""

from __future__ import annotations

import json
import os
from datetime import date, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from modelshelf.core.errors import DataError
from modelshelf.data.dataset import Dataset, Kind, Schema, Table
from modelshelf.data.prepare import fit_preparation
from modelshelf.data.read import read_table
from modelshelf.data.understand import conform, understand

ROWS = 60
rng = np.random.default_rng(0)
Y = [i * i % 7 % 2 for i in range(ROWS)]
GOOD = [round(float(v), 3) for v in rng.normal(size=ROWS)]
AMOUNT = [round(float(v), 3) for v in rng.normal(size=ROWS)]


def one(values, y=None, **options) -> Dataset:
    """A data set with one column `x` under test, and a good one beside it."""
    frame = pl.DataFrame({"x": values, "good": GOOD, "y": Y if y is None else y}, strict=False)
    return understand(Table("t", frame), "y", **options)


def asked(y, **options) -> Schema:
    frame = pl.DataFrame({"good": GOOD, "y": y}, strict=False)
    return understand(Table("t", frame), "y", **options).schema


def told(dataset: Dataset) -> tuple[Kind, str]:
    column = dataset.schema.columns[0]
    return column.kind, column.reason


words = [["red", "green", "blue"][i % 3] for i in range(ROWS)]
days = [f"2024-{i % 12 + 1:02}-{i % 28 + 1:02}" for i in range(ROWS)]

KINDS = {
    "numbers": (AMOUNT, Kind.NUMERIC, ""),
    "numbers as text": ([str(v) for v in AMOUNT], Kind.NUMERIC, ""),
    "exponents": ([f"{v:e}" for v in AMOUNT], Kind.NUMERIC, ""),
    "flags": ([i % 3 == 0 for i in range(ROWS)], Kind.CATEGORICAL, ""),
    "words": (words, Kind.CATEGORICAL, ""),
    "days": (days, Kind.DATE, ""),
    "german days": ([f"{i % 28 + 1:02}.03.2024" for i in range(ROWS)], Kind.DATE, ""),
    "moments": ([f"2024-03-01T{i % 24:02}:00:00" for i in range(ROWS)], Kind.DATE, ""),
    "date type": ([date(2024, 1, i % 28 + 1) for i in range(ROWS)], Kind.DATE, ""),
    "phone numbers": ([f"030-{i * 37 % 50}" for i in range(ROWS)], Kind.CATEGORICAL, ""),
    "constant": ([3.5] * ROWS, Kind.IGNORE, "constant"),
    "constant word": (["a"] * ROWS, Kind.IGNORE, "constant"),
    "constant with holes": ([None if i % 5 == 0 else 1.0 for i in range(ROWS)], Kind.NUMERIC, ""),
    "empty": ([None] * ROWS, Kind.IGNORE, "all values are missing"),
    "names": ([f"person {i}" for i in range(ROWS)], Kind.IGNORE, "text or identifier"),
    "counter": (list(range(100, 100 + ROWS)), Kind.IGNORE, "identifier: counts the rows"),
    "counter as text": ([str(i) for i in range(ROWS)], Kind.IGNORE, "identifier: counts"),
    "shuffled counter": (rng.permutation(ROWS).tolist(), Kind.IGNORE, "identifier: counts"),
    "target": (Y, Kind.IGNORE, "a copy of the target"),
    "target in words": ([["no", "yes"][v] for v in Y], Kind.IGNORE, "a copy of the target"),
    "target turned round": ([1 - v for v in Y], Kind.IGNORE, "a copy of the target"),
    "nearly the target": ([1 - Y[0], *Y[1:]], Kind.NUMERIC, ""),
}  # fmt: skip


@pytest.mark.parametrize("case", KINDS)
def test_what_a_column_is(case):
    values, kind, reason = KINDS[case]
    found, why = told(one(values))
    assert found is kind
    assert why.startswith(reason)
    assert bool(why) == bool(reason)


def test_the_second_of_two_equal_columns_is_left_aside():
    frame = pl.DataFrame({"a": GOOD, "b": [str(v) for v in GOOD], "y": Y})
    dataset = understand(Table("t", frame), "y")
    assert [c.reason for c in dataset.schema.columns] == ["", "the same as a"]
    assert any("left aside: b (the same as a)" in line for line in dataset.summary())


def test_a_linear_copy_of_a_regression_target_is_found():
    y = [v * 3.7 for v in AMOUNT]
    assert told(one([2.0 * v - 7 for v in y], y)) == (Kind.IGNORE, "a copy of the target")
    assert told(one([v**2 for v in y], y))[0] is Kind.NUMERIC


def test_stray_words_in_numbers_count_as_missing_up_to_a_share():
    few = [str(v) for v in AMOUNT]
    few[7] = few[20] = "unknown"
    few[30] = "n.a."  # 3 of 60 is 5 %
    column = one(few).schema.columns[0]
    assert (column.kind, column.missing) == (Kind.NUMERIC, 3)
    assert column.note == "3 of 60 values are not numbers ('unknown', 'n.a.'): taken as missing"
    few[31] = "more"
    assert told(one(few))[0] is not Kind.NUMERIC


def test_overrides():
    codes = [i % 4 for i in range(ROWS)]
    assert told(one(codes))[0] is Kind.NUMERIC
    asked_for = one(codes, columns={"x": "categorical"})
    assert told(asked_for)[0] is Kind.CATEGORICAL
    features = fit_preparation(asked_for, np.arange(ROWS), "standard").features
    assert [f for f in features if f.startswith("x")] == [
        "x = 0", "x = 1", "x = 2", "x = 3", "x = (other)"
    ]  # fmt: skip
    assert told(one(codes, columns={"x": "ignore"})) == (Kind.IGNORE, "left out as asked")
    assert told(one(list(range(ROWS)), columns={"x": "numeric"}))[0] is Kind.NUMERIC
    assert told(one(words, columns={"x": "numeric"}))[0] is Kind.NUMERIC  # all missing, as told
    assert "60 of 60 values are not numbers" in one(words, columns={"x": "numeric"}).summary()[-1]
    with pytest.raises(DataError, match="read as dates"):
        one(words, columns={"x": "date"})


def test_dates_become_parts():
    moments = [datetime(2020 + i % 4, 1 + i % 12, 1 + i % 28, 12) for i in range(ROWS)]
    dataset = one(moments)
    features = fit_preparation(dataset, np.arange(ROWS), "standard").features
    # hour is constant, and tells nothing
    assert features[:5] == ("x year", "x month", "x day", "x weekday", "x days")


TARGETS = {
    "two words": (words[:2] * 30, "binary", ("green", "red")),
    "three words": (words, "multiclass", ("blue", "green", "red")),
    "zeros and ones": (Y, "binary", (0, 1)),
    "text zeros and ones": ([str(v) for v in Y], "binary", (0, 1)),
    "float zeros and ones": ([float(v) for v in Y], "binary", (0.0, 1.0)),
    "flags": ([v == 1 for v in Y], "binary", (False, True)),
    "ten digits": ([i % 10 for i in range(ROWS)], "multiclass", tuple(range(10))),
    "text digits sort as numbers": (
        [str(v) for v in (2, 10, 1) * 20], "multiclass", (1, 2, 10)
    ),
    "many integers": ([i % 31 for i in range(ROWS)], "regression", ()),
    "fractions": (AMOUNT, "regression", ()),
    "two fractions": ([0.5, 1.5] * 30, "regression", ()),
}  # fmt: skip


@pytest.mark.parametrize("case", TARGETS)
def test_what_is_asked(case):
    y, task, classes = TARGETS[case]
    schema = asked(y)
    assert (schema.task, schema.classes) == (task, classes)
    assert [type(c) for c in schema.classes] == [type(c) for c in classes]


def test_the_task_can_be_overruled():
    digits = [i % 10 for i in range(ROWS)]
    assert asked(digits, task="regression").classes == ()
    assert len(asked([i % 25 for i in range(ROWS)], task="multiclass").classes) == 25
    assert asked(Y, task="multiclass").task == "multiclass"
    with pytest.raises(DataError, match="binary means 2"):
        asked(digits, task="binary")


def test_rows_without_a_target_are_left_out():
    for hole in (None, float("nan")):
        y = [hole if i < 4 else v for i, v in enumerate(AMOUNT)]
        dataset = one(GOOD[::-1], y)
        assert dataset.rows == ROWS - 4
        assert dataset.frame["good"].to_list() == GOOD[4:]
        assert "4 rows without a target are left out" in dataset.summary()


@pytest.mark.parametrize("case", TARGETS)
def test_a_schema_goes_through_json(case):
    schema = asked(TARGETS[case][0])
    again = Schema.from_json(json.loads(json.dumps(schema.to_json())))
    assert again == schema
    assert [type(c) for c in again.classes] == [type(c) for c in schema.classes]


def test_the_fingerprint_tells_any_change():
    base = one(GOOD[::-1]).fingerprint
    assert one(GOOD[::-1]).fingerprint == base
    other = GOOD[::-1]
    other[5] = None
    changed = {
        one(other).fingerprint,
        one(GOOD[::-1], [1 - Y[0], *Y[1:]]).fingerprint,
        one(GOOD[::-1], task="regression").fingerprint,
        one(GOOD[::-1], columns={"x": "categorical"}).fingerprint,
        one(GOOD[::-1], columns={"x": "ignore"}).fingerprint,
        one(GOOD[::-1], [["a", "b"][v] for v in Y]).fingerprint,
    }
    assert len(changed | {base}) == 7


def test_another_table_is_read_as_the_first_was():
    dataset = one(words)
    new = pl.DataFrame({"extra": [1, 2], "good": ["0.5", "?!"], "x": ["violet", None]})
    frame, target, notes = conform(dataset.schema, Table("new", new), need_target=False)
    assert frame.to_dict(as_series=False) == {"x": ["violet", None], "good": [0.5, None]}
    assert target is None
    assert notes == ("good: 1 of 2 values are not numbers ('?!'): taken as missing",)
    with pytest.raises(DataError, match="lacks 1 columns that are needed: 'x'"):
        conform(dataset.schema, Table("new", new.drop("x")), need_target=False)
    answered = new.with_columns(pl.Series("y", ["1", "0"]))  # text where there were numbers
    assert conform(dataset.schema, Table("n", answered), need_target=True)[1].tolist() == [1, 0]
    with pytest.raises(DataError, match=r"classes that the training rows have not: 2"):
        conform(
            dataset.schema, Table("n", new.with_columns(pl.Series("y", [2, 0]))), need_target=True
        )


def test_names_that_would_harm_are_only_names():
    names = ["'; drop table trial; --", "<script>", "a\nb", "../../x", "\U0001f600", "=1+1"]
    frame = pl.DataFrame({name: rng.normal(size=ROWS) for name in names} | {"y": Y})
    dataset = understand(Table("t", frame), "y")
    assert [c.name for c in dataset.schema.inputs] == names
    assert fit_preparation(dataset, np.arange(ROWS), "standard").features == tuple(names)


REAL = {
    "adult/train.csv": ("income", 32_561, {"numeric": 6, "categorical": 8}, "binary"),
    "phoneme.csv": ("nasal", 5_404, {"numeric": 5}, "binary"),
    "credit-g.arff": ("class", 1_000, {"numeric": 7, "categorical": 13}, "binary"),
    "spambase.arff": ("class", 4_601, {"numeric": 57}, "binary"),
    "letter.arff": ("class", 20_000, {"numeric": 16}, "multiclass"),
    "california.arff": ("medianHouseValue", 20_640, {"numeric": 8}, "regression"),
    "cpu_act.arff": ("usr", 8_192, {"numeric": 21}, "regression"),
    "abalone.csv": ("rings", 4_177, {"numeric": 7, "categorical": 1}, "regression"),
    "titanic/train.csv": ("Survived", 891, {"numeric": 5, "categorical": 2}, "binary"),
}


@pytest.mark.slow
@pytest.mark.skipif("MODELSHELF_DATA" not in os.environ, reason="MODELSHELF_DATA names no folder")
@pytest.mark.parametrize("file", REAL)
def test_real_data(file):
    target, rows, kinds, task = REAL[file]
    dataset = understand(read_table(Path(os.environ["MODELSHELF_DATA"]) / file), target)
    found = [c.kind.value for c in dataset.schema.inputs]
    assert {kind: found.count(kind) for kind in kinds} == kinds
    assert len(found) == sum(kinds.values())
    assert (dataset.rows, dataset.schema.task) == (rows, task)
