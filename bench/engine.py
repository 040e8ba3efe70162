"""The engine's speed: against PyTorch and JAX, against the processor's peak, and as things grow.

The main table (`--only speed`) gives wall-clock microseconds per step per network with all cores
busy: the time of a run divided by the steps of all networks in it. Digits (64 inputs, 10 classes,
1,437 rows to train on and 360 held out), two hidden layers, dropout 0.1, Adam, float32; a new
order of rows and a validation after each epoch are part of everybody's time. *Validation* is the
share of our time that goes when nothing is held out. *Of peak* is what our matrix products in
training reach, nothing held out, of `np.dot` at 1024 x 1024 on all cores. All take turns, run by
run, so that a busy moment of the machine meets them all.

`--quick` measures speed alone, in runs too short to quote; `ratio` in the file is to the fastest
peer.
"""

from __future__ import annotations

from statistics import median
from typing import Any

import engine_growth
from common import Table, arguments, finish, machine, turns, versions
from peers import Peer, peers
from training import (
    CORES,
    SHAPES,
    configured,
    digits_data,
    multiplications,
    sgemm_peak,
    steps_per_second,
)

#: The issue asks for at least this many times PyTorch's best eager arrangement.
ASKED = {(16, 16): 20, (32, 32): 12, (64, 128): 5, (128, 64): 4, (256, 256): 2}


def speed(quick: bool) -> list[dict[str, Any]]:
    """The main table."""
    runs, seconds = (2, 0.15) if quick else (7, 2.0)
    others = peers()
    table = Table(
        f"Speed (--only speed): µs per step per network, {CORES} cores busy; medians of {runs} "
        f"runs of {seconds} s",
        "width, batch", "modelshelf", *(f"{each.name}, ratio".rjust(26) for each in others),
        "asked", "validation", "of peak", "peak GF/s",
    )  # fmt: skip
    found = []
    for width, batch in SHAPES:
        row = _speed(width, batch, others, runs, seconds)
        found.append(row)
        told = (row["peers"][each.name] for each in others)
        table.row(
            f"{width}, {batch}", f"{row['modelshelf_us']:.2f}",
            *(f"{t['us']:.2f} ({t['option']}), {t['ratio']:.1f}×" for t in told),
            f"≥ {ASKED[width, batch]}×", f"{row['validation_share']:.1%}",
            f"{row['peak_share']:.1%}", f"{row['peak_flops'] / 1e9:.0f}",
        )  # fmt: skip
    for each in others:
        each.pool.shutdown()
    return found


def _speed(width: int, batch: int, others: list[Peer], runs: int, seconds: float) -> dict[str, Any]:
    """One row of the main table: rates of everybody, in turns."""
    held, bare, told = digits_data(), digits_data(validation=False), configured(width, batch)
    steps_per_second(told, held, 0.05)  # compiles
    options = {each.name: each.best_option(width, batch, seconds / 3) for each in others}
    rates = turns(runs, {
        "peak": lambda: sgemm_peak(seconds / 2),
        "held": lambda: steps_per_second(told, held, seconds),
        "bare": lambda: steps_per_second(told, bare, seconds),
        **{each.name: lambda each=each: each.rate(width, batch, seconds, options[each.name])
           for each in others},
    })  # fmt: skip

    def ratio(name: str, by: str) -> float:
        return median(a / b for a, b in zip(rates[name], rates[by], strict=True))

    rows = held.x.shape[0]
    flops = multiplications(width, rows) / -(-rows // batch)  # of a mean step: one batch is short
    told_of = {
        each.name: {
            "us": 1e6 / median(rates[each.name]),
            "option": options[each.name],
            "ratio": ratio("held", each.name),
        }
        for each in others
    }
    return {
        "width": width,
        "batch": batch,
        "ratio": min((each["ratio"] for each in told_of.values()), default=None),
        "modelshelf_us": 1e6 / median(rates["held"]),
        "peers": told_of,
        "validation_share": 1 - ratio("held", "bare"),
        "peak_share": flops * ratio("bare", "peak"),
        "peak_flops": median(rates["peak"]),
        "rates": rates,
    }


PARTS = {
    "speed": speed,
    "workers": engine_growth.workers,
    "rows": engine_growth.rows,
    "members": engine_growth.members,
    "memory": engine_growth.memory,
    "mixed": engine_growth.mixed,
}


def main() -> None:
    asked = arguments(__doc__ or "", tuple(PARTS))
    known = versions("torch", "jax")
    print(
        f"{machine()['processor']}, {CORES} cores;", ", ".join(" ".join(v) for v in known.items())
    )
    rows = [
        {"part": name, **row}
        for name, measure in PARTS.items()
        if name in (asked.only or (["speed"] if asked.quick else PARTS))
        for row in measure(asked.quick)
    ]
    finish(rows, asked.json, "torch", "jax")


if __name__ == "__main__":
    main()
