"""Alembic's migrations of the shelf: one file a revision, never changed once released."""
