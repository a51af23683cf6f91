"""The six steps of a run: read, observe, plan, refuse, execute, write. `execute` is the only file that can spend."""
