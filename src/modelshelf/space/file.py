"""A space from a file: TOML, which is data, or Python, which runs because a person named it."""

from __future__ import annotations

import runpy
import tomllib
import traceback
from pathlib import Path

from modelshelf.core.errors import SettingError, UserError

__all__ = ["read_space_file"]


def read_space_file(path: str | Path) -> object:
    """What a file says of a space: the lines of a TOML file, or the `space` of a Python file.

    A Python file is executed, with all that it may do. So nothing but a person's own `--space`,
    or `space=` in Python, may lead here: never a shelf, a table, or a name found in either.

    Raises `SettingError` where the file cannot be read or understood, or where it fails.
    """
    file = Path(path)
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingError(f"The space {str(path)!r} cannot be read: {error}.") from None
    if file.suffix.lower() == ".py":
        return _run(file)
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingError(
            f"The space {str(path)!r} is not TOML ({error}). Expected lines such as "
            "learning_rate = [0.0001, 0.01]; a Python file's name ends in .py."
        ) from None
    except RecursionError:
        raise SettingError(
            f"The space {str(path)!r} has lists or tables in one another too deeply to be read."
        ) from None


def _run(file: Path) -> object:
    """The `space` that a Python file defines."""
    try:
        found = runpy.run_path(str(file), run_name="space")
    except UserError:
        raise
    except Exception as error:
        raise SettingError(
            f"The space {str(file)!r} fails{_line(error, file)}: {type(error).__name__}: {error}."
        ) from None
    if "space" not in found:
        raise SettingError(
            f"The space {str(file)!r} does not say `space`. Expected a line such as "
            "space = Space(learning_rate=(1e-4, 1e-2)), or a dict of that name."
        )
    return found["space"]


def _line(error: Exception, file: Path) -> str:
    """Where in the file it failed, such as ` in line 3`."""
    if isinstance(error, SyntaxError):
        return f" in line {error.lineno}"
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename == str(file)]
    return f" in line {lines[-1]}" if lines else ""
