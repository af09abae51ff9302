"""The workflow engine, Prefect, as the service uses it."""
