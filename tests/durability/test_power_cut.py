"""The power goes: what a file system holds of a shelf at any moment is a shelf that goes on.

The shelf lies on an ext4 image that is mounted. A copy of the image, taken while it is, is what a
disk would hold after a power cut: nothing that waits in memory is in it. Where the machine mounts
no images these tests are skipped, and `test_order` alone holds the order of syncs.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from modelshelf.core.errors import ShelfError
from modelshelf.shelf import Shelf
from modelshelf.shelf.place import DATABASE
from tests.durability.runner import CONTEXT, difference, run, train

SIZE = "96M"
LEGS = 107  # that an undisturbed study has, about

Done = set[tuple[int, int, str]]


@contextmanager
def mounted(image: Path, at: Path) -> Iterator[Path]:
    at.mkdir(exist_ok=True)
    subprocess.run(["mount", "-o", "loop", image, at], check=True, capture_output=True)
    try:
        yield at
    finally:
        subprocess.run(["umount", at], check=True)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[tuple[Path, Path]]:
    """An image of a file system, and where it is mounted."""
    image = tmp_path / "disk.img"
    try:
        subprocess.run(["truncate", "-s", SIZE, image], check=True, capture_output=True)
        subprocess.run(["mkfs.ext4", "-q", image], check=True, capture_output=True)
        with mounted(image, tmp_path / "disk"):
            pass
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no images can be mounted here ({error}): test_order holds the order alone")
    with mounted(image, tmp_path / "disk") as at:
        yield image, at


def done(shelf: Path) -> Done:
    """Every network that counts as trained, as anybody can read it now."""
    if not (shelf / DATABASE).exists():
        return set()
    with closing(sqlite3.connect(f"{(shelf / DATABASE).as_uri()}?mode=ro", uri=True)) as connection:
        query = (
            "SELECT job.study_id, job.number, study.status FROM job "
            "JOIN study ON study.id = job.study_id WHERE job.done"
        )
        return set(connection.execute(query).fetchall())


def cut(image: Path, folder: Path, told: Done) -> bool:
    """Cut the power: compare what is left with what was told; returns whether there was any."""
    copy = folder / "copy.img"
    shutil.copyfile(image, copy)
    with mounted(copy, folder / "copy") as at:
        try:
            with Shelf.open(at / "shelf") as shelf:
                assert shelf.check() == ()
                assert [shelf.lost(each.name) for each in shelf.studies()] in ([], [()])
        except ShelfError as error:
            if told or "no shelf at" not in str(error):
                raise
            return False
        assert told <= done(at / "shelf"), "a finished network was lost"
        shutil.rmtree(folder / "kept", ignore_errors=True)
        shutil.copytree(at / "shelf", folder / "kept")
    return bool(told)


def cut_often(disk: tuple[Path, Path], csv: Path, cuts: int, seed: int) -> tuple[int, int]:
    """Cut the power so often while a study is trained, and once when it has said goodbye.

    Returns how many cuts there were, and how many of them met finished networks.
    """
    image, at = disk
    rng, made, met = random.Random(seed), 0, 0
    shutil.rmtree(at / "shelf", ignore_errors=True)
    process: Any = CONTEXT.Process(target=train, args=(str(at / "shelf"), str(csv), 2))
    process.start()
    try:
        for networks in sorted(rng.choices(range(LEGS), k=cuts)):
            while process.exitcode is None and len(done(at / "shelf")) < networks:
                time.sleep(rng.uniform(0.0, 0.01))
            if process.exitcode is not None:
                break
            os.kill(process.pid, signal.SIGSTOP)  # so that the copy is of one moment
            met += cut(image, image.parent, done(at / "shelf"))
            os.kill(process.pid, signal.SIGCONT)
            made += 1
        process.join()
    finally:
        process.kill()
        process.join()
    assert process.exitcode == 0
    assert cut(image, image.parent, done(at / "shelf")), "nothing is left of a study that ended"
    return made + 1, met


def test_no_power_cut_loses_a_network_that_was_finished(
    disk: tuple[Path, Path], rows_file: Path, calm: Path
) -> None:
    assert cut_often(disk, rows_file, 20, seed=1)[1] >= 5
    kept = disk[0].parent / "kept"
    assert difference(calm, kept) == [], "what said goodbye is there to the bit"


def test_after_a_power_cut_a_study_goes_on_to_the_same_rows(
    disk: tuple[Path, Path], rows_file: Path, calm: Path
) -> None:
    image, at = disk
    for last in (3, 40, 91):
        shutil.rmtree(at / "shelf", ignore_errors=True)
        assert run(at / "shelf", rows_file, 2, 60, last) == -signal.SIGKILL
        assert cut(image, image.parent, done(at / "shelf")) or last == 3
        kept = image.parent / "kept"
        assert run(kept, rows_file, 2) == 0
        assert difference(calm, kept) == []


@pytest.mark.slow
def test_a_thousand_power_cuts(disk: tuple[Path, Path], rows_file: Path, calm: Path) -> None:
    cuts = 0
    for seed in range(1_000):
        cuts += cut_often(disk, rows_file, 25, seed)[0]
        if cuts >= 1_000:
            return
