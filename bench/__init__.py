"""Figures of the service, each beside what it is compared with. See README.md."""
