"""A local Google Sheets API and a local TokPortal, with faults, people and a clock of their own.

Knows nothing of the package it is used to try out.
"""
