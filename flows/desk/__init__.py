"""The desk: pages on which people decide. What they do stands in `tasks/desk/`."""
