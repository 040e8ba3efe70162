"""Every error that modelshelf raises on purpose, in one tree.

```
ModelshelfError
├── UserError            something given cannot be used; the message says what to do (exit status 2)
│   ├── DataError        the table, its target, or a test file
│   ├── SettingError     a hyperparameter, a space, a metric, a budget
│   ├── BarcodeError     a barcode that matches nothing, or several
│   └── ShelfError       the shelf cannot be opened, read or written
├── EngineError          training could not go on for a reason that is not the user's
├── MemberError          one network could not be trained: a result on the shelf, its message why
└── StoppedError         stopped, as asked, before there was anything to show
```
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

__all__ = [
    "BarcodeError",
    "DataError",
    "EngineError",
    "MemberError",
    "ModelshelfError",
    "SettingError",
    "ShelfError",
    "StoppedError",
    "UserError",
    "nearest",
]


class ModelshelfError(Exception):
    """The root: catch it to catch everything that modelshelf raises on purpose."""


class UserError(ModelshelfError):
    """Something that was given cannot be used. Says what was expected, what came, what to do."""


class DataError(UserError):
    """The table, its target column or a test file cannot be used."""


class SettingError(UserError):
    """A hyperparameter, a space, a metric or a budget is out of its domain."""


class BarcodeError(UserError):
    """A barcode matches no network on the shelf, or more than one."""


class ShelfError(UserError):
    """The shelf cannot be opened, read or written."""


class EngineError(ModelshelfError):
    """Training could not go on."""


class MemberError(ModelshelfError):
    """One network could not be trained; a study goes on, and keeps the message as the reason."""


class StoppedError(ModelshelfError):
    """A study was stopped, as asked, before its first network had reached a rung."""


def nearest(name: str, known: Iterable[str]) -> str:
    """The end of a sentence: it offers the nearest known name, or lists a few if none is near.

    >>> nearest("learnign_rate", ["learning_rate", "dropout"])
    "did you mean 'learning_rate'?"
    >>> nearest("zzz", ["a", "b"])
    "known are 'a', 'b'."
    >>> nearest("x", [])
    'there are none.'
    """
    names = list(known)
    if not names:
        return "there are none."
    folded = {each.casefold(): each for each in reversed(names)}
    close = difflib.get_close_matches(name.casefold(), folded, n=1, cutoff=0.6)
    if close:
        return f"did you mean {folded[close[0]]!r}?"
    shown = ", ".join(repr(each) for each in names[:12])
    more = f" and {len(names) - 12} more" if len(names) > 12 else ""
    return f"known are {shown}{more}."
