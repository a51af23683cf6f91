"""Every request of `doctor --live`, and every answer of the sandbox to it, held against Google's own description."""

from __future__ import annotations

import pytest

pytest.importorskip("googleapiclient", reason="needs the `contract` extra")

from support.held import held_against_google
from support.live_bench import LiveBench, different


def test_a_live_check() -> None:
    """Tables, merges, filters and protections are asked for as the description spells them."""
    bench = LiveBench()
    # what stands on somebody's tab was put there past the API
    bench.book.sheets.pop()
    bench.book.metadata.clear()
    with held_against_google():
        assert different(bench.check()) == set()
