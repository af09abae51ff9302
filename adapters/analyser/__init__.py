"""Activity 1 by rules: finds what a mail wants."""
