"""Ctrl-C at any moment, and readers that go away: a word at most, and never a traceback."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time

import pytest

from tests.cli.conftest import Ran, program, run

#: Says that Python has started and our own code is about to: before that, Ctrl-C is Python's.
STARTS = """
import os
from modelshelf.cli.app import entry
os.write(1, b"up\\n")
entry()
"""
TUNE = ("tune", "--example", "iris", "--time", "20s", "--seed", "3")


def pressed(seconds: float, *arguments: object, shelf, presses: int = 1) -> Ran:
    """The program, ended by Ctrl-C so long after it began."""
    with subprocess.Popen(
        [sys.executable, "-W", "error", "-c", STARTS, *map(str, arguments), "--shelf", str(shelf)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=dict(os.environ),
    ) as process:  # fmt: skip
        assert process.stdout.readline() == "up\n"
        time.sleep(seconds)
        for _ in range(presses):
            process.send_signal(signal.SIGINT)
            time.sleep(0.005)
        out, err = process.communicate(timeout=60)
    return Ran(subprocess.CompletedProcess([], process.returncode, out, err))


def check(ran: Ran) -> None:
    told = ran.out + ran.err
    assert ran.status == 130, told
    for word in ("Traceback", "Exception ignored", "Error", "KeyboardInterrupt"):
        assert word not in told
    assert "Stopped." in told or "Finishing tidily" in told


def moments(count: int, seed: int) -> list[float]:
    """From the first moment on: half of them while modules load."""
    rng = random.Random(seed)
    return [rng.uniform(0.001, rng.choice((0.3, 2.0))) for _ in range(count)]


def test_ctrl_c_at_any_moment_is_no_traceback(tmp_path):
    for seconds in moments(5, seed=1):
        check(pressed(seconds, *TUNE, shelf=tmp_path / "s"))


@pytest.mark.slow
def test_ctrl_c_at_forty_moments_is_no_traceback(tmp_path):
    for seconds in moments(40, seed=2):
        check(pressed(seconds, *TUNE, shelf=tmp_path / "s"))


@pytest.mark.slow
def test_ctrl_c_twice_leaves_at_once_without_a_traceback(tmp_path):
    for seconds in moments(20, seed=3):
        ran = pressed(seconds, *TUNE, shelf=tmp_path / "s", presses=2)
        assert ran.status == 130
        assert "Traceback" not in ran.out + ran.err


def test_ctrl_c_that_a_library_swallows_ends_the_program_a_little_later():
    script = """
import sys, os, signal, time
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == "typer":
            try:
                os.kill(os.getpid(), signal.SIGINT)
            except BaseException:
                time.sleep(60)
sys.meta_path.insert(0, Finder())
from modelshelf.cli.app import entry; entry()
"""
    done = subprocess.run([sys.executable, "-c", script, "shelf"], capture_output=True, text=True,
                          timeout=50)  # fmt: skip
    assert (done.returncode, done.stderr, done.stdout) == (130, "Stopped.\n", "")


@pytest.mark.parametrize("made", ["ImportError('it failed')", "SystemError('error return')"])
def test_ctrl_c_that_a_library_makes_something_else_of_is_still_that(made):
    script = f"""
import sys, os, signal
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == "typer":
            try:
                os.kill(os.getpid(), signal.SIGINT)
            except KeyboardInterrupt:
                raise {made} from None
sys.meta_path.insert(0, Finder())
from modelshelf.cli.app import entry; entry()
"""
    done = subprocess.run([sys.executable, "-c", script, "shelf"], capture_output=True, text=True)
    assert (done.returncode, done.stderr, done.stdout) == (130, "Stopped.\n", "")


def test_ctrl_c_where_nothing_can_be_raised_ends_the_program_too():
    script = """
import sys, os, signal
class Falls:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGINT)
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == "typer":
            Falls()
sys.meta_path.insert(0, Finder())
from modelshelf.cli.app import entry; entry()
"""
    done = subprocess.run([sys.executable, "-c", script, "shelf"], capture_output=True, text=True)
    assert (done.returncode, done.stderr, done.stdout) == (130, "Stopped.\n", "")


@pytest.fixture(scope="module")
def shelved(tmp_path_factory):
    """A shelf with a network, the rows that it learned from, and its barcode."""
    folder = tmp_path_factory.mktemp("pipes")
    rows = "\n".join(f"{i},{i % 7},{i % 3}.5" for i in range(3000))  # more than a pipe holds
    (folder / "t.csv").write_text(f"a,b,t\n{rows}\n")
    made = run("train", folder / "t.csv", "--target", "t", "--set", "epochs=2", "--shelf",
               folder / "s", "--json")  # fmt: skip
    assert made.status == 0, made.err
    return folder, made.json["barcode"]


@pytest.mark.parametrize("lines", [0, 1])
@pytest.mark.parametrize("name", ["shelf", "show", "predict", "hyperparameters", "tune"])
def test_a_reader_that_goes_away_is_no_failure(name, lines, shelved, space_file):
    folder, barcode = shelved
    command = {
        "shelf": ("shelf", "--all", "--shelf", folder / "s"),
        "show": ("show", barcode, "--shelf", folder / "s"),
        "predict": ("predict", barcode, folder / "t.csv", "--shelf", folder / "s"),
        "hyperparameters": ("hyperparameters",),
        "tune": ("tune", "--example", "iris", "--trials", 3, "--space", space_file, "--folds", 2,
                 "--shelf", folder / f"tune {lines}"),
    }[name]  # fmt: skip
    with subprocess.Popen(
        program(*command), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    ) as process:  # fmt: skip
        for _ in range(lines):
            assert process.stdout.readline()
        process.stdout.close()
        err = process.stderr.read()
    assert (process.returncode, err) == (0, "")
