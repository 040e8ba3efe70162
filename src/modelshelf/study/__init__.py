"""A study: the one place that wires data, search, engine, executor and shelf together.

Importing this package imports none of them: what reads a shelf needs no compiler.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelshelf.core.lazy import lazily

__all__ = ["Model", "Observer", "Progress", "Request", "Stopper", "StudyResult", "run_study"]

if TYPE_CHECKING:
    from modelshelf.study.model import Model
    from modelshelf.study.progress import Observer, Progress, Stopper
    from modelshelf.study.result import StudyResult
    from modelshelf.study.study import Request, run_study
else:
    __getattr__ = lazily(
        __name__,
        {
            "Model": "model",
            "Observer": "progress",
            "Progress": "progress",
            "Request": "study",
            "Stopper": "progress",
            "StudyResult": "result",
            "run_study": "study",
        },
    )
