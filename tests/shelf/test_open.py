"""Opening and making shelves: what is refused, and that a refusal changes nothing."""

from __future__ import annotations

import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest

from modelshelf.core.errors import ShelfError
from modelshelf.shelf import Job, Shelf, database, schema, upkeep
from tests.shelf.helpers import fill, leg, new_trial, study


def state(folder: Path) -> dict[str, bytes | None]:
    """Everything below a folder, to the byte."""
    return {
        str(each.relative_to(folder)): each.read_bytes() if each.is_file() else None
        for each in sorted(folder.rglob("*"))
    }


def test_where_a_shelf_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MODELSHELF_SHELF", raising=False)
    assert Shelf.locate() == tmp_path / ".modelshelf"
    monkeypatch.setenv("MODELSHELF_SHELF", "from the environment")
    assert Shelf.locate() == tmp_path / "from the environment"
    assert Shelf.locate("given") == Shelf.locate(Path("given")) == tmp_path / "given"
    monkeypatch.setenv("MODELSHELF_SHELF", " ")
    assert Shelf.locate() == tmp_path / ".modelshelf"
    monkeypatch.setenv("HOME", str(tmp_path))
    assert Shelf.locate("~/shelf") == tmp_path / "shelf"
    for bad in ("a\0b", "~nobody-of-this-name/shelf"):
        with pytest.raises(ShelfError, match="cannot be the folder of a shelf"):
            Shelf.locate(bad)


def test_a_shelf_that_is_not_there(tmp_path: Path) -> None:
    where = tmp_path / "shelf"
    with pytest.raises(ShelfError, match=f"no shelf at {where}.*tune --example digits"):
        Shelf.open(where)
    assert not where.exists()
    where.mkdir()
    with pytest.raises(ShelfError, match="the folder is empty"):
        Shelf.open(where)
    assert state(tmp_path) == {"shelf": None}


def test_a_shelf_is_made_with_the_folders_above_it(tmp_path: Path) -> None:
    where = tmp_path / "some where" / "100% #1?" / "Größe"
    with Shelf.open(where, create=True) as shelf:
        fill(shelf, 1)
    with Shelf.open(where) as shelf:
        assert len(shelf.trials()) == 1
    assert sorted(each.name for each in where.iterdir()) == [
        "networks",
        "preparations",
        "shelf.sqlite",
    ]


def foreign(kind: str, where: Path) -> None:
    if kind == "file":
        where.write_text("hello")
        return
    where.mkdir()
    inside = where / "shelf.sqlite"
    if kind == "other things":
        for name in ("train.csv", "test.csv", "notes.txt", "z"):
            (where / name).write_text(name)
    elif kind == "garbage":
        inside.write_bytes(random.Random(0).randbytes(10_000))
    elif kind == "empty database":
        inside.write_bytes(b"")
    elif kind == "cut off":
        inside.write_bytes(database.fresh()[:50])
    elif kind == "another program's":
        connection = sqlite3.connect(inside)
        connection.execute("create table study (id)")
        connection.commit()
        connection.close()
    elif kind == "a folder for a database":
        inside.mkdir()


FOREIGN = [
    "file",
    "other things",
    "garbage",
    "empty database",
    "cut off",
    "another program's",
    "a folder for a database",
]


@pytest.mark.parametrize("create", [False, True])
@pytest.mark.parametrize("kind", FOREIGN)
def test_what_is_no_shelf_is_refused_and_left_alone(
    tmp_path: Path, kind: str, create: bool
) -> None:
    where = tmp_path / "where"
    foreign(kind, where)
    before = state(tmp_path)
    with pytest.raises(ShelfError, match=f"^{where} is not a shelf"):
        Shelf.open(where, create=create)
    assert state(tmp_path) == before


def test_a_shelf_below_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ShelfError, match="cannot be read or written: Not a directory"):
        Shelf.open(tmp_path / "file" / "shelf", create=True)
    with pytest.raises(ShelfError, match="File name too long"):
        Shelf.open(tmp_path / "made" / ("x" * 300), create=True)
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    with pytest.raises(ShelfError, match="is not a shelf"):
        Shelf.open(tmp_path / "link", create=True)
    assert sorted(state(tmp_path)) == ["file", "link"]


