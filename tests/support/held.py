"""Holds what passes between the program and the sandbox against Google's own schema, for as long as a test lasts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sheetsync.sandbox.google.schema import Schema, google_schema
from sheetsync.sandbox.google.service import Google


@contextmanager
def held_against_google(*, refusals: bool = False) -> Iterator[Schema]:
    """Every sandbox of this process is strict; at the end, no answer of it has broken the schema, and no request either
    unless `refusals` are what the test is about. What a thread or a broad `except` has swallowed is found here too.
    """
    schema, before = google_schema(), Google.schema
    Google.schema = schema
    try:
        yield schema
    finally:
        Google.schema = before
        broken, refused = schema.broken[:], schema.refused[:]
        schema.broken.clear()
        schema.refused.clear()
    assert not broken, broken
    assert refusals or not refused, refused
