"""A part of the terminal that changes while something is at work; plain lines elsewhere."""

from __future__ import annotations

from collections.abc import Iterable
from types import TracebackType
from typing import Self

from rich.console import Console, Group, RenderableType
from rich.live import Live as RichLive
from rich.status import Status
from rich.text import Text

__all__ = ["Looking", "Panel", "changes", "looking"]


def changes(console: Console) -> bool:
    """Whether what is shown can be changed: a terminal, and not one that only prints."""
    return console.is_terminal and not console.is_dumb_terminal


class Looking(Status):
    """A sign that something is at work, where there is a terminal to show it."""

    def __enter__(self) -> Self:
        if changes(self.console):
            self.start()
        return self

    def say(self, message: str) -> None:
        """Show a message: in its place, or as a line. Safe in a signal handler."""
        if changes(self.console):
            self.update(message)
        else:
            self.console.print(message)

    def restore(self) -> None:
        """Give the terminal its cursor back."""
        self.console.show_cursor(True)


def looking(console: Console) -> Looking:
    """`Looking`, while a network is looked into."""
    said = "looking into it (a machine's first look compiles for some 15 s)"
    # An encoding that is not of Unicode has no dots that turn.
    spinner = "line" if console.options.ascii_only else "dots"
    return Looking(said, console=console, spinner=spinner)


class Panel:
    """Use it as a context manager: what is `drawn` inside is gone when it ends."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._live: RichLive | None = None
        self._message = ""

    def __enter__(self) -> Self:
        if changes(self.console):
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
