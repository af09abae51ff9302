"""What the command line and the log show."""
