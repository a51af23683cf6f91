"""The world: dispatch, the log of calls, hooks, faults, people's edits at a call, and its file."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sandbox.portal_calls import PATH, VIDEO, call, order, poll
from sheetsync.sandbox import people
from sheetsync.sandbox.faults import ANSWERS
from sheetsync.sandbox.google.cells import Cell
from sheetsync.sandbox.google.grid import Spreadsheet
from sheetsync.sandbox.google.store import BLOCK
from sheetsync.sandbox.tokportal.managers import Delays
from sheetsync.sandbox.wire import ConnectionLost, Drips, Request, Response, Slow, TimedOut
from sheetsync.sandbox.world import World

TOKEN = "ya29.test"
ROBOT = "robot@sandbox.test"


class Crash(BaseException):
    """The client dies."""


@pytest.fixture
def world() -> World:
    world = World()
    world.portal.add_video(VIDEO)
    world.google.oauth.allow(TOKEN, ROBOT)
    return world


def a_book(world: World) -> Spreadsheet:
    """Three videos: b, c, a."""
    book = world.google.create_spreadsheet("Ledger", tabs=("Tracker",), share_with=[ROBOT])
    for row, line in enumerate([("Video ID", "Creator"), ("b", "Bo"), ("c", "Cy"), ("a", "Al")]):
        for column, text in enumerate(line):
            book.sheet("Tracker").set_value(row, column, text)
    return book


def sheets(world: World, method: str, rest: str, body: object = None) -> Response:
    headers = {"authorization": f"Bearer {TOKEN}"}
    return world.handle(
        Request(method, f"/v4/spreadsheets/{rest}", (), headers, json.dumps(body).encode() if body else b"")
    )


def column_a(book: Spreadsheet) -> list[object]:
    return [line[0] for line in book.sheet("Tracker").table()]


def test_the_log_of_calls(world: World) -> None:
    """Every call of either service is there with its kind, bodies and whether it changed anything."""
    book = a_book(world)
    sheets(world, "GET", f"{book.id}/values/Tracker!A1")
    sheets(world, "POST", f"{book.id}/values/Tracker!A9:clear", {})
    order(world, {"note": "n"})
    poll(world)
    world.handle(Request("GET", "/_sandbox/state"))
    assert [(c.index, c.kind, c.status, c.effect) for c in world.calls] == [
        (0, "values.get", 200, False),
        (1, "values.clear", 200, True),
        (2, "portal.order", 201, True),
        (3, "portal.poll", 200, False),
    ]
    assert world.calls[2].body_in == b'{"note": "n"}'
    assert b"credits_charged" in world.calls[2].body_out


def test_a_log_without_bodies() -> None:
    """Bodies can be left out where a test makes very many calls."""
    world = World(record_bodies=False)
    call(world, "GET", "/api/ext/me")
    assert (world.calls[0].body_in, world.calls[0].body_out) == (b"", b"")


@pytest.mark.parametrize(("moment", "charged"), [("before", 0), ("after", 7)])
def test_a_client_that_crashes(world: World, moment: str, charged: int) -> None:
    """Before the call nothing has happened; after it everything has, and the world goes on."""

    def crash(when: str, index: int, kind: str, request: Request) -> None:
        if when == moment and kind == "portal.order":
            raise Crash

    world.hooks.append(crash)
    with pytest.raises(Crash):
        order(world)
    assert sum(request.charged for request in world.portal.requests) == charged
    assert [c.status for c in world.calls] == ([201] if charged else [])
    world.hooks.clear()
    assert (poll(world) is not None) == bool(charged)


@pytest.mark.parametrize(
    ("fault", "raises", "orders"),
    [
        ("lost_before", ConnectionLost, 0),
        ("lost_after", ConnectionLost, 1),
        ("slow", TimedOut, 0),
        ("slow_after", TimedOut, 1),
        ("late", TimedOut, 0),
        ("silent", Slow, 1),
        ("drip", Drips, 1),
    ],
)
def test_an_order_without_an_answer(world: World, fault: str, raises: type[Exception], orders: int) -> None:
    """The client sees the same, whether the order took place or not."""
    world.faults.add("portal.order", fault=fault)
    with pytest.raises(raises):
        order(world)
    assert len(world.portal.requests) == orders
    assert (world.calls[0].status, world.calls[0].effect) == (0, bool(orders))


def test_an_order_that_takes_effect_later(world: World) -> None:
    """`late`: the client has given up, polls, sees nothing, and the order is placed all the same."""
    world.faults.add("portal.order", fault="late", seconds=45)
    with pytest.raises(TimedOut):
        order(world)
    assert poll(world) is None
    world.clock.advance(timedelta(seconds=45))
    assert poll(world) is not None
    assert world.portal.credits == 1240


@pytest.mark.parametrize("fault", ANSWERS)
def test_a_service_that_answers_with_a_failure(world: World, fault: str) -> None:
    """No effect; the body is that of the side that fails, or HTML."""
    book = a_book(world)
    world.faults.add("*", fault=fault, times=3)
    status = int(fault[-3:])
    ordered = order(world)
    cleared = sheets(world, "POST", f"{book.id}/values/Tracker!A1:B9:clear", {})
    assert (ordered.status, cleared.status) == (status, status)
    assert (world.portal.requests, column_a(book)[0]) == ([], "Video ID")
    if fault == "html502":
        assert cleared.body.startswith(b"<!DOCTYPE html>")
        return
    assert ordered.headers["x-tokportal-api-version"]
    assert cleared.json()["error"]["code"] == status
    token = world.handle(Request("POST", "/token"))
    assert "error" in token.json()


def test_a_garbled_answer(world: World) -> None:
    """The effect took place; what comes back is no JSON."""
    world.faults.add("portal.order", fault="garbled")
    answer = order(world)
    assert (answer.status, len(world.portal.requests)) == (201, 1)
    with pytest.raises(ValueError, match=r"Unterminated|Expecting"):
        answer.json()


def test_which_calls_a_fault_strikes(world: World) -> None:
    """Counted from the moment of adding, over the calls of its kind, for as many as it says."""
    poll(world)
    world.faults.add("portal.poll", nth=2, fault="503", times=2)
    world.faults.add("portal", nth=6, fault="500")
    order(world)
    assert [call(world, "GET", PATH).status for _ in range(6)] == [200, 503, 503, 200, 500, 200]
    assert world.faults.rules == []


def test_faults_that_make_no_sense(world: World) -> None:
    """Refused when they are added, not when they strike."""
    with pytest.raises(ValueError, match="there is no fault"):
        world.faults.add("portal", fault="418")
    with pytest.raises(ValueError, match="at least 1"):
        world.faults.add("portal", nth=0)
    with pytest.raises(ValueError, match="needs something to do"):
        world.faults.edit("portal")


@pytest.mark.parametrize(("when", "seen"), [("before", "a"), ("after", "b")])
def test_a_person_sorts_at_a_call(world: World, when: str, seen: str) -> None:
    """Just before the call the answer already shows it; just after, the answer is out of date."""
    book = a_book(world)
    world.faults.edit("values.get", when=when, do=lambda w: people.sort_rows(w, book, "Tracker", "Video ID"))  # type: ignore[arg-type]
    answer = sheets(world, "GET", f"{book.id}/values/Tracker!A2")
    assert answer.json()["values"] == [[seen]]
    assert column_a(book) == ["Video ID", "a", "b", "c"]


@pytest.mark.parametrize(
    ("edit", "keys"),
    [
        (lambda w, b: people.sort_rows(w, b, "Tracker", "Creator", descending=True), ["c", "b", "a"]),
        (lambda w, b: people.insert_row(w, b, "Tracker", 3, {"Video ID": "n"}), ["b", "n", "c", "a"]),
        (lambda w, b: people.delete_row(w, b, "Tracker", "c"), ["b", "a"]),
        (lambda w, b: people.move_row(w, b, "Tracker", "a", 2), ["a", "b", "c"]),
        (lambda w, b: people.copy_row(w, b, "Tracker", "a", 2), ["a", "b", "c", "a"]),
        (lambda w, b: people.overwrite(w, b, "Tracker", "c", "Video ID", "z"), ["b", "z", "a"]),
        (lambda w, b: people.type_value(w, b, "Tracker", 5, "Video ID", "e"), ["b", "c", "a", "e"]),
    ],
)
def test_people_and_rows(world: World, edit: Callable[[World, Spreadsheet], None], keys: list[str]) -> None:
    """Rows are found by key, and the header stays in row 1."""
    book = a_book(world)
    edit(world, book)
    assert column_a(book) == ["Video ID", *keys]


def test_people_and_columns(world: World) -> None:
    """Columns are found by header."""
    book = a_book(world)
    people.insert_column(world, book.id, "Tracker", before="Creator", header="Client")
    people.rename_header(world, book.id, "Tracker", "Creator", "Who")
    people.move_column(world, book.id, "Tracker", "Who", before="Video ID")
    assert book.sheet("Tracker").table()[:2] == [["Who", "Video ID", "Client"], ["Bo", "b", None]]
    people.delete_column(world, book.id, "Tracker", "Client")
    people.overwrite(world, book.id, "Tracker", "b", "Who", "2026-07-01")
    assert book.sheet("Tracker").table()[:2] == [["Who", "Video ID"], [46204, "b"]]


def test_people_who_find_nothing(world: World) -> None:
    """An unknown key or header is an error, and the header row is not touched."""
    book = a_book(world)
    with pytest.raises(LookupError):
        people.delete_row(world, book, "Tracker", "nobody")
    with pytest.raises(LookupError):
        people.sort_rows(world, book, "Tracker", "Nothing")
    with pytest.raises(ValueError, match="header"):
        people.insert_row(world, book, "Tracker", 1)


def test_the_clock(world: World) -> None:
    """It stands still until it is moved; with real_time it runs on from where it was set."""
    assert world.clock.now() == datetime(2026, 6, 16, 10, 22, tzinfo=UTC)
    world.clock.advance(timedelta(days=1))
    assert world.clock.now() == datetime(2026, 6, 17, 10, 22, tzinfo=UTC)
    running = World(start=datetime(2030, 1, 1, tzinfo=UTC), real_time=True)
    assert timedelta() <= running.clock.now() - datetime(2030, 1, 1, tzinfo=UTC) < timedelta(minutes=1)
    with pytest.raises(ValueError, match="time zone"):
        world.clock.set(datetime(2026, 1, 1))


def test_the_same_seed_gives_the_same_world() -> None:
    """Keys, ids and codes are reproducible; another seed gives others."""

    def made(seed: int) -> tuple[str, ...]:
        world = World(seed=seed)
        world.portal.add_video(VIDEO)
        order(world)
        world.portal.submit(VIDEO)
        request = world.portal.requests[0]
        return world.portal.key, request.id, request.code or "", world.google.create_spreadsheet("x").id

    assert made(1) == made(1)
    assert not set(made(1)) & set(made(2))


def test_a_world_kept_in_a_file(tmp_path: Path) -> None:
    """After every call with an effect the file is the world: loaded again, it goes on where it stopped."""
    path = tmp_path / "world.json"
    world = World(path=path, seed=5)
    world.portal.add_video(VIDEO)
    world.google.oauth.allow(TOKEN, ROBOT)
    book = a_book(world)
    world.portal.switches.set({"future_status": "open"})
    world.portal.auto_managers(Delays(accept=timedelta(minutes=5)))
    world.faults.add("portal.order", nth=2, fault="late", seconds=60)
    first = order(world, idempotency_key="k")
    world.clock.advance(timedelta(minutes=1))
    again = World.load(path)
    assert again.clock.now() == world.clock.now()
    assert again.portal.dump() == world.portal.dump()
    assert again.google.dump() == world.google.dump()
    assert again.portal_api.dump() == world.portal_api.dump()
    assert again.google.book(book.id).sheet("Tracker").table() == book.sheet("Tracker").table()
    with pytest.raises(TimedOut):
        order(again, idempotency_key="another")
    assert order(World.load(path), idempotency_key="k").body == first.body
    again.clock.advance(timedelta(minutes=5))
    assert World.load(path).portal.requests[0].status == "accepted"


def test_a_large_sheet_is_saved_by_the_block(tmp_path: Path) -> None:
    """What has not changed is not written again; what is no longer needed goes; the world is the same afterwards."""
    path = tmp_path / "world.json"
    world = World(path=path)
    world.google.oauth.allow(TOKEN, ROBOT)
    book = a_book(world)
    sheet = book.sheets[0]
    sheet.row_count = 3 * BLOCK
    for row in range(1, 3 * BLOCK):
        sheet.put(row, 0, Cell(f"v{row}"))
    world.save()

    def files() -> set[str]:
        return {each.name for each in (tmp_path / "world.json.rows").iterdir()}

    before = files()
    assert len(before) == 3
    people.type_at(world, book, "Tracker", BLOCK + 1, 0, "changed")
    assert (len(files()), len(files() & before)) == (3, 2)
    again = World.load(path)
    assert again.google.dump() == world.google.dump()
    again.save()
    world.save()
    assert World.load(path).google.dump() == world.google.dump()
    people.delete_row(world, book, "Tracker", f"v{3 * BLOCK - 1}")
    assert len(files()) == 2
    assert World.load(path).google.dump() == world.google.dump()


def test_an_order_under_way_survives_the_file(tmp_path: Path) -> None:
    """A call that is to take effect later does so after a restart."""
    path = tmp_path / "world.json"
    world = World(path=path)
    world.portal.add_video(VIDEO)
    world.faults.add("portal.order", fault="late", seconds=60)
    with pytest.raises(TimedOut):
        order(world, idempotency_key="k")
    world.save()
    again = World.load(path)
    again.clock.advance(timedelta(seconds=60))
    assert again.portal.requests[0].idempotency_key == "k"


def test_a_file_that_cannot_be_written(tmp_path: Path) -> None:
    """The old file stays whole; a world without a file refuses to save."""
    with pytest.raises(ValueError, match="no file"):
        World().save()
    path = tmp_path / "world.json"
    world = World(path=path)
    world.save()
    before = path.read_bytes()
    (tmp_path / "world.json.new").mkdir()
    with pytest.raises(OSError, match="world"):
        world.save()
    assert path.read_bytes() == before


def test_a_slow_call_that_goes_on(world: World) -> None:
    """What the server does with a slow call: waits, then lets it happen."""
    world.faults.add("portal.order", fault="slow", seconds=2)
    with pytest.raises(Slow) as slow:
        order(world)
    assert (slow.value.seconds, slow.value.answer) == (2, None)
