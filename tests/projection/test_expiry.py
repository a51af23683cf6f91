"""When a code runs out: to the second, in the zone of the sheet, across changes of the clock (design 5)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from freezegun import freeze_time
from hypothesis import given
from hypothesis import strategies as st
from support.builders import ALL_COLUMNS, ASKED, CREATED, NOW, entry, known, outlook, request, row, told, tracker

from sheetsync.clock import Clock
from sheetsync.columns import to_serial
from sheetsync.model import AdCodeRequest, Row, Scalar, Tracker
from sheetsync.projection.cells import targets
from sheetsync.projection.window import RowContext, Window, window_of

SECOND, DAY, WARN = timedelta(seconds=1), timedelta(days=1), timedelta(hours=72)
ZONES = ("America/New_York", "Asia/Kolkata", "Europe/Berlin", "UTC")
CHANGES = (
    datetime(2026, 3, 8, 7, 0, tzinfo=UTC),  # New York goes forward
    datetime(2026, 3, 29, 1, 0, tzinfo=UTC),  # Berlin goes forward
    datetime(2026, 10, 25, 1, 0, tzinfo=UTC),  # Berlin goes back
    datetime(2026, 11, 1, 6, 0, tzinfo=UTC),  # New York goes back
)


def window_for(of: Row, finished: AdCodeRequest, zone: str, settings: Tracker, now: datetime, **memory: Any) -> Window:
    """The window of a request in its row."""
    found = entry(finished)
    return window_of(RowContext(of, zone, settings, now, known(found, **memory)), found)


def by_tiktok(now: datetime, ends: datetime, zone: str = "UTC", warn_hours: int = 72, **cells: Scalar) -> Window:
    """The window of a row whose code TikTok was asked about."""
    asked = tracker(tiktok=ASKED, warn_hours=warn_hours)
    return window_for(row(**cells), request(), zone, asked, now, **told(ends=ends))


def word_by(source: str, now: datetime, ends: datetime, zone: str = "UTC", warn_hours: int = 72) -> str:
    """What Expiry says of a code that ends then, by who says so."""
    if source == "TikTok":
        return by_tiktok(now, ends, zone, warn_hours).word
    if source == "typed":
        return word(now, zone, warn_hours=warn_hours, known_expiry=ends.isoformat())
    return word(now, zone, ends - 30 * DAY, warn_hours)


def word(now: datetime, zone: str = "UTC", created: datetime = CREATED, warn_hours: int = 72, **cells: Scalar) -> str:
    """What the Expiry cell of a row with a code says at a moment."""
    return window(now, zone, created, warn_hours, **cells).word


def window(
    now: datetime = NOW, zone: str = "UTC", created: datetime = CREATED, warn_hours: int = 72, **cells: Scalar
) -> Window:
    """The window of a row with a code."""
    return window_for(row(**cells), request(created_at=created), zone, tracker(warn_hours=warn_hours), now)


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("length", [7, 30, 60, 180, 365])
@pytest.mark.parametrize("change", CHANGES, ids=lambda moment: f"{moment:%d %b}")
class TestBoundaries:
    """The window ends while a clock changes, or in the hours round it: instants are compared in UTC."""

    def test_estimated_from_the_request(self, change: datetime, length: int, zone: str) -> None:
        """created_at + Authorization days, in days of 24 hours, whatever the clocks do."""
        created = change - length * DAY
        seen = [word(change + late, zone, created, authorization_days=length) for late in (-SECOND, 0 * SECOND, SECOND)]
        assert seen == ["renewal needed", "expired", "expired"]
        warned = change - WARN
        seen = [word(warned + late, zone, created, authorization_days=length) for late in (-SECOND, 0 * SECOND, SECOND)]
        assert seen == ["ok", "renewal needed", "renewal needed"]

    def test_typed_from_ads_manager(self, change: datetime, length: int, zone: str) -> None:
        """Known expiry, a wall-clock time of the sheet's zone: the warning comes 72 hours of real time before it."""
        ends = change + timedelta(hours=3)  # outside the hour that comes twice
        cells: dict[str, Scalar] = {"known_expiry": to_serial(ends, zone), "authorization_days": length}
        seen = [word(ends + late, zone, **cells) for late in (-SECOND, 0 * SECOND, SECOND)]
        assert seen == ["renewal needed", "expired", "expired"]
        seen = [word(ends - WARN + late, zone, **cells) for late in (-SECOND, 0 * SECOND, SECOND)]
        assert seen == ["ok", "renewal needed", "renewal needed"]

    def test_told_by_tiktok(self, change: datetime, length: int, zone: str) -> None:
        """To the second, whatever was estimated, and whatever the clocks of the sheet's zone do."""
        moments = [change + late for late in (-SECOND, 0 * SECOND, SECOND)]
        seen = [by_tiktok(moment, change, zone, authorization_days=length).word for moment in moments]
        assert seen == ["renewal needed", "expired", "expired"]
        seen = [by_tiktok(moment - WARN, change, zone, authorization_days=length).word for moment in moments]
        assert seen == ["ok", "renewal needed", "renewal needed"]

    @pytest.mark.parametrize("typed", [-DAY, DAY], ids=["typed first", "told first"])
    def test_typed_and_told(self, change: datetime, length: int, zone: str, typed: timedelta) -> None:
        """The earlier of the two holds, to the second."""
        ends = change + timedelta(hours=3)
        cells: dict[str, Scalar] = {"known_expiry": to_serial(ends + typed, zone), "authorization_days": length}
        earlier = min(ends, ends + typed)
        seen = [by_tiktok(earlier + late, ends, zone, **cells).word for late in (-SECOND, 0 * SECOND, SECOND)]
        assert seen == ["renewal needed", "expired", "expired"]
        assert by_tiktok(earlier, ends, zone, **cells).source == ("typed" if typed < timedelta(0) else "TikTok")


