"""What takes mail in: read, place, store."""
