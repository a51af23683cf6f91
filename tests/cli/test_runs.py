"""`plan` and `sync` as a shell sees them: what they print, their JSON and their exit codes (design 7)."""

from __future__ import annotations

import fcntl
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from support.command_line import Desk

from sheetsync.sandbox import sample

ROOT = Path(__file__).parents[2]


def test_plan_orders_nothing(desk: Desk) -> None:
    """It prints each step with its price and each row that waits with its reason, and changes nothing."""
    before = desk.book.sheet(sample.TAB).table()
    result = desk.run("plan")
    assert (result.exit_code, result.stderr) == (0, "")
    video = sample.video_of(desk.book, 0)
    assert re.search(rf"^  order +row 2 +{video} +7 credits$", result.stdout, re.MULTILINE)
    assert re.search(r"^  hold +row 9 .*Action must be one of", result.stdout, re.MULTILINE)
    assert "4 orders, 28 credits; balance 1233 -> 1205" in result.stdout
    assert result.stdout.endswith("Nothing was ordered or written; `sheetsync sync` carries this out.\n")
    assert desk.book.sheet(sample.TAB).table() == before
    assert desk.world.portal.credits == 1233


def test_plan_as_json(desk: Desk) -> None:
    """The same as one document: steps, holds and their price."""
    document = json.loads(desk.run("plan", "--json").stdout)
    (tracker,) = document["trackers"]
    steps = [(step["step"], step["row"], step["credits"]) for step in tracker["steps"]]
    assert document["exit_code"] == 0
    assert steps == [("order", 2, 7), ("order", 3, 7), ("order", 6, 7), ("adopt", 8, 0), ("order", 11, 7)]
    assert (tracker["credits"], tracker["credits_left"]) == (28, 1233)
    assert [hold["row"] for hold in tracker["holds"]] == [5, 9]


@pytest.mark.parametrize("synced", [False, True])
def test_looking_leaves_no_trace(desk: Desk, synced: bool) -> None:
    """`plan`, `status` and `history` change no byte in the folder and make no file there, before a first sync or after.

    Nor do they wait for a sync: they take no lock.
    """
    folder, video = desk.config.parent, sample.video_of(desk.book, 0)
    if synced:
        desk.run("sync")
    before = {file.name: file.read_bytes() for file in folder.iterdir()}
    assert ("state.db" in before) is synced
    codes = [desk.run(*words).exit_code for words in (("plan",), ("status",), ("history", video))]
    assert codes == [0, 0, 0 if synced else 2]
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == before
    if synced:
        with held(folder / "state.db.sample.lock"):
            assert desk.run("plan").exit_code == 0


SYNC_KEYS = ["run_id", "started_at", "finished_at", "trackers", "exit_code"]
TRACKER_KEYS = {
    "name", "rows", "ordered", "renewed", "adopted", "corrected", "polled", "codes_received", "cells_written",
    "renewal_needed", "expired", "holds", "uncertain", "deferred", "credits_charged", "credits_left", "calls", "error",
}  # fmt: skip


def test_sync_as_json(desk: Desk) -> None:
    """The document has the keys of design 7, `warnings` besides; its figures are those of the run."""
    result = desk.run("sync", "--json")
    document = json.loads(result.stdout)
    (tracker,) = document["trackers"]
    assert list(document) == SYNC_KEYS
    assert set(tracker) - {"warnings"} == TRACKER_KEYS
    assert set(tracker["calls"]) == {"sheets_read", "sheets_write", "tokportal"}
    assert [set(hold) for hold in tracker["holds"]] == [{"video_id", "row", "reason"}] * 2
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", document["started_at"])
    assert (tracker["rows"], tracker["ordered"], tracker["adopted"]) == (12, 4, 1)
    assert (tracker["credits_charged"], tracker["credits_left"], tracker["error"]) == (28, 1205, None)
    assert (document["exit_code"], result.exit_code) == (0, 0)


def test_sync_then_again_then_status(desk: Desk) -> None:
    """The first orders and writes, the second has nothing to do, and `status` tells it without asking anybody."""
    first = desk.run("sync")
    assert "4 ordered, 1 taken over, 28 credits charged, 1205 left" in first.stdout
    assert desk.cell(0, "Status") == "pending"
    second = desk.run("sync")
    assert second.stdout.startswith("tracker sample: 12 rows, 7 videos looked at: nothing to do")
    calls = len(desk.world.calls)
    status = desk.run("status")
    assert "1205 credits at " in status.stdout
    assert "tracker sample: last run " in status.stdout
    assert "6 videos: 1 finalized, 5 pending" in status.stdout
    (tracker,) = json.loads(desk.run("status", "--json").stdout)["trackers"]
    assert (tracker["credits_left"], len(tracker["videos"]), tracker["last_run"]["exit_code"]) == (1205, 6, 0)
    assert len(desk.world.calls) == calls


