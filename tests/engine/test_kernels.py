"""The compiled engine's parts: by name, on disk by content, and whatever happens to the disk."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from modelshelf.engines import kernels
from modelshelf.engines.numpy_.compile import INTERPRETED
from modelshelf.engines.numpy_.optimizers import OPTIMIZERS
from modelshelf.engines.numpy_.pointers import by_name
from modelshelf.engines.numpy_.random import drop
from modelshelf.space.space import Space

SOURCE = Path(__file__).parents[2] / "src"

compiled = pytest.mark.skipif(INTERPRETED, reason="nothing is compiled")

#: Compiles two small parts as a command does, and says what came of it.
BEGIN = """
from modelshelf.engines import kernels
kernels.PARTS = kernels._FIRST = ("relu", "no_fold")
compilation = kernels.begin()
if compilation is not None:
    assert compilation.wait(60.0)
    assert compilation.join(60.0)
    assert compilation.progress == (2, 2)
from modelshelf.engines.numpy_.parts import compile_part
compile_part("relu")
print(compilation is not None, bool(kernels.not_kept()), kernels.folder())
"""


def begun(source: Path = SOURCE, **environment: str) -> tuple[bool, bool, Path]:
    """In a process of its own: whether anything was compiled, was not kept, and the folder."""
    ran = started(source, **environment)
    out, error = ran.communicate(timeout=120)
    assert ran.returncode == 0, error
    did, lost, folder = out.split()
    return did == "True", lost == "True", Path(folder)


def started(source: Path = SOURCE, **environment: str) -> subprocess.Popen[str]:
    there = {k: v for k, v in os.environ.items() if k not in ("NUMBA_CACHE_DIR", "XDG_CACHE_HOME")}
    there |= {"PYTHONPATH": str(source), **environment}
    return subprocess.Popen([sys.executable, "-W", "error", "-c", BEGIN], env=there, text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)  # fmt: skip


def test_each_part_is_a_function_of_the_engine():
    assert set(kernels.PARTS) <= set(by_name())


def test_what_the_usual_space_asks_for_is_among_them():
    usual = Space()
    optimizers = {
        OPTIMIZERS[name].update.__name__ for name in usual.general["optimizer"].domain.values
    }
    activations = set(usual.general["activation"].domain.values)
    assert optimizers | activations | {"encode", "encode_back", "expand"} <= set(kernels.PARTS)


@compiled
def test_a_kernel_refuses_to_be_called_from_python():
    with pytest.raises(TypeError, match="from_python"):
        drop(np.ones(4, "f4"), np.ones(4, "f4"), 0.5, np.uint64(1), 1, 0)


@compiled
def test_another_copy_of_the_same_source_compiles_nothing(tmp_path):
    where = {"NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    did, lost, folder = begun(**where)
    assert did
    assert not lost
    before = {each.name: each.stat().st_mtime_ns for each in folder.iterdir()}
    assert any(name.endswith(".nbc") for name in before)
    shutil.copytree(SOURCE / "modelshelf", tmp_path / "elsewhere" / "modelshelf")
    for each in (tmp_path / "elsewhere").rglob("*.py"):
        os.utime(each, (1, 1))
    assert begun(tmp_path / "elsewhere", **where) == (False, False, folder)
    assert {each.name: each.stat().st_mtime_ns for each in folder.iterdir()} == before


@compiled
def test_changed_source_is_compiled_anew(tmp_path):
    shutil.copytree(SOURCE / "modelshelf", tmp_path / "modelshelf")
    changed = tmp_path / "modelshelf" / "engines" / "numpy_" / "activations.py"
    where = {"NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    before = begun(tmp_path, **where)
    changed.write_text(changed.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    after = begun(tmp_path, **where)
    assert (before[0], after[0]) == (True, True)
    assert before[2] != after[2]


@compiled
@pytest.mark.parametrize("ending", [".nbi", ".nbc"])
@pytest.mark.parametrize("left", [0, 40])
def test_a_file_that_was_cut_off_is_compiled_anew(ending, left, tmp_path):
    where = {"NUMBA_CACHE_DIR": str(tmp_path)}
    _, _, folder = begun(**where)
    (cut,) = folder.glob(f"activations.relu*{ending}")
    cut.write_bytes(cut.read_bytes()[:left])
    assert begun(**where)[2] == folder
    assert cut.stat().st_size > left


@compiled
@pytest.mark.parametrize("home", ["/dev/null", "/proc/nowhere"])
def test_where_home_cannot_be_written_to_it_is_kept_among_temporary_files(home, tmp_path):
    where = {"HOME": home, "TMPDIR": str(tmp_path)}
    did, lost, folder = begun(**where)
    assert (did, lost) == (True, False)
    private = tmp_path / f"modelshelf-kernels-{os.getuid()}"
    assert folder.parent == private
    assert private.stat().st_mode & 0o777 == 0o700
    assert begun(**where) == (False, False, folder)


@compiled
@pytest.mark.parametrize("kind", ["open to all", "a link", "a file"])
def test_a_temporary_folder_that_others_could_write_to_is_not_used(kind, tmp_path):
    private = tmp_path / "t" / f"modelshelf-kernels-{os.getuid()}"
    private.parent.mkdir()
    if kind == "open to all":
        private.mkdir()
        private.chmod(0o777)
    elif kind == "a link":
        (tmp_path / "theirs").mkdir(mode=0o700)
        private.symlink_to(tmp_path / "theirs")
    else:
        private.touch()
    did, lost, folder = begun(HOME="/dev/null", TMPDIR=str(private.parent))
    assert (did, lost) == (True, True)
    assert not folder.exists()  # it was this process's own
    assert not list(tmp_path.rglob("*.nbc"))


@compiled
def test_a_folder_that_is_ready_is_used_though_it_cannot_be_written_to(tmp_path):
    where = {"NUMBA_CACHE_DIR": str(tmp_path / "cache"), "TMPDIR": str(tmp_path)}
    _, _, folder = begun(**where)
    # Root may write to any folder.
    refused = BEGIN.replace(
        "compilation = ", "kernels._can_be_written = lambda place: False; compilation = ", 1
    )
    ran = subprocess.run(
        [sys.executable, "-c", refused], capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(SOURCE), **where},
    )  # fmt: skip
    assert ran.stdout.split() == ["False", "False", str(folder)], ran.stderr


@compiled
def test_nothing_in_the_folder_of_the_data_is_imported(tmp_path):
    (tmp_path / "numba.py").write_text("raise SystemExit('imported')", encoding="utf-8")
    ran = subprocess.run(
        [sys.executable, "-P", "-c", BEGIN], capture_output=True, text=True, check=False,
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(SOURCE),
                           "NUMBA_CACHE_DIR": str(tmp_path / "cache")},
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert list((tmp_path / "cache").rglob("ready-*"))


@compiled
def test_two_processes_at_once(tmp_path):
    where = {"NUMBA_CACHE_DIR": str(tmp_path)}
    both = [started(**where) for _ in range(2)]
    told = [each.communicate(timeout=120) for each in both]
    assert [each.returncode for each in both] == [0, 0], told
    assert begun(**where)[0] is False


@compiled
def test_a_child_that_cannot_be_started_leaves_the_work_to_who_needs_it(tmp_path):
    where = {"NUMBA_CACHE_DIR": str(tmp_path)}
    broken = BEGIN.replace(
        "compilation = ", "import sys; sys.executable = '/bin/false'; compilation = "
    )
    ran = subprocess.run(
        [sys.executable, "-c", broken], capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(SOURCE), **where},
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert not list(tmp_path.rglob("ready-*"))
