"""What a module does to its process ends its own member, with a word, and nothing else."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from modelshelf.core.errors import EngineError, MemberError, SettingError
from modelshelf.core.protocols import TrainingData
from modelshelf.engines.torch_.engine import TorchEngine
from modelshelf.engines.torch_.failure import told
from modelshelf.engines.torch_.network import TorchNetwork
from modelshelf.engines.torch_.remote import RemoteEngine
from modelshelf.engines.torch_.transport import Files, mapped
from modelshelf.space.configuration import Configuration
from tests.engine.conftest import make_data
from tests.engine.mischief import DOES, Mischief, Streamed, mischief

TOLD = {
    17: r"^ValueError: no such column \(mischief\.py:\d+ in boom, in epoch 3\)\.$",
    18: r"^The module called exit\(4\) \(mischief\.py:\d+ in <lambda>, in epoch 3\)\.$",
    19: r"^The module ended its process with status 3 \(in epoch 3\)\. .* last: about to end$",
    21: r"^The process was killed \(SIGKILL\), most likely because memory ran out \(in epoch 3\)",
    22: r"^The module gave no sign of life for 3 s in epoch 3, and its process was ended",
    23: r"^Out of memory .* lower batch_size.*in epoch 3",
}


@pytest.fixture(scope="module")
def data():
    return make_data(3, rows=110, dtype="float32")  # five batches an epoch, for all of these sizes


def train(engine, data, batch_size, epochs=4):
    configuration = Configuration(batch_size=batch_size, patience=0)
    member = engine.start(configuration, data, 0)
    leg = engine.advance(member, data, epochs, np.zeros(1, np.uint8))
    return member, leg


@pytest.fixture(scope="module")
def ends(data):
    """What came of each, on two threads of one engine: a leg, or an exception."""
    engine = RemoteEngine(mischief, hang_seconds=3.0, memory_limit=2 * 2**30)

    def attempt(batch_size):
        try:
            return train(engine, data, batch_size)[1]
        except Exception as error:
            return error

    with ThreadPoolExecutor(2) as pool:
        found = dict(zip(DOES, pool.map(attempt, DOES), strict=True))
    engine.close()
    return found


@pytest.mark.parametrize("batch_size", TOLD)
def test_what_ends_a_member_is_told(ends, batch_size):
    assert isinstance(ends[batch_size], MemberError)
    assert re.search(TOLD[batch_size], str(ends[batch_size]))


def test_nan_is_divergence(ends):
    leg = ends[24]
    assert (leg.diverged, leg.epoch, leg.best_epoch) == (True, 2, 2)


@pytest.mark.parametrize("batch_size", [16, 25, 26, 27])
def test_what_is_harmless_changes_nothing(ends, data, batch_size, capfd):
    plain = TorchEngine(lambda c, d: Mischief(d, lambda output: output))
    _, leg = train(plain, data, batch_size)
    assert np.array_equal(leg.curve, ends[batch_size].curve)
    assert capfd.readouterr() == ("", "")


class Marked(torch.nn.Module):
    """Says in which process it was built."""

    def __init__(self, data):
        super().__init__()
        self.linear = torch.nn.Linear(data.inputs, data.outputs)
        self.register_buffer("process", torch.tensor([os.getpid(), os.getsid(0)]))

    def forward(self, x):
        return self.linear(x)


@pytest.fixture(scope="module")
def marking():
    factor = 3  # a closure
    engine = RemoteEngine(lambda configuration, data: Marked(data) if factor == 3 else None)
    yield engine
    engine.close()


def process_of(engine, member):
    return engine.network(member, True).tensors()["state.process"].tolist()


def test_a_process_serves_many_members_and_ctrl_c_does_not_reach_it(marking, data):
    first, session = process_of(marking, train(marking, data, 16)[0])
    assert first != os.getpid()
    assert session != os.getsid(0)
    os.kill(first, signal.SIGINT)
    assert process_of(marking, train(marking, data, 16)[0])[0] == first


def test_a_network_off_the_shelf_answers_without_what_training_kept(marking, data):
    member, _ = train(marking, data, 16)
    network = marking.network(member, True)
    there = marking.thaw(member.configuration, data, 0, network.tensors())
    again = marking.network(there, True)
    assert again.parameters == network.parameters == 7 * 3 + 3
    assert np.array_equal(again.predict(data.x), network.predict(data.x))
    here = TorchNetwork.from_tensors(
        lambda c, d: Marked(d), member.configuration, data, network.tensors()
    )
    assert np.array_equal(here.predict(data.x), network.predict(data.x))


def test_threads_have_processes_of_their_own(marking, data):
    together = threading.Barrier(2)

    def work(_):
        member = marking.start(Configuration(batch_size=16, patience=0), data, 0)
        together.wait()
        marking.advance(member, data, 60, np.zeros(1, np.uint8))
        return member.tensors["state.process"][0]

    with ThreadPoolExecutor(2) as pool:
        assert len(set(pool.map(work, range(2)))) == 2


def test_a_flag_ends_even_a_batch_that_hangs(data):
    engine, flag = RemoteEngine(mischief), np.zeros(1, np.uint8)
    train(engine, data, 16)
    member = engine.start(Configuration(batch_size=22, patience=0), data, 0)
    threading.Timer(0.3, lambda: flag.fill(1)).start()
    assert engine.advance(member, data, 4, flag).interrupted
    assert train(engine, data, 16)[1].epoch == 4  # by another process
    folder = engine._folder
    assert folder.exists()
    engine.close()
    assert not folder.exists()


def test_what_cannot_travel_is_refused():
    lock = threading.Lock()
    with pytest.raises(SettingError, match="builder cannot be sent to another process"):
        RemoteEngine(lambda c, d: lock)


def test_data_that_cannot_travel_is_refused_and_so_is_a_closed_engine(data):
    engine = RemoteEngine(mischief)
    unsendable = replace(data, x=[threading.Lock()])
    with pytest.raises(SettingError, match="data cannot be sent to another process"):
        train(engine, unsendable, 16)
    engine.close()
    with pytest.raises(EngineError, match="was closed"):
        train(engine, data, 16)


def test_a_process_that_cannot_start_says_why(data, tmp_path, monkeypatch):
    (tmp_path / "torch.py").write_text("raise ImportError('no torch here')")
    monkeypatch.syspath_prepend(tmp_path)
    engine = RemoteEngine(mischief)
    with pytest.raises(EngineError, match=r"did not start.*(\n.*)*no torch here"):
        train(engine, data, 16)
    engine.close()


def test_a_process_that_is_killed_while_it_starts_is_one_members_end(data, tmp_path, monkeypatch):
    (tmp_path / "torch.py").write_text("import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    monkeypatch.syspath_prepend(tmp_path)
    engine = RemoteEngine(mischief)
    with pytest.raises(MemberError, match=r"was killed \(SIGKILL\).* while it started"):
        train(engine, data, 16)
    engine.close()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no disk that is always full")
def test_a_full_disk_is_told_as_such(data):
    engine = RemoteEngine(mischief)
    (engine._folder / "0.array").symlink_to("/dev/full")
    large = replace(data, x=np.zeros((110, 1000), np.float32))
    with pytest.raises(OSError, match=r"No space left on device.*0\.array"):
        train(engine, large, 16)
    engine.close()


SCRIPT = """
import os, sys
import numpy as np
import modelshelf.engines.torch_.remote as remote
from modelshelf.core.protocols import TrainingData
from modelshelf.space.configuration import Configuration

