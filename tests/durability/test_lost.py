"""Files that a shelf names and has no longer are named, and made again from what is left."""

from __future__ import annotations

import random
import shutil
import signal
from pathlib import Path

import pytest

from modelshelf import train
from modelshelf.core.errors import ShelfError
from modelshelf.core.records import Status
from modelshelf.shelf import Shelf
from modelshelf.space.configuration import Configuration
from modelshelf.study.model import Model
from tests.durability.runner import difference, files, rows, run

HALFWAY = 91  # transactions


@pytest.fixture(scope="module")
def halfway(rows_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shelf whose study was killed in the midst of its search."""
    shelf = tmp_path_factory.mktemp("halfway") / "shelf"
    assert run(shelf, rows_file, 2, 60, HALFWAY) == -signal.SIGKILL
    return shelf


def harmed(shelf: Path, seed: int, share: float) -> int:
    """Remove, empty or cut a share of the files; returns how many."""
    rng, count = random.Random(seed), 0
    for name in sorted(files(shelf)):
        if rng.random() < share:
            path, count = shelf / name, count + 1
            how = rng.choice(("removed", "emptied", "cut"))
            if how == "removed":
                path.unlink()
            else:
                path.write_bytes(path.read_bytes()[: 0 if how == "emptied" else 100])
    return count


@pytest.mark.parametrize(("seed", "share"), [(1, 0.1), (2, 1.0)])
def test_what_a_cut_off_study_lost_is_trained_again_to_the_same_bits(
    halfway: Path, calm: Path, rows_file: Path, tmp_path: Path, seed: int, share: float
) -> None:
    shelf = shutil.copytree(halfway, tmp_path / "shelf")
    assert harmed(shelf, seed, share) >= 3
    assert run(shelf, rows_file, 2) == 0
    found = difference(calm, shelf)
    notes = rows(shelf)["study"][0]["result"]["notes"]
    assert any("had been lost" in each and "to the same bits" in each for each in notes), notes
    assert [each for each in found if "result.notes" not in each] == []


def test_a_file_that_was_damaged_in_place_costs_its_training_and_no_more(
    halfway: Path, calm: Path, rows_file: Path, tmp_path: Path
) -> None:
    shelf = shutil.copytree(halfway, tmp_path / "shelf")
    with Shelf.open(shelf) as opened:
        (study,) = opened.studies()
        kept = (Status.PAUSED, Status.RUNNING)
        paused = {t.number for t in opened.trials(study.name) if t.status in kept}
        for number, each in opened.files(study.name).items():
            if number in paused:
                data = bytearray((shelf / each.file.name).read_bytes())
                data[-1] ^= 1
                (shelf / each.file.name).write_bytes(data)
        assert opened.check() != ()
    assert run(shelf, rows_file, 2) == 0
    # Steps were made twice; and an ensemble does without a network whose answers are damaged.
    found = [each for each in difference(calm, shelf) if "steps" not in each]
    ensemble = (".study[0].result", "files: ['ensembles/")
    assert [each for each in found if not each.startswith(ensemble)] == []
    before = {each["number"] for each in rows(halfway)["job"] if each["done"]}
    later = [each for each in rows(shelf)["job"] if each["number"] not in before]
    resumed = {each["trial"] for each in later if each["from_epoch"]} & paused
    assert resumed, "no damaged network was trained further"
    with Shelf.open(shelf) as opened:
        damaged = " ".join(opened.check())
    assert not [n for n in resumed if f"trial {n} " in damaged]


def test_a_done_study_gets_back_all_that_it_lost(
    calm: Path, rows_file: Path, tmp_path: Path
) -> None:
    shelf = shutil.copytree(calm, tmp_path / "shelf")
    result = rows(shelf)["study"][0]["result"]
    for folder in ("networks", "preparations", "ensembles"):
        shutil.rmtree(shelf / folder)
    with pytest.raises(ShelfError, match="missing"):
        Model.from_shelf(result["winner"]["copy"], shelf)
    assert run(shelf, rows_file, 2) == 0
    assert files(shelf) == files(calm)
    again = rows(shelf)["study"][0]["result"]
    assert again["winner"] == result["winner"]
    assert again["ensemble"] == result["ensemble"]
    with Shelf.open(shelf) as opened:
        assert opened.check() == ()
    assert Model.from_shelf(result["winner"]["copy"], shelf).classes == ("high", "low", "middle")


def test_a_network_trained_alone_is_trained_again(rows_file: Path, tmp_path: Path) -> None:
    configuration = Configuration(hidden_layers=(4,), epochs=3)
    asked = {"target": "label", "configuration": configuration, "shelf": tmp_path / "shelf"}
    first = train(rows_file, **asked)
    with Shelf.open(tmp_path / "shelf") as shelf:
        (file,) = shelf.files(shelf.studies()[0].name).values()
    path = tmp_path / "shelf" / file.file.name
    whole = path.read_bytes()
    path.write_bytes(b"")
    again = train(rows_file, **asked)
    assert again.copy == first.copy
    assert path.read_bytes() == whole
    with Shelf.open(tmp_path / "shelf") as shelf:
        assert shelf.check() == ()
        assert len(shelf.trials()) == 1
