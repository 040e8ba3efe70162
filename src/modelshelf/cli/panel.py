"""A part of the terminal that changes while something is at work; plain lines elsewhere."""

from __future__ import annotations

from collections.abc import Iterable
from types import TracebackType
from typing import Self

from rich.console import Console, Group, RenderableType
from rich.live import Live as RichLive
from rich.status import Status
from rich.text import Text

__all__ = ["Looking", "Panel", "looking"]


class Looking(Status):
    """A sign that something is at work, where there is a terminal to show it."""

    def __enter__(self) -> Self:
        self.start()
        return self

    def say(self, message: str) -> None:
        """Show a message: in its place, or as a line. Safe in a signal handler."""
        if self.console.is_terminal:
            self.update(message)
        else:
            self.console.print(message)

    def restore(self) -> None:
        """Give the terminal its cursor back."""
        self.console.show_cursor(True)


def looking(console: Console) -> Looking:
    """`Looking`, while a network is looked into."""
    said = "looking into it (a machine's first look compiles for some 15 s)"
    return Looking(said, console=console)


class Panel:
    """Use it as a context manager: what is `drawn` inside is gone when it ends."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._live: RichLive | None = None
        self._message = ""

    def __enter__(self) -> Self:
        if self.console.is_terminal:
            self._live = RichLive(console=self.console, auto_refresh=False, transient=True)
            self._live.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._live is not None:
            self._live.__exit__(kind, error, trace)
            self._live = None

    @property
    def is_live(self) -> bool:
        """Whether there is a terminal to draw on, and not only lines to print."""
        return self._live is not None

    def draw(self, rows: Iterable[RenderableType]) -> None:
        """Draw these rows in the place of what was there, and below them what was said last."""
        assert self._live is not None
        shown = list(rows)
        if self._message:
            shown.append(Text(self._message, style="yellow"))
        self._live.update(Group(*shown), refresh=True)

    def say(self, message: str) -> None:
        """Show a message: below what is drawn, or as a line. Safe in a signal handler."""
        self._message = message
        if self._live is None:
            self.console.print(message)

    def restore(self) -> None:
        """Give the terminal its cursor back."""
        if self._live is not None:
            self.console.show_cursor(True)
