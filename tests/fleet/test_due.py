"""Which trackers are due: once a period each, the same on every machine, spread over the period."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from sheetsync.fleet.due import due, is_due, lag, places

NOW = datetime(2026, 12, 1, 12, 0, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def test_one_that_never_ran_is_due() -> None:
    """Whatever the time."""
    assert is_due(None, NOW, 5)


@pytest.mark.parametrize(
    ("ago", "expected"), [(-301, True), (-300, False), (20, False), (30, False), (31, True), (600, True)]
)
def test_due_from_the_beginning_of_a_period(ago: int, expected: bool) -> None:
    """The period began 30 s ago: a run since then has served it, but none that a wrong clock saw hours from now."""
    assert is_due(NOW - timedelta(seconds=ago), NOW, 5) is expected


@pytest.mark.parametrize("minutes", [1, 5, 7, 90])
def test_each_tracker_runs_once_a_period(minutes: int) -> None:
    """A day, looked at each minute: no tracker twice in a period, none left out, and not all in one minute."""
    names = [f"tracker{number}" for number in range(20)]
    begun: dict[str, datetime] = {}
    runs: dict[str, list[datetime]] = {name: [] for name in names}
    for step in range(24 * 60):
        now = NOW + step * MINUTE
        for name in due(names, begun, now, minutes):
            begun[name] = now
            runs[name].append(now)
    for times in runs.values():
        gaps = {later - earlier for earlier, later in pairwise(times[1:])}
        assert gaps == {minutes * MINUTE}
    at_once = Counter(times[2] for times in runs.values())
    assert max(at_once.values()) <= -(-20 // min(minutes, 20)) + 1


def test_who_has_waited_longest_goes_first() -> None:
    """One that has never run before all."""
    begun = {"a": NOW - 9 * MINUTE, "b": NOW - 20 * MINUTE}
    assert due(["a", "b", "c"], begun, NOW, 5) == ["c", "b", "a"]


@pytest.mark.parametrize(("ago", "expected"), [(20, 0), (30, 0), (31, 30), (5 * 60 + 30, 30), (5 * 60 + 31, 330)])
def test_the_lag_is_the_time_since_a_period_began_unserved(ago: int, expected: int) -> None:
    """The period began 30 s ago; a run of the period before has not served it."""
    assert lag(NOW - timedelta(seconds=ago), NOW, 5) == timedelta(seconds=expected)


@pytest.mark.parametrize("place", places("abcdefg").values())
def test_who_lags_is_due_and_nobody_else(place: float) -> None:
    """Whatever the place in the period."""
    for seconds in range(0, 1200, 7):
        begun = NOW - timedelta(seconds=seconds)
        assert (lag(begun, NOW, 7, place) > timedelta(0)) <= is_due(begun, NOW, 7, place)
        if is_due(begun, NOW, 7, place):
            assert lag(begun, NOW + timedelta(microseconds=1), 7, place) > timedelta(0)
