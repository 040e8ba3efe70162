"""What an executor is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

__all__ = ["Done", "Executor"]

J = TypeVar("J")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Done(Generic[J, R]):
    """A job that came back: with its result, or with what it raised."""

    job: J
    result: R | None
    error: BaseException | None = None


class Executor(Protocol[J, R]):
    """Runs jobs. The function that runs one is given when the executor is made."""

    @property
    def workers(self) -> int:
        """How many jobs run at a time."""

    @property
    def running(self) -> tuple[J, ...]:
        """The jobs at work now."""

    def submit(self, job: J, urgency: int = 0) -> None:
        """Queue a job. The more urgent are begun first; equals in the order of their submission."""

    def next(self, timeout: float) -> Done[J, R] | None:
        """A job that came back, waiting up to `timeout` seconds for one; None if none did."""

    def drop(self) -> None:
        """Forget the jobs that have not begun. Those at work come back as they would."""

    def close(self, patience: float = 10.0) -> None:
        """Forget what has not begun, and wait up to `patience` seconds for what is at work."""
