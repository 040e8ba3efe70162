"""Studies of tables with text, as a person runs them: `python bench/text.py DATA [SECONDS]`.

DATA is the folder with `trec` and `banking77`. Prints a row for each: what the winner, the
ensemble and the linear baseline reach on the official test rows, how many networks were started,
the seconds of processor that the study had, and how loaded the machine was.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

import modelshelf

TABLES = {"trec": "kind", "banking77": "category"}
SECONDS = {"trec": 60, "banking77": 120}


def row(data: Path, name: str, seconds: float) -> str:
    """One study, as a row of a Markdown table."""
    load, began = os.getloadavg()[0], time.process_time()
    with tempfile.TemporaryDirectory() as shelf:
        found = modelshelf.tune(
            data / name / "train.csv",
            target=TABLES[name],
            test=data / name / "test.csv",
            time_limit=seconds,
            shelf=shelf,
        )
    used = time.process_time() - began
    ensemble = found.ensemble
    together = f"{ensemble.test:.3f} of {len(ensemble.members)}" if ensemble else "–"
    linear = next((each.test for each in found.baselines if each.name == "linear"), None)
    return (
        f"| {name} | {seconds:g} s | {found.winner.test:.3f} | {together} | "
        f"{'–' if linear is None else f'{linear:.3f}'} | {found.trials['started']} | "
        f"{used:.0f} s | {load:.1f} |"
    )


def main() -> None:
    """Both tables, or one after another with the seconds that were given."""
    data = Path(sys.argv[1])
    print("| table | time | winner | ensemble | linear | networks | processor | load before |")
    print("|---|---|---|---|---|---|---|---|")
    for name in TABLES:
        seconds = float(sys.argv[2]) if len(sys.argv) > 2 else SECONDS[name]
        print(row(data, name, seconds), flush=True)


if __name__ == "__main__":
    main()
    os._exit(0)  # a baseline that is still being fitted is not waited for
