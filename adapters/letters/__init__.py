"""Writes letters: from facts to a finished mail."""
