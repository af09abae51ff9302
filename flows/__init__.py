"""The flows: receive mail, handle a case, monitor cases, report. Flows decide; tasks act."""
