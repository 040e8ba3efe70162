"""modelshelf: which neural network should I use for my table, and why?

>>> from modelshelf import Configuration
>>> Configuration(learning_rate=0.01).barcode == Configuration(learning_rate=0.01).barcode
True
"""

from __future__ import annotations

from modelshelf.core.lazy import lazily
from modelshelf.core.version import __version__

TYPE_CHECKING = False

__all__ = [
    "Choice",
    "Configuration",
    "Integer",
    "Model",
    "Real",
    "Shelf",
    "Space",
    "StudyResult",
    "UserError",
    "__version__",
    "compare",
    "diagnose",
    "dissect",
    "explain",
    "probe",
    "report",
    "tokenise",
    "train",
    "train_like",
    "training_step",
    "tune",
    "use_module",
    "worth",
]

if TYPE_CHECKING:
    from modelshelf.api import train, tune
    from modelshelf.core.errors import UserError
    from modelshelf.data.text.steps import tokenise
    from modelshelf.reports.page import report
    from modelshelf.shelf import Shelf
    from modelshelf.space.configuration import Configuration
    from modelshelf.space.domains import Choice, Integer, Real
    from modelshelf.space.space import Space
    from modelshelf.study import Model, StudyResult
    from modelshelf.study.modules import use_module
    from modelshelf.understanding.compare import compare
    from modelshelf.understanding.diagnose import diagnose
    from modelshelf.understanding.dissect import dissect
    from modelshelf.understanding.explain import explain
    from modelshelf.understanding.like import train_like
    from modelshelf.understanding.probe import probe
    from modelshelf.understanding.step import training_step
    from modelshelf.understanding.worth import worth
else:
    # What is asked for is imported when it is asked for: `--help` loads no compiler.
    __getattr__ = lazily(
        __name__,
        {
            "diagnose": "understanding.diagnose",
            "worth": "understanding.worth",
            "dissect": "understanding.dissect",
            "training_step": "understanding.step",
            "compare": "understanding.compare",
            "explain": "understanding.explain",
            "train_like": "understanding.like",
            "probe": "understanding.probe",
            "report": "reports.page",
            "tokenise": "data.text.steps",
            "train": "api",
            "tune": "api",
            "use_module": "study.modules",
            "UserError": "core.errors",
            "Shelf": "shelf",
            "Choice": "space.domains",
            "Configuration": "space.configuration",
            "Integer": "space.domains",
            "Real": "space.domains",
            "Space": "space.space",
            "Model": "study",
            "StudyResult": "study",
        },
    )


def __dir__() -> list[str]:
    return sorted(__all__)
