"""Pipes, standard input, wide tables and samples: what is read once, in parts, or in part."""

from __future__ import annotations

import csv
import gzip
import io
import os
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest

from modelshelf.core.errors import DataError, SettingError
from modelshelf.data.read import Sample, bundled, read_again, read_table
from modelshelf.data.read.survey import long_fields
from modelshelf.data.understand import understand

ROWS = 500

pipes = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes")


@pytest.fixture(scope="module")
def frame() -> pl.DataFrame:
    rng = np.random.default_rng(0)
    return pl.DataFrame(
        {
            "x": rng.normal(size=ROWS),
            "word": [f"word {i % 7}, and\nmore" for i in range(ROWS)],
            "row": [f"r{i}" for i in range(ROWS)],
            "y": rng.integers(0, 2, ROWS),
        }
    )


def written(frame: pl.DataFrame, ending: str) -> bytes:
    whole = io.BytesIO()
    if ending == "parquet":
        frame.write_parquet(whole)
    elif ending == "arrow":
        frame.write_ipc(whole)
    elif ending == "npz":
        arrays = {each.name: np.array(each.to_list()) for each in frame if each.name != "word"}
        np.savez(whole, **arrays)
    else:
        frame.write_csv(whole)
    return gzip.compress(whole.getvalue()) if ending == "csv.gz" else whole.getvalue()


def piped(path: Path, data: bytes) -> None:
    """Give it through a pipe of this name, which a reader may open but once."""

    def write() -> None:
        with path.open("wb") as pipe:
            pipe.write(data)

    os.mkfifo(path)
    threading.Thread(target=write, daemon=True).start()


@pipes
@pytest.mark.parametrize("ending", ["csv", "csv.gz", "parquet", "arrow", "npz"])
@pytest.mark.parametrize("named", [True, False])
def test_a_pipe_reads_as_its_file_does(ending, named, frame, tmp_path):
    path = tmp_path / (f"pipe.{ending}" if named else "pipe")
    piped(path, written(frame, ending))
    table = read_table(path)
    (tmp_path / f"file.{ending}").write_bytes(written(frame, ending))
    assert table.frame.equals(read_table(tmp_path / f"file.{ending}").frame)
    assert (table.name, table.source) == (path.name, "")


def test_standard_input(frame, monkeypatch):
    given = SimpleNamespace(buffer=io.BytesIO(written(frame, "csv")))
    monkeypatch.setattr(sys, "stdin", given)
    table = read_table("-")
    assert (table.name, table.source, table.frame.height) == ("standard input", "", ROWS)
    with pytest.raises(DataError, match="'standard input' is empty"):
        read_table("-")
    with pytest.raises(DataError, match="cannot be read again"):
        read_again(table.source)
    given.buffer = io.BytesIO(b"a,b\n1\n")
    with pytest.raises(DataError, match="'standard input', line 2: expected 2 fields"):
        read_table("-")
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(DataError, match="'standard input' is empty"):
        read_table("-")


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="there is no endless device")
def test_a_stream_without_an_end_is_cut_off(monkeypatch):
    monkeypatch.setattr("modelshelf.data.read.spool.MOST_STREAMED", 1 << 22)
    with pytest.raises(DataError, match="'/dev/zero' was cut off: it gave more than 0"):
        read_table("/dev/zero")
    with pytest.raises(DataError, match="'/dev/null' is empty"):
        read_table("/dev/null")


@pytest.mark.parametrize("quote", ["", '"'])
def test_wide_tables_and_long_texts(quote, tmp_path):
    path = tmp_path / "genes.csv"
    names = [f"{quote}gene number {i:09}{quote}" for i in range(9_000)]
    rows = [",".join(str(i * j % 7) for j in range(9_000)) for i in range(3)]
    path.write_text("\n".join([",".join(names), *rows, ""]))
    assert path.read_text().index("\n") > 131_072
    assert read_table(path).frame.equals(pl.read_csv(path, infer_schema=False))
    path.write_text(f"a,b\n1,{quote}{'x' * 200_000}{quote}\n2,z\n")
    assert read_table(path).frame["b"].str.len_chars().to_list() == [200_000, 1]
    arff = tmp_path / "long.arff"
    arff.write_text(f"@attribute a string\n@data\n'{'x' * 200_000}'\n")
    assert read_table(arff).frame["a"].str.len_chars().to_list() == [200_000]
    with long_fields(), long_fields():
        pass
    assert csv.field_size_limit() == 131_072


@pytest.mark.parametrize("block", [999, 1 << 21])
def test_the_same_rows_come_of_blocks_of_any_size(block, frame, tmp_path, monkeypatch):
    for module in ("lines", "parse"):
        monkeypatch.setattr(f"modelshelf.data.read.{module}.BLOCK", block)
    monkeypatch.setattr("modelshelf.data.read.parse._A_COLUMN", 1)
    path = tmp_path / "t.csv"
    plain = frame.drop("word")
    for each, text in (
        (frame, written(frame, "csv")),
        (plain, written(plain, "csv").replace(b"\n", b"\r\n")),
        (plain, written(plain, "csv").replace(b"\nr", b"\n\n \nr").removesuffix(b"\n")),
        (plain, written(plain, "csv").decode().encode("utf-16")),
    ):
        path.write_bytes(text)
        assert read_table(path).frame.equals(each.cast(pl.String))


@pytest.mark.parametrize("ending", ["csv", "csv.gz", "parquet", "arrow", "npz"])
def test_a_sample_is_the_same_rows_of_every_format(ending, frame, tmp_path):
    path = tmp_path / f"t.{ending}"
    path.write_bytes(written(frame, ending))
    table = read_table(path, Sample(100, 3))
    at = [int(each.removeprefix("r")) for each in table.frame["row"]]
    assert at == sorted(set(at))
    assert len(at) == 100
    assert at == Sample(100, 3).of(ROWS).tolist()
    assert at != Sample(100, 4).of(ROWS).tolist()
    assert table.notes == ("100 of 500 rows were sampled, at random by the seed 3",)
    again = read_again(table.source)
    assert again.frame.equals(table.frame)
    assert again.source == table.source
    assert understand(again, "y").fingerprint == understand(table, "y").fingerprint
    whole = read_table(path, Sample(ROWS, 3))
    assert (whole.frame.height, whole.notes) == (ROWS, ())


def test_each_row_is_as_likely_as_any_other():
    counts = np.zeros(20)
    for seed in range(4_000):
        counts[Sample(5, seed).of(20)] += 1
    assert counts.sum() == 20_000
    assert abs(counts - 1_000).max() < 5 * np.sqrt(4_000 * 0.25 * 0.75)


def test_a_sample_of_what_is_bundled_and_of_no_rows():
    table = Sample(40, 0).drawn(bundled("iris")[0])
    assert read_again(table.source).frame.equals(table.frame)
    for wrong in (0, True, 2.5):
        with pytest.raises(SettingError, match="expected a whole number from 1 on"):
            Sample(wrong, 0)


def test_a_name_that_polars_takes_for_a_pattern_is_refused(frame, tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("^a$,b\n1,2\n")
    with pytest.raises(DataError, match="Rename it"):
        read_table(path)
    path.write_text("*,b\n1,2\n")
    assert read_table(path).frame.columns == ["*", "b"]
    frame.rename({"x": "^x$"}).write_parquet(tmp_path / "t.parquet")
    with pytest.raises(DataError, match="Rename it"):
        read_table(tmp_path / "t.parquet")