def edit(shelf: Path, *statements: str) -> None:
    connection = sqlite3.connect(shelf / "shelf.sqlite")
    for each in statements:
        connection.execute(each)
    connection.commit()
    connection.close()


@pytest.fixture
def filled(tmp_path: Path) -> Path:
    with Shelf.open(tmp_path / "shelf", create=True) as shelf:
        fill(shelf)
    return tmp_path / "shelf"


@pytest.mark.parametrize("create", [False, True])
def test_a_newer_shelf_is_refused(filled: Path, create: bool) -> None:
    edit(filled, "update alembic_version set version_num = '9999'")
    before = state(filled)
    with pytest.raises(ShelfError, match=r"written by a newer modelshelf .*'9999'.* Update"):
        Shelf.open(filled, create=create)
    assert state(filled) == before


def test_a_shelf_without_revision_is_damaged(filled: Path) -> None:
    edit(filled, "drop table alembic_version")
    with pytest.raises(ShelfError, match="damaged"):
        Shelf.open(filled)


def test_a_damaged_database_is_told(filled: Path) -> None:
    path = filled / "shelf.sqlite"
    data = bytearray(path.read_bytes())
    for page in range(1, len(data) // 4096):
        data[page * 4096 : page * 4096 + 64] = b"\xff" * 64
    path.write_bytes(data)
    before = state(filled)
    with pytest.raises(ShelfError, match=r"damaged .*Put back a copy"):
        Shelf.open(filled)
    assert state(filled) == before


def test_a_database_cut_short_is_told(filled: Path) -> None:
    path = filled / "shelf.sqlite"
    path.write_bytes(path.read_bytes()[: 4096 * 5])
    with pytest.raises(ShelfError, match="damaged"), Shelf.open(filled) as shelf:
        shelf.trials()


def test_rows_that_modelshelf_did_not_write_are_told(filled: Path) -> None:
    edit(filled, "update trial set status = 'exploded' where number = 1")
    with Shelf.open(filled) as shelf:
        with pytest.raises(ShelfError, match=r"damaged: a row of it cannot be read.*exploded"):
            shelf.trials()
        assert any("exploded" in each for each in shelf.check())
    edit(filled, "update study set settings = '{'")
    with Shelf.open(filled) as shelf, pytest.raises(ShelfError, match="damaged: a row"):
        shelf.study("a")


def test_a_failure_while_a_shelf_is_made_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> bool:
        raise OSError(28, "No space left on device")

    where = tmp_path / "one" / "two"
    with monkeypatch.context() as patch:
        patch.setattr(database, "write_once", full)
        with pytest.raises(ShelfError, match="disk is full"):
            Shelf.open(where, create=True)
    assert state(tmp_path) == {}
    with monkeypatch.context() as patch:
        patch.setattr(database, "_bring_up_to_date", full)
        with pytest.raises(ShelfError, match="disk is full"):
            Shelf.open(where, create=True)
    assert state(tmp_path) == {}
    Shelf.open(where, create=True).close()


def test_a_failure_after_opening_closes_the_database(
    filled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise ShelfError("no")

    monkeypatch.setattr(upkeep, "Studies", fails)
    with pytest.raises(ShelfError, match="no"):
        Shelf.open(filled)
    assert not (filled / "shelf.sqlite-wal").exists()


def test_what_a_killed_maker_leaves_is_no_obstacle(tmp_path: Path) -> None:
    where = tmp_path / "shelf"
    where.mkdir()
    (where / ".shelf.sqlite.123-abcd.tmp").write_bytes(b"half")
    (where / ".gitignore").write_text("*")
    with Shelf.open(where, create=True) as shelf:
        assert shelf.check() == ()


@pytest.mark.parametrize("_", range(5))
def test_many_make_the_same_shelf_at_once(tmp_path: Path, _: int) -> None:
    where, errors = tmp_path / "a" / "shelf", []
    barrier = threading.Barrier(8)

    def work(number: int) -> None:
        try:
            barrier.wait()
            with Shelf.open(where, create=True) as shelf:
                shelf.add_study(study(f"study {number}"))
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert errors == []
    with Shelf.open(where) as shelf:
        assert len(shelf.studies()) == 8
    assert [each.name for each in where.iterdir()] == ["shelf.sqlite"]


def pragma(shelf: Shelf, name: str) -> object:
    return shelf._database.connection.exec_driver_sql(f"pragma {name}").scalar()


def test_how_the_database_is_set(shelf: Shelf) -> None:
    assert database.fresh()[18:20] == b"\x02\x02"
    assert pragma(shelf, "journal_mode") == "wal"
    assert pragma(shelf, "foreign_keys") == 1
    assert pragma(shelf, "synchronous") == 2  # FULL
    assert pragma(shelf, "trusted_schema") == 0
    assert pragma(shelf, "busy_timeout") == 30_000


def test_another_thread_may_not_use_the_database(shelf: Shelf) -> None:
    fill(shelf, 1)
    errors: list[BaseException] = []

    def work() -> None:
        try:
            shelf.trials()
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert "thread" in str(errors[0])


# ---- disks that are full, folders that cannot be written


def mounted(where: Path, size: str) -> Iterator[Path]:
    """A small file system of its own. Only root may mount one."""
    where.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(where)], capture_output=True
    )
    if done.returncode:
        pytest.skip("cannot mount a file system here")
    yield where
    subprocess.run(["umount", "-l", str(where)], check=True)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    yield from mounted(tmp_path / "disk", "1m")


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    yield from mounted(tmp_path / "disk", "48k")


