"""`sheetsync ledger`: a file that is watched, copied, and made again after a loss, with nobody charged twice."""

from __future__ import annotations

import json
import re
import resource
import shutil
import sqlite3
from collections import Counter
from pathlib import Path

import pytest
from support.closed import closed
from support.command_line import Desk

from sheetsync.ledger import upkeep
from sheetsync.ledger.store import Ledger
from sheetsync.sandbox import sample


@pytest.fixture
def lived(desk: Desk) -> Desk:
    """A tracker with codes and open requests, after two runs."""
    assert desk.run("sync").exit_code == 0
    portal = desk.world.portal
    for request in [request for request in portal.requests if portal.is_open(request)][:2]:
        portal.submit(request.video_id)
        portal.deliver(request.video_id)
    assert desk.run("sync").exit_code == 0
    return desk


def state(desk: Desk) -> Path:
    return desk.config.parent / "state.db"


def lose(desk: Desk) -> None:
    """The file goes with all that SQLite keeps beside it."""
    for path in desk.config.parent.glob("state.db*"):
        path.unlink()


def cells(desk: Desk) -> list[list[object]]:
    return desk.book.sheet(sample.TAB).table()


def spent(desk: Desk) -> int:
    return desk.world.portal.credits


class TestCheck:
    def test_all_well(self, lived: Desk) -> None:
        """Each line says ok, and how much there is."""
        result = lived.run("ledger", "check")
        assert result.exit_code == 0
        assert re.search(r"^ok    .*state\.db: sound, version \d+$", result.stdout, re.MULTILINE)
        assert re.search(r"^ok    \d+ ad code requests, \d+ events$", result.stdout, re.MULTILINE)

    def test_no_file_yet(self, desk: Desk) -> None:
        """A remark: it is how every tracker begins, and also what a loss looks like."""
        result = desk.run("ledger", "check")
        assert result.exit_code == 0
        assert result.stdout.startswith("note  ")
        assert "ledger rebuild" in result.stdout

    @pytest.mark.parametrize(
        ("change", "told"),
        [
            ("DELETE FROM ad_code_request", "a latest request that is not known: "),
            ("DELETE FROM intent", "a request that was ordered without an order that was accepted: "),
            ("DELETE FROM event WHERE kind = 'code'", "a code that no event tells of: "),
        ],
    )
    def test_what_no_run_leaves_behind(self, lived: Desk, change: str, told: str) -> None:
        """A sound file whose rows contradict each other: named, with the videos."""
        with sqlite3.connect(state(lived)) as connection:
            connection.execute(change)
        connection.close()
        result = lived.run("ledger", "check")
        assert result.exit_code == 1
        assert re.search(rf"^FAIL  {told}\S+ of tracker sample", result.stdout, re.MULTILINE)

    def test_what_the_next_run_sees_to(self, desk: Desk) -> None:
        """An order without an answer is a remark with its instant."""
        desk.world.faults.add("portal.order", fault="503")
        desk.run("sync")
        result = desk.run("ledger", "check")
        assert result.exit_code == 0
        assert re.search(r"^note  an order for \S+ of tracker sample has no clear end since 2", result.stdout, re.M)


