"""Intake of mail: read, place, store."""
