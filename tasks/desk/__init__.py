"""The desk: what people see of cases, and how they decide. Pages stand in `flows/desk/`."""
