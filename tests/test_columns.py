"""Columns are found by their headers, and cells are read as people mean them or refused; nothing is guessed."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sheetsync.columns import (
    BY_KEY,
    COLUMNS,
    MACHINE_KEYS,
    BadCell,
    Column,
    Kind,
    Owner,
    bind,
    days,
    from_serial,
    header_of,
    instant,
    key_of,
    key_text,
    letter,
    normal,
    post_of,
    rows_of,
    same,
    says,
    ticked,
    to_serial,
    zone,
)
from sheetsync.model import Scalar

ZONES = (
    "Etc/GMT", "UTC", "America/New_York", "Asia/Kolkata", "Europe/Berlin", "Australia/Lord_Howe", "America/Santiago",
    "Asia/Kathmandu", "Pacific/Apia", "GMT-07:00", "GMT+05:30",
)  # fmt: skip
HEADERS = [column.header for column in COLUMNS]
NOON = datetime(2026, 4, 3, 12, 0, tzinfo=UTC)


def local(zone_name: str, *when: int) -> datetime:
    """A wall-clock time in a zone as a UTC instant."""
    return datetime(*when, tzinfo=ZoneInfo(zone_name)).astimezone(UTC)


def serial(*when: int) -> float:
    """The serial that shows a wall-clock time, counted as the Sheets documentation does."""
    return (datetime(*when) - datetime(1899, 12, 30)) / timedelta(days=1)


class TestTable:
    def test_the_required_columns_are_the_key_the_action_and_every_machine_column(self) -> None:
        """Design 5: Video ID, Action and all machine columns are required, nothing else."""
        required = {column.key for column in COLUMNS if column.required}
        assert required == {"video_id", "action", *MACHINE_KEYS}

    def test_the_machine_columns_are_those_of_the_design(self) -> None:
        """Design 5 lists fourteen columns that only sheetsync writes."""
        names = {BY_KEY[key].header for key in MACHINE_KEYS}
        assert names == {
            "Status", "Spark code", "Requested at", "Submitted at", "Delivered at", "Expires at", "Expiry", "Stage",
            "Credits charged", "Credits left", "Request ID", "Missing", "Sync note", "Updated at",
        }  # fmt: skip

    def test_no_two_columns_share_a_key_or_a_header(self) -> None:
        """A header names one column, however it is spelled."""
        assert len(BY_KEY) == len(COLUMNS) == len({normal(header) for header in HEADERS})

    @pytest.mark.parametrize("column", COLUMNS, ids=lambda column: column.key)
    def test_every_column_has_help_for_its_header(self, column: Column) -> None:
        """The note on a header says what the column is for."""
        assert column.help.endswith((".", ")."))

    def test_the_columns_of_people_are_those_of_the_design(self) -> None:
        """Design 5, with the fields of the source document: `☑` are checkboxes."""
        boxes = {"Caption final", "Sound cleared", "Post live", "Comments checked", "Landing page ready"}
        people = [column for column in COLUMNS if column.owner is Owner.PERSON]
        assert {column.header for column in people} == boxes | {
            "Video ID", "Action", "Feedback", "Note", "Platform", "Authorization days", "Known expiry", "Video URL",
            "Creator", "Client", "Brand", "Campaign", "Objective", "Market", "Language", "Ad account", "Creator owner",
            "Paid owner", "Usage rights", "Post status", "Paid status", "Spend", "Conversions", "Comments",
            "Renewal decision", "Renewal owner", "Retirement reason", "Invoice status", "Proof", "Approval owner",
            "Contract", "Excluded categories", "Currency", "Landing page", "Prompt", "Received at", "Invoice owner",
            "Spend window", "Performance snapshot", "Creator region", "Product availability", "Posting time",
        }  # fmt: skip
        assert {column.header for column in people if column.kind is Kind.CHECKBOX} == boxes
        assert {column.header for column in people if column.kind is Kind.DATE} == {"Known expiry", "Received at"}

    def test_every_owner_has_columns(self) -> None:
        """Each column belongs to people or to the machine."""
        assert {column.owner for column in COLUMNS} == set(Owner)


class TestBinding:
    def test_order_and_extra_columns_are_free(self) -> None:
        """A column is found wherever it stands, and strangers among the columns do not matter."""
        binding = bind(["Our own", *reversed(HEADERS)], {})
        assert (binding.columns["proof"], binding.columns["video_id"]) == (1, len(HEADERS))
        assert (binding.missing, binding.doubled) == ((), ())

    @pytest.mark.parametrize("spelling", ["video id", "  Video   ID ", "VIDEO\nID"])
    def test_case_and_spaces_of_a_header_do_not_matter(self, spelling: str) -> None:
        """A header is compared without case and repeated spaces."""
        assert bind([spelling], {}).columns == {"video_id": 0}

    def test_a_renamed_header_is_the_only_one_that_counts(self) -> None:
        """`columns:` replaces the header: the default name is then a stranger's column."""
        assert bind(["Video ID", "Clip"], {"video_id": "Clip"}).columns == {"video_id": 1}
        assert header_of("video_id", {"video_id": "Clip"}) == "Clip"

    def test_missing_required_headers_are_named_as_this_sheet_calls_them(self) -> None:
        """Only required columns can be missing."""
        binding = bind([header for header in HEADERS if header not in ("Action", "Status", "Note")], {"action": "Do"})
        assert binding.missing == ("Do", "Status")

    def test_a_doubled_header_is_named_with_its_cells_and_not_bound(self) -> None:
        """Which of two would be written is a guess."""
        first, second, third = (f"{letter(at)}1" for at in (HEADERS.index("Note"), len(HEADERS), len(HEADERS) + 1))
        assert bind([*HEADERS, "note"], {}).doubled == (("Note", (first, second)),)
        binding = bind([*HEADERS, "note", "NOTE "], {})
        assert binding.doubled == (("Note", (first, second, third)),)
        assert "note" not in binding.columns

    def test_a_column_of_the_teams_own_is_bound_where_orders_rest_on_it(self) -> None:
        """Under its own header; that it is missing is the gates' to say."""
        binding = bind(["Legal ok", *HEADERS], {}, ["Legal OK", "client", "Our ref"])
        assert (binding.columns["Legal OK"], binding.missing, binding.doubled) == (0, (), ())
        assert binding.columns["client"] == 1 + HEADERS.index("Client")
        assert "Our ref" not in binding.columns
        assert bind(["Ref", "REF", *HEADERS], {}, ["Ref"]).doubled == (("Ref", ("A1", "B1")),)

    @pytest.mark.parametrize(
        ("name", "key"),
        [("client", "client"), ("Landing  page", "landing_page"), ("Kunde", "brand"), ("Brand", "Brand"), ("X", "X")],
    )
    def test_a_column_is_named_by_key_or_by_header(self, name: str, key: str) -> None:
        """A header that `columns:` replaces names no column of ours any more."""
        assert key_of(name, {"brand": "kunde"}) == key

    def test_number_and_checkbox_headers_are_text(self) -> None:
        """A header cell may hold any scalar."""
        assert bind([2026, True, "Action"], {"note": "2026"}).columns == {"note": 0, "action": 2}

    @pytest.mark.parametrize(
        ("index", "name"), [(0, "A"), (25, "Z"), (26, "AA"), (51, "AZ"), (701, "ZZ"), (702, "AAA")]
    )
    def test_letters(self, index: int, name: str) -> None:
        """Columns are named as the sheet names them."""
        assert letter(index) == name


