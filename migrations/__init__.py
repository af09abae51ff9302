"""Revisions of the case store's schema (Alembic)."""
