"""What the service talks about: the SOP, cases, mails, letters, decisions, facts. It imports none of our other packages."""
