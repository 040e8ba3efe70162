"""Frames in memory: every everyday type of column is read sensibly, or left aside in a sentence."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from modelshelf.core.errors import DataError
from modelshelf.data.dataset import Dataset, Kind, Schema
from modelshelf.data.read import from_memory, read_table
from modelshelf.data.understand import as_understood, conform, understand
from modelshelf.study.testing import TestSet

ROWS = 60
rng = np.random.default_rng(0)
HOLES = [i % 7 == 3 for i in range(ROWS)]
INTS = [i * i % 11 for i in range(ROWS)]
FLOATS = [round(float(v), 3) for v in rng.normal(size=ROWS)]
WORDS = [["red", "green", "blue"][i % 3] for i in range(ROWS)]
BOOLS = [i % 3 == 0 for i in range(ROWS)]
DAYS = [dt.datetime(2024, 1 + i % 12, 1 + i % 28, i % 24) for i in range(ROWS)]
SPANS = [dt.timedelta(hours=i * i % 50, seconds=i, milliseconds=500) for i in range(ROWS)]
TIMES = [dt.time(i % 24, i) for i in range(ROWS)]
DECIMALS = [Decimal(str(v)) for v in FLOATS]
GOOD = FLOATS[::-1]
Y = [i * i % 7 % 2 for i in range(ROWS)]
NA = pd.NA


def holed(values, missing=NA) -> list:
    return [missing if hole else v for hole, v in zip(HOLES, values, strict=True)]


def as_objects(values) -> pd.Series:
    """A column of objects in which each kind of missing value stands somewhere."""
    every = (None, NA, np.nan, pd.NaT)
    kept = [
        every[i % 4] if hole else v for i, (hole, v) in enumerate(zip(HOLES, values, strict=True))
    ]
    return pd.Series(kept, dtype=object)


def of_arrow(values, kind: pa.DataType) -> dict[str, object]:
    """The column as pyarrow has it, and as pandas has pyarrow's."""
    array = pa.array(holed(values, None), type=kind)
    return {
        f"pyarrow {kind}": pa.table({"x": array}),
        f"pandas {kind}": pd.Series(pd.array(array, dtype=pd.ArrowDtype(kind))),
    }


def understood(column, **options) -> Dataset:
    """A data set with this column as `x`, and a good one beside it."""
    return understand(from_memory(framed(column), target="y")[0], "y", **options)


def framed(column) -> object:
    if isinstance(column, pd.Series):
        return pd.DataFrame({"x": column, "good": GOOD, "y": Y})
    if isinstance(column, pl.Series):
        return pl.DataFrame({"x": column, "good": GOOD, "y": Y})
    if isinstance(column, pa.Table):
        return column.append_column("good", pa.array(GOOD)).append_column("y", pa.array(Y))
    return {"x": column, "good": GOOD, "y": Y}


def series(values, dtype) -> pd.Series:
    return pd.Series(holed(values), dtype=dtype)


MISSING: dict[str, tuple[object, list]] = {
    **{f"pandas {each}": (series(INTS, each), INTS) for each in ("Int64", "Int8", "UInt64")},
    **{f"pandas {each}": (series(FLOATS, each), FLOATS) for each in ("Float64",)},
    "pandas boolean": (series(BOOLS, "boolean"), BOOLS),
    **{f"pandas {each}": (series(WORDS, each), WORDS)
       for each in ("string", "string[python]", "string[pyarrow]", "category", "str")},
    "pandas categories of Int64": (series(INTS, "Int64").astype("category"), INTS),
    "pandas categories of string": (series(WORDS, "string").astype("category"), WORDS),
    "pandas categories of boolean": (series(BOOLS, "boolean").astype("category"), BOOLS),
    "objects, whole numbers": (as_objects(INTS), INTS),
    "objects, numbers": (as_objects(FLOATS), FLOATS),
    "objects, words": (as_objects(WORDS), WORDS),
    "objects, flags": (as_objects(BOOLS), BOOLS),
    "list": (holed(INTS), INTS),
    "polars Int64": (pl.Series(holed(INTS, None)), INTS),
    "polars NaN": (pl.Series(holed(FLOATS, float("nan"))), FLOATS),
    "polars Boolean": (pl.Series(holed(BOOLS, None)), BOOLS),
    "polars Categorical": (pl.Series(holed(WORDS, None), dtype=pl.Categorical), WORDS),
    "polars Enum": (pl.Series(holed(WORDS, None), dtype=pl.Enum(sorted(set(WORDS)))), WORDS),
    **{name: (each, values)
       for values, kind in (
           (INTS, pa.int64()), (INTS, pa.uint8()), (FLOATS, pa.float64()), (BOOLS, pa.bool_()),
           (WORDS, pa.string()), (WORDS, pa.large_string()),
           (WORDS, pa.dictionary(pa.int8(), pa.string())), (FLOATS, pa.decimal128(10, 3)),
       )
       for name, each in of_arrow(
           [Decimal(str(v)) for v in values] if pa.types.is_decimal(kind) else values, kind
       ).items()},
}  # fmt: skip


