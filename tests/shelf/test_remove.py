"""What is removed is gone, all of it and nothing else, whenever it was killed."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from modelshelf.core.errors import BarcodeError, ModelshelfError, ShelfError
from modelshelf.core.records import Status
from modelshelf.shelf import Completed, Job, Shelf
from modelshelf.shelf.files import Files
from tests.shelf.helpers import fill, leg, new_trial, outcome, study, tensors


@pytest.fixture
def two(shelf: Shelf) -> Shelf:
    """Studies `a` and `b`: they share two configurations and a preparation, and `a` has its own."""
    fill(shelf, 4)
    fill(shelf, 2, "b")
    file = shelf.write_network("a", 4, 4, tensors(9), {})
    own = shelf.write_preparation({"columns": ["y"]}, {"mean": np.arange(2.0)})
    shelf.write("a", trials=[new_trial(4)], jobs=[Job(4, 4, 0, 0, 4)])
    shelf.write("a", completed=[Completed(4, 4, outcome(1, 4, Status.FINISHED), file, own)])
    ensemble = shelf.write_ensemble({"of": "a"}, {"weights": np.ones(2)})
    winner = {"barcode": new_trial(1).barcode, "copy": new_trial(1).copy, "configuration": {}}
    shelf.update_study(
        "a", status="done", result={"winner": winner, "ensemble": {"file": ensemble}}
    )
    assert shelf.check() == ()
    assert shelf.orphans() == ()
    return shelf


def rows(shelf: Shelf) -> dict[str, list[tuple[object, ...]]]:
    connection = sqlite3.connect(shelf.path / "shelf.sqlite")
    tables = ("study", "configuration", "trial", "job", "curve")
    found = {each: connection.execute(f"select * from {each}").fetchall() for each in tables}
    connection.close()
    return found


def on_disk(shelf: Shelf) -> set[str]:
    return set(Files(shelf.path).every())


def test_a_study_goes_with_all_that_is_its_own_and_nothing_else(two: Shelf) -> None:
    others = {table: [row for row in found if table == "configuration" or row[0] == 2]
              for table, found in rows(two).items()}  # fmt: skip
    shared = two.preparation_of("b", 0)
    asked = two.removal("a")
    assert (asked.study, asked.whole, asked.trials) == ("a", True, (0, 1, 2, 3, 4))
    assert asked.winner
    assert len(asked.files) == 7  # five networks, a preparation, an ensemble
    assert asked.bytes == sum((two.path / each).stat().st_size for each in asked.files)
    before = on_disk(two)
    assert two.remove_study("a") == asked
    assert on_disk(two) == before - set(asked.files)
    assert not (two.path / "networks" / "1").exists()
    assert shared in on_disk(two)
    left = rows(two)
    assert [row[0] for row in left["configuration"]] == sorted(new_trial(n).barcode for n in (0, 1))
    assert {**left, "configuration": 0} == {**others, "configuration": 0}
    assert (two.check(), two.orphans()) == ((), ())
    with pytest.raises(ShelfError, match="no study 'a'"):
        two.study("a")
    fill(two, 3)  # its name is free again
    assert two.check() == ()


def test_a_network_goes_and_its_log_stays(two: Shelf) -> None:
    log, curve, record = two.jobs("a"), two.curve("a", 3), two.trial("a", 3)
    taken = two.remove_network(new_trial(3).barcode)
    assert (taken.study, taken.whole, taken.trials, taken.winner) == ("a", False, (3,), False)
    assert not (two.path / taken.files[0]).exists()
    assert (two.jobs("a"), two.curve("a", 3)) == (log, curve)
    after = two.trial("a", 3)
    assert (after.score, after.epoch, after.status) == (record.score, record.epoch, record.status)
    assert (after.size, two.lost("a"), two.check(), two.orphans()) == (0, (), (), ())
    with pytest.raises(ShelfError, match=r"no network on the shelf .*it was removed"):
        two.read_network(after)
    with pytest.raises(ShelfError, match="nothing to remove"):
        two.remove_network(new_trial(3).copy)
    own = two.preparation_of("a", 4)
    two.remove_network(new_trial(4).copy[:12])
    assert own not in on_disk(two)  # it was prepared by that alone
    assert two.preparation_of("b", 0) in on_disk(two)
    assert two.removal(new_trial(1).barcode, "a").winner


def test_what_names_nothing_or_several_things_is_refused(two: Shelf) -> None:
    for wrong in ("zzz", ""):
        with pytest.raises(BarcodeError):
            two.removal(wrong)
    with pytest.raises(BarcodeError, match=r"networks of 2 studies: 'a', 'b'. Say with --study"):
        two.removal(new_trial(1).barcode)
    assert two.removal(new_trial(1).barcode, "b").study == "b"
    with pytest.raises(BarcodeError, match="no network of the study 'b'"):
        two.removal(new_trial(3).barcode, "b")
    barcode = new_trial(3).barcode
    two.add_study(study(f"{barcode[:4]}-study"))
    with pytest.raises(BarcodeError, match=r"beginning of study .*, and of network"):
        two.removal(barcode[:4])
    two.add_study(study("long one"))
    two.add_study(study("long two"))
    assert two.removal("long o").study == "long one"
    with pytest.raises(ShelfError, match="beginning of 2 studies"):
        two.removal("long")


def test_what_is_being_trained_is_not_removed(two: Shelf, tmp_path: Path) -> None:
    before = rows(two), on_disk(two)
    with Shelf.open(two.path) as other, other.lock("a"):
        with pytest.raises(ShelfError, match="being trained by another process"):
            two.remove_study("a")
        with pytest.raises(ShelfError, match="being trained by another process"):
            two.remove_network(new_trial(3).barcode)
        assert (rows(two), on_disk(two)) == before
        # What another study leaves may be what this one at work is about to name.
        spare = two.write_preparation({"columns": ["spare"]}, {})
        two.remove_study("b")
        assert spare in two.orphans()
    two.remove_study("a")
    assert on_disk(two) == set()


def test_a_network_that_its_study_may_go_on_with_is_not_removed(kept: Shelf) -> None:
    kept.write("a", trials=[new_trial(0)], jobs=[Job(0, 0, 0, 0, 4)])
    kept.write("a", completed=[leg(kept, 0, 0, 1, 4)])
    with pytest.raises(ShelfError, match="is paused: the study may go on with it"):
        kept.remove_network(new_trial(0).barcode)
    assert kept.check() == ()


@pytest.mark.parametrize("remove", [lambda s: s.remove_study("a"),
                                    lambda s: s.remove_network(new_trial(3).barcode)])  # fmt: skip
def test_killed_before_the_files_are_gone_nothing_is_amiss(
    two: Shelf, remove: Callable[[Shelf], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            remove(two)
    assert two.check() == ()
    assert two.orphans()
    two.repair()
    assert (two.check(), two.orphans()) == ((), ())


def test_killed_before_the_rows_are_gone_all_is_there(
    two: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = rows(two), on_disk(two)
    monkeypatch.setattr("modelshelf.shelf.removing.configuration", None)
    with pytest.raises(AttributeError):
        two.remove_study("a")
    assert (rows(two), on_disk(two)) == before


def test_a_study_that_was_removed_meanwhile_is_not_taken_for_another(two: Shelf) -> None:
    with Shelf.open(two.path) as other:
        other.remove_study("b")
        other.add_study(study("c"))  # its number may be that of b
        with pytest.raises(ModelshelfError, match="no study 'b'"), two.lock("b"):
            pass
