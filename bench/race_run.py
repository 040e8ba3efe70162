"""Runs one contestant on one course, in a process of its own, and scores what it hands in."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from contestants import CONTESTANTS
from race_data import Course

__all__ = ["MODELSHELF", "Finish", "contest", "installed", "shelved", "warm"]

MODELSHELF = "modelshelf"
HERE = Path(__file__).parent

_WARM = """
import tempfile
from sklearn.datasets import load_diabetes, load_iris
from modelshelf import tune
for load in (load_iris, load_diabetes):
    with tempfile.TemporaryDirectory() as shelf:
        tune(*load(return_X_y=True), trials=12, shelf=shelf)
"""


@dataclass(frozen=True)
class Finish:
    """How one contestant came in."""

    name: str  #: as `--without` calls it
    by: str  #: as a table calls it
    networks: bool  #: whether it trains networks
    test: float
    validation: float  #: what the tool itself shows
    seconds: float
    tried: int
    more: dict[str, Any] = field(default_factory=dict)  #: modelshelf's own result


def installed(without: list[str]) -> list[str]:
    """The contestants that can start; the others are left out, by name."""
    found = []
    for name, (called, packages, _, _) in CONTESTANTS.items():
        lacking = [each for each in packages if find_spec(each) is None]
        if name in without:
            print(f"{called} is left out, as asked")
        elif lacking:
            print(f"{called} is left out: {', '.join(lacking)} is not installed")
        else:
            found.append(name)
    return found


def warm() -> None:
    """Compile modelshelf's kernels, which a machine does once, before anybody's time begins."""
    code, _, errors = _process(["-c", _WARM])
    if code:
        raise SystemExit(errors)


def contest(name: str, course: Course, seconds: float) -> Finish | None:
    """One of the others; None where it fails, with its last words."""
    called, _, networks, _ = CONTESTANTS[name]
    words = [str(HERE / "contestants.py"), name, str(course.folder), str(seconds), str(course.seed)]
    code, _, errors = _process(words)
    if code:
        print(f"{called} failed: {errors.strip().splitlines()[-1] if errors.strip() else code}")
        return None
    with np.load(course.folder / f"{name}.npz") as told:
        return Finish(name, called, networks, course.score(told["test"]), float(told["validation"]),
                      float(told["seconds"]), int(told["tried"]))  # fmt: skip


def shelved(course: Course, seconds: float, *, known: bool = True) -> list[Finish]:
    """modelshelf: its single winner, and its ensemble where it has one, of the same study.

    Without `known`, the search is given no configuration that is known to do well.
    """
    words = [str(HERE / "contestant_modelshelf.py"), str(course.folder), course.target,
             str(seconds), str(course.seed), *([] if known else ["unknown"])]  # fmt: skip
    code, output, errors = _process(words)
    if code:
        raise SystemExit(errors)
    told = json.loads(output.splitlines()[-1])
    tried, took = told["trials"]["started"], told["race"]["seconds"]

    def finish(by: str, scores: dict[str, Any]) -> Finish:
        return Finish(
            MODELSHELF,
            f"{MODELSHELF}, {by}",
            True,
            scores["test"],
            scores["validation"],
            took,
            tried,
            told,
        )

    found = [finish("single", told["winner"])]
    if told["ensemble"]:
        found.append(finish("ensemble", told["ensemble"]))
    return found


def _process(words: list[str]) -> tuple[int, str, str]:
    """Run Python: (status, standard output, standard error). What it leaves running is ended.

    It writes to files: a pipe would be held open by processes that it leaves behind.
    """
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        child = subprocess.Popen(
            [sys.executable, *words], stdout=output, stderr=errors, start_new_session=True,
            env={**os.environ, "OMP_WAIT_POLICY": "PASSIVE"},
        )  # fmt: skip
        try:
            child.wait()
        finally:
            with suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
        for each in (output, errors):
            each.seek(0)
        return child.returncode, output.read(), errors.read()
