"""What carries a case: activities and their record, waits and signals, the sending of letters."""
