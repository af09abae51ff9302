"""Letters: facts in, finished mail out."""
