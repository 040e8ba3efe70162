"""Memory: what reading takes, what is refused before it is read, and what is cut off."""

from __future__ import annotations

import gzip
import io
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from modelshelf.core.errors import DataError
from modelshelf.data.read import Sample, limits, read_table
from modelshelf.data.understand import understand

ROWS, COLUMNS = 60_000, 30

PEAK = """
import sys
from pathlib import Path
import modelshelf.data.understand
from modelshelf.data.read import read_table

def peak():
    status = Path("/proc/self/status").read_text().split()
    return int(status[status.index("VmHWM:") + 1]) * 1024

before = peak()
table = read_table(sys.argv[1], None, eval(sys.argv[2]))
modelshelf.data.understand.understand(table, "y")
print(peak() - before)
"""

LIMITED = """
import resource, sys
import modelshelf.data.read as read
from modelshelf.core.errors import DataError
from modelshelf.core.memory import held

resource.setrlimit(resource.RLIMIT_AS, (held("VmSize:") + int(sys.argv[2]),) * 2)
try:
    print(read.read_table(sys.argv[1], None, {"y"}).frame.shape)
except DataError as error:
    print(error)
"""

linux = pytest.mark.skipif(sys.platform != "linux", reason="the limits and /proc are Linux's")


def child(source: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", source, *map(str, arguments)],
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        timeout=100,
    )


@pytest.fixture(scope="module")
def large(tmp_path_factory) -> Path:
    """A CSV of some 34 MB, and the same as Parquet beside it."""
    folder = tmp_path_factory.mktemp("large")
    rng = np.random.default_rng(0)
    frame = pl.DataFrame(rng.normal(size=(ROWS, COLUMNS)), [f"x{i}" for i in range(COLUMNS)])
    frame = frame.with_columns(y=pl.Series(rng.integers(0, 2, ROWS)))
    frame.write_csv(folder / "t.csv")
    frame.write_parquet(folder / "t.parquet")
    return folder / "t.csv"


@linux
def test_a_csv_is_read_and_understood_in_a_few_times_its_size(large, tmp_path):
    quoted = tmp_path / "quoted.csv"  # whose blocks end within a record
    text = [f'a "b" {i % 9},\nc' for i in range(ROWS)]
    pl.read_csv(large).select(pl.Series("text", text), pl.all()).write_csv(quoted)
    # It took eight times its size; what does not grow with it is some 80 MB.
    for path, kept, most in ((large, "{'y'}", 3.5), (large, "None", 5.5), (quoted, "{'y'}", 4.5)):
        done = child(PEAK, path, kept)
        assert done.returncode == 0, done.stderr
        assert int(done.stdout) < most * large.stat().st_size


@linux
@pytest.mark.parametrize("room", [0, 400_000_000, 850_000_000, 2_000_000_000])
@pytest.mark.parametrize("ending", [".csv", ".parquet"])
def test_under_a_limit_a_table_is_read_or_refused_in_words(large, ending, room):
    done = child(LIMITED, large.with_suffix(ending), room)
    assert done.returncode == 0, done.stderr
    told = done.stdout
    assert "memory" in told or f"({ROWS}, 31)" in told
    assert room < 2_000_000_000 or f"({ROWS}, 31)" in told
    assert room > 400_000_000 or f"({ROWS}, 31)" not in told


@pytest.fixture
def free(monkeypatch):
    """Says how much memory is free."""

    def set_to(size: int) -> None:
        monkeypatch.setattr(limits, "available", lambda: size)

    return set_to


def test_what_would_not_fit_is_refused_before_it_is_read(large, free, tmp_path):
    free(60_000_000)
    for path, helps in ((large, "Parquet"), (large.with_suffix(".parquet"), "--rows N")):
        with pytest.raises(DataError, match=r"needs about .* and 60 MB are free") as told:
            read_table(path, None, {"y"})
        assert helps in str(told.value)
    packed = tmp_path / "t.csv.gz"
    packed.write_bytes(gzip.compress(large.read_bytes(), 1))
    with pytest.raises(DataError, match="60 MB are free"):
        read_table(packed)
    assert read_table(packed, Sample(100, 0)).frame.height == 100
    with pytest.raises(DataError, match="a smaller --rows"):
        read_table(packed, Sample(50_000, 0))


