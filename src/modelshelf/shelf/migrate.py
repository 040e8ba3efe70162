"""Brings an older database up to date. Imported only then: Alembic is slow to load."""

from __future__ import annotations

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection

__all__ = ["configured", "upgrade"]

LOCATION = "modelshelf.shelf:migrations"


def configured(connection: Connection | None = None) -> Config:
    """Alembic's settings: the migrations inside the package, and a connection to run them on."""
    config = Config()
    config.set_main_option("script_location", LOCATION)
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def upgrade(connection: Connection) -> None:
    """Run the migrations that are missing, inside the transaction that the caller began."""
    command.upgrade(configured(connection), "head")