def read_only(disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)


def test_a_shelf_is_not_made_on_a_full_disk(tiny_disk: Path) -> None:
    for where in (tiny_disk / "a" / "shelf", tiny_disk):
        with pytest.raises(ShelfError, match="disk is full"):
            Shelf.open(where, create=True)
        assert state(tiny_disk) == {}


def fill_up(ballast: Path) -> None:
    with ballast.open("wb", buffering=0) as file, suppress(OSError):
        while file.write(bytes(4096)):
            pass


def test_a_full_disk_loses_nothing(small_disk: Path) -> None:
    with Shelf.open(small_disk / "shelf", create=True) as shelf:
        fill(shelf, 2)
        before = shelf.trials(), shelf.jobs("a")
        ballast = small_disk / "ballast"
        fill_up(ballast)
        with pytest.raises(ShelfError, match=r"disk is full.*Make room"):
            shelf.write_network("a", 7, 1, {"w": np.zeros(100_000)}, {})
        with pytest.raises(ShelfError, match="disk is full"):
            shelf.write_preparation({}, {"w": np.zeros(100_000)})
        with pytest.raises(ShelfError, match="disk is full"):
            shelf.write("a", trials=[new_trial(n, split="s" * 10_000) for n in range(2, 200)])
        assert not [each for each in shelf.orphans() if "networks/1/7-" in each]
        assert (shelf.trials(), shelf.jobs("a")) == before
        ballast.unlink()
        shelf.write("a", trials=[new_trial(2)], jobs=[Job(2, 2, 0, 0, 1)])
        assert shelf.check() == ()


LIMITED = """
import resource, signal, sys
from modelshelf.core.errors import ShelfError
from modelshelf.shelf import Shelf
import numpy as np
from tests.shelf.helpers import fill
shelf = Shelf.open(sys.argv[1], create=True)
fill(shelf, 1)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    shelf.write_network("a", 5, 1, {"w": np.zeros(50_000)}, {})
except ShelfError as error:
    print(error)
"""


def test_a_file_over_the_limit_is_told(tmp_path: Path) -> None:
    where = tmp_path / "shelf"
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(where)], capture_output=True, text=True, check=True
    )
    assert "disk is full" in done.stdout
    with Shelf.open(where) as shelf:
        assert shelf.check() == shelf.orphans() == ()


def test_a_read_only_shelf_can_be_read(small_disk: Path) -> None:
    with Shelf.open(small_disk, create=True) as shelf:
        fill(shelf)
    read_only(small_disk)
    with pytest.raises(ShelfError, match=r"cannot be written.*read-only"):
        Shelf.open(small_disk, create=True)
    with Shelf.open(small_disk) as shelf:
        assert len(shelf.trials()) == 3
        assert shelf.read_network(("a", 0))[1] == {"n": "0"}
        assert shelf.check() == shelf.orphans() == ()
        refused = (
            lambda: shelf.write("a", trials=[new_trial(3)]),
            lambda: shelf.add_study(study("b")),
            lambda: shelf.update_study("a", seconds=1.0),
            lambda: shelf.write_network("a", 0, 99, {"w": np.zeros(1)}, {}),
            lambda: shelf.write_preparation({"new": 1}, {}),
            lambda: shelf.lock("a").__enter__(),
        )
        for each in refused:
            with pytest.raises(ShelfError, match=r"cannot be written.*read-only"):
                each()


