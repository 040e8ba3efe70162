"""A sample of a table's rows, the same whenever and however the table is read."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from modelshelf.core.errors import SettingError
from modelshelf.core.seeds import sampled
from modelshelf.data.dataset import Table

__all__ = ["Sample"]

_PREFIX = "sample:"  # what the source of a sampled table begins with


@dataclass(frozen=True, slots=True)
class Sample:
    """So many rows, each as likely as any other, in the order of the file."""

    rows: int
    seed: int

    def __post_init__(self) -> None:
        if isinstance(self.rows, bool) or not isinstance(self.rows, int) or self.rows < 1:
            raise SettingError(f"rows is {self.rows!r}: expected a whole number from 1 on.")

    @classmethod
    def asked(cls, rows: int | None, seed: int) -> Sample | None:
        """What `--rows` and `--seed` ask for; None where all rows are wanted."""
        return None if rows is None else cls(rows, seed)

    def of(self, total: int) -> NDArray[np.int64] | None:
        """Which of so many rows; None where these are no more than are asked for.

        >>> Sample(3, 0).of(10).tolist() == Sample(3, 0).of(10).tolist(), Sample(3, 0).of(3)
        (True, None)
        """
        return None if total <= self.rows else sampled(total, self.rows, self.seed, "rows")

    def drawn(self, table: Table) -> Table:
        """These rows of a whole table, and where they can be read again."""
        total = table.frame.height if table.tensor is None else table.tensor.height
        chosen = self.of(total)
        if chosen is not None:
            tensor = None if table.tensor is None else table.tensor[chosen]
            frame = table.frame[chosen] if table.frame.width else table.frame
            table = self.noted(replace(table, frame=frame, tensor=tensor), total)
        return replace(table, source=self.source(table.source))

    def noted(self, table: Table, total: int) -> Table:
        """A table of so many rows' sample, which says so."""
        told = f"{self.rows:,} of {total:,} rows were sampled, at random by the seed {self.seed}"
        return replace(table, notes=(*table.notes, told))

    def source(self, whole: str) -> str:
        """Where they can be read again, of a table that can be read again there."""
        return f"{_PREFIX}{self.rows}:{self.seed}:{whole}"

    @classmethod
    def at(cls, source: str) -> tuple[Sample | None, str]:
        """The sample, and the source of the whole table, that a source tells of.

        >>> Sample.at(Sample(5, 1).source("/a:b.csv")), Sample.at("example:iris")
        ((Sample(rows=5, seed=1), '/a:b.csv'), (None, 'example:iris'))
        """
        if not source.startswith(_PREFIX):
            return None, source
        rows, seed, whole = source.removeprefix(_PREFIX).split(":", 2)
        return cls(int(rows), int(seed)), whole