def test_a_packed_file_that_unpacks_without_end_is_cut_off(monkeypatch, tmp_path):
    path = tmp_path / "bomb.csv.gz"
    path.write_bytes(gzip.compress(b"a,b\n" + b"1,2\n" * 4_000_000))
    monkeypatch.setattr("modelshelf.data.read.lines.MOST_STREAMED", 1 << 20)
    with pytest.raises(DataError, match="was cut off: it unpacks to more than"):
        read_table(path, Sample(10, 0))
    monkeypatch.setattr("modelshelf.data.read.lines.LONGEST", 1 << 20)
    path.write_bytes(b"a,b\n" + b"1" * (5 << 20))
    with pytest.raises(DataError, match="has a line of more than 1 MiB"):
        read_table(path)


def test_headers_that_promise_more_than_there_is(tmp_path):
    path = tmp_path / "t.npz"
    npy = io.BytesIO()
    shape = (10**6, 10**6)  # 7 TiB
    np.lib.format.write_array_header_1_0(
        npy, {"descr": "<f8", "fortran_order": False, "shape": shape}
    )
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr("X.npy", npy.getvalue())
    with pytest.raises(DataError, match=r"needs about 16,000\.\d GB of memory"):
        read_table(path)
    idx = tmp_path / "train-images-idx3-ubyte"
    idx.write_bytes(b"\0\0\x08\x03" + np.array([2**31, 2**12, 2**12], ">u4").tobytes())
    with pytest.raises(DataError, match="of memory as a table"):
        read_table(idx)
    idx.write_bytes(gzip.compress(b"\0\0\x08\x03" + np.array([2, 2, 2], ">u4").tobytes()))
    with pytest.raises(DataError, match="cut off or damaged"):
        read_table(idx)


@pytest.mark.parametrize(
    "header",
    [
        b"{'descr': '<f8', 'shape': (3,)",
        b"[" * 500,
        b"\xff\xfe",
        b"{'descr': ('x', ('y',)), }",
        b"",
    ],
)
def test_a_damaged_npz_header_is_refused_in_words(header, tmp_path):
    path = tmp_path / "t.npz"
    head = header.ljust(510) + b"\n"
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr("X.npy", b"\x93NUMPY\x01\x00" + len(head).to_bytes(2, "little") + head)
    with pytest.raises(DataError, match="cannot be read as npz"):
        read_table(path)


def test_numbers_are_held_as_numbers_and_understood_as_their_text_is(tmp_path):
    rng = np.random.default_rng(0)
    columns = {
        "whole": rng.integers(0, 50, 200),
        "float": rng.normal(size=200),
        "exact": [f"{i / 8:.3f}" for i in rng.integers(0, 9, 200)],
        "counts": [f"{i}.0" for i in range(200)],  # an identifier, as text
        "leading": [f"{i:03}" for i in rng.integers(0, 50, 200)],
        "late word": [*map(str, rng.normal(size=199)), "seven"],
        "holes": ["NA" if i % 7 == 0 else str(i % 5) for i in range(200)],
        "word": [["a", "b", "c"][i % 3] for i in range(200)],
        "empty": [""] * 200,
        "chosen": rng.integers(0, 9, 200),
        "y": rng.integers(0, 3, 200),
    }
    path = tmp_path / "t.csv"
    pl.DataFrame({k: [str(v) for v in values] for k, values in columns.items()}).write_csv(path)
    text = read_table(path)
    numbers = read_table(path, None, {"y", "chosen"})
    assert set(text.frame.dtypes) == {pl.String}
    told = {name: dtype for name, dtype in numbers.frame.schema.items() if dtype != pl.String}
    assert told == {
        "whole": pl.Int64, "float": pl.Float64, "exact": pl.Float64, "leading": pl.Float64,
        "holes": pl.Int64, "empty": pl.Int64,
    }  # fmt: skip
    kinds = {"chosen": "categorical"}
    one, other = (understand(each, "y", columns=kinds) for each in (text, numbers))
    assert one.fingerprint == other.fingerprint
    assert one.schema == other.schema
    assert one.summary() == other.summary()
    assert one.frame.equals(other.frame)
