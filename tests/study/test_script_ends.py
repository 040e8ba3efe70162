"""A Python script ends with its last line, whatever the baselines still do."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

SETUP = """
import time
import numpy as np
from modelshelf import tune
from modelshelf.data.metrics import metric_for
from modelshelf.data.read import from_memory
from modelshelf.data.understand import understand
from modelshelf.study import baselines
from modelshelf.study.problem import Problem

def of(rows, classes):
    rng = np.random.default_rng(0)
    data = understand(*from_memory(rng.normal(size=(rows, 20)), rng.integers(0, classes, rows)))
    return baselines.Baselines(Problem(data, metric_for(None, data.schema.task), 0, 0))

def slow(problem, rows):
    {slow}

def wait_for(begun):
    while not begun():
        time.sleep(0.01)

if {patched}:
    baselines.plain_models = lambda: dict.fromkeys((baselines.LINEAR, baselines.BOOSTING), slow)
"""
IN_PYTHON = "while True: sum(range(1000))"
IN_COMPILED_CODE = "time.sleep(60)"
ALONE = """
found = of(300, 2)
found.start()
time.sleep(0.5)
"""
# The linear model is done in no time, so that the script ends amid the trees.
TREES = """
found = of(100_000, 10)
found.start()
wait_for(lambda: found.found)
time.sleep(0.3)
"""
STUDY = """
rng = np.random.default_rng(0)
x = rng.normal(size=(300, 4))
began = time.monotonic()
result = tune(x, x[:, 0] > 0, time_limit=10, shelf={shelf!r}, workers=1)
assert time.monotonic() - began < 14, time.monotonic() - began
assert result.winner and not result.baselines
"""
SCRIPTS = {
    "a loop": (ALONE, IN_PYTHON),
    "compiled code": (ALONE, IN_COMPILED_CODE),
    "trees": (TREES, ""),
    "a study": (STUDY, IN_COMPILED_CODE),
}


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_ends_while_a_baseline_is_fitted(name, tmp_path):
    text, how = SCRIPTS[name]
    script = SETUP.format(slow=how or "pass", patched=bool(how))
    script += text.replace("{shelf!r}", repr(str(tmp_path / "shelf")))
    script += "\nassert any(each._thread.is_alive() for each in baselines._AT_WORK)\n"
    script += "print(time.time(), flush=True)\n"
    ended = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=55, check=False
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert time.time() - float(ended.stdout) < 5