class TestRows:
    def test_blank_lines_are_no_rows_and_numbers_are_lines_of_the_sheet(self) -> None:
        """The header is line 1; a line of empty cells is skipped, a line without a key is not."""
        rows = rows_of([["Video ID", "Action"], ["vid-a"], ["", ""], ["", "request"]], {"video_id": 0, "action": 1})
        assert [(row.number, row.key, dict(row.cells)) for row in rows] == [
            (2, "vid-a", {"video_id": "vid-a"}),
            (4, "", {"action": "request"}),
        ]

    def test_a_row_knows_which_columns_the_tracker_has(self) -> None:
        """An empty cell and an absent column are told apart."""
        (row,) = rows_of([["Video ID", "Note"], ["vid-a"]], {"video_id": 0, "note": 1})
        assert row.columns == {"video_id", "note"}
        assert row.text("note") == row.text("market") == ""

    def test_text_of_a_cell_is_trimmed_and_numbers_are_text_too(self) -> None:
        """A cell reads as text, whatever it holds."""
        (row,) = rows_of([["Video ID", "Note"], [" vid-a ", 12]], {"video_id": 0, "note": 1})
        assert (row.text("video_id"), row.text("note")) == ("vid-a", "12")

    @pytest.mark.parametrize(
        ("cell", "key"),
        [(" vid-a\n", "vid-a"), (7.0, "7"), (7, "7"), (7.5, "7.5"), (True, "TRUE"), ("", ""), ("7.0", "7.0")],
    )
    def test_keys_are_compared_as_trimmed_text(self, cell: Scalar, key: str) -> None:
        """A number that Sheets gives back as 7.0 is the 7 that was typed."""
        assert key_text(cell) == key


