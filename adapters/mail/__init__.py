"""Mails: raw bytes in, what they say out."""
