"""How the program starts: what it loads for what is asked, and how Ctrl-C ends it before it works.

What is loaded is counted, not the clock: a machine may be slow, a list of modules is not.
"""

from __future__ import annotations

import inspect
import subprocess
import sys
from importlib import import_module

import pytest

from modelshelf import Shelf
from modelshelf.cli.program import COMMANDS
from tests.cli.conftest import Ran, run
from tests.shelf.helpers import fill

HEAVY = {
    "alembic", "jinja2", "joblib", "keras", "lightgbm", "llvmlite", "narwhals", "numba", "optuna",
    "pandas", "plotly", "polars", "scipy", "sklearn", "torch",
}  # fmt: skip
READS = """
import sys
from modelshelf.cli.app import main
try:
    main()
except SystemExit:
    pass
print(*sorted(sys.modules), file=sys.stderr)
"""
INTERRUPTED = """
import os, signal, sys
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == {name!r}:
            sys.meta_path.remove(self)
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Finder())
from modelshelf.cli.app import entry; entry()
"""


def loaded(*arguments) -> set[str]:
    """The packages that the program has imported when it ends."""
    command = [sys.executable, "-c", READS, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout
    return {name.split(".")[0] for name in done.stderr.split()}


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    where = tmp_path_factory.mktemp("start") / "shelf"
    with Shelf.open(where, create=True) as shelf:
        fill(shelf)
    return where


@pytest.mark.parametrize("arguments", [("--help",), ("--version",)])
def test_help_loads_nothing_but_what_reads_a_command_line(arguments):
    assert not loaded(*arguments) & (HEAVY | {"numpy", "sqlalchemy", "rich", "safetensors"})


@pytest.mark.parametrize("command", COMMANDS)
def test_help_with_a_command_loads_nothing_that_it_would_work_with(command):
    assert not loaded(command, "--help") & (HEAVY | {"numpy", "sqlalchemy", "safetensors"})


@pytest.mark.parametrize("arguments", [(), ("dropout",), ("--json",)])
def test_the_catalogue_is_read_without_what_obeys_it(arguments):
    found = loaded("hyperparameters", *arguments)
    assert not found & (HEAVY | {"numpy", "sqlalchemy", "safetensors"})


def test_a_shelf_is_read_without_what_trains(filled):
    with Shelf.open(filled) as shelf:
        barcode = shelf.trials()[0].barcode
    for arguments in (("shelf",), ("shelf", "--json"), ("show", barcode)):
        found = loaded(*arguments, "--shelf", filled)
        assert "sqlalchemy" in found  # it was looked for in the right place
        assert not found & (HEAVY | {"numpy", "safetensors"})


@pytest.mark.parametrize("package", ["modelshelf", "modelshelf.study"])
def test_a_package_imports_what_it_offers_when_it_is_asked_for(package):
    script = f"import sys, {package} as it; print(*sys.modules, file=sys.stderr); it.Model"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert not {name.split(".")[0] for name in done.stderr.split()} & (HEAVY | {"numpy"})


@pytest.mark.parametrize("name", COMMANDS)
def test_the_list_of_commands_says_what_each_says_of_itself(name):
    function = getattr(import_module(f"modelshelf.cli.{name}"), name)
    assert inspect.getdoc(function).splitlines()[0] == COMMANDS[name]


def test_every_command_is_listed_and_the_nearest_is_offered():
    told = " ".join(run("--help").out.split())
    for name, meaning in COMMANDS.items():
        assert f"{name} {meaning}" in told.replace("trade- off", "trade-off")
    wrong = run("tun")
    assert (wrong.status, "did you mean 'tune'?" in wrong.err) == (2, True)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("typer", ("--help",)),
        ("modelshelf.cli.tune", ("tune", "--example", "iris", "--trials", "2")),
        ("sqlalchemy", ("shelf",)),
        ("pydantic", ("show", "7QK4")),
        ("numba", ("tune", "--example", "iris", "--trials", "2")),
        ("sklearn", ("tune", "--example", "iris", "--trials", "2")),
        ("polars", ("predict", "7QK4", "NEW.csv")),
    ],
)
def test_ctrl_c_while_modules_load_ends_in_a_word(name, arguments, tmp_path):
    command = [sys.executable, "-c", INTERRUPTED.format(name=name), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=120)
    ran = Ran(done)
    assert (ran.status, ran.err, ran.out) == (130, "Stopped.\n", "")
