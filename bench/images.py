"""Images: studies of Fashion-MNIST, and what single networks reach in how much work.

    python bench/images.py FOLDER [--quick] [--only study|alone] [--json FILE]

FOLDER holds the four IDX files, as the Debian package dataset-fashion-mnist installs them. Seconds
of a network alone are its process's own work on one core, so that a busy machine tells them too;
those of a study are the clock's, beside the machine's load (processes that wanted a core) before
and after.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from common import Table, finish, parser
from modelshelf.core.protocols import TrainingData
from modelshelf.core.seeds import generator
from modelshelf.data.dataset import Dataset
from modelshelf.data.prepare import fit_preparation
from modelshelf.data.read import read_table
from modelshelf.data.tensor import Tensor
from modelshelf.data.understand import as_understood, understand
from modelshelf.engines.numpy_ import NumpyEngine
from modelshelf.engines.torch_.engine import TorchEngine
from modelshelf.engines.torch_.families.conv import build_conv
from modelshelf.space.configuration import Configuration
from modelshelf.space.portfolio import PORTFOLIO_OF_IMAGES
from modelshelf.space.words import short

TRAIN, TEST = "train-images-idx3-ubyte.gz", "t10k-images-idx3-ubyte.gz"


def study(folder: Path, seconds: int) -> dict[str, Any]:
    """What `modelshelf tune` reaches in so many seconds."""
    start = "from modelshelf.cli.app import entry; entry()"
    load = [os.getloadavg()[0]]
    with tempfile.TemporaryDirectory() as shelf:
        command = [sys.executable, "-c", start, "tune", str(folder / TRAIN), "--test",
                   str(folder / TEST), "--time", f"{seconds}s", "--shelf", shelf,
                   "--json"]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stderr)
    load.append(os.getloadavg()[0])
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return {"seconds": seconds, "load": load, "result": told}


def alone(dataset: Dataset, test: Dataset, settings: dict[str, Any]) -> dict[str, Any]:
    """What one network reaches on the test rows, and seconds of work; a fifth validates it."""
    c = Configuration(**settings)
    order = generator(0, "bench").permutation(dataset.rows)
    held, rows = np.sort(order[: dataset.rows // 5]), np.sort(order[dataset.rows // 5 :])
    made = fit_preparation(dataset, rows, "standard")
    x, y = made.transform(dataset.frame), made.encode_target(dataset.target)
    data = TrainingData(
        x[rows], y[rows], x[held], y[held], True, made.columns, dataset.schema.shape
    )
    dense = c.word("network") == "dense"
    engine: Any = NumpyEngine() if dense else TorchEngine(build_conv)
    member = engine.start(c, data, 0)
    began = time.process_time()
    leg = engine.advance(member, data, c.whole("epochs"), np.zeros(1, np.uint8))
    seconds = time.process_time() - began
    network = engine.network(member, True)
    right = network.predict(made.transform(test.frame)).argmax(axis=1) == test.target
    return {"network": short(c), "settings": settings, "epochs": leg.epoch, "seconds": seconds,
            "parameters": network.parameters, "test": float(right.mean())}  # fmt: skip


def studies(folder: Path, quick: bool) -> list[dict[str, Any]]:
    """One study of each length."""
    table = Table("Fashion-MNIST: studies", "seconds", "winner", "ensemble", "linear", "networks",
                  "winner is", "load before", "after")  # fmt: skip
    rows = []
    for seconds in (60,) if quick else (60, 600):
        found = study(folder, seconds)
        result = found["result"]
        ensemble, [linear] = result.get("ensemble") or {}, result["baselines"] or [{}]
        won = Configuration.from_json(result["winner"]["configuration"])
        table.row(
            str(seconds), *(_score(each) for each in (result["winner"], ensemble, linear)),
            str(result["trials"]["started"]), short(won),
            *(f"{each:.1f}" for each in found["load"]),
        )  # fmt: skip
        rows.append(found)
    return rows


def _score(told: dict[str, Any]) -> str:
    return "–" if told.get("test") is None else f"{told['test']:.4f}"


def singles(folder: Path, quick: bool) -> list[dict[str, Any]]:
    """The known starts of a space of images, each trained alone."""
    dataset = understand(read_table(folder / TRAIN), "label")
    test = as_understood(dataset.schema, read_table(folder / TEST))
    assert isinstance(dataset.frame, Tensor)
    table = Table("Fashion-MNIST: single networks", "network".ljust(44), "epochs", "test",
                  "weights", "seconds", "an epoch")  # fmt: skip
    rows = []
    for settings in PORTFOLIO_OF_IMAGES[: 4 if quick else None]:
        for epochs in (2,) if quick else (2, 6):
            asked = {**settings, "epochs": epochs, "schedule": "cosine", "patience": 0}
            found = alone(dataset, test, asked)
            table.row(
                found["network"].ljust(44), str(found["epochs"]), f"{found['test']:.4f}",
                f"{found['parameters']:,}", f"{found['seconds']:.1f}",
                f"{found['seconds'] / found['epochs']:.1f}",
            )  # fmt: skip
            rows.append(found)
    return rows


def main() -> None:
    shared = parser(__doc__ or "", ("alone", "study"))
    shared.add_argument("folder", type=Path, help="where the four IDX files lie")
    asked = shared.parse_args()
    wanted = asked.only or ["alone", "study"]
    rows: list[dict[str, Any]] = []
    if "alone" in wanted:
        rows += singles(asked.folder, asked.quick)
    if "study" in wanted:
        rows += studies(asked.folder, asked.quick)
    finish(rows, asked.json, "torch")


if __name__ == "__main__":
    main()
