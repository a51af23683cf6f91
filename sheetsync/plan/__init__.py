"""PURE: what is due, what each mark does, the gates before a credit is spent, and the limits of a run."""