@pytest.mark.parametrize("name", MISSING)
def test_na_is_a_missing_input(name):
    column, values = MISSING[name]
    plain = understood(pl.Series(holed(values, None)))
    found = understood(column)
    assert found.schema.columns[0].missing == sum(HOLES)
    assert found.fingerprint == plain.fingerprint
    table = from_memory(framed(column))[0]
    frame, target, _ = conform(plain.schema, table, need_target=True)  # as in prediction
    assert frame.equals(plain.frame)
    assert target.tolist() == Y


@pytest.mark.parametrize("name", MISSING)
def test_na_in_the_target_is_a_row_without_one(name):
    column, values = MISSING[name]
    y = column["x"] if isinstance(column, pa.Table) else column
    kept = [v for v, hole in zip(values, HOLES, strict=True) if not hole]
    table, target = from_memory({"good": GOOD, "other": FLOATS}, y)
    found = understand(table, target)
    plain = understand(*from_memory({"good": GOOD, "other": FLOATS}, holed(values, None)))
    assert found.rows == len(kept)
    assert found.fingerprint == plain.fingerprint
    assert f"{sum(HOLES)} rows without a target are left out" in found.summary()
    again = as_understood(Schema.from_json(json.loads(json.dumps(found.schema.to_json()))), table)
    assert again.fingerprint == found.fingerprint


def test_a_frame_of_nullable_types_is_the_frame_that_it_was():
    flags = pd.Series(holed(BOOLS, None), dtype=object)
    plain = pd.DataFrame(
        {"n": holed(INTS, np.nan), "x": holed(FLOATS, np.nan), "w": holed(WORDS, None), "b": flags}
    ).assign(y=Y)
    nullable = plain.convert_dtypes()
    assert {str(each) for each in nullable.dtypes} == {"Int64", "Float64", "string", "boolean"}
    arrow = plain.convert_dtypes(dtype_backend="pyarrow")
    frames = (plain, nullable, arrow, pa.Table.from_pandas(arrow), pl.from_pandas(nullable))
    assert len({understand(*from_memory(each, target="y")).fingerprint for each in frames}) == 1


SECONDS = [span.total_seconds() for span in SPANS]
DURATIONS: dict[str, object] = {
    "pandas": pd.Series(holed(SPANS, pd.NaT)),
    "pandas, ns": pd.Series(holed(SPANS, pd.NaT)).astype("timedelta64[ns]"),
    "pandas, ms": pd.Series(holed(SPANS, pd.NaT)).astype("timedelta64[ms]"),
    "objects": as_objects(SPANS),
    "list": holed(SPANS, None),
    "list of numpy's": [np.timedelta64("NaT") if h else np.timedelta64(s)
                        for h, s in zip(HOLES, SPANS, strict=True)],
    "numpy, ns": np.array(holed(SPANS, None), "m8[ns]"),
    "numpy, us": np.array(holed(SPANS, None), "m8[us]"),
    **{f"polars, {unit}": pl.Series(holed(SPANS, None), dtype=pl.Duration(unit))
       for unit in ("ms", "us", "ns")},
    **of_arrow(SPANS, pa.duration("ms")), **of_arrow(SPANS, pa.duration("ns")),
}  # fmt: skip


@pytest.mark.parametrize("name", DURATIONS)
def test_a_length_of_time_is_a_number_of_seconds(name, tmp_path):
    found = understood(DURATIONS[name])
    assert found.schema.columns[0].kind is Kind.NUMERIC
    assert found.frame["x"].to_list() == holed(SECONDS, None)
    assert "x: lengths of time, taken as seconds" in found.summary()
    table = from_memory(framed(DURATIONS[name]))[0]
    frame, _, notes = conform(found.schema, table, need_target=False)
    assert frame.equals(found.frame)
    assert notes == ()
    plain = from_memory(framed(pl.Series(holed(SECONDS, None))))[0]  # seconds, as they are
    assert conform(found.schema, plain, need_target=False)[0].equals(found.frame)
    table.frame.write_parquet(tmp_path / "t.parquet")
    assert understand(read_table(tmp_path / "t.parquet"), "y").fingerprint == found.fingerprint


