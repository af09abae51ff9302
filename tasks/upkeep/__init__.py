"""What looks after the service: sweep, doctor, report, corrections."""
