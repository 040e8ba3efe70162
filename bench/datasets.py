"""The main job on real data: one `modelshelf tune` for each table, and what came of it.

The folder of data comes from MODELSHELF_DATA (default ../shared/data). What is not there is left
out, by name.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from common import Table, arguments, finish

SETS = (
    ("adult/train.csv", "income", "adult/test.csv"),
    ("phoneme.csv", "nasal", None),
    ("letter.arff", "class", None),
    ("california.arff", "medianHouseValue", None),
    ("abalone.csv", "rings", None),
    ("titanic/train.csv", "Survived", None),
    ("credit-g.arff", "class", None),
    ("spambase.arff", "class", None),
    ("cpu_act.arff", "usr", None),
)


def tune(data: Path, target: str, test: Path | None, seconds: int, shelf: str) -> dict[str, Any]:
    """The JSON that `modelshelf tune` prints."""
    start = "from modelshelf.cli.app import entry; entry()"
    command = [sys.executable, "-c", start, "tune", str(data), "--target", target,
               "--time", f"{seconds}s", "--shelf", shelf, "--json"]  # fmt: skip
    done = subprocess.run(
        command + (["--test", str(test)] if test else []), capture_output=True, text=True
    )
    if done.returncode:
        raise SystemExit(done.stderr)
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


def short(value: float | None) -> str:
    """A score in four or five digits."""
    return "–" if value is None else f"{value:.4f}" if abs(value) < 10 else f"{value:,.0f}"


def main() -> None:
    asked = arguments(__doc__ or "")
    folder = Path(os.environ.get("MODELSHELF_DATA", "../shared/data"))
    seconds, sets = (15, SETS[:3]) if asked.quick else (60, SETS)
    rows = []
    table = Table(
        f"One study of {seconds} s each; ratio: test score to the better baseline's",
        "data".ljust(15), "metric", "validation".rjust(17), "test", "95 %".rjust(18), "linear",
        "boosting", "networks", "seconds", "ratio",
    )  # fmt: skip
    for name, target, test in sets:
        if not (folder / name).exists():
            print(f"{name} is not in {folder}: left out")
            continue
        with tempfile.TemporaryDirectory() as shelf:
            found = tune(folder / name, target, folder / test if test else None, seconds, shelf)
        winner, tests = found["winner"], {b["name"]: b["test"] for b in found["baselines"]}
        low, high = winner["test_interval"]
        sign = 1 if found["direction"] == "maximize" else -1
        fitted = [score for score in tests.values() if score is not None]
        best = max(fitted, key=lambda score: sign * score, default=None)
        ratio = (winner["test"] / best) ** sign if best else None
        rows.append({"data": name, "metric": found["metric"], **winner, "baselines": tests,
                     "trials": found["trials"], "seconds": found["seconds"],
                     "ratio": ratio})  # fmt: skip
        spread = f" ± {short(winner['validation_std'])}"
        table.row(
            name.ljust(15), found["metric"], f"{short(winner['validation'])}{spread}",
            short(winner["test"]), f"{short(low)} to {short(high)}", short(tests.get("linear")),
            short(tests.get("gradient boosting")), f"{found['trials']['started']:,}",
            f"{found['seconds']['total']:.1f}", f"{ratio:.4f}" if ratio else "–",
        )  # fmt: skip
    finish(rows, asked.json, "scikit-learn")


if __name__ == "__main__":
    main()
