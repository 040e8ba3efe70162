"""How the engine's cost grows: with workers, rows, members and mixed shapes; and its memory."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import fields
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from common import Table, turns
from modelshelf.core.protocols import TrainingData
from modelshelf.engines.numpy_ import NumpyEngine
from training import (
    CORES,
    SHAPES,
    configured,
    digits_data,
    made_up,
    seconds_for,
    steps_per_second,
)

__all__ = ["members", "memory", "mixed", "rows", "workers"]

Rows = list[dict[str, Any]]


def workers(quick: bool) -> Rows:
    """Throughput of one worker thread for each core against one worker."""
    runs, seconds = (3, 0.3) if quick else (7, 2.0)
    table = Table(f"Workers (--only workers): 1 thread against {CORES}, digits; medians of {runs}",
                  "width, batch", "1, steps/s", f"{CORES}, steps/s", "ratio")  # fmt: skip
    found, data = [], digits_data()
    for width, batch in SHAPES:
        told = configured(width, batch)
        rates = turns(runs, {
            str(n): lambda n=n, told=told: steps_per_second(told, data, seconds, n)
            for n in (1, CORES)
        })  # fmt: skip
        one, all_cores = rates["1"], rates[str(CORES)]
        ratio = median(b / a for a, b in zip(one, all_cores, strict=True))
        found.append({"width": width, "batch": batch, "one": median(one),
                      "all": median(all_cores), "workers": CORES, "ratio": ratio})  # fmt: skip
        table.row(f"{width}, {batch}", f"{median(one):,.0f}", f"{median(all_cores):,.0f}",
                  f"{ratio:.2f}×")  # fmt: skip
    return found


def rows(quick: bool) -> Rows:
    """Time per row and epoch as rows grow."""
    runs, least = (3, 30_000) if quick else (5, 1_000_000)
    counts = (1_000, 10_000, 100_000) if quick else (1_000, 10_000, 100_000, 1_000_000)
    tables = {count: made_up(count, 32) for count in counts}
    told = configured(64, 256)

    def measure(count: int) -> float:
        epochs = max(1, least // count)
        return seconds_for([(told, 0, epochs)], tables[count], 1) / (epochs * count)

    return _linear(
        "Rows (--only rows): one worker, 32 inputs, width 64, batch 256, nothing held out",
        "rows", "ns per row and epoch", 1e9, runs, counts, measure,
    )  # fmt: skip


def members(quick: bool) -> Rows:
    """Time per member as members grow: tiny networks, started and trained for a few steps."""
    runs = 3 if quick else 5
    counts = (1, 10, 100, 1_000) if quick else (1, 10, 100, 1_000, 10_000)
    data, told = made_up(256, 8), configured(8, 32)

    def measure(count: int) -> float:
        repeats = max(1, 100 // count)
        jobs = [(told, seed, 2) for seed in range(count)]
        return sum(seconds_for(jobs, data, 1) for _ in range(repeats)) / (repeats * count)

    return _linear(
        "Members (--only members): one worker, 8 inputs, width 8, 16 steps each, start included",
        "members", "µs per member", 1e6, runs, counts, measure,
    )  # fmt: skip


def _linear(
    title: str, name: str, unit: str, scale: float, runs: int, counts: tuple[int, ...],
    measure: Callable[[int], float],
) -> Rows:  # fmt: skip
    """One row for each count: time for one, and against the time for one at the count before."""
    table = Table(f"{title}; medians of {runs}", name, unit, "against the row above")
    measure(counts[0])  # compiles
    times = turns(runs, {str(n): lambda n=n: measure(n) for n in counts})
    found: Rows = []
    for n in counts:
        each = median(times[str(n)]) * scale
        ratio = each / found[-1]["time"] if found else 1.0
        found.append({name: n, "unit": unit, "time": each, "ratio": ratio})
        table.row(f"{n:,}", f"{each:,.1f}", f"{ratio:.2f}×" if n > counts[0] else "")
    return found


def _resident(peak: bool) -> float:
    """This process's resident bytes, now or at their peak (Linux)."""
    name = "VmHWM:" if peak else "VmRSS:"
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(float(line.split()[1]) * 1024 for line in lines if line.startswith(name))


