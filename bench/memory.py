"""What reading a table takes of memory, beside pandas' and polars' own readers.

*reading* is `read_table` and `understand`: all that comes before the search; *tune* is a whole
study of one network, of 16 units for two epochs, beside its baselines. Peak resident memory of a
fresh process each, what it held once its imports were done taken off. Tables are of 30 columns, 29
normal numbers in all their digits and a target of two classes.

`--against SRC` measures another checkout's `src` beside this one.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from common import Table, finish, parser

__all__ = ["main"]

HERE = Path(__file__).resolve().parents[1] / "src"
ROWS = (100_000, 1_000_000)
COLUMNS = 30

_PEAK = """
import sys
from pathlib import Path

def peak():
    status = Path("/proc/self/status").read_text().split()
    return int(status[status.index("VmHWM:") + 1]) * 1024

path, shelf = sys.argv[1:]
{imports}
before = peak()
{work}
print(peak() - before)
"""

_READING = """
try:
    table = read_table(path, None, {"y"})
except TypeError:  # an older checkout
    table = read_table(path)
understand(table, "y")
"""

OURS = ("reading", "tune")

#: What is imported, and what is measured.
WAYS = {
    "reading": (
        "from modelshelf.data.read import read_table\n"
        "from modelshelf.data.understand import understand",
        _READING,
    ),
    "tune": (
        "from modelshelf import tune",
        "space = dict(hidden_layers=(16,), batch_size=1024, epochs=2, numeric_encoding='none')\n"
        "tune(path, target='y', trials=1, workers=1, space=space, shelf=shelf)",
    ),
    "polars": ("import polars", "frame = getattr(polars, f'read_{path.split(\".\")[-1]}')(path)"),
    "pandas": ("import pandas", "frame = getattr(pandas, f'read_{path.split(\".\")[-1]}')(path)"),
}


def _make(path: Path, rows: int) -> None:
    values = np.random.default_rng(0).standard_normal((rows, COLUMNS))
    frame = pl.DataFrame(values[:, 1:], [f"x{i}" for i in range(COLUMNS - 1)])
    frame = frame.with_columns(y=pl.Series((values[:, 0] + values[:, 1] > 0).astype(np.int64)))
    frame.write_csv(path) if path.suffix == ".csv" else frame.write_parquet(path)


def _measure(way: str, source: Path, path: Path) -> tuple[int, float] | None:
    """The peak in bytes, and the seconds that it all took; None where it could not be done."""
    imports, work = WAYS[way]
    code = _PEAK.format(imports=imports, work=work)
    with tempfile.TemporaryDirectory() as shelf:
        began = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-c", code, str(path), shelf],
            capture_output=True,
            text=True,
            env={**os.environ, "PYTHONPATH": str(source)},
        )
    if done.returncode:
        print(f"{way}: {done.stderr.strip().splitlines()[-1:]}", file=sys.stderr)
        return None
    return int(done.stdout.split()[-1]), time.perf_counter() - began


def main() -> None:
    """Print the table."""
    shared = parser(__doc__ or "", tuple(WAYS))
    shared.add_argument("--against", type=Path, metavar="SRC", help="another checkout's src")
    options = shared.parse_args()
    ways = []
    for way in options.only or WAYS:
        ours = way in OURS
        ways.append((f"modelshelf, {way}" if ours else way, way, HERE))
        if ours and options.against:
            ways.append((f"modelshelf, {way}, before", way, options.against))
    table = Table("Peak memory", "rows", "file", "MB", "by", "peak, MB", "of file", "seconds")
    rows: list[dict[str, Any]] = []
    for count in ROWS[:1] if options.quick else ROWS:
        for ending in ("csv", "parquet"):
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / f"table.{ending}"
                _make(path, count)
                size = path.stat().st_size
                for name, way, source in ways:
                    found = _measure(way, source, path)
                    if found is None:
                        continue
                    peak, seconds = found
                    ratio = peak / size
                    table.row(f"{count:,}", ending, f"{size / 1e6:.0f}", name,
                              f"{peak / 1e6:.0f}", f"{ratio:.2f}", f"{seconds:.1f}")  # fmt: skip
                    rows.append({"rows": count, "file": ending, "bytes": size, "by": name,
                                 "peak": peak, "of_file": ratio, "seconds": seconds})  # fmt: skip
                same = [each for each in rows if (each["rows"], each["file"]) == (count, ending)]
                peers = [each["peak"] for each in same if each["by"] in ("polars", "pandas")]
                for row in same if peers else ():
                    row["ratio"] = row["peak"] / min(peers)
    finish(rows, options.json, "polars", "pandas")


if __name__ == "__main__":
    main()
