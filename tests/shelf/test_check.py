"""Whatever is broken on a shelf, `check` says so, and `read` refuses it."""

from __future__ import annotations

import hashlib
import re
import sqlite3
from pathlib import Path

import numpy as np
import pytest

from modelshelf.core.errors import ShelfError
from modelshelf.shelf import Shelf
from modelshelf.shelf.tensors import encode
from tests.shelf.helpers import fill, tensors


@pytest.fixture
def filled(shelf: Shelf) -> Shelf:
    fill(shelf)
    assert shelf.check() == ()
    return shelf


def broken(shelf: Shelf, *statements: str) -> tuple[str, ...]:
    connection = sqlite3.connect(shelf.path / "shelf.sqlite")
    for each in statements:
        connection.execute(each)
    connection.commit()
    connection.close()
    return shelf.check()


SAID = {
    "delete from curve where trial = 1 and epoch = 2": "curve has 3 points, from epoch 1 to 4",
    "delete from curve where trial = 1": "curve has 0 points",
    "update curve set epoch = 9 where trial = 1 and epoch = 4": "from epoch 1 to 9",
    "insert into curve values (1, 1, 5, 0, 0, 0)": "curve has 5 points",
    "insert into curve values (1, 77, 1, 0, 0, 0)": "of curve belongs to a trial that is not there",
    "update trial set barcode = 'AAAA' where number = 0": "belongs to a configuration that is not",
    "update configuration set settings = '{}' where rowid = 1": "has the barcode",
    "update configuration set settings = '{\"lr\": 1}' where rowid = 1": "no hyperparameter 'lr'",
    "update configuration set settings = '[' where rowid = 1": "a row of it cannot be read",
    "update trial set epoch = 5 where number = 2": "jobs come to epoch 4",
    "update trial set steps = 11 where number = 2": "11 steps",
    "update trial set seconds = 0.2 where number = 2": "in 0.2 s",
    "update trial set seconds = 'x' where number = 2": "damaged",
    "update job set done = 0 where number = 1": "Job 1 of study 'a' has retired, and is not done",
    "update job set steps = 12 where number = 1": "12 steps",
    "update trial set file = '' where number = 1": "is not on the shelf, though the trial is fini",
    "update trial set file = '../shelf.sqlite' where number = 1": "names a file '../shelf.sqlite'",
    "update trial set file = 'networks/1/8-8.safetensors' where number = 1": "missing: there is no",
    "update trial set size = 1 where number = 1": "damaged: networks/1/1-4.safetensors is not what",
    "update trial set checksum = 'ab' where number = 1": "is not what was written",
    "update trial set preparation = 'preparations/ab.safetensors'": "preparation .* is missing",
    "update trial set preparation = '/etc/passwd'": "names a file '/etc/passwd'",
    "update trial set purpose = 'fun'": "'fun' is not a valid Purpose",
    "update study set task = 'fun'": "'fun' is not a valid Task",
    "update job set status = 'fun'": "'fun' is not a valid Status",
}


@pytest.mark.parametrize("statement", SAID)
def test_what_is_broken_is_said(filled: Shelf, statement: str) -> None:
    problems = broken(filled, statement)
    assert [each for each in problems if re.search(SAID[statement], each)], problems


def test_a_barcode_of_an_old_version_is_left_alone(filled: Shelf) -> None:
    assert broken(filled, "update configuration set settings = '{}', version = 0") == ()


def path_of(shelf: Shelf, number: int) -> Path:
    return shelf.path / shelf.files("a")[number].file.name


def test_a_damaged_network_is_neither_read_nor_passed(filled: Shelf) -> None:
    path = path_of(filled, 0)
    whole = path.read_bytes()
    flipped = bytearray(whole)
    flipped[-1] ^= 1
    for data in (bytes(flipped), whole[:-1], whole + b"\0", b""):
        path.write_bytes(data)
        with pytest.raises(ShelfError, match=r"0-4\.safetensors .* is damaged"):
            filled.read_network(("a", 0))
        assert len(filled.check()) == 1
    path.unlink()
    with pytest.raises(ShelfError, match="network of trial 0 of study 'a' is missing"):
        filled.read_network(filled.trial("a", 0))
    with pytest.raises(ShelfError, match="is missing"):
        filled.read_network(("a", 0), filled.files("a")[0].file)
    assert len(filled.check()) == 1
    path.write_bytes(whole)
    assert filled.check() == ()


def test_a_file_that_is_no_safetensors_is_told(filled: Shelf) -> None:
    data = b"not safetensors"
    path_of(filled, 0).write_bytes(data)
    found = broken(
        filled,
        f"update trial set size = {len(data)}, checksum = '{hashlib.sha256(data).hexdigest()}' "
        "where number = 0",
    )
    assert len(found) == 1
    assert "cannot be read" in found[0]
    with pytest.raises(ShelfError, match="is damaged"):
        filled.read_network(("a", 0))


def test_a_damaged_preparation_is_not_read(filled: Shelf) -> None:
    name = filled.preparation_of("a", 0)
    path = filled.path / name
    path.write_bytes(encode({"mean": np.arange(4.0)}, {"preparation": "{}"}))
    with pytest.raises(ShelfError, match="damaged"):
        filled.read_preparation(name)
    assert len(filled.check()) == 1
    # Written again, it is sound again.
    assert filled.write_preparation({"columns": ["x"]}, {"mean": np.arange(3.0)}) == name
    assert filled.check() == ()
    path.unlink()
    with pytest.raises(ShelfError, match="missing"):
        filled.read_preparation(name)


@pytest.mark.parametrize("name", ["", "shelf.sqlite", "../x", "/etc/passwd", "networks/1/../x"])
def test_only_files_of_the_shelf_are_read(filled: Shelf, name: str) -> None:
    with pytest.raises(ShelfError, match="names a file"):
        filled.read_preparation(name)


def test_a_file_outside_is_never_deleted(filled: Shelf) -> None:
    outside = filled.path.parent / "precious.safetensors"
    outside.write_bytes(b"precious")
    filled._files.remove(["../precious.safetensors", str(outside), "shelf.sqlite"])
    assert outside.exists()
    assert (filled.path / "shelf.sqlite").exists()


def test_orphans_are_no_problem(filled: Shelf) -> None:
    file = filled.write_network("a", 9, 1, tensors(), {})
    preparation = filled.write_preparation({"new": True}, {})
    assert filled.check() == ()
    assert set(filled.orphans()) == {file.name, preparation}
