"""The nine back-office systems, and what they share."""