assert "torch" not in sys.modules
print("main runs")

def build(configuration, data):
    import torch
    class Net(torch.nn.Linear):
        pass
    net = Net(data.inputs, data.outputs)
    net.register_buffer("process", torch.tensor(os.getpid()))
    return net

x = np.random.default_rng(0).normal(size=(30, 4)).astype("f4")
y = np.eye(2, dtype="f4")[[0, 1] * 15]
data = TrainingData(x, y, x, y, True)
engine = remote.RemoteEngine(build)
member = engine.start(Configuration(patience=0), data, 0)
engine.advance(member, data, 2, np.zeros(1, np.uint8))
assert "torch" not in sys.modules
print(engine.network(member, True).tensors()["state.process"])
print(engine._folder, flush=True)
os.kill(os.getpid(), 9)
"""


def test_a_script_without_a_guard_works_and_its_death_ends_its_processes(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    ran = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False)
    assert ran.returncode == -signal.SIGKILL, ran.stderr
    said, process, folder = ran.stdout.splitlines()
    assert said == "main runs"  # once: the child did not run the script again
    until = time.monotonic() + 10.0
    while alive(int(process)):
        assert time.monotonic() < until
        time.sleep(0.02)
    assert not Path(folder).exists()


def alive(process):
    try:
        state = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1]
    except FileNotFoundError:
        return False
    return state.split()[0] != "Z"


def test_large_arrays_travel_by_files_that_go_with_them(tmp_path):
    files = Files(tmp_path)
    array = np.arange(50_000, dtype=np.float64).reshape(500, 100)
    packed, held = files.packed([array, "small"])
    assert len(packed) < 1000
    assert held[0] is array
    assert np.array_equal(mapped(*files.place(array)), array)
    assert len(list(tmp_path.iterdir())) == 1  # written once
    other = array.T
    turned = mapped(*files.place(other))
    assert np.array_equal(turned, array.T)
    with pytest.raises(ValueError, match="read-only"):
        turned[0, 0] = 1.0
    del array, held, other
    assert list(tmp_path.iterdir()) == []


def test_a_map_of_a_file_stays_where_it_is(tmp_path):
    (tmp_path / "arrays").mkdir()
    files = Files(tmp_path / "arrays")
    np.save(tmp_path / "x.npy", np.arange(60_000).reshape(600, 100))
    whole = np.load(tmp_path / "x.npy", mmap_mode="r")
    for part in (whole, whole[100:400], np.ascontiguousarray(whole[7:])):
        path, *_ = place = files.place(part)
        assert path == str(tmp_path / "x.npy")
        assert np.array_equal(mapped(*place), part)
    changed = np.load(tmp_path / "x.npy", mmap_mode="c")
    changed[:] = 1  # in memory, not in the file
    assert np.array_equal(mapped(*files.place(changed)), changed)
    assert np.array_equal(mapped(*files.place(whole[:, 3:])), whole[:, 3:])


def test_rows_in_a_mapped_file_train_as_rows_in_memory(marking, data, tmp_path, stop):
    big = make_data(3, rows=4000, dtype="float32")
    np.save(tmp_path / "x.npy", big.x)
    there = replace(big, x=np.load(tmp_path / "x.npy", mmap_mode="r"))
    curves = [train(marking, each, 16)[1].curve for each in (big, there)]
    assert np.array_equal(*curves)


@pytest.mark.slow
@pytest.mark.parametrize("whole", [False, True])
def test_rows_that_no_memory_holds_are_streamed(whole, tmp_path):
    """A gigabyte and a half of rows where a process may hold one; reading them whole fails."""
    rows, width = 400_000, 1000
    x = np.memmap(tmp_path / "x", np.float32, mode="w+", shape=(rows, width))
    target = np.arange(rows) % 3
    for start in range(0, rows, 50_000):
        x[start : start + 50_000, :3] = np.eye(3)[target[start : start + 50_000]]
    y = np.eye(3, dtype=np.float32)[target]
    large = TrainingData(Streamed(x), y, np.array(x[:100]), y[:100], True)

    def build(configuration, data):
        if whole:
            np.array(data.x.x)
        return torch.nn.Linear(width, 3)

    engine = RemoteEngine(build, memory_limit=2**30)
    try:
        if whole:
            with pytest.raises(MemberError, match="Out of memory"):
                train(engine, large, 256, epochs=1)
        else:
            assert train(engine, large, 256, epochs=1)[1].curve[0, 2] == 1.0
    finally:
        engine.close()


def test_a_message_that_has_no_end_is_cut():
    assert len(told(ValueError("x" * 10_000), 0)) < 700
