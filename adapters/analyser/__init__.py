"""Activity 1 by rules: what a mail wants."""
