"""The tables of the shelf, at the newest revision.

Floats are SQLite's 8-byte reals, so they come back to the bit (but for -0.0, which comes back as
0.0). SQLite has no NaN: a number that is not one is stored as NULL, and read as NaN.
"""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
)

__all__ = [
    "APPLICATION_ID",
    "HEAD",
    "METADATA",
    "REMOVED",
    "REVISIONS",
    "configuration",
    "curve",
    "job",
    "study",
    "trial",
    "version",
]

#: Every revision that this modelshelf can read, oldest first; the last is written.
REVISIONS = ("0001",)
HEAD = REVISIONS[-1]

#: Marks a SQLite file as a shelf: "mshf", in the header of the database.
APPLICATION_ID = 0x6D736866

#: In place of a checksum: a person took the network off the shelf, and its file is not missed.
REMOVED = "removed"

METADATA = MetaData()

study = Table(
    "study",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("key", Text, nullable=False, index=True),
    Column("created", Text, nullable=False),
    Column("seconds", Float, nullable=False),
    Column("status", Text, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("task", Text, nullable=False),
    Column("metric", Text, nullable=False),
    Column("direction", Text, nullable=False),
    Column("seed", Integer, nullable=False),
    Column("test_uses", Integer, nullable=False),
    Column("settings", Text, nullable=False),
    Column("understood", Text, nullable=False),
    Column("result", Text),
)

configuration = Table(
    "configuration",
    METADATA,
    Column("barcode", Text, primary_key=True, nullable=False),
    Column("version", Integer, nullable=False),
    Column("settings", Text, nullable=False),
)

trial = Table(
    "trial",
    METADATA,
    Column("study_id", Integer, ForeignKey("study.id"), primary_key=True, nullable=False),
    Column("number", Integer, primary_key=True, nullable=False),
    Column("barcode", Text, ForeignKey("configuration.barcode"), nullable=False, index=True),
    Column("copy", Text, nullable=False, index=True),
    Column("purpose", Text, nullable=False),
    Column("split", Text, nullable=False),
    Column("seed", Integer, nullable=False),
    Column("status", Text, nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("best_epoch", Integer, nullable=False),
    Column("loss", Float),
    Column("score", Float),
    Column("seconds", Float, nullable=False),
    Column("steps", Integer, nullable=False),
    Column("parameters", Integer, nullable=False),
    Column("size", Integer, nullable=False),
    Column("file", Text, nullable=False),
    Column("checksum", Text, nullable=False),
    Column("preparation", Text, nullable=False),
    Column("reason", Text, nullable=False),
)

curve = Table(
    "curve",
    METADATA,
    Column("study_id", Integer, primary_key=True, nullable=False),
    Column("trial", Integer, primary_key=True, nullable=False),
    Column("epoch", Integer, primary_key=True, nullable=False),
    Column("train_loss", Float),
    Column("validation_loss", Float),
    Column("validation_score", Float),
    ForeignKeyConstraint(
        ["study_id", "trial"], ["trial.study_id", "trial.number"], ondelete="CASCADE"
    ),
    sqlite_with_rowid=False,
)

job = Table(
    "job",
    METADATA,
    Column("study_id", Integer, primary_key=True, nullable=False),
    Column("number", Integer, primary_key=True, nullable=False),
    Column("trial", Integer, nullable=False),
    Column("rung", Integer, nullable=False),
    Column("from_epoch", Integer, nullable=False),
    Column("to_epoch", Integer, nullable=False),
    Column("keep", Float, nullable=False),
    Column("done", Boolean, nullable=False),
    Column("retired", Integer),
    Column("status", Text),
    Column("epoch", Integer),
    Column("best_epoch", Integer),
    Column("loss", Float),
    Column("score", Float),
    Column("seconds", Float),
    Column("steps", Integer),
    Column("reason", Text),
    ForeignKeyConstraint(
        ["study_id", "trial"], ["trial.study_id", "trial.number"], ondelete="CASCADE"
    ),
    Index("ix_job_trial", "study_id", "trial"),
    # A place in the order of retirement is taken once: two jobs in it would be two histories.
    Index("ix_job_retired", "study_id", "retired", unique=True),
)

#: Alembic's own table, declared here so that it can be read and written without Alembic.
version = Table(
    "alembic_version",
    METADATA,
    Column("version_num", String(32), primary_key=True, nullable=False),
)
