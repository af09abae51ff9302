"""What the service talks about: the SOP, cases, mails, letters, decisions, facts. Imports no other room."""
