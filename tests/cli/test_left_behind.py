"""What a process leaves where nothing can be kept, and what the next one makes of it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from modelshelf.core.scratch import release, scratch, sweep
from modelshelf.engines.numpy_.compile import INTERPRETED
from tests.cli.conftest import run

HOLDS = """
import time
from modelshelf.core.scratch import scratch
print(scratch(), flush=True)
time.sleep(60)
"""


@pytest.fixture(autouse=True)
def temporary(monkeypatch, tmp_path):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


def test_a_folder_of_a_killed_process_is_swept_and_no_other(temporary):
    for name in ("modelshelf-notes", "other"):
        (temporary / name).mkdir()
        (temporary / name / "mine.txt").write_text("mine")
    (temporary / "modelshelf-link").symlink_to(temporary / "other")
    (temporary / "modelshelf-kernels-0").mkdir()
    others = sorted(each.name for each in temporary.iterdir())
    env = {**os.environ, "TMPDIR": str(temporary)}
    holding = [
        subprocess.Popen([sys.executable, "-c", HOLDS], stdout=subprocess.PIPE, text=True, env=env)
        for _ in range(2)
    ]
    alive, dead = (each.stdout.readline().strip().rpartition("/")[2] for each in holding)
    assert sorted(each.name for each in temporary.iterdir()) == sorted([*others, alive, dead])
    holding[1].send_signal(signal.SIGKILL)
    holding[1].communicate()
    own = scratch()  # sweeps
    assert sorted(each.name for each in temporary.iterdir()) == sorted([*others, alive, own.name])
    sweep()
    assert own.is_dir()
    release(own)
    assert not own.exists()
    holding[0].kill()
    holding[0].communicate()


@pytest.mark.skipif(INTERPRETED, reason="nothing is compiled")
def test_kernels_that_cannot_be_kept_are_said_once_on_standard_error(temporary):
    rows = "\n".join(f"{i},{i % 7},{i % 3}.5" for i in range(60))
    (temporary / "t.csv").write_text(f"a,b,t\n{rows}\n")
    made = run("train", temporary / "t.csv", "--target", "t", "--set", "epochs=2", "--shelf",
               temporary / "s", "--json")  # fmt: skip
    asked = ("predict", made.json["barcode"], temporary / "t.csv", "--shelf", temporary / "s")
    nowhere = {"HOME": "/dev/null", "XDG_CACHE_HOME": "/dev/null", "NUMBA_CACHE_DIR": "/dev/null"}
    (temporary / f"modelshelf-kernels-{os.getuid()}").unlink(missing_ok=True)
    (temporary / f"modelshelf-kernels-{os.getuid()}").touch()  # not to be used
    ran = run(*asked, **nowhere, TMPDIR=str(temporary))
    assert ran.status == 0
    assert ran.err.count("each start compiles it anew") == 1
    assert len(ran.err.splitlines()) == 1
    usual = run(*asked)
    assert (usual.err, usual.out) == ("", ran.out)