def test_numpy_counts_time_in_other_units_too():
    table = {f"x{unit}": np.array(INTS, f"m8[{unit}]") for unit in ("D", "h", "s")}
    found = understand(*from_memory({**table, "d": np.array(DAYS, "M8[D]"), "y": Y}, target="y"))
    assert found.frame["xD"].to_list() == [86_400.0 * v for v in INTS]
    assert found.frame["xh"].to_list() == [3_600.0 * v for v in INTS]
    assert found.schema.columns[3].kind is Kind.DATE
    array = np.array([INTS, INTS[::-1]], "m8[h]").T
    assert from_memory(array, Y)[0].frame["x1"].dtype == pl.Duration


def test_a_length_of_time_is_predicted_in_seconds():
    for y in (pd.Series(SPANS), pl.Series(SPANS), np.array(SPANS, "m8[ns]")):
        found = understand(*from_memory({"good": GOOD, "other": FLOATS}, y))
        assert found.schema.task == "regression"
        assert found.target.tolist() == SECONDS


def test_times_of_day_are_seconds_since_midnight():
    wanted = [t.hour * 3600.0 + t.minute * 60.0 for t in TIMES]
    for column in (pd.Series(TIMES), pl.Series(TIMES), *of_arrow(TIMES, pa.time64("us")).values()):
        found = understood(column)
        whole = [w for w, g in zip(wanted, found.frame["x"], strict=True) if g is not None]
        assert found.frame["x"].drop_nulls().to_list() == whole
        assert "x: times of day, taken as seconds since midnight" in found.summary()


BERLIN = pd.Series(DAYS).dt.tz_localize("Europe/Berlin")
ORDINARY: dict[str, tuple[object, Kind]] = {
    "dates and times": (pd.Series(holed(DAYS, pd.NaT)), Kind.DATE),
    "with a time zone": (BERLIN, Kind.DATE),
    "of several time zones": (
        pd.Series([pd.Timestamp(d, tz=["UTC", "Asia/Tokyo"][i % 2]) for i, d in enumerate(DAYS)],
                  dtype=object), Kind.DATE),
    "polars with a time zone": (pl.Series(DAYS, dtype=pl.Datetime("ns", "UTC")), Kind.DATE),
    "dates": (pd.Series([d.date() for d in DAYS], dtype=object), Kind.DATE),
    "numpy's moments": (np.array(DAYS, "M8[ns]"), Kind.DATE),
    "months": (pd.Series(pd.PeriodIndex(DAYS, freq="M")), Kind.DATE),
    "days": (pd.Series(holed(list(pd.PeriodIndex(DAYS, freq="D")), pd.NaT)), Kind.DATE),
    "intervals": (pd.cut(pd.Series(holed(FLOATS, np.nan)), 4), Kind.CATEGORICAL),
    "decimals": (pd.Series(holed(DECIMALS, Decimal("NaN")), dtype=object), Kind.NUMERIC),
    "signalling decimals": (pd.Series(holed(DECIMALS, Decimal("sNaN")), dtype=object),
                            Kind.NUMERIC),
    "few bytes": (pd.Series([w.encode() for w in WORDS]), Kind.CATEGORICAL),
    "few lists": (pl.Series([[i % 3] for i in range(ROWS)]), Kind.CATEGORICAL),
    "flags as objects": (pd.Series(BOOLS, dtype=object), Kind.CATEGORICAL),
    "float16": (pd.Series(FLOATS, dtype="float16"), Kind.NUMERIC),
    "longdouble": (np.array(FLOATS, np.longdouble), Kind.NUMERIC),
    "uint64": (pd.Series([2**63 + 2**20 * v for v in INTS], dtype="uint64"), Kind.NUMERIC),
    "sparse": (pd.Series(pd.arrays.SparseArray(FLOATS)), Kind.NUMERIC),
    "int128": (pl.Series(INTS, dtype=pl.Int128), Kind.NUMERIC),
}  # fmt: skip


@pytest.mark.parametrize("name", ORDINARY)
def test_ordinary_types_are_read(name):
    column, kind = ORDINARY[name]
    found = understood(column)
    assert found.schema.columns[0].kind is kind
    table = from_memory(framed(column))[0]
    assert conform(found.schema, table, need_target=True)[0].equals(found.frame)
    assert TestSet(table=table).key == TestSet(table=from_memory(framed(column))[0]).key


def test_moments_of_any_time_zone_are_the_same_moments():
    marks = {understood(each).fingerprint for each in (BERLIN, BERLIN.dt.tz_convert("UTC"))}
    assert len(marks) == 1


