"""What a shelf has lost is found, and what was left behind on it is swept."""

from __future__ import annotations

import os
import re
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from modelshelf.core.errors import ShelfError
from modelshelf.shelf import Shelf
from tests.shelf.helpers import fill, new_trial, tensors


@pytest.fixture
def filled(shelf: Shelf) -> Shelf:
    fill(shelf, 4)
    assert shelf.check() == ()
    return shelf


def changed(shelf: Shelf, statement: str, *values: object) -> None:
    connection = sqlite3.connect(shelf.path / "shelf.sqlite")
    connection.execute(statement, values)
    connection.commit()
    connection.close()


def test_lost_is_what_is_missing_or_of_another_size(filled: Shelf) -> None:
    assert filled.lost("a") == ()
    names = {number: each.file.name for number, each in filled.files("a").items()}
    (filled.path / names[3]).unlink()
    (filled.path / names[1]).write_bytes(b"")
    assert filled.lost("a") == (1, 3)
    fill(filled, 1, "b")
    assert filled.lost("b") == ()
    with pytest.raises(ShelfError, match="no study 'c'"):
        filled.lost("c")


@pytest.mark.parametrize("name", ["../shelf", "networks/1/0-4.safetensors/x", "nul\0l", "networks"])
def test_a_name_that_is_no_file_is_lost(filled: Shelf, name: str) -> None:
    changed(filled, "update trial set file = ? where number = 2", name)
    assert filled.lost("a") == (2,)


def test_a_trial_without_a_file_has_lost_none(filled: Shelf) -> None:
    changed(filled, "update trial set file = '' where number = 2")
    assert filled.lost("a") == ()


def temporary(shelf: Shelf, folder: str, process: int) -> Path:
    (shelf.path / folder).mkdir(exist_ok=True)
    path = shelf.path / folder / f".ab.safetensors.{process}-0a1b2c3d.tmp"
    path.write_bytes(b"half")
    return path


def dead() -> int:
    """The number of a process that has ended."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    return ended.pid


def test_a_sweep_takes_what_the_dead_were_writing(filled: Shelf) -> None:
    half = [temporary(filled, folder, dead()) for folder in ("preparations", "ensembles")]
    old = temporary(filled, "preparations", os.getpid())
    os.utime(old, (0, 0))
    writing = temporary(filled, "ensembles", os.getpid())
    other = filled.write_preparation({"of": "another study"}, {})
    with filled.lock("a"):
        assert filled.sweep("a") == 3
    assert not any(each.exists() for each in (*half, old))
    assert writing.exists()
    assert set(filled.orphans()) == {f"ensembles/{writing.name}", other}


def test_repair_mends_what_it_can_and_says_so(filled: Shelf) -> None:
    changed(filled, "update trial set status = 'paused' where number < 2")
    names = {number: each.file.name for number, each in filled.files("a").items()}
    (filled.path / names[0]).unlink()
    (filled.path / names[1]).write_bytes((filled.path / names[1]).read_bytes()[:-1] + b"x")
    (filled.path / names[3]).write_bytes(b"")
    left = filled.path / "networks/1/9-9.safetensors"
    left.write_bytes(b"left")
    stray = filled.path / "networks/77"
    stray.mkdir()
    (stray / "0-1.safetensors").write_bytes(b"of a study that was removed")
    filled.write_ensemble({}, {})
    half = filled.path / f".shelf.sqlite.{dead()}-0a1b2c3d.tmp"
    half.write_bytes(b"half")
    said = filled.repair()
    assert [re.sub(r"[0-9a-f]{64}|\.\d+-", "#", each) for each in said] == [
        "Of study 'a', the networks of these trials are lost: "
        f"0 (missing: there is no file {names[0]}), "
        f"1 (damaged: {names[1]} is not what was written), "
        f"3 (damaged: {names[3]} is not what was written). "
        "The same command that began the study trains them again.",
        "Deleted 1 file of study 'a', left behind: networks/1/9-9.safetensors.",
        "Deleted 2 files of no study, left behind: ensembles/#.safetensors, "
        "networks/77/0-1.safetensors.",
        "Deleted 1 file of the database, left behind: .shelf.sqlite#0a1b2c3d.tmp.",
    ]
    assert filled.lost("a") == (0, 1, 3)
    assert filled.orphans() == ()
    assert len(filled.check()) == 3
    filled.remove_network(new_trial(3).barcode)
    assert len(filled.check()) == 2


def test_repair_leaves_alone_what_is_being_trained(filled: Shelf) -> None:
    fresh = filled.write_network("a", 9, 1, tensors(), {})
    shared = filled.write_preparation({"new": True}, {})
    with Shelf.open(filled.path) as other, other.lock("a"):
        assert filled.repair() == (
            "The study 'a' is being trained: it was left alone.",
            "A study is being trained: preparations and ensembles were left alone.",
        )
        assert set(filled.orphans()) == {fresh.name, shared}
    filled.repair()
    assert filled.orphans() == ()


def test_a_damaged_database_is_not_repaired_by_deleting_what_it_lost(filled: Shelf) -> None:
    changed(filled, "delete from trial where number = 3")  # its curve and its job stay
    assert filled.repair()[0].startswith("Nothing was repaired: the database itself is damaged.")
    assert len(filled.orphans()) == 1
