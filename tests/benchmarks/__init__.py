"""Benchmarks: commands that print their figures as ratios measured in one run. No test asserts a time."""