class TestSource:
    """Who says when a code ends."""

    ENDS = CREATED + 12 * DAY

    def test_without_a_token_what_tiktok_said_counts_for_nothing(self) -> None:
        """A token that was taken out of the configuration again leaves everything as it was before."""
        found = window_for(row(), request(), "UTC", tracker(), NOW, **told(ends=self.ENDS))
        assert (found.ends, found.source, found.state) == (CREATED + 30 * DAY, "estimate", "")

    @pytest.mark.parametrize(
        ("of", "said", "source"),
        [
            (request(), told(ends=ENDS), "TikTok"),
            (request(), told("#other", ends=ENDS), "estimate"),
            (request(), told(), "estimate"),
            (request(code="%23R1"), told(ends=ENDS), "TikTok"),
            (request(platform="instagram"), told(ends=ENDS), ""),
            (request(submitted_at=NOW), told(ends=ENDS), "estimate"),
            (request(submitted_at=NOW - SECOND), told(ends=ENDS), "TikTok"),
            (request(created_at=None), told(ends=ENDS), "TikTok"),
        ],
        ids=[
            *("told", "of another code", "no end told", "percent-encoded", "instagram"),
            *("the same code came again since", "a second before", "nothing else is known"),
        ],
    )
    def test_what_counts_as_told(self, of: AdCodeRequest, said: dict[str, Any], source: str) -> None:
        """What TikTok said of this code, since this request brought it."""
        found = window_for(row(), of, "UTC", tracker(tiktok=ASKED), NOW, **said)
        assert found.source == source
        assert (found.ends == self.ENDS) == (source == "TikTok")

    def test_both_say_the_same(self) -> None:
        """It was typed."""
        assert by_tiktok(NOW, self.ENDS, known_expiry=to_serial(self.ENDS, "UTC")).source == "typed"


class TestKnownExpiry:
    @pytest.mark.parametrize(
        ("cell", "ends"),
        [
            pytest.param(46115, (2026, 4, 3), id="serial date: its first moment"),
            pytest.param(46115.75, (2026, 4, 3, 18), id="serial date-time"),
            pytest.param("2026-04-03", (2026, 4, 3), id="ISO date: its first moment"),
            pytest.param("2026-04-03 18:00", (2026, 4, 3, 18), id="ISO date and time"),
        ],
    )
    @pytest.mark.parametrize("zone", ZONES)
    def test_it_is_read_in_the_zone_of_the_sheet(self, zone: str, cell: Scalar, ends: tuple[int, ...]) -> None:
        """A date copied from Ads Manager is wall-clock time."""
        moment = datetime(*ends, tzinfo=ZoneInfo(zone)).astimezone(UTC)
        assert window(zone=zone, known_expiry=cell).ends == moment

    @pytest.mark.parametrize("zone", ZONES)
    def test_an_offset_in_the_text_is_believed(self, zone: str) -> None:
        """An offset says which instant is meant, wherever the sheet is."""
        found = window(zone=zone, known_expiry="2026-04-03T18:00+02:00")
        assert found.ends == datetime(2026, 4, 3, 16, tzinfo=UTC)

    @pytest.mark.parametrize("later", [-10, 10])
    def test_it_wins_over_the_estimate(self, later: int) -> None:
        """Earlier or later than created_at + Authorization days."""
        known = CREATED + (30 + later) * DAY
        assert window(known_expiry=to_serial(known, "UTC")).ends == known

    @pytest.mark.parametrize("cell", ["03/04/2026", "30.02.2026", "nonsense", True, 12])
    def test_what_cannot_be_read_leaves_the_estimate(self, cell: Scalar) -> None:
        """A typing error does not switch the alarm off; the note says so."""
        assert window(known_expiry=cell) == window()

    def test_it_needs_no_time_from_tokportal(self) -> None:
        """With a date from Ads Manager the window is known, whatever TokPortal tells."""
        of = row(known_expiry="2026-07-01")
        found = window_for(of, request(created_at=None), "UTC", tracker(), NOW)
        assert found == Window(datetime(2026, 7, 1, tzinfo=UTC), "ok")


