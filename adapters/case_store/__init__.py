"""The case store: one SQL database and a folder for what is large."""