def test_damage_stops_a_run_before_it_orders(lived: Desk) -> None:
    """Damage deep in the file, which opening it would not meet: exit 2, with the two ways out, and nothing is sent."""
    with sqlite3.connect(state(lived)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (page,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'event'").fetchone()
        (size,) = connection.execute("PRAGMA page_size").fetchone()
    connection.close()
    held = bytearray(state(lived).read_bytes())
    held[(page - 1) * size : page * size] = b"x" * size
    state(lived).write_bytes(held)
    before, calls = spent(lived), len(lived.world.calls)
    result = lived.run("sync")
    assert result.exit_code == 2
    assert "then put a backup in its place or run `sheetsync ledger rebuild`" in result.stderr
    assert (spent(lived), len(lived.world.calls)) == (before, calls)


COPYING = pytest.mark.parametrize("command", [("backup",), ("copy", "state.db")], ids=["backup", "copy"])


class TestBackup:
    def test_restored_it_goes_on(self, lived: Desk, tmp_path: Path) -> None:
        """The copy is private; in the place of the lost file the next run writes nothing and charges nobody."""
        copy = tmp_path / "copy.db"
        assert lived.run("ledger", "backup", str(copy)).exit_code == 0
        assert copy.stat().st_mode & 0o077 == 0
        assert list(tmp_path.glob("*.part")) == []
        lose(lived)
        shutil.copy(copy, state(lived))
        before, credits = cells(lived), spent(lived)
        assert lived.run("sync").exit_code == 0
        assert (cells(lived), spent(lived)) == (before, credits)

    def test_while_a_run_is_at_work(self, desk: Desk, tmp_path: Path) -> None:
        """Copies from every call of a run that orders are sound; none of them, restored, charges anybody twice."""
        copies: list[Path] = []

        def copy(_: object) -> None:
            copies.append(tmp_path / f"copy-{len(copies)}.db")
            upkeep.backup(state(desk), copies[-1])

        desk.world.faults.edit("*", when="after", times=100, do=copy)
        assert desk.run("sync").exit_code == 0
        desk.world.faults.clear()
        charged = spent(desk)
        assert len(copies) >= 20
        for each in copies[::3]:
            lose(desk)
            shutil.copy(each, state(desk))
            assert desk.run("sync").exit_code in (0, 1)  # 1: an order that the copy has no end of is looked at
            assert spent(desk) == charged

    def test_a_file_that_is_there_stays(self, lived: Desk, tmp_path: Path) -> None:
        """Last night's backup is worth more than a command that was repeated."""
        copy = tmp_path / "copy.db"
        copy.write_text("kept")
        result = lived.run("ledger", "backup", str(copy))
        assert (result.exit_code, copy.read_text()) == (2, "kept")
        assert "exists already" in result.stderr

    def test_nothing_to_copy(self, desk: Desk, tmp_path: Path) -> None:
        """No ledger yet: an empty backup would be taken for one."""
        result = desk.run("ledger", "backup", str(tmp_path / "copy.db"))
        assert result.exit_code == 2
        assert not (tmp_path / "copy.db").exists()

    @COPYING
    def test_a_disk_that_is_full(
        self, lived: Desk, tmp_path: Path, command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """What could not be written whole is not there under the name of a backup, nor under another one."""
        monkeypatch.chdir(tmp_path)
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, limits[1]))
        try:
            result = lived.run("ledger", *command, str(tmp_path / "copy.db"))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        assert result.exit_code == 2
        assert f"{tmp_path}/copy.db: the copy cannot be written (" in result.stderr
        assert "make room there, or name a file in another folder" in result.stderr
        assert "no order is sent" not in result.stderr
        assert list(tmp_path.glob("copy.db*")) == []

    @COPYING
    @pytest.mark.parametrize(
        ("name", "why"),
        [
            ("nowhere/copy.db", "its folder does not exist"),
            ("x" * 300, "File name too long"),
            ("x" * 252, "File name too long"),
            ("taken.db", "taken.db.part: Is a directory"),
            (".env/copy.db", "Not a directory"),
            ("closed/copy.db", "Permission denied"),
        ],
    )
    def test_a_place_where_nothing_can_be(
        self,
        lived: Desk,
        tmp_path: Path,
        command: tuple[str, ...],
        name: str,
        why: str,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """The copy is named, with the reason: not the ledger, with which nothing is wrong."""
        monkeypatch.chdir(tmp_path)
        (tmp_path / "taken.db.part").mkdir()
        (tmp_path / "closed").mkdir()
        with closed(tmp_path / "closed"):
            result = lived.run("ledger", *command, str(tmp_path / name))
        assert result.exit_code == 2
        assert result.stderr.startswith(f"Error: {tmp_path}/{name}: the copy cannot be written (")
        assert why in result.stderr
        assert "`state`" not in result.stderr
        assert [path.name for path in tmp_path.glob("*.part")] == ["taken.db.part"]


class TestExport:
    def test_all_of_it_without_codes(self, lived: Desk) -> None:
        """Each line is a document of its own; what is spent adds up; no code is in it."""
        result = lived.run("ledger", "export")
        assert result.exit_code == 0
        lines = [json.loads(line) for line in result.stdout.splitlines()]
        requests = [line for line in lines if line["table"] == "ad_code_request"]
        ordered = sum(line["credits_charged"] or 0 for line in requests)
        assert ordered == sum(r.charged for r in lived.world.portal.requests if r.ordered_by == "api")
        codes = [code for request in lived.world.portal.requests for code in request.codes]
        assert codes
        assert not [code for code in codes if code in result.stdout]
        assert {"event", "run", "balance", "intent", "latest"} <= {line["table"] for line in lines}


class TestRebuild:
    def test_after_a_loss(self, lived: Desk) -> None:
        """What is gone is listed, and orders go on once somebody has confirmed."""
        lose(lived)
        result = lived.run("ledger", "rebuild")
        assert result.exit_code == 0
        told = r"tracker sample: 12 videos asked about; restored \d+ ad code requests and \d+ codes"
        assert re.match(told, result.stdout)
        assert "orders without a clear answer" in result.stdout
        assert "sheetsync ledger rebuild --confirm" in result.stdout
        waits = "none is sent until somebody confirms the rebuilt ledger: `sheetsync ledger rebuild --confirm`"
        assert f"note  sheet 'sample' orders: {waits}" in lived.run("doctor").stdout
        assert lived.run("ledger", "rebuild", "--confirm").stdout.startswith("Orders are sent again")
        assert lived.run("sync").exit_code == 0
        assert waits not in lived.run("doctor").stdout

    def test_it_stops_half_way(self, lived: Desk) -> None:
        """A sheet cannot be read: its tracker orders nothing unseen either, and it can go on."""
        config = lived.config.read_text()
        lost = "\n  - {name: other, spreadsheet: 1x1Fh-nowhere_nowhere_nowhere_nowhere_nowhere, worksheet: Tracker}\n"
        lived.config.write_text(config.replace("\ntrackers:\n", f"\ntrackers:{lost}"))
        lose(lived)
        told = lived.run("ledger", "rebuild")
        assert (told.exit_code, told.stdout) == (2, "")
        with Ledger(state(lived), read_only=True) as ledger:
            assert [ledger.known(name).is_rebuilt for name in ("sample", "other")] == [True, True]
        lived.config.write_text(config)
        assert lived.run("ledger", "rebuild").exit_code == 0

    def test_a_ledger_that_is_there(self, lived: Desk) -> None:
        """It knows more than it could be made of: refused, with the way out, and not a byte of it changes."""
        before = state(lived).read_bytes()
        result = lived.run("ledger", "rebuild")
        assert result.exit_code == 3
        assert "move the file away first" in result.stderr
        assert state(lived).read_bytes() == before

    def test_nothing_to_confirm(self, lived: Desk) -> None:
        """Said as it is."""
        assert "Nothing was held" in lived.run("ledger", "rebuild", "--confirm").stdout


@pytest.mark.parametrize("room", [60_000, 200_000, 250_000, 300_000, 350_000])
def test_a_disk_that_fills_up_orders_nothing_that_it_cannot_keep(desk: Desk, room: int) -> None:
    """Wherever it fills: what was sent is known to TokPortal once each, and the run says that it is the disk."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, limits[1]))
    try:
        result = desk.run("sync")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert result.exit_code in (1, 2)
    assert "without it no order is sent" in result.output
    sent = [call.kind for call in desk.world.calls].count("portal.order")
    assert desk.run("sync").exit_code in (0, 1)
    per_video = Counter(r.video_id for r in desk.world.portal.requests if r.ordered_by == "api")
    assert sent <= len(per_video)
    assert set(per_video.values()) == {1}
