"""What an objective raises, and what is raised at its author, under the names that Optuna gives."""

from __future__ import annotations

from collections.abc import Callable

from modelshelf.core.errors import UserError, nearest

__all__ = ["DuplicatedStudyError", "OptunaError", "TrialPruned", "UnfitError", "absent"]


class OptunaError(UserError):
    """The root of what this package raises on purpose."""


class TrialPruned(OptunaError):  # noqa: N818 - the name that scripts have
    """Raised by an objective: this trial is not worth going on with."""


class DuplicatedStudyError(OptunaError):
    """The shelf has a study of this name, and `load_if_exists` was not given."""


class UnfitError(OptunaError, ValueError):
    """An argument, a parameter or a value cannot be used; Optuna raises `ValueError` here."""


def absent(module: str, known: tuple[str, ...], advice: str) -> Callable[[str], object]:
    """A module's `__getattr__`: it says that a name of Optuna's is not here, and what to do."""

    def look(name: str) -> object:
        near = "" if name.startswith("_") else f" {advice} Of the names here: "
        near += "" if name.startswith("_") else nearest(name, known)
        raise AttributeError(f"{module} has no attribute {name!r}.{near}")

    return look
