"""The commands of `layanan`, by subject. What a command needs is imported in it, so that `--help` is quick."""
