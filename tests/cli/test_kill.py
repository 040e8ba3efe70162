"""A study that is killed at random moments goes on, and holds all that the terminal was told.

`tests/durability` compares every row, over more interruptions.
"""

from __future__ import annotations

import os
import random
import re
import subprocess
import threading

from modelshelf import Shelf
from tests.cli.conftest import program, run
from tests.study.test_study import bits

KILLS = 6


def killed(arguments, seconds: float) -> str | None:
    """Start the program, kill it this long after it began to train; what it printed, or None if
    it ended by itself."""
    with subprocess.Popen(
        program(*arguments), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    ) as process:  # fmt: skip
        lines = []
        for line in process.stdout:
            lines.append(line)
            if "searching" in line:
                break
        timer = threading.Timer(seconds, process.kill)
        timer.start()
        lines += list(process.stdout)
        timer.cancel()
    return None if process.returncode == 0 else "".join(lines)


def test_killed_again_and_again_it_comes_to_the_same_bits(csv, tmp_path):
    arguments = ["tune", csv, "--target", "label", "--trials", 300, "--seed", 5,
                 "--space", tmp_path / "space.toml"]  # fmt: skip
    (tmp_path / "space.toml").write_text(
        "hidden_layers = {depth = [1, 2], width = [16, 128]}\nepochs = 60\npatience = 0\n"
    )
    calm, rough = tmp_path / "calm", tmp_path / "rough"
    assert run(*arguments, "--shelf", calm).status == 0
    rng, kills = random.Random(7), 0
    for _ in range(KILLS):
        printed = killed([*arguments, "--shelf", rough], rng.uniform(0.0, 0.45))
        if printed is None:
            break
        kills += 1
        told = re.findall(r"(\d+) started, \d+ paused or stopped, (\d+) finished", printed)
        with Shelf.open(rough) as shelf:
            trials = shelf.trials()
            assert shelf.check() == ()
        if told:
            assert len(trials) >= int(told[-1][0])
            finished = sum(t.status == "finished" for t in trials)
            assert finished >= int(told[-1][1])
    assert kills >= 4, "the study ended before it was killed often enough to tell"
    assert run(*arguments, "--shelf", rough).status == 0
    assert bits(rough) == bits(calm)  # steps among them: nothing was trained twice
    ran = run("shelf", "--check", "--shelf", rough)
    assert ran.status == 0, ran.out
