"""Damaged and odd files: every reader answers with a table or a sentence, and nothing else."""

from __future__ import annotations

import gzip
import io
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modelshelf.core.errors import DataError, UserError
from modelshelf.data.read import Sample, read_table
from modelshelf.data.understand import understand
from modelshelf.space.space import Space

FRAME = pl.DataFrame(
    {
        "x": [i / 7 for i in range(24)],
        "word": [["a", "ü, b", 'say "c"\nd'][i % 3] for i in range(24)],
        "y": [i * i % 5 % 2 for i in range(24)],
    }
)


def _saved(write: Callable[[io.BytesIO], object]) -> bytes:
    whole = io.BytesIO()
    write(whole)
    return whole.getvalue()


def _npy(file: io.BytesIO) -> None:
    with zipfile.ZipFile(file, "w") as packed:  # stored, so that a changed byte is a header's own
        for name, array in (("X", np.ones((12, 2))), ("y", np.arange(12) % 2)):
            packed.writestr(f"{name}.npy", _saved(lambda each, a=array: np.save(each, a)))


def _packed(file: io.BytesIO) -> None:
    np.savez_compressed(file, X=np.ones((12, 2)), y=np.arange(12))


CSV = _saved(FRAME.write_csv)
ARFF = b"@relation r\n@attribute 'a b' numeric\n@attribute y {u,v}\n@data\n" + b"1,u\n'2',v\n" * 9
IDX = b"\0\0\x08\x03" + np.array([6, 4, 4], ">u4").tobytes() + bytes(range(96))

#: A good file of each kind: its ending, and its bytes.
FILES = {
    "csv": (".csv", CSV),
    "plain csv": (".csv", _saved(FRAME.drop("word").write_csv)),
    "utf-16": (".csv", CSV.decode().encode("utf-16")),
    "semicolons": (".txt", b"a;b;y\n1,5;x;1\n2,5;y;0\n" * 8),
    "gzip": (".csv.gz", gzip.compress(CSV)),
    "parquet": (".parquet", _saved(FRAME.write_parquet)),
    "arrow": (".arrow", _saved(FRAME.write_ipc)),
    "arrow stream": (".feather", _saved(FRAME.write_ipc_stream)),
    "arff": (".arff", ARFF),
    "npz": (".npz", _saved(_npy)),
    "packed npz": (".npz", _saved(_packed)),
    "idx": ("-idx3-ubyte", IDX),
    "packed idx": ("-idx3-ubyte.gz", gzip.compress(IDX)),
    "no ending": ("", _saved(FRAME.write_parquet)),
}

SPACE = b"learning_rate = [1e-4, 1e-2]\nhidden_layers = {depth = [1, 2], width = [8, 24]}\n"
_ODD = [
    *(b"", b"\0", b'"', b"\n", b"\r", b",", b";", b"\xff", b"\x80", b"[", b"{", b"'", b"-", b"\\"),
    *(b"9" * 30, b"\xef\xbb\xbf", b"\xff\xfe", b"nan", b"1e999", "٣".encode(), b"%", b"@data\n"),
]

edits = st.lists(
    st.tuples(
        st.floats(0, 1, exclude_max=True),  # where
        st.integers(0, 40),  # how many bytes are taken away there
        st.one_of(st.sampled_from(_ODD), st.binary(max_size=4)),  # and what comes in their place
        st.integers(1, 50),  # so many times
    ),
    min_size=1,
    max_size=4,
)


def mutated(data: bytes, changes: list[tuple[float, int, bytes, int]]) -> bytes:
    for where, taken, put, times in changes:
        at = int(where * (len(data) + 1))
        data = data[:at] + put * times + data[at + taken :]
    return data


def answered(path: Path, sample: Sample | None, text: set[str] | None) -> None:
    """Read it, and understand it where that can be."""
    with suppress(DataError):  # a sentence that says why not
        table = read_table(path, sample, text)
        for target in table.frame.columns[-1:]:
            understand(table, target, allow_wide=True)


def fuzz(kind: str, examples: int, folder: Path) -> None:
    ending, whole = FILES[kind]
    path = folder / f"t{ending}"
    path.write_bytes(whole)
    assert read_table(path).name == path.name  # as it is, it is a good one

    @settings(deadline=None, max_examples=examples, database=None,
              suppress_health_check=[HealthCheck.too_slow])  # fmt: skip
    @given(
        changes=edits,
        sample=st.one_of(st.none(), st.builds(Sample, st.integers(1, 30), st.integers(0, 3))),
        text=st.sampled_from([None, {"y"}]),
    )
    def run(changes, sample, text):
        path.write_bytes(mutated(whole, changes))
        answered(path, sample, text)

    run()


@pytest.mark.parametrize("kind", FILES)
def test_a_damaged_file_gives_a_table_or_a_sentence(kind, tmp_path):
    fuzz(kind, 25, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("kind", FILES)
def test_many_damaged_files_give_a_table_or_a_sentence(kind, tmp_path):
    fuzz(kind, 10_000 // len(FILES) + 1, tmp_path)


@settings(deadline=None, max_examples=60)
@given(changes=edits)
def test_a_damaged_space_file_gives_a_space_or_a_sentence(changes, tmp_path_factory):
    path = tmp_path_factory.mktemp("space") / "space.toml"
    path.write_bytes(mutated(SPACE, changes))
    with suppress(UserError):
        Space.from_file(path)


def test_a_space_of_lists_in_lists_is_refused_in_words(tmp_path):
    path = tmp_path / "space.toml"
    path.write_text("dropout = " + "[" * 5_000 + "]" * 5_000)
    with pytest.raises(UserError, match="too deeply"):
        Space.from_file(path)