class TestZones:
    def test_custom_zones_of_sheets(self) -> None:
        """Google allows GMT-07:00 beside the IANA names."""
        assert to_serial(NOON, "GMT-07:00") == serial(2026, 4, 3, 5)
        assert to_serial(NOON, "UTC+5:30") == serial(2026, 4, 3, 17, 30)

    @pytest.mark.parametrize("name", ["Mars/Base", "", "../etc/passwd", "GMT+7", "GMT+30:00"])
    def test_a_zone_that_nobody_knows_is_refused(self, name: str) -> None:
        """A guess at the zone would move every date."""
        with pytest.raises(BadCell, match="time zone"):
            zone(name)


class TestSerials:
    def test_the_count_of_days_is_that_of_sheets(self) -> None:
        """Sheets reference 3.3: whole days since 1899-12-30, the time as a fraction."""
        assert to_serial(datetime(2026, 1, 1, 18, tzinfo=UTC), "UTC") == 46023.75
        assert from_serial(46023.75, "UTC") == datetime(2026, 1, 1, 18, tzinfo=UTC)
        assert from_serial(46023.75, "Asia/Kolkata").tzinfo is UTC

    @given(
        st.datetimes(datetime(2001, 1, 1), datetime(2199, 1, 1)).map(lambda naive: naive.replace(tzinfo=UTC)),
        st.sampled_from(ZONES),
    )
    def test_an_instant_comes_back_to_the_second(self, moment: datetime, name: str) -> None:
        """Written and read again an instant is the same; in the hour that comes twice it is the earlier one."""
        back = from_serial(to_serial(moment, name), name)
        whole = moment.replace(microsecond=0)
        assert back == whole or (back < whole and to_serial(back, name) == to_serial(whole, name))

    @pytest.mark.parametrize(
        ("name", "wall", "utc"),
        [
            ("Europe/Berlin", (2026, 10, 25, 2, 30), (2026, 10, 25, 0, 30)),
            ("America/New_York", (2026, 11, 1, 1, 30), (2026, 11, 1, 5, 30)),
            ("Australia/Lord_Howe", (2026, 4, 5, 1, 45), (2026, 4, 4, 14, 45)),
        ],
    )
    def test_a_time_that_comes_twice_is_its_earlier_instant(
        self, name: str, wall: tuple[int, ...], utc: tuple[int, ...]
    ) -> None:
        """An expiry is never assumed later than it may be."""
        assert from_serial(serial(*wall), name) == datetime(*utc, tzinfo=UTC)

    @pytest.mark.parametrize(
        ("name", "wall", "utc"),
        [
            ("Europe/Berlin", (2026, 3, 29, 2, 30), (2026, 3, 29, 1, 30)),
            ("America/New_York", (2026, 3, 8, 2, 30), (2026, 3, 8, 7, 30)),
        ],
    )
    def test_a_time_that_never_comes_counts_from_the_hour_before(
        self, name: str, wall: tuple[int, ...], utc: tuple[int, ...]
    ) -> None:
        """Where clocks go forward, half past two is half an hour after the change."""
        assert from_serial(serial(*wall), name) == datetime(*utc, tzinfo=UTC)

    @pytest.mark.parametrize("number", [0, 12, -1, 36525.99, 109575, 1e300, float("nan")])
    def test_a_number_that_is_no_plausible_date_is_refused(self, number: float) -> None:
        """A day count lies between the years 2000 and 2199."""
        with pytest.raises(BadCell):
            from_serial(number, "UTC")

    @pytest.mark.parametrize("number", [36526, 109574.99])
    def test_the_first_and_the_last_plausible_date(self, number: float) -> None:
        """Both ends of the range are dates."""
        assert from_serial(number, "UTC").year in (2000, 2199)


