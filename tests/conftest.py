"""Puts this directory on the import path, for `inprocess`, `sandbox.google_side` and `contract.schema`."""

from hypothesis import HealthCheck, settings

# mutmut runs a test in the same process again and again, each time from another instance
settings.register_profile(
    "mutmut", suppress_health_check=[HealthCheck.differing_executors], database=None, deadline=None, derandomize=True
)
