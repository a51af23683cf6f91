"""In which order open requests are looked at where a run has no room for all: where news is likely; none starves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import accumulate
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.builders import NOW, entry, intent, known, row, tracker
from support.looks import ROUND_ROBIN, RULES, simulate
from support.managers import Fate, by_people, evenly, orders

from sheetsync.model import AdCodeRequest, Known, Row
from sheetsync.plan.due import FORGOTTEN, SLOWEST, due

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
SHOWN, AWAITED = "in_review", "pending"


def order(ledger: Known, rows: Sequence[Row] = (), now: datetime = NOW) -> tuple[str, ...]:
    """The looks of a run."""
    return due(rows, ledger, now, "UTC", tracker())


def of_two(first: AdCodeRequest, second: AdCodeRequest, waits: tuple[timedelta, timedelta]) -> str:
    """Which of two open requests is looked at first, each after its wait."""
    looked = {one.video_id: NOW - wait for one, wait in zip((first, second), waits, strict=True)}
    return order(replace(known(entry(first), entry(second)), looked=looked))[0]


def asked(video: str, status: str, age: timedelta | None = timedelta(days=1), code: str | None = None) -> AdCodeRequest:
    """A request of that age."""
    return AdCodeRequest(f"of {video}", video, status, code=code, created_at=None if age is None else NOW - age)


AWAITS = {
    "ordered": asked("x", "pending"),
    "accepted": asked("x", "accepted"),
    "in a status not known today": asked("x", "queued"),
    "ordered nobody knows when": asked("x", "pending", None),
    "a second too young to be forgotten": asked("x", "pending", FORGOTTEN - SECOND),
    "reported": asked("x", "pending_corrections", code="#old"),
    "reported long after its order": asked("x", "pending_corrections", 2 * FORGOTTEN, "#old"),
}
HARDLY = {
    "the code is there": asked("x", "in_review", code="#there"),
    "the code is there, in a status not known today": asked("x", "disputed", code="#there"),
    "forgotten": asked("x", "accepted", FORGOTTEN),
}


class TestWhereNewsIsLikely:
    @pytest.mark.parametrize("request_", AWAITS.values(), ids=AWAITS)
    def test_a_request_that_a_code_is_expected_of_comes_before_one_whose_code_is_there(
        self, request_: AdCodeRequest
    ) -> None:
        """Though it was looked at later: the wait of the other counts for a quarter."""
        other = asked("shown", SHOWN, code="#shown")
        assert of_two(request_, other, (MINUTE + SECOND, SLOWEST * MINUTE)) == "x"
        assert of_two(request_, other, (MINUTE - SECOND, SLOWEST * MINUTE)) == "shown"

    @pytest.mark.parametrize("request_", HARDLY.values(), ids=HARDLY)
    def test_a_request_that_hardly_brings_a_code_waits_four_times_as_long(self, request_: AdCodeRequest) -> None:
        """And no longer."""
        other = asked("awaited", AWAITED)
        assert of_two(request_, other, (SLOWEST * MINUTE - SECOND, MINUTE)) == "awaited"
        assert of_two(request_, other, (SLOWEST * MINUTE + SECOND, MINUTE)) == "x"

    def test_what_was_never_looked_at_comes_first_whatever_it_promises(self) -> None:
        """Its status may be as old as the ledger."""
        ledger = known(entry(asked("vid-a", AWAITED)), entry(asked("vid-s", SHOWN, code="#s")))
        assert order(replace(ledger, looked={"vid-a": NOW - timedelta(days=9)})) == ("vid-s", "vid-a")

    def test_a_marked_row_is_no_slower_for_its_code_that_is_there(self) -> None:
        """Somebody waits for it: it is of another kind."""
        ledger = known(entry(asked("vid-s", SHOWN, code="#s")), entry(asked("vid-a", AWAITED)))
        ledger = replace(ledger, looked={"vid-s": NOW - 2 * MINUTE, "vid-a": NOW - MINUTE})
        assert order(ledger) == ("vid-a", "vid-s")
        assert order(ledger, [row(2, "vid-s", action="correct", feedback="no")]) == ("vid-s", "vid-a")


class TestNobodyStarves:
    """The bound of `_in_turn`, with any number of each kind, whatever the statuses come to be meanwhile."""

    @settings(deadline=None, max_examples=60)
    @given(
        st.tuples(*[st.integers(0, 4)] * 3, st.integers(1, 9)),
        st.integers(1, 9),
        st.lists(st.integers(1, 90), min_size=40, max_size=40),
        st.integers(0, 2**32),
    )
    def test_the_last_quarter_of_any_wait_holds_few_runs(
        self, counts: tuple[int, int, int, int], room: int, gaps: list[int], seed: int
    ) -> None:
        """However far apart the runs are: (N - 1) / m of them at most."""
        runs = [NOW + minutes * MINUTE for minutes in accumulate(gaps)]
        for now, waiting in played(counts, room, runs, seed):
            for since in waiting:
                quarter = now - (now - since) / SLOWEST if since else NOW
                assert sum(quarter < at <= now for at in runs) <= longest(counts, room)

    @pytest.mark.parametrize("room", [1, 2, 3, 5])
    @pytest.mark.parametrize("counts", [(0, 0, 0, 7), (0, 0, 0, 1), (1, 0, 0, 6), (3, 2, 2, 9), (4, 0, 0, 1)])
    def test_at_even_intervals_no_video_is_left_out_of_many_runs(
        self, counts: tuple[int, int, int, int], room: int
    ) -> None:
        """Four times (N - 1) / m in a row, also where a run has room for one look."""
        runs = [NOW + n * 5 * MINUTE for n in range(1, 120)]
        for seed in range(3):
            for now, waiting in played(counts, room, runs, seed):
                for since in waiting:
                    assert (now - (since or NOW)) / (5 * MINUTE) <= SLOWEST * longest(counts, room)


def longest(counts: Sequence[int], room: int) -> float:
    """(N - 1) / m."""
    return (sum(counts) - 1) / max(1, room // sum(count > 0 for count in counts))


def played(
    counts: Sequence[int], room: int, runs: Sequence[datetime], seed: int
) -> list[tuple[datetime, list[datetime | None]]]:
    """Each run, with the last looks at those videos that it left out; None for a video that was never looked at."""
    draw = Random(seed)
    kinds = zip(("mark", "lost", "strange", "open"), counts, strict=True)
    marks, lost, strange, waiting = ([f"vid-{kind}-{n}" for n in range(count)] for kind, count in kinds)
    rows = [row(2 + n, video, action="request") for n, video in enumerate(marks)]
    rows += [row(50 + n, video, request_id="R9") for n, video in enumerate(strange)]
    looked = {video: NOW for video in (*marks, *lost, *strange, *waiting) if draw.random() < 0.5}
    steady = {video: draw.choice((SHOWN, AWAITED, None)) for video in waiting}
    found = []
    for now in runs:
        status = {video: steady[video] or draw.choice((SHOWN, AWAITED)) for video in waiting}
        entries = [entry(id=video, video_id=video, status=status[video], created_at=now) for video in waiting]
        ledger = known(*entries, unsettled=dict.fromkeys(lost, intent()), looked=dict(looked))
        look = order(ledger, rows, now)
        assert len(look) == sum(counts)
        found.append((now, [looked.get(video) for video in look[room:]]))
        looked |= dict.fromkeys(look[:room], now)
    return found


def ratios(fate: Fate, a_day: float, days: int = 45) -> Sequence[float]:
    """Mean and 95th percentile of the delays of codes, mean of other news, longest wait: ours to round-robin."""
    world = orders(1, days, a_day, fate)
    ours, theirs = (simulate(world, days, 2, RULES[name]).figures() for name in ("ours", ROUND_ROBIN))
    return [one / max(of, 1) for one, of in zip(ours, theirs, strict=True)]


class TestDelays:
    """Six weeks of synthetic managers; `python -m tests.benchmarks.news` plays years."""

    def test_a_code_is_in_its_cell_sooner_than_in_turn(self) -> None:
        """Mean and 95th percentile, by a fifth at least."""
        mean, late, _, longest = ratios(by_people, 1.5)
        assert mean < 0.8
        assert late < 0.8
        assert longest < SLOWEST

    def test_where_nothing_tells_when_codes_come_nothing_is_lost(self) -> None:
        """They come at any time within four weeks, and no status is a sign."""
        mean, late, *_ = ratios(evenly, 0.4)
        assert mean < 1.05
        assert late < 1.05