def _own(member: Any) -> int:
    """Bytes of the arrays that a member holds."""
    values = (getattr(member, field.name) for field in fields(member))
    return sum(value.nbytes for value in values if isinstance(value, np.ndarray))


def _grown_by_members(count: int) -> tuple[float, float]:
    """Peak bytes per member of holding this many trained members, and their arrays' own bytes."""
    data, told = digits_data(), configured(32, 32)
    engine, stop, held = NumpyEngine(), np.zeros(1, np.uint8), []
    seconds_for([(told, 0, 1)], data, 1)  # compiles
    before = _resident(peak=True)
    for seed in range(count):
        held.append(engine.start(told, data, seed))
        engine.advance(held[-1], data, 1, stop)
    return (_resident(peak=True) - before) / count, _own(held[0])


def _grown_by_data(count: int) -> tuple[float, float]:
    """Peak bytes that training a queue of members adds to a large table, and the table's bytes."""
    told = configured(32, 1024)
    seconds_for([(told, 0, 1)], made_up(2_000, 64), 1)  # compiles
    data: TrainingData = made_up(500_000, 64)
    before = _resident(peak=True)
    seconds_for([(told, seed, 1) for seed in range(count)], data)
    return _resident(peak=True) - before, data.x.nbytes + data.y.nbytes


def memory(quick: bool) -> Rows:
    """What a member adds to the process, and what training adds to the data. Fresh processes."""
    if not os.path.exists("/proc/self/status"):  # noqa: PTH110
        print("memory is left out: it needs /proc")
        return []

    def fresh(measure: Callable[[int], tuple[float, float]], count: int) -> tuple[float, float]:
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
            return pool.submit(measure, count).result()

    runs, count = (1, 300) if quick else (3, 3_000)
    table = Table(f"Memory (--only memory): peak resident, fresh process; medians of {runs}",
                  "what".ljust(34), "measured", "its own arrays")  # fmt: skip
    each = [fresh(_grown_by_members, count) for _ in range(runs)]
    member, own = (median(values) for values in zip(*each, strict=True))
    table.row(f"a member (width 32), of {count:,}", f"{member / 1e3:.1f} kB", f"{own / 1e3:.1f} kB")
    found: Rows = [{"what": "member", "count": count, "bytes": member, "own": own}]
    for queue in (1, 2, 8):
        each = [fresh(_grown_by_data, queue) for _ in range(runs)]
        extra, own = (median(values) for values in zip(*each, strict=True))
        found.append({"what": "training", "members": queue, "bytes": extra, "data": own})
        table.row(f"training {queue} on {own / 1e6:.0f} MB of data", f"+{extra / 1e6:.1f} MB", "")
    return found


def mixed(quick: bool) -> Rows:
    """A queue of all shapes in turn against the sum of the same members, one shape at a time."""
    runs, each, aim = (3, 4, 0.05) if quick else (7, 8, 0.25)
    data, parts = digits_data(), {}
    for width, batch in SHAPES:
        told = configured(width, batch)
        seconds_for([(told, 0, 1)], data, 1)
        epochs = max(1, round(aim * 5 / seconds_for([(told, 0, 5)], data, 1)))
        parts[f"{width}, {batch}"] = [(told, seed, epochs) for seed in range(each)]
    # Each shape once, then each again: neighbours on the cores differ.
    queue = [job for group in zip(*parts.values(), strict=True) for job in group]
    times = turns(runs, {
        name: lambda jobs=jobs: seconds_for(jobs, data)
        for name, jobs in [*parts.items(), ("all, mixed", queue)]
    })  # fmt: skip
    table = Table(f"Mixed shapes (--only mixed): {each} members each; medians of {runs}",
                  "width, batch", "seconds")  # fmt: skip
    for name in parts:
        table.row(name, f"{median(times[name]):.3f}")
    sums = [sum(group) for group in zip(*(times[name] for name in parts), strict=True)]
    whole = times["all, mixed"]
    ratio = median(a / b for a, b in zip(sums, whole, strict=True))
    table.row("sum of these", f"{median(sums):.3f}")
    table.row("all, mixed", f"{median(whole):.3f}")
    table.row("throughput", f"{ratio:.2f}×")
    return [{"parts": {name: median(times[name]) for name in parts}, "sum": median(sums),
             "mixed": median(whole), "ratio": ratio}]  # fmt: skip