def test_one_video_alone(desk: Desk) -> None:
    """`--video` narrows a run to the rows that are named."""
    video = sample.video_of(desk.book, 1)
    (tracker,) = json.loads(desk.run("sync", "--json", "--video", video).stdout)["trackers"]
    assert (tracker["ordered"], tracker["holds"]) == (1, [])
    assert (desk.cell(1, "Status"), desk.cell(0, "Status")) == ("pending", None)


def test_a_tracker_that_is_not_configured(desk: Desk) -> None:
    """The trackers that there are are named."""
    for command in ("plan", "sync", "status"):
        result = desk.run(command, "--tracker", "other")
        assert (result.exit_code, result.stdout) == (2, "")
        assert "There is no tracker 'other'. The configuration has: sample." in result.stderr


def test_exit_1_when_tokportal_does_not_answer(desk: Desk) -> None:
    """Incomplete: the next run goes on."""
    desk.world.faults.add("portal.order", fault="lost_before")
    result = desk.run("sync")
    assert result.exit_code == 1
    assert "An order was sent and its answer was lost" in result.stdout


def test_exit_2_when_a_header_is_missing(desk: Desk) -> None:
    """The header is named, with what it may be called now and the command that adds it; nothing is ordered."""
    desk.book.sheet(sample.TAB).set_value(0, (*sample.PERSON, *sample.MACHINE).index("Stage"), "Phase")
    result = desk.run("sync")
    assert result.exit_code == 2
    assert "missing: 'Stage'. Renamed? sheetsync does not know 'Phase' (" in result.stdout
    assert "say in the configuration what it is called: `columns: {stage: ...}`" in result.stdout
    assert desk.world.portal.credits == 1233


@pytest.mark.parametrize("code", ["#q1YbpbUxx+jmQPtNfQH9TUe4=", "aB3dE5gH7jK9lM1nO3pQ5"])
def test_a_code_that_stands_where_a_header_should(desk: Desk, code: str) -> None:
    """A row has moved over the headers: what is not known is named, but for a code."""
    desk.book.sheet(sample.TAB).set_value(0, (*sample.PERSON, *sample.MACHINE).index("Spark code"), code)
    result = desk.run("sync")
    assert result.exit_code == 2
    assert "sheetsync does not know 'code " in result.stdout
    assert code not in result.output


def test_exit_2_when_the_configuration_is_wrong(desk: Desk) -> None:
    """File, line and what is expected, on stderr."""
    desk.edit("worksheet:", "worksheets:")
    result = desk.run("sync", "--json")
    assert (result.exit_code, result.stdout) == (2, "")
    assert f"{desk.config}:12: trackers[0].worksheets" in result.stderr


def test_exit_3_when_a_plan_is_too_big(desk: Desk) -> None:
    """Nothing is spent; the message says the command that allows it, and that command does."""
    desk.edit("    worksheet:", "    max_orders_per_run: 3\n    worksheet:")
    result = desk.run("sync")
    assert result.exit_code == 3
    assert desk.world.portal.credits == 1233
    assert "  No order is sent.\n  4 orders (28 credits, rows 2 to 11) are more" in desk.run("plan").stdout
    (allowing,) = re.findall(r"If they are meant: sheetsync (sync --allow-orders 4)", result.stdout)
    assert desk.run(*allowing.split()).exit_code == 0
    assert desk.world.portal.credits == 1205


def test_exit_4_when_another_run_is_at_work(desk: Desk) -> None:
    """The other is left alone: no call is made."""
    desk.run("plan")
    calls = len(desk.world.calls)
    with held(desk.config.parent / "state.db.sample.lock"):
        result = desk.run("sync")
    assert result.exit_code == 4
    assert "Tracker 'sample' is being synced by another run" in result.stdout
    assert len(desk.world.calls) == calls