class TestInstants:
    @pytest.mark.parametrize(
        ("cell", "moment"),
        [
            pytest.param(serial(2026, 4, 3), local("Europe/Berlin", 2026, 4, 3), id="serial date"),
            pytest.param(46115, local("Europe/Berlin", 2026, 4, 3), id="serial date as a whole number"),
            pytest.param(
                serial(2026, 4, 3, 17, 5, 9), local("Europe/Berlin", 2026, 4, 3, 17, 5, 9), id="serial date-time"
            ),
            pytest.param("2026-04-03", local("Europe/Berlin", 2026, 4, 3), id="ISO date"),
            pytest.param(" 2026-04-03 17:05 ", local("Europe/Berlin", 2026, 4, 3, 17, 5), id="ISO date and time"),
            pytest.param("2026-04-03T17:05:09", local("Europe/Berlin", 2026, 4, 3, 17, 5, 9), id="ISO to the second"),
            pytest.param("2026-04-03T17:05:09.75", local("Europe/Berlin", 2026, 4, 3, 17, 5, 9), id="ISO fraction"),
            pytest.param("2026-04-03T12:00Z", NOON, id="ISO in UTC"),
            pytest.param("2026-04-03T12:00:00.000Z", NOON, id="ISO as TokPortal writes it"),
            pytest.param("2026-04-03T17:30+05:30", NOON, id="ISO with an offset"),
            pytest.param("", None, id="empty"),
            pytest.param("  ", None, id="blanks"),
        ],
    )
    def test_a_date_is_read_in_the_zone_of_the_sheet(self, cell: Scalar, moment: datetime | None) -> None:
        """A date without a time is the first moment of that day; an offset in the text wins over the sheet's zone."""
        assert instant(cell, "Europe/Berlin") == moment

    @pytest.mark.parametrize(
        "cell",
        [
            "03/04/2026", "3.4.2026", "30.02.2026", "2026-02-30", "2026-04-03T24:30", "2026-04-03T12:00+99:00",
            "2026-4-3", "2026-04-03Z", "nonsense", "tomorrow", "1999-12-31", "2200-01-01", "12", "TRUE", True, False,
            12, 12.5,
        ],
    )  # fmt: skip
    def test_what_can_be_read_in_two_ways_or_none_is_refused(self, cell: Scalar) -> None:
        """03/04/2026 is March in one country and April in another: nothing is guessed."""
        with pytest.raises(BadCell):
            instant(cell, "UTC")

    @pytest.mark.parametrize(
        ("name", "day", "first"),
        [
            ("America/Santiago", (2026, 9, 6), (2026, 9, 6, 4, 0)),
            ("America/Havana", (2026, 11, 1), (2026, 11, 1, 4, 0)),
            ("Asia/Kolkata", (2026, 6, 16), (2026, 6, 15, 18, 30)),
        ],
    )
    def test_the_first_moment_of_a_day_that_begins_with_a_change_of_the_clock(
        self, name: str, day: tuple[int, ...], first: tuple[int, ...]
    ) -> None:
        """Midnight may not exist (Santiago) or come twice (Havana): the day begins once."""
        assert instant(serial(*day), name) == datetime(*first, tzinfo=UTC)


class TestPosts:
    @pytest.mark.parametrize(
        "cell",
        [
            "https://www.tiktok.com/@Mia/video/1", "http://tiktok.com/@Mia/video/1/", " tiktok.com/@Mia/video/1 ",
            "https://WWW.TikTok.com/@Mia/video/1?is_from_webapp=1&lang=de", "HTTPS://tiktok.com/@Mia/video/1/?x=/y#z",
        ],
    )  # fmt: skip
    def test_one_post(self, cell: str) -> None:
        """However its link was copied."""
        assert post_of(cell) == "tiktok.com/@Mia/video/1"

    @pytest.mark.parametrize(
        "cell", ["", "  ", "tbd", "n/a", "@mia", "tiktok.com", "https://tiktok.com/", "see tiktok.com/@mia", 12, True]
    )
    def test_no_post(self, cell: Scalar) -> None:
        """What two rows may well have in common."""
        assert post_of(cell) == ""

    def test_a_path_is_compared_with_its_case(self) -> None:
        """Short links differ in nothing else."""
        assert post_of("vm.tiktok.com/ZMab") != post_of("vm.tiktok.com/ZMAB")


