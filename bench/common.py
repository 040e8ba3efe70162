"""What benchmarks share: arguments, the machine's description, the JSON file."""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
from collections.abc import Callable, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

__all__ = ["arguments", "finish", "machine", "median_of", "versions"]


def arguments(description: str) -> argparse.Namespace:
    """`--quick` finishes within a minute; `--json FILE` keeps the rows."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--quick", action="store_true", help="finish within a minute")
    parser.add_argument("--json", type=Path, help="write rows, machine and versions to this file")
    return parser.parse_args()


def machine() -> dict[str, Any]:
    """The processor and how many cores there are."""
    name = platform.processor()
    info = Path("/proc/cpuinfo")
    if info.exists():
        lines = (line.split(":", 1)[1].strip() for line in info.read_text().splitlines()
                 if line.startswith("model name"))  # fmt: skip
        name = next(lines, name)
    return {"processor": name, "cores": os.cpu_count(), "system": platform.platform()}


def versions(*packages: str) -> dict[str, str]:
    """Versions of what took part; what is not installed is left out, by name."""
    found = {"python": platform.python_version()}
    for package in ("modelshelf", "numpy", "numba", "scipy", *packages):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            print(f"{package} is not installed: left out")
    return found


def median_of(runs: int, measure: Callable[[], float]) -> float:
    """The median of several runs of a measurement."""
    return statistics.median(measure() for _ in range(runs))


def finish(rows: Sequence[dict[str, Any]], path: Path | None, *packages: str) -> None:
    """Write the rows where asked."""
    if path is not None:
        whole = {"rows": list(rows), "machine": machine(), "versions": versions(*packages)}
        path.write_text(json.dumps(whole, indent=1) + "\n")
        print(f"written to {path}")
