from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.study.conftest import csv, table  # noqa: F401 - fixtures

SPACE = """
hidden_layers = {depth = [1, 2], width = [8, 24]}
epochs = 30
patience = 6
activation = ["relu", "tanh"]
ensemble_size = 1
numeric_encoding = "none"
"""


@pytest.fixture(scope="session")
def space_file(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("space") / "quick.toml"
    path.write_text(SPACE)
    return path


class Ran:
    """A finished run of the program."""

    def __init__(self, done: subprocess.CompletedProcess[str]) -> None:
        self.status, self.out, self.err = done.returncode, done.stdout, done.stderr

    @property
    def json(self):
        return json.loads(self.out.splitlines()[-1])


def program(*arguments: object) -> list[str]:
    start = "from modelshelf.cli.app import entry; entry()"
    typed = (each if isinstance(each, bytes) else str(each) for each in arguments)
    return [sys.executable, "-W", "error", "-c", start, *typed]


def run(
    *arguments: object, cwd: Path | None = None, encoding: str | None = "utf-8", **environment: str
) -> Ran:
    """The program, run to its end; what it wrote is bytes where `encoding` is None."""
    env = {**os.environ, "COLUMNS": "100", **environment}
    done = subprocess.run(
        program(*arguments), capture_output=True, cwd=cwd, env=env, timeout=120, encoding=encoding
    )
    return Ran(done)