class TestEstimate:
    @pytest.mark.parametrize(
        ("cell", "length"),
        [("", 60), (7, 7), ("365", 365), ("30 days", 30), ("a month", 60), (0, 60), (30.5, 60), (True, 60)],
    )
    def test_authorization_days_of_the_row_else_of_the_tracker(self, cell: Scalar, length: int) -> None:
        """What cannot be read counts as empty."""
        of = row(authorization_days=cell)
        found = window_for(of, request(), "UTC", tracker(authorization_days=60), NOW)
        assert found.ends == CREATED + length * DAY

    def test_without_any_time_there_is_no_window(self) -> None:
        """Nothing is known, and the cell says that."""
        assert window_for(row(), request(created_at=None), "UTC", tracker(), NOW) == Window(None, "no window")

    def test_an_instagram_code_has_no_fixed_duration(self) -> None:
        """No window is invented for it; a typed date counts."""
        of = request(platform="instagram")
        assert window_for(row(), of, "UTC", tracker(), NOW).word == "no window"
        assert window_for(row(known_expiry="2026-06-21"), of, "UTC", tracker(), NOW).word == "renewal needed"

    @pytest.mark.parametrize("status", ["pending", "accepted", "cancelled"])
    def test_without_a_code_the_cells_are_empty(self, status: str) -> None:
        """A cancelled request's code is dead, also where TokPortal still tells it."""
        of = request(status=status, code="#dead" if status == "cancelled" else None)
        assert window_for(row(known_expiry="2026-06-21"), of, "UTC", tracker(), NOW) == Window(None, "")

    @pytest.mark.parametrize("status", ["in_review", "finalized", "pending_corrections", "disputed"])
    def test_a_code_has_a_window_in_every_other_status(self, status: str) -> None:
        """A code can be used, and run out, before the request is finalized."""
        assert window_for(row(), request(status=status, code="#c"), "UTC", tracker(), NOW).word == "ok"


@pytest.mark.parametrize("source", ["estimate", "typed", "TikTok"])
class TestWarning:
    @pytest.mark.parametrize("hours", [1, 24, 72, 8760])
    def test_it_begins_exactly_so_many_hours_before(self, source: str, hours: int) -> None:
        """warn_hours is the tracker's."""
        ends = CREATED + 30 * DAY
        begins = ends - timedelta(hours=hours)
        assert word_by(source, begins, ends, warn_hours=hours) == "renewal needed"
        assert word_by(source, begins - SECOND, ends, warn_hours=hours) == "ok"

    def test_zero_hours_warn_of_nothing(self, source: str) -> None:
        """From ok to expired at once."""
        ends = CREATED + 30 * DAY
        found = [word_by(source, moment, ends, warn_hours=0) for moment in (ends - SECOND, ends)]
        assert found == ["ok", "expired"]

    @given(
        ends=st.integers(1, 3650 * 86400),
        warn_hours=st.integers(1, 8760),
        steps=st.lists(st.integers(-400 * 86400, 4000 * 86400), max_size=20),
        zone=st.sampled_from(ZONES),
    )
    def test_it_changes_once_and_never_back(
        self, source: str, ends: int, warn_hours: int, steps: list[int], zone: str
    ) -> None:
        """Over any window, from ok to renewal needed at one instant, from there to expired at one, never back."""
        over = CREATED + timedelta(seconds=ends)
        warns = over - timedelta(hours=warn_hours)
        moments = sorted([*(CREATED + timedelta(seconds=s) for s in steps), warns - SECOND, warns, over - SECOND, over])
        words = [word_by(source, moment, over, zone, warn_hours) for moment in moments]
        changes = [(a, b, at) for (a, b), at in zip(pairwise(words), moments[1:], strict=True) if a != b]
        assert changes == [("ok", "renewal needed", warns), ("renewal needed", "expired", over)]


class TestClock:
    @pytest.mark.parametrize("source", ["estimate", "typed", "TikTok"])
    def test_the_run_asks_the_one_clock(self, source: str) -> None:
        """Frozen a second before the end and at it, the real clock gives the two words."""
        ends = CREATED + 30 * DAY
        with freeze_time(ends - SECOND) as frozen:
            before = word_by(source, Clock().now(), ends)
            frozen.tick(SECOND)
            assert [before, word_by(source, Clock().now(), ends)] == ["renewal needed", "expired"]

    def test_the_projection_asks_none(self) -> None:
        """The same row, ledger and `now` give the same cells at any time of day."""
        found = []
        for moment in ("2020-02-29", "2031-01-01"):
            with freeze_time(moment):
                found.append(targets([row(columns=ALL_COLUMNS)], "UTC", tracker(), outlook(entry())))
        assert found[0] == found[1]
