"""Finalized videos at TokPortal become rows of the tracker: every one just once, whatever people and crashes do."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import date
from typing import Any, cast

import pytest
from support.bench import PERSON, TAB, Bench
from support.fragile import Fragile
from support.profile import cases
from support.story import Crash

from sheetsync import columns
from sheetsync.errors import CredentialsError, HeaderError, Unavailable
from sheetsync.filling.fill import Filled, Wanted, fill
from sheetsync.fills import Fill
from sheetsync.ledger.store import Ledger
from sheetsync.sandbox import people
from sheetsync.sandbox.wire import ConnectionLost, Request
from sheetsync.sync.progress import silent

HEADERS = ("video_url", *PERSON, "creator", "market", "campaign", *columns.MACHINE_KEYS)
CONSTANTS = Fill(accounts={"mia.bakes": {"client": "Crumbly"}})


def videos(bench: Bench) -> list[str]:
    """Two accounts, six finalized videos; one that is not, one in a bundle that was called off."""
    portal, found = bench.world.portal, []
    for name, title, size in (("mia.bakes", "Autumn", 4), ("joaoruns", "Marathon", 2)):
        bundle = portal.add_bundle(name, title, "BR" if name == "joaoruns" else "US")
        for number in range(size):
            video = portal.new_id("video")
            portal.add_video(
                video, bundle_id=bundle.id, title=f"{title} {number}", finalized_at=f"2026-06-0{number + 1}"
            )
            found.append(video)
    portal.add_video(portal.new_id("video"), bundle_id=bundle.id, finalized=False)
    portal.add_video(portal.new_id("video"), bundle_id=portal.add_bundle("joaoruns", "Off", status="cancelled").id)
    return found


def made(fill_settings: Fill = CONSTANTS, **settings: Any) -> tuple[Bench, list[str]]:
    bench = Bench(headers=[columns.header_of(key, {}) for key in HEADERS], fill=fill_settings, **settings)
    return bench, videos(bench)


def filled(bench: Bench, ledger: Ledger | None = None, **wanted: Any) -> Filled:
    with bench.portal() as portal:
        parts = bench.tracker, bench.api(), portal, ledger or bench.ledger, bench.clock
        return fill(*parts, Wanted("run", **wanted), silent)


def rows(bench: Bench) -> list[str]:
    """The video ids of the tab, wherever their column stands."""
    at = bench.column("video_id")
    return [str(line[at]) for line in bench.table()[1:] if len(line) > at and line[at] != ""]


def all_right(bench: Bench, expected: list[str]) -> list[str]:
    """What is wrong: a video without its row or with two, a text in a cell that is not its own."""
    ours = [video for video in rows(bench) if video not in ("theirs", "typed")]
    wrong = [f"{video}: {n - 1} rows" for video, n in Counter([*ours, *expected]).items() if n != 2]
    names = bench.table()[0]
    for line in bench.table()[1:]:
        said = {columns.normal(str(header)): text for header, text in zip(names, line, strict=False) if text != ""}
        if said.get("creator") == "@mia.bakes":
            wrong += [] if said.get("client") == "Crumbly" else [f"no client: {said}"]
        unknown = said.keys() - {"video id", "video url", "creator", "market", "client", "remark"}
        wrong += [f"{unknown} in {said}"] if unknown else []
        wrong += [] if not said or said.keys() <= {"remark"} or "video id" in said else [f"half a row: {said}"]
    return wrong


def test_an_empty_tab_is_filled_and_again_nothing_is_added() -> None:
    """Every finalized video has a row with what TokPortal tells of it, no mark, and nothing of mail addresses."""
    bench, expected = made()
    assert filled(bench).added == rows(bench)
    assert sorted(rows(bench)) == sorted(expected)
    row = bench.row(expected[0])
    assert {key: row[key] for key in ("creator", "market", "client")} == {
        "creator": "@mia.bakes",
        "market": "US",
        "client": "Crumbly",
    }
    assert str(row["video_url"]).startswith("https://www.tiktok.com/@mia.bakes/video/")
    assert "action" not in row
    assert "tokmail" not in json.dumps(bench.table())
    before = bench.table()

    again = filled(bench)
    assert (again.added, again.present, again.exit_code) == ([], 6, 0)
    assert bench.table() == before


def test_marks_and_sync_follow() -> None:
    """The story: an empty tab, filled, marked, synced, and the codes are there."""
    bench, expected = made()
    filled(bench)
    bench.mark("request", *expected[:2])
    assert bench.sync().ordered == 2
    for video in expected[:2]:
        bench.world.portal.submit(video)
    bench.later(hours=1)
    bench.sync()
    assert [bench.charged(video) for video in expected] == [7, 7, 0, 0, 0, 0]
    assert all(bench.cell(video, "spark_code") and bench.cell(video, "missing") for video in expected[:2])
    assert filled(bench).added == []


def test_a_dry_run_writes_nothing() -> None:
    """It names the rows, and neither the sheet nor the ledger knows of it."""
    bench, expected = made()
    assert sorted(filled(bench, dry_run=True).added) == sorted(expected)
    assert rows(bench) == []
    assert "sheets.batchUpdate" not in bench.kinds()
    assert len(filled(bench).added) == 6


@pytest.mark.parametrize(
    ("wanted", "settings", "count"),
    [
        ({"account": "@Mia.Bakes"}, Fill(), 4),
        ({"since": date(2026, 6, 2)}, Fill(), 4),
        ({"limit": 3}, Fill(), 3),
        ({}, Fill(country=("br",)), 2),
        ({}, Fill(bundle=("autumn",)), 4),
        ({}, Fill(title=("n 1",)), 2),
    ],
)
def test_filters(wanted: dict[str, Any], settings: Fill, count: int) -> None:
    """The account, the day, the number; the country, a word of the bundle, a word of the title."""
    bench, _ = made(settings)
    assert len(filled(bench, **wanted).added) == count
    assert len(rows(bench)) == count


def test_an_account_that_is_not_there() -> None:
    """It is said, and nothing is added."""
    bench, _ = made()
    assert "lists no account 'nobody'" in str(filled(bench, account="nobody").error)


def test_a_row_with_the_post_and_no_id_is_told() -> None:
    """Nothing is added or changed: the id is told, to be pasted. Under another id the post is told too."""
    bench, expected = made()
    filled(bench)
    posts = [bench.cell(video, "video_url") for video in expected[:2]]
    other, (first, second, *_) = made()
    other.sheet.set_value(1, other.column("video_url"), f"{posts[0]}?lang=en")
    other.sheet.set_value(2, other.column("video_url"), posts[1])
    other.sheet.set_value(2, other.column("video_id"), "by-hand")
    report = filled(other)
    assert f"Row 2 has this post and no Video ID; paste there: {first}" in report.told
    assert any(second in line and "row 3" in line for line in report.told)
    assert len(report.added) == 4
    assert [line[other.column("video_id")] for line in other.table()[1:3]] == ["", "by-hand"]


def test_a_row_that_people_removed_stays_away() -> None:
    """What fill has added or met, and is gone, is not added again; in another tab it is."""
    bench, expected = made()
    filled(bench)
    people.delete_row(bench.world, bench.book, TAB, expected[1])
    again = filled(bench)
    assert (again.added, again.removed) == ([], 1)
    assert expected[1] not in rows(bench)


SHAPES = [
    {"pagination": "missing"},
    {"list_shape": "bare"},
    {"video_key": "video_id"},
    {"post_link": "post_url"},
    {"post_link": "analytics"},
]


@pytest.mark.parametrize("switches", SHAPES, ids=str)
def test_each_shape_that_is_thinkable(switches: dict[str, Any]) -> None:
    """Six rows with their links, whichever name TokPortal has for them."""
    bench, expected = made()
    bench.world.portal.switches.set(switches)
    assert filled(bench).exit_code == 0
    assert all_right(bench, expected) == []
    assert all(bench.cell(video, "video_url") for video in expected)


@pytest.mark.parametrize("analytics", [403, "bare"])
def test_analytics_that_the_plan_does_not_have(analytics: Any) -> None:
    """One line; the rows are there without links."""
    bench, expected = made()
    bench.world.portal.switches.set({"analytics": analytics, "post_link": "none"})
    report = filled(bench)
    assert sorted(report.added) == sorted(expected)
    assert len([line for line in report.told if line.startswith("Analytics")]) == 1


def test_a_shape_that_nobody_knows() -> None:
    """A clear line, exit code 1, and no row."""
    bench, _ = made()
    bench.world.portal.switches.set({"list_shape": "other"})
    report = filled(bench)
    assert "TokPortal's list of accounts cannot be read" in str(report.error)
    assert (report.exit_code, rows(bench)) == (1, [])


def test_a_key_without_rights_and_a_tab_without_headers() -> None:
    """What stops a sync stops a fill, in the same words."""
    bench, _ = made()
    bench.world.portal.keys[bench.world.portal.key].revoked = True
    assert isinstance(filled(bench).error, CredentialsError)
    bench, _ = made()
    bench.sheet.set_value(0, bench.column("video_id"), "Id")
    assert isinstance(filled(bench).error, HeaderError)


def test_many_pages_and_writes() -> None:
    """1,000 videos in 120 accounts: three writes, a page of accounts and one more, and again nothing."""
    bench, expected = made()
    portal = bench.world.portal
    for number in range(118):
        bundle = portal.add_bundle(f"account{number}", "Many")
        for _ in range(8):
            expected.append(portal.new_id("video"))
            portal.add_video(expected[-1], bundle_id=bundle.id)
    started = bench.clock.now()
    assert len(filled(bench).added) == len(expected) == 950
    assert bench.kinds().count("sheets.batchUpdate") == 3
    # 240 calls at 120 a minute
    assert (bench.clock.now() - started).total_seconds() < 240
    assert all_right(bench, expected) == []
    assert filled(bench).added == []


# --- people between its read and its write, and kills --------------------------------------------------------------


def sort_rows(bench: Bench) -> None:
    people.sort_rows(bench.world, bench.book, TAB, "Video ID", descending=True)


def insert_row(bench: Bench) -> None:
    people.insert_row(bench.world, bench.book, TAB, 2)


def delete_row(bench: Bench) -> None:
    people.delete_row(bench.world, bench.book, TAB, "theirs")


def type_below(bench: Bench) -> None:
    people.insert_row(bench.world, bench.book, TAB, bench.sheet.rows_used + 1, {"Video ID": "typed"})


def insert_column(bench: Bench) -> None:
    people.insert_column(bench.world, bench.book, TAB, "Video URL")


def insert_column_in_the_middle(bench: Bench) -> None:
    people.insert_column(bench.world, bench.book, TAB, "Client")


PEOPLE = [sort_rows, insert_row, delete_row, type_below, insert_column, insert_column_in_the_middle]


def with_neighbours() -> tuple[Bench, list[str]]:
    """A tab in which two rows stand already: one that people may delete, and one of a video."""
    bench, expected = made()
    bench.sheet.set_value(1, bench.column("video_id"), "theirs")
    bench.sheet.set_value(2, bench.column("video_id"), expected[0])
    bench.sheet.set_value(2, bench.column("creator"), "@mia.bakes")
    bench.sheet.set_value(2, bench.column("client"), "Crumbly")
    return bench, expected


def at_write(bench: Bench, do: Callable[[Bench], None], moment: str = "before") -> None:
    """Somebody does something in the instant of the first write."""
    done: list[str] = []

    def hook(when: str, index: int, kind: str, request: Request) -> None:
        if kind == "sheets.batchUpdate" and when == moment and not done:
            done.append(kind)
            do(bench)

    bench.world.hooks.append(hook)


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("do", PEOPLE)
def test_people_between_read_and_write(do: Callable[[Bench], None], moment: str) -> None:
    """Every video has one row, every text stands under its header, whatever was moved in that second."""
    bench, expected = with_neighbours()
    at_write(bench, do, moment)
    assert filled(bench).exit_code == 0
    assert all_right(bench, expected) == []
    assert filled(bench).added == []


@pytest.mark.parametrize("do", cases(PEOPLE, PEOPLE[::3]))
@pytest.mark.parametrize("moment", cases(["before", "after"], ["after"]))
def test_killed_at_every_call_while_people_move(do: Callable[[Bench], None], moment: str) -> None:
    """Killed before or after any call: the next fills come to one row for each video."""
    problems, points = [], 0
    for at in range(60):
        bench, expected = with_neighbours()
        at_write(bench, do)

        def kill(when: str, index: int, kind: str, request: Request, at: int = at) -> None:
            if index == at and when == moment:
                raise Crash

        bench.world.hooks.append(kill)
        try:
            filled(bench)
        except Crash:
            points += 1
        else:
            break
        finally:
            bench.world.hooks.clear()
        filled(bench)
        bench.later(minutes=4)
        filled(bench)
        problems += [f"killed {moment} call {at}: {wrong}" for wrong in all_right(bench, expected)]
    assert points >= 8
    assert problems == []


@pytest.mark.parametrize("do", cases(PEOPLE, PEOPLE[::3]))
@pytest.mark.parametrize("moment", cases(["before", "after"], ["after"]))
def test_killed_between_two_commits_while_people_move(do: Callable[[Bench], None], moment: str) -> None:
    """Killed before or after the ledger has taken anything down: the next fills come to one row for each video."""
    problems, struck = [], list[str]()
    for at in range(20):
        bench, expected = with_neighbours()
        at_write(bench, do)
        fragile = Fragile(bench.ledger, at, moment)
        with suppress(Crash):
            filled(bench, cast(Ledger, fragile))
        bench.world.hooks.clear()
        if not fragile.struck:
            break
        struck.append(fragile.struck)
        filled(bench)
        bench.later(minutes=4)
        filled(bench)
        problems += [f"killed {moment} commit {at}, {struck[-1]}: {wrong}" for wrong in all_right(bench, expected)]
    assert {"send", "meet"} <= set(struck)
    assert problems == []


def lose(bench: Bench) -> None:
    raise ConnectionLost("lost")


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_lost_answer(moment: str) -> None:
    """It is looked for; what is not there is sent again only once it cannot land any more."""
    bench, expected = with_neighbours()
    at_write(bench, lose, moment)
    first = filled(bench)
    assert (first.waiting, first.exit_code) == ((5, 1) if moment == "before" else (0, 0))
    assert filled(bench).waiting == first.waiting
    bench.later(minutes=4)
    assert filled(bench).exit_code == 0
    assert all_right(bench, expected) == []


def test_a_write_that_lands_late() -> None:
    """After its answer was given up, a write lands all the same: no video has two rows."""
    bench, expected = with_neighbours()
    bench.world.faults.add("sheets.batchUpdate", fault="slow", seconds=120)
    assert filled(bench).waiting == 5
    bench.later(minutes=1)
    assert filled(bench).waiting == 5
    bench.later(minutes=3)
    assert filled(bench).exit_code == 0
    assert all_right(bench, expected) == []


def test_a_tab_that_is_protected() -> None:
    """Nothing was written, the reason is told, and it works as soon as it may."""
    bench, expected = made()
    bench.book.shared_with.clear()
    bench.book.viewers.add("bot@sandbox.iam.gserviceaccount.com")
    assert isinstance(filled(bench).error, CredentialsError | Unavailable)
    bench.book.shared_with.add("bot@sandbox.iam.gserviceaccount.com")
    bench.book.viewers.clear()
    assert len(filled(bench).added) == len(expected)
