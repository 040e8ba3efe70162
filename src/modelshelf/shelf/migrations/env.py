"""Runs migrations on the connection that `modelshelf.shelf.migrate` gives."""

from __future__ import annotations

from alembic import context

if hasattr(context, "config"):  # there is none where this file is only imported, as for doctests
    # The caller began the transaction, and ends it: all migrations are kept, or none.
    context.configure(
        connection=context.config.attributes["connection"],
        transactional_ddl=False,
        render_as_batch=True,
    )
    context.run_migrations()
