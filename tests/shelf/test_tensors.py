from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open

from modelshelf.shelf import Shelf
from modelshelf.shelf.files import write_atomically, write_once
from modelshelf.shelf.tensors import decode, encode

ARRAYS = {
    "matrix": np.arange(6, dtype=np.float32).reshape(2, 3),
    "every other": np.arange(12.0).reshape(3, 4)[:, ::2],
    "transposed": np.arange(6).reshape(2, 3).T,
    "big-endian": np.arange(3, dtype=">f8"),
    "scalar": np.array(2.5),
    "number": np.float64(1.5),
    "empty": np.zeros((0, 3), np.int16),
    "bits": np.array([True, False]),
    "extremes": np.array([np.nan, -np.inf, -0.0, 5e-324]),
    "random state": np.array([2**64 - 1], np.uint64),
    'né"\n': np.array([1], np.int8),
}
METADATA = {f"key {n} é": '"value"\n' for n in range(9)}


def test_arrays_come_back_to_the_bit() -> None:
    tensors, metadata = decode(encode(ARRAYS, METADATA))
    assert metadata == METADATA
    assert set(tensors) == set(ARRAYS)
    for name, array in ARRAYS.items():
        array = np.asarray(array)
        assert tensors[name].shape == array.shape
        assert tensors[name].dtype == array.dtype.newbyteorder("=")
        assert tensors[name].tobytes() == array.astype(array.dtype.newbyteorder("=")).tobytes()
        tensors[name][...] = 0  # and may be written


def test_nothing_is_something() -> None:
    assert decode(encode({}, {})) == ({}, {})


def test_others_can_read_it(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    path.write_bytes(encode(ARRAYS, METADATA))
    with safe_open(path, "numpy") as file:
        assert file.metadata() == METADATA
        assert file.get_tensor("every other").tolist() == [[0, 2], [4, 6], [8, 10]]


def test_the_same_content_gives_the_same_bytes_in_every_process() -> None:
    code = "import hashlib; from tests.shelf.test_tensors import *\n"
    code += "print(hashlib.sha256(encode(ARRAYS, METADATA)).hexdigest())"
    prints = {
        subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout
        for _ in range(2)
    }
    assert len(prints) == 1
    backwards = [dict(reversed(each.items())) for each in (ARRAYS, METADATA)]
    assert encode(*backwards) == encode(ARRAYS, METADATA)  # type: ignore[arg-type]


@pytest.mark.parametrize("array", [np.array([object()]), np.array(["a"]), np.array([1j])])
def test_only_numbers_are_written(array: np.ndarray) -> None:
    with pytest.raises(TypeError, match=r"array 'x' holds .* expected numbers"):
        encode({"x": array}, {})


@pytest.mark.parametrize("data", [b"", b"\x80\x04K*.", b"\xff" * 100, encode(ARRAYS, {})[:-1]])
def test_what_is_no_safetensors_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError):
        decode(data)


def test_a_file_is_there_as_a_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(*_: object) -> None:
        raise KeyboardInterrupt

    path = tmp_path / "file"
    write_atomically(path, b"old")
    monkeypatch.setattr(Path, "replace", dies)
    for each in (path, tmp_path / "new"):
        with pytest.raises(KeyboardInterrupt):
            write_atomically(each, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_system_without_links_will_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unable(*_: object) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(Path, "hardlink_to", unable)
    path = tmp_path / "file"
    assert write_once(path, b"first")
    assert not write_once(path, b"second")
    assert path.read_bytes() == b"first"
    assert list(tmp_path.iterdir()) == [path]


def test_a_preparation_is_written_once(shelf: Shelf) -> None:
    described = {"columns": ["x", "é"], "scale": float("inf"), "nested": {"a": [1, 2.5, None]}}
    name = shelf.write_preparation(described, {"mean": np.arange(3.0)})
    path = shelf.path / name
    before = path.stat()
    again = dict(reversed(described.items()))
    assert shelf.write_preparation(again, {"mean": np.arange(3.0)}) == name
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    others = [
        shelf.write_preparation(described, {"mean": np.arange(3, dtype=np.float32)}),
        shelf.write_preparation(described, {"means": np.arange(3.0)}),
        shelf.write_preparation({**described, "x": 1}, {"mean": np.arange(3.0)}),
    ]
    assert len({name, *others}) == 4
    read, arrays = shelf.read_preparation(name)
    assert read == described
    assert arrays["mean"].tolist() == [0, 1, 2]
    with pytest.raises(TypeError):
        shelf.write_preparation({"bad": {1, 2}}, {})
