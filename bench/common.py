"""What benchmarks share: arguments, the machine's description, tables, turns, the JSON file."""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

__all__ = ["Table", "arguments", "finish", "machine", "median_of", "parser", "turns", "versions"]


def parser(description: str, parts: Sequence[str] = ()) -> argparse.ArgumentParser:
    """What all benchmarks take; one with options of its own adds them."""
    shared = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    shared.add_argument("--quick", action="store_true", help="finish within a minute or two")
    shared.add_argument("--json", type=Path, help="write rows, machine and versions to this file")
    if parts:
        told = f"measure this alone (may be repeated): {', '.join(parts)}"
        shared.add_argument("--only", action="append", choices=parts, metavar="NAME", help=told)
    return shared


def arguments(
    description: str, parts: Sequence[str] = (), seeds: int | None = None
) -> argparse.Namespace:
    """What `parser` takes; with `seeds`, their usual number, there is `--seeds` too."""
    shared = parser(description, parts)
    if seeds is not None:
        shared.add_argument("--seeds", type=int, default=seeds, help=f"how many (default {seeds})")
    return shared.parse_args()


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


def turns(runs: int, measures: Mapping[str, Callable[[], float]]) -> dict[str, list[float]]:
    """Several runs of each measurement, by name. They take turns: a busy moment meets them all."""
    rounds = [{name: measure() for name, measure in measures.items()} for _ in range(runs)]
    return {name: [each[name] for each in rounds] for name in measures}


class Table:
    """A table that prints as its rows come, aligned, and ready for a document (Markdown)."""

    def __init__(self, title: str, *columns: str) -> None:
        self.widths = [max(len(each), 8) for each in columns]
        print(f"\n{title}\n")
        self.row(*columns)
        first, *others = ("-" * (width + 1) for width in self.widths)
        print(f"|:{first}|{''.join(f'{dashes}:|' for dashes in others)}", flush=True)

    def row(self, *cells: str) -> None:
        """One row: a cell for each column, the first to the left, the others to the right."""
        first, *others = zip(cells, self.widths, strict=True)
        padded = [first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in others)]
        print(f"| {' | '.join(padded)} |", flush=True)


def finish(rows: Sequence[dict[str, Any]], path: Path | None, *packages: str) -> None:
    """Write the rows where asked."""
    if path is not None:
        whole = {"rows": list(rows), "machine": machine(), "versions": versions(*packages)}
        path.write_text(json.dumps(whole, indent=1) + "\n")
        print(f"written to {path}")
