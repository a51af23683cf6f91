"""Commands, and all that prints: one file per command."""
