"""Data larger than the memory that a process may have: read where it lies, in shuffled blocks."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from modelshelf.core.protocols import TrainingData
from modelshelf.data import tensor
from modelshelf.data.tensor import Blocks, Tensor
from modelshelf.engines.torch_.remote import RemoteEngine
from modelshelf.engines.torch_.transport import Files
from modelshelf.space.configuration import Configuration
from tests.modules.nets import TwoLayerNet

LIMITED = """
import json, resource, sys
import numpy as np
import modelshelf.api, torch  # what they take is no part of what the data may take
from modelshelf import tune
from modelshelf.core.memory import held
from tests.modules.nets import Wide

path, place, room, mapped = sys.argv[1:]
held = held("VmData:")
y = np.load(path.replace("x.npy", "y.npy"))
# Children begin with less, and inherit the limit.
resource.setrlimit(resource.RLIMIT_DATA, (held + int(room),) * 2)
X = np.load(path, mmap_mode="r") if mapped == "mapped" else np.load(path)
space = {"epochs": 1, "batch_size": 128, "optimizer": "adam", "learning_rate": 3e-3}
result = tune(X, y, module=Wide, space=space, trials=2, folds=2, workers=1, shelf=place)
print(json.dumps({"test": result.winner.test, "notes": result.notes}))
"""


def written(folder: Path, rows: int, numbers: int) -> Path:
    """Rows on disk, of two classes that tell by their means."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, rows)
    x = np.lib.format.open_memmap(folder / "x.npy", "w+", np.float32, (rows, numbers))
    noise = rng.normal(size=(256, numbers)).astype(np.float32)
    for begin in range(0, rows, 256):
        part = y[begin : begin + 256]
        x[begin : begin + 256] = noise[: len(part)] + np.where(part == 1, 0.2, -0.2)[:, None]
    x.flush()
    np.save(folder / "y.npy", y)
    return folder / "x.npy"


def limited(path: Path, place: Path, room: int, mapped: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", LIMITED, str(path), str(place), str(room), mapped]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.slow  # 1.2 GB are written and read
def test_a_network_learns_from_more_than_memory_may_hold(tmp_path):
    path = written(tmp_path, rows=20_000, numbers=16_000)  # 1.28 GB
    done = limited(path, tmp_path / "shelf", 700_000_000, "mapped")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["test"] > 0.95
    assert any("read where they lie" in each for each in found["notes"])
    # Without the map there is no room, so that the limit is one.
    refused = limited(path, tmp_path / "other", 700_000_000, "read")
    assert refused.returncode != 0
    assert "MemoryError" in refused.stderr


def test_blocks_travel_by_the_file_they_lie_in(tmp_path):
    path = written(tmp_path, rows=400, numbers=300)
    array = np.load(path, mmap_mode="r")
    rows = Blocks(Tensor(array)[np.arange(0, 400, 2)], array.dtype)
    sent, held = Files(tmp_path).packed(rows)
    assert len(sent) < 3_000 < array.nbytes
    assert not list(tmp_path.glob("*.array"))
    assert held[0] is array


def test_an_engine_trains_on_blocks_as_on_arrays(tmp_path):
    path = written(tmp_path, rows=400, numbers=20)
    array = np.load(path, mmap_mode="r")
    y = np.eye(2, dtype=np.float32)[np.load(tmp_path / "y.npy")]
    rows = Blocks(Tensor(array), array.dtype)
    kinds = (rows[:300], rows[300:]), (np.array(array[:300]), np.array(array[300:]))
    engine, losses = RemoteEngine(lambda c, d: TwoLayerNet(d.inputs, 8, d.outputs)), []
    configuration = Configuration(
        network="module", module="N", epochs=5, batch_size=32, learning_rate=0.01
    )
    for x, validation in kinds:
        data = TrainingData(x, y[:300], validation, y[300:], classes=True)
        member = engine.start(configuration, data, 0)
        losses.append(engine.advance(member, data, 5, np.zeros(1, np.uint8)).loss)
    engine.close()
    assert max(losses) < 0.5  # it began at 0.69
    assert losses[0] != losses[1]  # another order of rows
    assert losses[0] == pytest.approx(losses[1], rel=0.05)


def test_what_is_large_does_not_hang_on_what_is_free(tmp_path, monkeypatch):
    path = written(tmp_path, rows=400, numbers=20)
    rows = Tensor(np.load(path, mmap_mode="r"))
    assert not rows.is_large
    monkeypatch.setattr(tensor, "_LARGE_MAP", 1_000)
    assert rows.is_large
    assert rows[np.arange(3)].is_large  # a part of it lies there too
    assert Tensor(np.asarray(rows.array)[10:]).is_large
    assert not Tensor(np.array(rows.array)).is_large
