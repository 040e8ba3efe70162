"""What a start costs: on an empty cache and on a full one, alone and inside a study.

*Alone* is a fresh process that imports the engine and trains one epoch on digits. *In a study* is
one that tunes digits (`--time`, 30 s), and says when its first network had come back, when the
first had been trained to its end, and when all was over. All times are seconds since the process
was started; *compiling* is what the study says of itself. Each kind takes turns, with a cache of
its own.

`--against SRC` measures another checkout's `src` beside this one, in the same turns.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

from common import Table, finish, parser

__all__ = ["main"]

HERE = Path(__file__).resolve().parents[1] / "src"

_ALONE = """
import json, sys, time
began = float(sys.argv[1])
try:
    from modelshelf.engines import kernels
    kernels.begin()
except ImportError:
    pass
import numpy as np
from sklearn.datasets import load_digits
from modelshelf.core.protocols import TrainingData
from modelshelf.engines.numpy_ import NumpyEngine
from modelshelf.space.configuration import Configuration
imported = time.time() - began
x, y = load_digits(return_X_y=True)
x, y = (x / 16).astype("f4"), np.eye(10, dtype="f4")[y]
data = TrainingData(x[:1437], y[:1437], x[1437:], y[1437:], True)
engine = NumpyEngine()
configuration = Configuration(hidden_layers=(16,), batch_size=16, optimizer="adam")
member = engine.start(configuration, data, 0)
leg = engine.advance(member, data, 1, np.zeros(1, np.uint8))
print(json.dumps({"imports": imported, "first": time.time() - began, "loss": leg.loss.hex()}))
sys.stdout.flush()
import os
os._exit(0)
"""

_STUDY = """
import json, sys, time
began, limit, shelf = float(sys.argv[1]), float(sys.argv[2]), sys.argv[3]
try:
    from modelshelf.engines import kernels
    kernels.begin()
except ImportError:
    pass
from modelshelf.study.budget import Budget, Clock
clock = Clock()
from modelshelf.api import request
from modelshelf.data.read import bundled
from modelshelf.study import run_study
imported, told = time.time() - began, {}
def see(progress):
    now = time.time() - began
    if progress.best_barcode:
        told.setdefault("first", now)
    if progress.finished:
        told.setdefault("finished", now)
table, target = bundled("digits")
asked = request(table, target, budget=Budget.of(limit, None), shelf=shelf)
try:
    result = run_study(asked, clock=clock, observer=see)
    told.update(networks=result.trials["started"], test=result.winner.test,
                compiling=result.seconds.get("compiling"))
except Exception as error:
    told["error"] = str(error)
print(json.dumps({"imports": imported, **told, "end": time.time() - began}))
sys.stdout.flush()
import os
os._exit(0)
"""


def _run(source: Path, cache: str, program: str, *arguments: str) -> dict[str, Any]:
    """A fresh process on one checkout and one cache; what it printed."""
    there = {k: v for k, v in os.environ.items() if k != "NUMBA_CACHE_DIR"}
    there |= {"PYTHONPATH": str(source), "XDG_CACHE_HOME": cache, "HOME": cache}
    began = str(time.time())
    done = subprocess.run(
        [sys.executable, "-c", program, began, *arguments],
        capture_output=True, text=True, env=there, check=False,
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(f"a start failed:\n{done.stderr}")
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


def _turn(source: Path, limit: float) -> dict[str, dict[str, Any]]:
    """One turn of each kind of start."""
    found = {}
    with tempfile.TemporaryDirectory() as cache:
        found["alone, cold"] = _run(source, cache, _ALONE)
        time.sleep(3.0)  # whatever is still being compiled is not this kind's
        found["alone, warm"] = _run(source, cache, _ALONE)
    for kind in ("in a study, cold", "in a study, warm"):
        if "cold" in kind:
            cache = tempfile.mkdtemp()
        with tempfile.TemporaryDirectory() as shelf:
            found[kind] = _run(source, cache, _STUDY, str(limit), shelf)
    return found


def main() -> None:
    """All kinds of start, in turns."""
    asked = parser(__doc__ or "")
    asked.add_argument("--against", type=Path, help="the src folder of another checkout")
    asked.add_argument("--time", type=float, default=30.0, help="of a study, seconds (default 30)")
    asked.add_argument("--runs", type=int, default=5, help="turns (default 5)")
    arguments = asked.parse_args()
    limit, runs = (10.0, 1) if arguments.quick else (arguments.time, arguments.runs)
    sources = {"this": HERE, **({"other": arguments.against} if arguments.against else {})}
    gathered: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for _ in range(runs):
        for name, source in sources.items():
            for kind, told in _turn(source, limit).items():
                gathered.setdefault((kind, name), []).append(told)
    table = Table(
        f"Start: seconds since the process began; medians of {runs}, studies of {limit:g} s",
        "start".ljust(24), "imports", "first", "finished", "end", "compiling", "networks", "test",
    )  # fmt: skip
    rows = []
    for (kind, name), told in sorted(gathered.items()):
        row: dict[str, Any] = {"start": kind, "checkout": name}
        for part in ("imports", "first", "finished", "end", "compiling", "networks", "test"):
            values = [each[part] for each in told if each.get(part) is not None]
            row[part] = median(values) if len(values) > len(told) / 2 else None
        row["failed"] = sum("error" in each for each in told)
        rows.append(row)
        shown = (f"{row[p]:.2f}" if row[p] is not None else "–"
                 for p in ("imports", "first", "finished", "end", "compiling"))  # fmt: skip
        networks = "–" if row["networks"] is None else f"{row['networks']:.0f}"
        score = "–" if row["test"] is None else f"{row['test']:.4f}"
        failed = f" ({row['failed']} of {runs} failed)" if row["failed"] else ""
        table.row(f"{kind}, {name}{failed}".ljust(24), *shown, networks, score)
    for row in rows:
        other = next((r for r in rows if r["start"] == row["start"] and r is not row), None)
        if row["checkout"] == "this" and other and row["first"] and other["first"]:
            row["ratio"] = other["first"] / row["first"]
    finish(rows, arguments.json)


if __name__ == "__main__":
    main()