def test_a_shelf_is_not_made_in_a_read_only_folder(small_disk: Path) -> None:
    read_only(small_disk)
    for where in (small_disk, small_disk / "a" / "b"):
        with pytest.raises(ShelfError, match=r"cannot be written.*read-only"):
            Shelf.open(where, create=True)


def test_a_killed_shelf_on_a_read_only_disk(small_disk: Path) -> None:
    code = (
        "import os, sys; from modelshelf.shelf import Shelf; from tests.shelf.helpers import fill\n"
        "shelf = Shelf.open(sys.argv[1], create=True); fill(shelf); os.kill(os.getpid(), 9)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(small_disk)])
    assert done.returncode == -signal.SIGKILL
    assert (small_disk / "shelf.sqlite-wal").stat().st_size > 0
    read_only(small_disk)
    with Shelf.open(small_disk) as shelf:
        assert len(shelf.trials()) == 3
        assert shelf.check() == ()
    subprocess.run(["mount", "-o", "remount,rw", str(small_disk)], check=True)
    (small_disk / "shelf.sqlite-shm").unlink()
    read_only(small_disk)
    with pytest.raises(ShelfError, match=r"cut off, and is read-only\. Copy it"):
        Shelf.open(small_disk)


def test_an_older_read_only_shelf_is_told(filled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema, "REVISIONS", ("0001", "0002"))
    monkeypatch.setattr(schema, "HEAD", "0002")
    monkeypatch.setattr(database, "writable", lambda _: False)
    with pytest.raises(ShelfError, match=r"older modelshelf .* cannot be written"):
        Shelf.open(filled)


@contextmanager
def as_nobody() -> Iterator[None]:
    """Without root's rights, if it has them: then as a person who owns nothing."""
    if os.geteuid() != 0:
        yield
        return
    os.setresuid(65534, 65534, 0)
    try:
        yield
    finally:
        os.setresuid(0, 0, 0)


@pytest.fixture
def open_to_all(filled: Path) -> Iterator[Path]:
    """A shelf that everybody can reach."""
    with TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        shelf = shutil.copytree(filled, Path(folder) / "shelf")
        yield shelf
        shelf.chmod(0o755)


@pytest.mark.parametrize("closed", ["", "..", "shelf.sqlite", "networks/1/0-4.safetensors"])
def test_what_may_not_be_read_is_said_to_be_that(open_to_all: Path, closed: str) -> None:
    (open_to_all / closed).resolve().chmod(0)
    try:
        with as_nobody(), pytest.raises(ShelfError) as told, Shelf.open(open_to_all) as shelf:
            shelf.read_network(("a", 0))
    finally:
        (open_to_all / closed).resolve().chmod(0o755)
    assert "cannot be read: you have no permission to read" in str(told.value)


def test_check_says_once_what_may_not_be_read(open_to_all: Path) -> None:
    (open_to_all / "networks").chmod(0)
    try:
        with as_nobody(), Shelf.open(open_to_all) as shelf:
            found = shelf.check()
    finally:
        (open_to_all / "networks").chmod(0o755)
    assert len(found) == 1
    assert "cannot be read" in found[0]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_of_another_person(filled: Path) -> None:
    filled.chmod(0o555)
    try:
        with Shelf.open(filled) as shelf:
            assert len(shelf.trials()) == 3
        with pytest.raises(ShelfError, match="cannot be written"):
            Shelf.open(filled, create=True)
    finally:
        filled.chmod(0o755)


def test_a_busy_shelf_is_told(filled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "_BUSY", 0.05)
    with Shelf.open(filled) as one, Shelf.open(filled) as other:
        done = leg(one, 3, 3, 1, 2)
        one.write("a", trials=[new_trial(3)], jobs=[Job(3, 3, 0, 0, 2)])
        with one._database.writing():
            assert len(other.trials()) == 4
            with pytest.raises(ShelfError, match="busy for too long"):
                other.write("a", completed=[done])
        other.write("a", completed=[done])
        assert one.check() == ()
