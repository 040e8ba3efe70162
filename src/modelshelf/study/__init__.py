"""A study: the one place that wires data, search, engine, executor and shelf together."""

from modelshelf.study.model import Model
from modelshelf.study.progress import Observer, Progress, Stopper
from modelshelf.study.result import StudyResult
from modelshelf.study.study import Request, run_study

__all__ = ["Model", "Observer", "Progress", "Request", "Stopper", "StudyResult", "run_study"]
