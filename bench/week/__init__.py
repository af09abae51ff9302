"""The first week's parts: its mails, its relay, its service."""
