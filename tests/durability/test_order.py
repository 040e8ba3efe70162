"""What reaches the disk, and in which order: recorded from the calls, on any file system.

A recorder stands between modelshelf and the system: it knows which bytes and which names a power
cut would leave, the least that POSIX promises: a file's bytes once it was synced, a name once its
folder was. At every commit that is synced, all that the database names must be among them.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from modelshelf import tune
from modelshelf.shelf import Shelf
from modelshelf.shelf.database import Database
from modelshelf.shelf.place import DATABASE
from tests.durability.runner import SPACE


class Recorder:
    """Which files' bytes and which folders' names are on the disk, as far as was asked for."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.bytes: dict[int, int] = {}  # inode: size when it was synced
        self.names: set[Path] = set()  # that a sync of their folder has kept
        self.kept: dict[str, int] = {}  # what a durable commit has named: file and size
        self.commits = 0
        self.faults: list[str] = []
        self.gone: set[str] = set()

    def synced(self, descriptor: int) -> None:
        stat = os.fstat(descriptor)
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        if path.is_dir():
            self.names |= set(path.iterdir())
        else:
            self.bytes[stat.st_ino] = stat.st_size

    def survives(self, path: Path) -> bool:
        """Whether a power cut now would leave the file as it is, where it is."""
        stat = path.stat()
        above = [each for each in path.parents if self.root in each.parents or each == self.root]
        return self.bytes.get(stat.st_ino) == stat.st_size and {path, *above} <= self.names

    def committed(self) -> None:
        """A synced commit: what the database names from now on has to survive."""
        self.commits += 1
        with closing(sqlite3.connect(self.root / DATABASE)) as connection:
            named = connection.execute(
                "SELECT file, size FROM trial WHERE file != ''"
                " UNION SELECT DISTINCT preparation, -1 FROM trial WHERE preparation != ''"
                " UNION SELECT json_extract(result, '$.ensemble.file'), -1 FROM study"
                " WHERE json_extract(result, '$.ensemble.file') IS NOT NULL"
            ).fetchall()
        self.kept = dict(named)
        for name, size in named:
            path = self.root / name
            if not path.exists() or (size >= 0 and path.stat().st_size != size):
                self.faults.append(f"{name} is named and is not there")
            elif not self.survives(path):
                self.faults.append(f"{name} is named and would not survive")

    def removed(self, path: Path) -> None:
        """A file is taken away: nothing that survives may name it."""
        name = path.relative_to(self.root).as_posix() if self.root in path.parents else ""
        self.gone.add(name)
        if name in self.kept:
            self.faults.append(f"{name} was removed, and the last durable commit names it")


@contextmanager
def recorded(root: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Recorder]:
    recorder = Recorder(root)
    fsync, unlink, writing = os.fsync, Path.unlink, Database.writing

    def sync(descriptor: Any) -> None:
        fsync(descriptor)
        recorder.synced(descriptor if isinstance(descriptor, int) else descriptor.fileno())

    def remove(path: Path, missing_ok: bool = False) -> None:
        unlink(path, missing_ok)
        recorder.removed(path)

    @contextmanager
    def written(self: Database, *, durable: bool = True) -> Iterator[Any]:
        with writing(self, durable=durable) as connection:
            wanted = "2" if durable else "1"
            assert str(connection.exec_driver_sql("PRAGMA synchronous").scalar()) == wanted
            yield connection
        if durable:
            recorder.committed()

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", sync)
        patch.setattr(Path, "unlink", remove)
        patch.setattr(Database, "writing", written)
        yield recorder


# Legs that end together are kept by one commit: it takes many for some commits.
@pytest.mark.parametrize("budget", [{"trials": 160}, {"time_limit": 6}])
def test_what_a_commit_speaks_of_was_synced_before_it(
    rows_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, budget: dict[str, Any]
) -> None:
    root = tmp_path / "new" / "shelf"
    with recorded(root, monkeypatch) as recorder:
        result = tune(rows_file, target="label", space=SPACE, folds=2, workers=2, shelf=root,
                      **budget)  # fmt: skip
    assert result.complete
    assert recorder.faults == []
    assert recorder.commits > 20
    assert {root, root / DATABASE, root.parent} <= recorder.names
    assert recorder.bytes[(root / DATABASE).stat().st_ino] > 0
    assert any(each.startswith("networks/") for each in recorder.gone), "nothing was superseded"
    with Shelf.open(root) as shelf:
        assert shelf.check() == ()
        assert {
            each.file.name for each in shelf.files(result.study).values()
        } <= recorder.kept.keys()


@pytest.mark.parametrize("broken", ["file", "folder", "order"])
def test_the_recorder_sees_what_is_not_synced(
    rows_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    from modelshelf.shelf import files, writing

    sync = files.sync
    if broken == "order":
        removed = files.Files.remove
        write = writing.write

        def first(connection: Any, study: int, batch: Any) -> list[str]:
            names = write(connection, study, batch)
            removed(files.Files(tmp_path / "shelf"), names)
            return names

        monkeypatch.setattr(writing, "write", first)
    else:
        skipped = Path.is_dir if broken == "folder" else Path.is_file
        monkeypatch.setattr(files, "sync", lambda path: None if skipped(path) else sync(path))
    with recorded(tmp_path / "shelf", monkeypatch) as recorder:
        tune(rows_file, target="label", space=SPACE, folds=2, workers=2, trials=12,
             shelf=tmp_path / "shelf")  # fmt: skip
    assert recorder.faults != []
