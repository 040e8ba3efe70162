"""A small study in a process of its own, that can be killed, stopped, and compared to the bit."""

from __future__ import annotations

import itertools
import json
import multiprocessing
import os
import signal
import sqlite3
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from modelshelf import tune
from modelshelf.core.errors import StoppedError
from modelshelf.shelf.database import Database
from modelshelf.shelf.place import DATABASE
from modelshelf.study import baselines, notes
from modelshelf.study.plain import LINEAR
from tests.study.conftest import QUICK

#: Children are forked from a process that has imported all this, and has no threads.
CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload([__name__])

SPACE = {**QUICK, "epochs": 15, "hidden_layers": {"depth": (1, 2), "width": (4, 8)}}
TRIALS = 60

_CLOCKS = {"seconds", "core_seconds", "winner_seconds", "fit_seconds", "created", "began"}
_TYPED = {"command", "shelf"}
STOPPED = 3  #: exit status of a study that was told to stop, and did so tidily


def train(shelf: str, csv: str, workers: int, trials: int = TRIALS, last: int = 0) -> None:
    """Begin the study, or go on with it; with `last`, be killed by that transaction.

    An odd one is kept by then, and an even one is not. There is no baseline but the linear model:
    trees take longer than all else.
    """
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    baselines.fitted_on = notes.fitted_on = lambda problem: (LINEAR,)
    if last:
        _die_at(last)
    try:
        result = tune(csv, target="label", trials=trials, space=SPACE, seed=3, folds=2,
                      workers=workers, shelf=shelf)  # fmt: skip
    except (StoppedError, KeyboardInterrupt):
        sys.exit(STOPPED)
    sys.exit(0 if result.complete else STOPPED)


def _die_at(last: int) -> None:
    writing, count = Database.writing, itertools.count(1)

    @contextmanager
    def counted(self: Database, **how: bool) -> Iterator[Any]:
        at = next(count)
        with writing(self, **how) as connection:
            yield connection
            if at == last and last % 2 == 0:
                os.kill(os.getpid(), signal.SIGKILL)
        if at == last:
            os.kill(os.getpid(), signal.SIGKILL)

    Database.writing = counted


def run(*arguments: Any) -> int:
    """Call `train` in a process of its own; returns its exit status, below 0 for a signal."""
    process = CONTEXT.Process(target=train, args=tuple(map(_plain, arguments)))
    process.start()
    process.join()
    return int(process.exitcode)


def _plain(argument: Any) -> Any:
    return str(argument) if isinstance(argument, Path) else argument


def interrupted(
    shelf: Path, csv: Path, workers: int, seconds: float, how: int = signal.SIGKILL
) -> bool:
    """Send a signal after so many seconds; returns whether it came before the end."""
    process = CONTEXT.Process(target=train, args=(str(shelf), str(csv), workers))
    process.start()
    timer = threading.Timer(seconds, lambda: os.kill(process.pid, how))
    timer.start()
    process.join()
    timer.cancel()
    early = 1  # Ctrl-C while Python was still being started
    assert process.exitcode in (0, STOPPED, -how, early), process.exitcode
    return bool(process.exitcode != 0)


def rows(shelf: Path) -> dict[str, list[dict[str, Any]]]:
    """Every row of every table, but for clocks and for what was typed."""
    with closing(sqlite3.connect(shelf / DATABASE)) as connection:
        connection.row_factory = sqlite3.Row
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        found = {}
        for (table,) in tables.fetchall():
            every = connection.execute(f"SELECT * FROM {table}").fetchall()
            found[table] = [_without_clocks(dict(row)) for row in every]
    return found


def _without_clocks(value: Any) -> Any:
    if isinstance(value, str) and value[:1] in ("{", "["):
        value = json.loads(value)
    if isinstance(value, dict):
        return {k: _without_clocks(v) for k, v in value.items() if k not in _CLOCKS | _TYPED}
    if isinstance(value, list):
        return [_without_clocks(each) for each in value]
    return value


def files(shelf: Path) -> set[str]:
    """Every file of networks, preparations and ensembles."""
    return {
        each.relative_to(shelf).as_posix()
        for folder in ("networks", "preparations", "ensembles")
        for each in (shelf / folder).rglob("*")
        if each.is_file()
    }


def difference(one: Path, other: Path) -> list[str]:
    """Where two shelves differ, a line each; nothing where they are the same to the bit."""
    found = list(_differing("", rows(one), rows(other)))
    if files(one) != files(other):
        found.append(f"files: {sorted(files(one) ^ files(other))[:5]}")
    return found


def _differing(where: str, one: Any, other: Any) -> Iterator[str]:
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        for key in one:
            yield from _differing(f"{where}.{key}", one[key], other[key])
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for place, (mine, its) in enumerate(zip(one, other, strict=True)):
            yield from _differing(f"{where}[{place}]", mine, its)
    elif one != other:
        yield f"{where}: {str(one)[:200]} and {str(other)[:200]}"
