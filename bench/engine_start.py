"""What a start costs: compiling on an empty cache, loading from a full one, two at once.

Each start is a fresh process that trains one epoch on digits; the cache is a folder of its own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from typing import Any

from common import Table

__all__ = ["start"]

_CHILD = """
import sys, time, json
began = time.perf_counter()
sys.path.insert(0, sys.argv[1])
import numpy as np
from training import NumpyEngine, configured, digits_data
imported = time.perf_counter()
engine, data = NumpyEngine(), digits_data()
ready = time.perf_counter()
member = engine.start(configured(16, 16, optimizer=sys.argv[2]), data, 0)
leg = engine.advance(member, data, 1, np.zeros(1, np.uint8))
print(json.dumps({"import": imported - began, "kernels": time.perf_counter() - ready,
                  "loss": leg.loss.hex()}))
"""


def _started(cache: str, optimizer: str = "adam") -> dict[str, Any]:
    """Seconds of one fresh process: in all, importing, and until the first epoch is trained."""
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", _CHILD, str(Path(__file__).parent), optimizer],
        capture_output=True, text=True, env={**os.environ, "NUMBA_CACHE_DIR": cache},
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(f"a start failed:\n{done.stderr}")
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return {**told, "total": time.perf_counter() - began}


def _starts() -> Iterator[tuple[str, dict[str, Any]]]:
    """One round: each kind of start, by name."""
    with tempfile.TemporaryDirectory() as cache:
        yield "first, empty cache", _started(cache)
        yield "again, cached", _started(cache)
        yield "another optimizer, rest cached", _started(cache, "rmsprop")
    with tempfile.TemporaryDirectory() as cache, ThreadPoolExecutor(2) as pool:
        for each in pool.map(_started, [cache, cache]):
            yield "two at once, empty cache", each
        yield "after the two, cached", _started(cache)


def start(quick: bool) -> list[dict[str, Any]]:
    """Seconds of each kind of start; all of them must reach the same bits."""
    runs = 1 if quick else 3
    table = Table(f"Start (--only start): seconds, each in a fresh process; medians of {runs}",
                  "start".ljust(30), "imports", "kernels", "whole process")  # fmt: skip
    gathered: dict[str, list[dict[str, Any]]] = {}
    for _ in range(runs):
        for name, told in _starts():
            gathered.setdefault(name, []).append(told)
    found = []
    for name, all_told in gathered.items():
        row = {part: median(t[part] for t in all_told) for part in ("import", "kernels", "total")}
        found.append({"start": name, **row})
        table.row(name, *(f"{seconds:.2f}" for seconds in row.values()))
    losses = {t["loss"] for name, told in gathered.items() for t in told if "another" not in name}
    same = "the same bits" if len(losses) == 1 else f"DIFFERENT BITS: {sorted(losses)}"
    print(f"All started well; {same} after the first epoch.")
    return [{**row, "same_bits": len(losses) == 1} for row in found]
