"""Numba's cache of compiled kernels, found by what they were compiled from.

Numba itself goes by a file's path and time: a second virtual environment, or a fresh clone,
compiles everything anew. Here all lies in one folder, whose name says what it is of
(`kernels.py`); Numba adds the processor. What cannot be read is compiled again.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from numba.core.caching import CompileResultCacheImpl, FunctionCache

from modelshelf.engines.kernels import folder

__all__ = ["keep"]


class _Locator:
    """Where Numba looks for a function, whatever file it lies in."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._line = function.__code__.co_firstlineno

    @classmethod
    def from_function(cls, function: Callable[..., Any], file: str) -> _Locator:
        """The locator of a function."""
        return cls(function)

    def get_cache_path(self) -> str:
        """The folder."""
        return str(folder())

    def ensure_cache_path(self) -> None:
        """Make the folder, should it have gone."""
        folder().mkdir(parents=True, exist_ok=True)

    def get_source_stamp(self) -> str:
        """Nothing: the folder's name says it."""
        return ""

    def get_disambiguator(self) -> str:
        """What tells functions of one name apart: the line where one begins."""
        return str(self._line)


class _Impl(CompileResultCacheImpl):  # type: ignore[misc]
    _locator_classes = (_Locator,)


class _Cache(FunctionCache):  # type: ignore[misc]
    _impl_class = _Impl
    lost = False  #: whether something could not be kept

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """What was compiled before; None where there is nothing, or nothing that can be read."""
        try:
            return super().load_overload(sig, target_context)
        except Exception:  # a file that was cut off fails in any way that unpickling can
            with suppress(OSError):
                self.flush()
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep what was compiled, if the disk allows."""
        try:
            super().save_overload(sig, data)
        except OSError:  # full, say: it is compiled again next time
            self.lost = True


def keep(dispatcher: Any) -> Any:
    """The dispatcher, its compiled forms kept on disk."""
    dispatcher._cache = _Cache(dispatcher.py_func)
    return dispatcher
