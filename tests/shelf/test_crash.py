"""Killed at any moment, a shelf is sound, and goes on where it was."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from modelshelf.core.errors import ShelfError
from modelshelf.core.records import Status
from modelshelf.shelf import Shelf
from tests.shelf.helpers import fill

# Goes on with the study of a shelf for ever: each trial has two legs, and a redo of each leg that
# was cut off. Before a leg counts, its number is printed once it is on the shelf.
WORKER = """
import sys
from modelshelf.shelf import Job, Shelf
from modelshelf.core.records import Status
from tests.shelf.helpers import leg, new_trial, study
with Shelf.open(sys.argv[1], create=True) as shelf:
    if shelf.find_study("key of a") is None:
        shelf.add_study(study())
    with shelf.lock("a"):
        shelf.sweep("a")
        log = list(shelf.jobs("a"))
        place = len([each for each in log if each.retired is not None])
        waiting = [each.job for each in log if each.outcome is None]
        made = len(log)
        while True:
            if not waiting:
                trial = made // 2
                waiting = [Job(made, trial, 0, 0, 5)]
                shelf.write("a", trials=[new_trial(trial)], jobs=waiting)
                made += 1
            job = waiting.pop()
            status = Status.FINISHED if job.from_epoch else Status.PAUSED
            done = leg(shelf, job.number, job.trial, job.from_epoch + 1, job.to_epoch, status)
            if status is Status.PAUSED:
                waiting = [Job(made, job.trial, 1, 5, 15)]
            shelf.write("a", completed=[done], jobs=waiting, retired=[(job.number, place)])
            made, place = made + len(waiting), place + 1
            print(job.number, flush=True)
"""


@pytest.fixture
def worker(tmp_path: Path) -> Path:
    script = tmp_path / "worker.py"
    script.write_text(WORKER)
    return script


def start(worker: Path, shelf: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(worker), str(shelf)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )


def killed(process: subprocess.Popen[str], after: float) -> list[int]:
    """Kill it some time after its first word; returns the jobs that it said were done."""
    assert process.stdout is not None
    first = process.stdout.readline()
    time.sleep(after)
    process.send_signal(signal.SIGKILL)
    rest, _ = process.communicate()
    return [int(line) for line in (first + rest).splitlines(keepends=True) if line.endswith("\n")]


def test_killed_again_and_again_a_shelf_stays_sound(worker: Path, tmp_path: Path) -> None:
    where = tmp_path / "shelf"
    told: list[int] = []
    for turn in range(8):
        told += killed(start(worker, where), 0.02 + 0.0137 * turn)
        with Shelf.open(where) as shelf:
            assert shelf.check() == ()
            log = shelf.jobs("a")
            done = [each.job.number for each in log if each.outcome is not None]
            assert set(told) <= set(done)
            assert sorted(each.retired for each in log if each.retired is not None) == list(
                range(len(done))
            )
            assert len(shelf.orphans()) <= 2
            with shelf.lock("a"):
                shelf.sweep("a")
            assert not [each for each in shelf.orphans() if each.startswith("networks/")]
    assert told == sorted(set(told))
    assert len(told) >= 8


def test_killed_while_it_is_made_a_shelf_can_be_made(tmp_path: Path) -> None:
    code = "import sys; from modelshelf.shelf import Shelf; print(1, flush=True)\n"
    code += "for n in range(10_000): Shelf.open(f'{sys.argv[1]}/{n}', create=True).close()"
    for turn in range(3):
        folder = tmp_path / str(turn)
        process = subprocess.Popen(
            [sys.executable, "-c", code, str(folder)], stdout=subprocess.PIPE, text=True
        )
        killed(process, 0.05 + 0.0111 * turn)
        made = sorted(folder.iterdir(), key=lambda each: int(each.name))
        with Shelf.open(made[-1], create=True) as shelf:
            fill(shelf, 1)
            assert shelf.check() == ()


def test_a_study_is_trained_by_one_process(worker: Path, tmp_path: Path) -> None:
    where = tmp_path / "shelf"
    process = start(worker, where)
    assert process.stdout is not None
    process.stdout.readline()
    with Shelf.open(where) as shelf:
        assert shelf.trials("a", limit=1)  # reading goes on beside it
        with pytest.raises(ShelfError, match="'a' is being trained by another process"):
            shelf.lock("a").__enter__()
        killed(process, 0)
        with shelf.lock("a"):
            shelf.mark("a", [0], Status.STOPPED)
        with shelf.lock("a"):
            pass


def test_a_lock_is_of_one_study_and_held_once(shelf: Shelf) -> None:
    fill(shelf, 1, "a")
    fill(shelf, 1, "b")
    with Shelf.open(shelf.path) as other:
        with shelf.lock("a"), other.lock("b"):
            for each in (shelf, other):
                with pytest.raises(ShelfError, match="another process"):
                    each.lock("a").__enter__()
        with pytest.raises(ZeroDivisionError), shelf.lock("a"):
            1 / 0  # noqa: B018
        with other.lock("a"):
            pass
    with pytest.raises(ShelfError, match="no study 'c'"):
        shelf.lock("c").__enter__()


def test_sweeping_needs_the_lock(shelf: Shelf) -> None:
    fill(shelf, 2)
    orphan = shelf.write_network("a", 9, 9, {}, {})
    (shelf.path / "networks" / "1" / ".1-5.safetensors.77-ab.tmp").write_bytes(b"half")
    with pytest.raises(RuntimeError, match="needs its lock"):
        shelf.sweep("a")
    assert len(shelf.orphans()) == 2
    assert orphan.name in shelf.orphans()
    with shelf.lock("a"):
        assert shelf.sweep("a") == 2
        assert shelf.sweep("a") == 0
    assert shelf.orphans() == shelf.check() == ()