class TestDays:
    @pytest.mark.parametrize(
        ("cell", "number"),
        [(30, 30), (30.0, 30), ("30", 30), (" 7 days ", 7), ("1 day", 1), ("60d", 60), (3650, 3650), ("", None)],
    )
    def test_a_number_of_days(self, cell: Scalar, number: int | None) -> None:
        """A number, or a number with the word; empty means the tracker's setting."""
        assert days(cell) == number

    def test_blanks_are_an_empty_cell(self) -> None:
        """What a person sees as empty is empty."""
        assert days("  ") is None

    @pytest.mark.parametrize("cell", [0, -7, 30.5, 3651, "0", "30.5", "a month", "7 weeks", True, "99999"])
    def test_what_is_no_number_of_days_is_refused(self, cell: Scalar) -> None:
        """Whole days, 1 to 3650."""
        with pytest.raises(BadCell):
            days(cell)


class TestLongCells:
    def test_what_is_quoted_is_cut(self) -> None:
        """A note is read in a cell."""
        for text in ("x" * 41, f"2026-02-30T{'0' * 30}", f"1026-04-03T10:00:00.{'0' * 30}"):
            with pytest.raises(BadCell, match=f"'{re.escape(text[:40])}'"):
                instant(text, "UTC")
        with pytest.raises(BadCell, match=f"'{'x' * 40}'"):
            days("x" * 41)


class TestSame:
    @pytest.mark.parametrize(
        ("one", "other", "equal"),
        [(True, 1, False), (0, False, False), (True, True, True), (1, 1.0, True), ("1", 1, False), ("", "", True)],
    )
    def test_cells(self, one: Scalar, other: Scalar, equal: bool) -> None:
        """A ticked checkbox is not the number 1."""
        assert same(one, other) is equal


class TestTicks:
    @pytest.mark.parametrize("cell", [True, "TRUE", " true ", "yes", "X", "1", 1, "☑", "✓", "✔"])
    def test_ticked(self, cell: Scalar) -> None:
        """A ticked box, and the words that people type for it."""
        assert ticked(cell)

    @pytest.mark.parametrize("cell", [False, "", "FALSE", "no", "0", 0, "later", "☐"])
    def test_not_ticked(self, cell: Scalar) -> None:
        """Anything else approves nothing."""
        assert not ticked(cell)


class TestSays:
    @pytest.mark.parametrize(
        ("cell", "value", "same"),
        [
            pytest.param("ok", "ok", True, id="same text"),
            pytest.param("ok ", "ok", False, id="text with a blank"),
            pytest.param(7, "7", False, id="a number is not the text"),
            pytest.param("", "", True, id="both empty"),
            pytest.param(7, 7, True, id="same number"),
            pytest.param(7.0, 7, True, id="the same number as a float"),
            pytest.param(8, 7, False, id="another number"),
            pytest.param(True, 1, False, id="a checkbox is not 1"),
            pytest.param("7", 7, False, id="a text is not the number"),
            pytest.param(serial(2026, 4, 3, 12), NOON, True, id="same moment"),
            pytest.param(serial(2026, 4, 3, 12) + 0.4 / 86400, NOON, True, id="a float's breadth beside it"),
            pytest.param(serial(2026, 4, 3, 12, 0, 1), NOON, False, id="a second later"),
            pytest.param(serial(2026, 4, 3, 11, 59, 59), NOON, False, id="a second earlier"),
            pytest.param("2026-04-03 12:00", NOON, False, id="a date typed as text"),
            pytest.param(True, NOON, False, id="a checkbox for a date"),
        ],
    )
    def test_whether_a_cell_says_it_already(self, cell: Scalar, value: str | int | datetime, same: bool) -> None:
        """Types count, and dates are compared to the second."""
        assert says(cell, value, "UTC") is same
