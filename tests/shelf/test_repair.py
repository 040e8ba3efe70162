"""What a shelf has lost is found, and what was left behind on it is swept."""

from __future__ import annotations

import sqlite3

import pytest

from modelshelf.core.errors import ShelfError
from modelshelf.shelf import Shelf
from tests.shelf.helpers import fill


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
