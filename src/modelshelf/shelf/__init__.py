"""The shelf: every study, trial, learning curve and trained network, in one folder."""

from modelshelf.shelf.records import (
    Completed,
    Job,
    JobRecord,
    NewTrial,
    StoredFile,
    StudyRecord,
    TrialFile,
)
from modelshelf.shelf.store import Shelf

__all__ = [
    "Completed",
    "Job",
    "JobRecord",
    "NewTrial",
    "Shelf",
    "StoredFile",
    "StudyRecord",
    "TrialFile",
]
