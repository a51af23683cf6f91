"""Puts this directory on the import path, for `inprocess`, `sandbox.google_side` and `contract.schema`."""
