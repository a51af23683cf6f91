"""A local Google Sheets API, a local TokPortal and a local TikTok, with faults, people and a clock of their own.

Knows nothing of the package it is used to try out.
"""
