"""Packages that import what they offer when it is first asked for."""

from __future__ import annotations

from importlib import import_module

TYPE_CHECKING = False  # Ctrl-C before the program listens is a traceback: no moment is given away
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

__all__ = ["lazily"]


def lazily(package: str, homes: Mapping[str, str]) -> Callable[[str], Any]:
    """A package's `__getattr__`: each name, and the module below the package that holds it.

    >>> of = lazily("modelshelf.core", {"Task": "records"})
    >>> of("Task").BINARY.value
    'binary'

    What it makes raises `AttributeError` for any other name, as Python expects.
    """

    def find(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(import_module(f"{package}.{homes[name]}"), name)

    return find
