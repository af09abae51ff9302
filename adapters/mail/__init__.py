"""Reads mail: from raw bytes to text, attachments, sender and kind."""
