"""A sign of life that two processes share: batches seen, the epoch, and whether to stop."""

from __future__ import annotations

from pathlib import Path

import numpy as np

__all__ = ["Pulse"]

_BEATS, _EPOCH, _STOP = range(3)


class Pulse:
    """Three numbers in a file that both sides have mapped into memory."""

    def __init__(self, path: Path) -> None:
        self.path = path
        if not path.exists():
            path.write_bytes(bytes(24))
        self._words = np.asarray(np.memmap(path, np.uint64, mode="r+", shape=(3,)))
        #: The flag (1,), uint8, that engines poll.
        self.stop = self._words[_STOP:].view(np.uint8)[:1]

    def beat(self, epoch: int) -> None:
        """Show that a batch has begun."""
        self._words[_BEATS] += np.uint64(1)
        self._words[_EPOCH] = epoch

    def reset(self) -> None:
        """Before a new task: no epoch yet, no reason to stop."""
        self._words[_EPOCH] = 0
        self.stop[0] = 0

    @property
    def beats(self) -> int:
        """How often the heart has beaten."""
        return int(self._words[_BEATS])

    @property
    def epoch(self) -> int:
        """The epoch of the last beat; 0 before training began."""
        return int(self._words[_EPOCH])