@contextmanager
def held(path: Path) -> Iterator[None]:
    """The lock file as another process holds it."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@pytest.mark.parametrize("close", ["the sheet is not shared", "the API key is revoked"])
def test_exit_5_when_we_are_not_let_in(desk: Desk, close: str) -> None:
    """Credentials or permission, at Google or TokPortal: somebody has to mend it, nothing is spent."""
    if close == "the sheet is not shared":
        desk.book.shared_with.clear()
    else:
        desk.world.portal.keys[desk.world.portal.key].revoked = True
    result = desk.run("sync")
    assert result.exit_code == 5
    assert desk.world.portal.credits == 1233


def test_the_tracker_that_has_waited_longest_goes_first(desk: Desk) -> None:
    """Whom the time of a run did not reach, it reaches in the next; they are told in the order of the configuration."""
    other = desk.world.google.create_spreadsheet("Another", "Etc/GMT", (sample.TAB,))
    tab = f"    worksheet: {sample.TAB}\n"
    desk.edit(tab, f"{tab}  - {{name: other, spreadsheet: {other.id}, worksheet: {sample.TAB}}}\n")
    desk.run("sync", "--tracker", "sample")
    desk.world.calls.clear()
    document = json.loads(desk.run("sync", "--json").stdout)
    first = next(call for call in desk.world.calls if call.kind == "sheets.get")
    assert other.id in first.path
    assert [tracker["name"] for tracker in document["trackers"]] == ["sample", "other"]


@pytest.mark.parametrize("command", ["plan", "sync"])
def test_a_video_that_is_nowhere(desk: Desk, command: str) -> None:
    """A mistyped id is a mistake in the call: said, exit 2, and nothing is ordered."""
    result = desk.run(command, "--video", "nosuch")
    assert result.exit_code == 2
    assert "\n  No row has the Video ID 'nosuch'. Is it the id in the key column?\n" in result.stdout
    assert "carries this out" not in result.stdout
    assert desk.world.portal.credits == 1233


@pytest.mark.parametrize("command", ["plan", "sync"])
def test_a_video_that_is_nowhere_for_programs(desk: Desk, command: str) -> None:
    """The document names it."""
    document = json.loads(desk.run(command, "--json", "--video", "nosuch").stdout)
    assert document["exit_code"] == 2
    assert [tracker["error"] for tracker in document["trackers"]] == [
        "No row has the Video ID 'nosuch'. Is it the id in the key column?"
    ]


def test_a_video_that_is_nowhere_in_the_log(desk: Desk) -> None:
    """Its last line says what the process ends with."""
    result = desk.run("sync", "--video", "nosuch", options=("--log-format", "json"))
    line = json.loads(result.stderr.splitlines()[-1])
    assert (result.exit_code, line["exit_code"], line["level"]) == (2, 2, "error")
    assert line["message"] == (
        "run ended with exit code 2: No row has the Video ID 'nosuch'. Is it the id in the key column?"
    )


def test_a_mistyped_video_beside_one_that_is_there(desk: Desk) -> None:
    """What is there is done, and what is not is said."""
    video = sample.video_of(desk.book, 1)
    result = desk.run("sync", "--video", video, "--video", "nosuch")
    assert result.exit_code == 2
    assert "1 ordered" in result.stdout
    again = desk.run("sync", "--video", video, "--video", "nosuch")
    assert "1 video looked at: nothing to do" in again.stdout
    assert "No row has the Video ID 'nosuch'" in again.stdout
    status = desk.run("status", "--video", video, "--video", "nosuch")
    assert status.exit_code == 2
    assert "1 video: 1 pending" in status.stdout
    assert status.stderr == "Error: The ledger knows no video 'nosuch'. Is it the id in the key column?\n"
    assert desk.run("status", "--video", video).exit_code == 0


def test_a_plan_that_failed_says_nothing_cheerful(desk: Desk) -> None:
    """Neither a row count of nothing, nor that `sync` would carry it out."""
    desk.book.shared_with.clear()
    result = desk.run("plan")
    assert result.exit_code == 5
    assert result.stdout.startswith("tracker sample: there is no plan.\n  Google denies access")
    assert "carries this out" not in result.stdout


def test_a_plan_with_a_key_that_is_refused(desk: Desk) -> None:
    """Rows are marked, and nobody looked: that is not `Nothing to order`."""
    desk.world.faults.add("portal.balance", fault="401")
    result = desk.run("plan")
    assert (result.exit_code, "Nothing to order" in result.stdout) == (5, False)
    assert "  No plan was made.\n" in result.stdout
    assert "carries this out" not in result.stdout