ASIDE: dict[str, tuple[object, str]] = {
    "complex": (pd.Series([complex(v, 1) for v in FLOATS]), "holds several values"),
    "complex objects": (as_objects([complex(v, 1) for v in FLOATS]), "holds several values"),
    "numpy's complex": (np.array(FLOATS, complex), "holds several values"),
    "polars objects": (pl.Series([complex(v, 1) for v in FLOATS], dtype=pl.Object), "several"),
    "lists": (pd.Series([[i, i + 1] for i in range(ROWS)]), "holds several values"),
    "long lists": (pl.Series([[float(i)] * 8 for i in range(ROWS)]), "holds several values"),
    "arrays": (pd.Series([np.arange(i, i + 9.0) for i in range(ROWS)]), "holds several values"),
    "records": (pd.Series([{"a": i, "b": "x"} for i in range(ROWS)]), "holds several values"),
    "sets": (pd.Series([{i, "a"} for i in range(ROWS)]), "text or identifier"),
    "bytes": (pd.Series([bytes([i]) * 9 for i in range(ROWS)]), "bytes, which are not read"),
    "intervals": (pd.Series(pd.IntervalIndex.from_breaks(range(ROWS + 1))), "text or identifier"),
    "nothing": (pd.Series([None] * ROWS, dtype=object), "all values are missing"),
    "nothing, Int64": (pd.Series([NA] * ROWS, dtype="Int64"), "all values are missing"),
    "no moment": (pd.Series([pd.NaT] * ROWS), "all values are missing"),
    "null": (pl.Series([None] * ROWS), "all values are missing"),
    **{name: (each, "several") for name, each in
       of_arrow([[i] for i in range(ROWS)], pa.list_(pa.int64())).items()},
}  # fmt: skip


@pytest.mark.parametrize("name", ASIDE)
def test_what_tells_nothing_is_left_aside_in_a_sentence(name):
    column, reason = ASIDE[name]
    found = understood(column)
    (line,) = (each for each in found.summary() if each.startswith("left aside: x ("))
    assert reason in line
    table = from_memory(framed(column))[0]
    assert conform(found.schema, table, need_target=True)[0].equals(found.frame)
    assert TestSet(table=table).key == TestSet(table=from_memory(framed(column))[0]).key
    assert understood(column, columns={"x": "ignore"}).schema.columns[0].reason
    if "nothing" not in name and name not in ("null", "no moment"):
        y = column["x"] if isinstance(column, pa.Table) else column
        with pytest.raises(DataError, match="too many to learn"):
            understand(*from_memory({"good": GOOD, "other": FLOATS}, y))


WRONG = {
    "a huge number": ({"x": [10**400] * 3}, "The column 'x' cannot be read: int too large"),
    "two lengths": ({"x": [1, 2], "z": [1]}, "'x' has 2 values and 'z' has 1"),
    "one value": ({"x": 1}, r"The column 'x': expected one value a row, and got the shape \(\)"),
    "a name twice": ({1: [1], "1": [2]}, "columns of the same name: '1'"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_no_table_is_refused_in_words(name):
    given, told = WRONG[name]
    with pytest.raises(DataError, match=told):
        from_memory(given)


def test_the_test_rows_may_lack_a_target_too():
    schema = understood(pl.Series(INTS)).schema
    table = from_memory({"x": INTS, "good": GOOD}, holed([float(v) for v in Y], np.nan))[0]
    table = from_memory(table.frame.rename({"target": "y"}))[0]
    _, target, notes = conform(schema, table, need_target=True)
    assert len(target) == ROWS - sum(HOLES)
    assert notes == (f"{sum(HOLES)} rows without a target are left out",)


def test_parquet_holds_types_of_pandas_and_maps(tmp_path):
    frame = pd.DataFrame(
        {"month": pd.PeriodIndex(DAYS, freq="M"), "between": pd.IntervalIndex.from_breaks(
            range(ROWS + 1)), "took": SPANS, "good": GOOD, "y": Y}
    )  # fmt: skip
    maps = pa.array([[("a", i)] for i in range(ROWS)], pa.map_(pa.string(), pa.int64()))
    table = pa.Table.from_pandas(frame).append_column("map", maps)
    pq.write_table(table, tmp_path / "t.parquet")
    for read in (read_table(tmp_path / "t.parquet"), from_memory(table)[0]):
        found = understand(read, "y")
        assert {each.name for each in found.schema.inputs} >= {"took", "good"}
        assert {"map", "between"} <= set(found.schema.left_aside)
        assert conform(found.schema, read, need_target=True)[0].equals(found.frame)
        assert TestSet(table=read).key
    again = from_memory(read_table(tmp_path / "t.parquet").frame)[0]
    assert understand(again, "y").schema.inputs[0].name == "month"


def test_npz_holds_time_and_complex_numbers(tmp_path):
    np.savez(
        tmp_path / "t.npz", x=np.array(SPANS, "m8[us]"), z=np.array(FLOATS, complex), good=GOOD, y=Y
    )
    found = understand(read_table(tmp_path / "t.npz"), "y")
    assert found.frame["x"].to_list() == SECONDS
    assert any("left aside: z (each row holds several" in each for each in found.summary())
