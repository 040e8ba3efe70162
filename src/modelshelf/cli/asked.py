"""What commands that train have in common: where rows come from, and how Ctrl-C ends them."""

from __future__ import annotations

import os
import signal
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Protocol

from modelshelf.core.errors import SettingError

__all__ = ["Display", "signals", "source"]


class Display(Protocol):
    """What is seen while something trains."""

    def say(self, message: str) -> None:
        """Show a message. Safe in a signal handler."""

    def restore(self) -> None:
        """Give the terminal its cursor back."""


def source(
    data: str | None,
    target: str | None,
    example: str | None,
    command: str,
    *,
    rows: int | None = None,
    seed: int = 0,
    columns: Collection[str] = (),
) -> tuple[Any, str]:
    """The table and its target's name, from a file or a bundled data set.

    `rows`: so many of them, sampled by `seed`. `columns`: those that a person says how to read.
    """
    from modelshelf.data.read import Sample, bundled, read_table, usual_target

    sample = Sample.asked(rows, seed)
    if example is not None:
        if data is not None:
            raise SettingError("Give a file or --example, not both.")
        table, usual = bundled(example)
        return table if sample is None else sample.drawn(table), target or usual
    if data is None:
        raise SettingError(
            f"Give a table and its target, such as `modelshelf {command} data.csv --target price`, "
            f"or try `modelshelf {command} --example digits`."
        )
    table = read_table(data, sample, None if target is None else {target, *columns})
    target = target or usual_target(table)
    if target is None:
        names = ", ".join(table.frame.columns[:12])
        raise SettingError(f"Name the column to predict with --target. The table has: {names}.")
    return table, target


@contextmanager
def signals(stopper: Any, live: Display) -> Iterator[None]:
    """Ctrl-C once asks the study to finish tidily, twice leaves now; what is shelved stays."""

    def handle(number: int, frame: FrameType | None) -> None:
        if stopper.requested:
            live.restore()
            os._exit(130)
        stopper.stop()
        live.say("Finishing tidily. Press Ctrl-C again to leave now.")

    before = {each: signal.signal(each, handle) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
