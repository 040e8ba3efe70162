"""Lines about trials on standard error, as loud as asked; the names are Optuna's."""

from __future__ import annotations

import logging
import sys
from logging import CRITICAL, DEBUG, ERROR, FATAL, INFO, WARN, WARNING

__all__ = [
    "CRITICAL",
    "DEBUG",
    "ERROR",
    "FATAL",
    "INFO",
    "WARN",
    "WARNING",
    "disable_default_handler",
    "disable_propagation",
    "enable_default_handler",
    "enable_propagation",
    "get_logger",
    "get_verbosity",
    "set_verbosity",
]

_ROOT = logging.getLogger("modelshelf.optuna")


class _ToStandardError(logging.Handler):
    """Looks for standard error when it writes, so that one put in its place is obeyed."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line."""
        sys.stderr.write(self.format(record) + "\n")


_HANDLER = _ToStandardError()
_HANDLER.setFormatter(logging.Formatter("[%(levelname).1s %(asctime)s] %(message)s"))
_ROOT.addHandler(_HANDLER)
_ROOT.setLevel(INFO)
_ROOT.propagate = False


def get_logger(name: str) -> logging.Logger:
    """The logger of this name; one that this package writes to is `modelshelf.optuna`."""
    return logging.getLogger(name)


def get_verbosity() -> int:
    """The level below which nothing is written."""
    return _ROOT.getEffectiveLevel()


def set_verbosity(verbosity: int) -> None:
    """Write nothing below this level; `WARNING` silences the line after each trial."""
    _ROOT.setLevel(verbosity)


def enable_default_handler() -> None:
    """Write to standard error, as at first."""
    _ROOT.addHandler(_HANDLER)


def disable_default_handler() -> None:
    """Write nothing to standard error."""
    _ROOT.removeHandler(_HANDLER)


def enable_propagation() -> None:
    """Hand every line on to Python's root logger, too."""
    _ROOT.propagate = True


def disable_propagation() -> None:
    """Keep lines from Python's root logger, as at first."""
    _ROOT.propagate = False
