"""The first shelf: studies, configurations, trials, curves, jobs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    _study()
    _configuration()
    _trial()
    _curve()
    _job()


def _study() -> None:
    op.create_table(
        "study",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("created", sa.Text, nullable=False),
        sa.Column("seconds", sa.Float, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("fingerprint", sa.Text, nullable=False),
        sa.Column("task", sa.Text, nullable=False),
        sa.Column("metric", sa.Text, nullable=False),
        sa.Column("direction", sa.Text, nullable=False),
        sa.Column("seed", sa.Integer, nullable=False),
        sa.Column("test_uses", sa.Integer, nullable=False),
        sa.Column("settings", sa.Text, nullable=False),
        sa.Column("understood", sa.Text, nullable=False),
        sa.Column("result", sa.Text),
        sa.UniqueConstraint("name"),
    )
    op.create_index("ix_study_key", "study", ["key"])


def _configuration() -> None:
    op.create_table(
        "configuration",
        sa.Column("barcode", sa.Text, primary_key=True, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("settings", sa.Text, nullable=False),
    )


def _trial() -> None:
    op.create_table(
        "trial",
        sa.Column("study_id", sa.Integer, primary_key=True, nullable=False),
        sa.Column("number", sa.Integer, primary_key=True, nullable=False),
        sa.Column("barcode", sa.Text, nullable=False),
        sa.Column("copy", sa.Text, nullable=False),
        sa.Column("purpose", sa.Text, nullable=False),
        sa.Column("split", sa.Text, nullable=False),
        sa.Column("seed", sa.Integer, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("epoch", sa.Integer, nullable=False),
        sa.Column("best_epoch", sa.Integer, nullable=False),
        sa.Column("loss", sa.Float),
        sa.Column("score", sa.Float),
        sa.Column("seconds", sa.Float, nullable=False),
        sa.Column("steps", sa.Integer, nullable=False),
        sa.Column("parameters", sa.Integer, nullable=False),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("file", sa.Text, nullable=False),
        sa.Column("checksum", sa.Text, nullable=False),
        sa.Column("preparation", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.ForeignKeyConstraint(["study_id"], ["study.id"]),
        sa.ForeignKeyConstraint(["barcode"], ["configuration.barcode"]),
    )
    op.create_index("ix_trial_barcode", "trial", ["barcode"])
    op.create_index("ix_trial_copy", "trial", ["copy"])


def _curve() -> None:
    op.create_table(
        "curve",
        sa.Column("study_id", sa.Integer, primary_key=True, nullable=False),
        sa.Column("trial", sa.Integer, primary_key=True, nullable=False),
        sa.Column("epoch", sa.Integer, primary_key=True, nullable=False),
        sa.Column("train_loss", sa.Float),
        sa.Column("validation_loss", sa.Float),
        sa.Column("validation_score", sa.Float),
        _trial_key(),
        sqlite_with_rowid=False,
    )


def _job() -> None:
    op.create_table(
        "job",
        sa.Column("study_id", sa.Integer, primary_key=True, nullable=False),
        sa.Column("number", sa.Integer, primary_key=True, nullable=False),
        sa.Column("trial", sa.Integer, nullable=False),
        sa.Column("rung", sa.Integer, nullable=False),
        sa.Column("from_epoch", sa.Integer, nullable=False),
        sa.Column("to_epoch", sa.Integer, nullable=False),
        sa.Column("keep", sa.Float, nullable=False),
        sa.Column("done", sa.Boolean, nullable=False),
        sa.Column("retired", sa.Integer),
        sa.Column("status", sa.Text),
        sa.Column("epoch", sa.Integer),
        sa.Column("best_epoch", sa.Integer),
        sa.Column("loss", sa.Float),
        sa.Column("score", sa.Float),
        sa.Column("seconds", sa.Float),
        sa.Column("steps", sa.Integer),
        sa.Column("reason", sa.Text),
        _trial_key(),
    )
    op.create_index("ix_job_trial", "job", ["study_id", "trial"])
    op.create_index("ix_job_retired", "job", ["study_id", "retired"], unique=True)


def _trial_key() -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["study_id", "trial"], ["trial.study_id", "trial.number"], ondelete="CASCADE"
    )
