"""The file: made for its owner alone, brought up to date, and refused where it is not ours. Commits reach the disk."""

from __future__ import annotations

import os
import sqlite3
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from ledger_calls import LATER, NOW, begin, recorder, request

from sheetsync.errors import ConfigError, Unavailable
from sheetsync.ledger import database
from sheetsync.ledger.rows import to_text
from sheetsync.ledger.store import Ledger
from sheetsync.model import Known
from sheetsync.steps import KeptRow, RowSeen


class TestDisk:
    @pytest.mark.parametrize(("durable", "level"), [(True, 2), (False, 0)])
    def test_commits_reach_the_disk(self, path: Path, durable: bool, level: int) -> None:
        """A commit waits for the disk (FULL is 2), which only a test may give up."""
        with Ledger(path, durable) as ledger:
            assert ledger._db.select("PRAGMA synchronous") == [(level,)]
            assert ledger._db.select("PRAGMA journal_mode") == [("wal",)]

    def test_reopened(self, path: Path) -> None:
        """What one process recorded, the next one knows."""
        with Ledger(path) as ledger:
            recorder(ledger).accepted(begin(ledger), request(code="#abc", created_at=NOW), 7, 93)
            before = ledger.known("acme"), ledger.history("v1"), ledger.entries("v1")
        with Ledger(path) as ledger:
            assert (ledger.known("acme"), ledger.history("v1"), ledger.entries("v1")) == before


class TestFile:
    def test_created_for_its_owner_alone(self, path: Path) -> None:
        """The file and its side files hold codes: nobody else may read them, whatever the umask."""
        before = os.umask(0)
        try:
            with Ledger(path) as ledger, ledger.lock("acme", "", NOW):
                begin(ledger)
                modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
        finally:
            os.umask(before)
        assert modes == dict.fromkeys(["state.db", "state.db-wal", "state.db-shm", "state.db.acme.lock"], 0o600)

    def test_opened_twice(self, path: Path) -> None:
        """Migrations that have been applied are not applied again, and nothing is lost."""
        for _ in range(2):
            with Ledger(path) as ledger:
                applied = ledger._db.select("SELECT version FROM schema_version")
        assert applied == [(number,) for number in range(1, len(database.MIGRATIONS) + 1)]

    def test_next_version(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A further migration is applied to an existing file, once, and keeps what is in it."""
        with Ledger(path) as ledger:
            begin(ledger)
        further = (*database.MIGRATIONS, ("colour", ("ALTER TABLE intent ADD COLUMN colour TEXT",)))
        monkeypatch.setattr(database, "MIGRATIONS", further)
        for _ in range(2):
            with Ledger(path) as ledger:
                assert set(ledger.known("acme").unsettled) == {"v1"}

    @pytest.mark.parametrize(
        ("worked_out", "kept"),
        [("", ()), (f"{to_text(NOW)} {to_text(LATER)}", (KeptRow("", (NOW, LATER)),))],
    )
    def test_ends_that_were_kept_for_a_video(
        self, path: Path, monkeypatch: pytest.MonkeyPatch, worked_out: str, kept: tuple[KeptRow, ...]
    ) -> None:
        """Whose they are was not kept: they are of a row that nobody knows."""
        with monkeypatch.context() as patch:
            patch.setattr(database, "MIGRATIONS", database.MIGRATIONS[:14])
            with Ledger(path) as ledger, ledger._db.transaction():
                told = "'acme', 'v1', '', '', '', '', ''"
                columns = "tracker, video_id, creator, client, hold, request_id, code"
                ledger._db.execute(f"INSERT INTO row_seen ({columns}, worked_out) VALUES ({told}, ?)", worked_out)
        with Ledger(path) as ledger:
            assert ledger.rows_seen("acme") == (RowSeen("v1", kept=kept),)

    def test_migration_fails(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A migration that fails half way leaves the file as it was."""
        Ledger(path).close()
        half = ("CREATE TABLE half (a TEXT)", "ALTER TABLE nothing ADD COLUMN a TEXT")
        with monkeypatch.context() as patch:
            patch.setattr(database, "MIGRATIONS", (*database.MIGRATIONS, ("half", half)))
            with pytest.raises(sqlite3.OperationalError):
                Ledger(path)
        with Ledger(path) as ledger:
            assert ledger._db.select("SELECT name FROM sqlite_master WHERE name = 'half'") == []

    def test_newer_version(self, path: Path) -> None:
        """A file that a newer version wrote is refused, not guessed at."""
        with Ledger(path) as ledger, ledger._db.transaction():
            ledger._db.execute("INSERT INTO schema_version (version, name) VALUES (99, 'future')")
        with pytest.raises(ConfigError, match=r"state\.db: version 99, from a newer sheetsync"):
            Ledger(path)

    @pytest.mark.parametrize(
        "table", ["customer (id INTEGER)", "schema_version (id)", "schema_version (version, name)"]
    )
    def test_database_of_another_program(self, path: Path, table: str) -> None:
        """Somebody else's database is refused, and not a byte of it changes."""
        with sqlite3.connect(path) as raw:
            raw.execute(f"CREATE TABLE {table}")
            if "name" in table:
                raw.execute("INSERT INTO schema_version VALUES (1, 'their tables')")
        raw.close()
        before = path.read_bytes()
        with pytest.raises(ConfigError, match="another program"):
            Ledger(path)
        assert path.read_bytes() == before

    def test_not_a_database(self, path: Path) -> None:
        """A file that is no database is refused with its name, and left alone."""
        path.write_text("google:\n  credentials: service-account.json\n" * 50)
        with pytest.raises(ConfigError, match=r"state\.db: this is not a database"):
            Ledger(path)
        assert path.read_text().startswith("google")

    def test_damaged(self, path: Path) -> None:
        """A damaged file is refused, also when the damage shows only later."""
        with Ledger(path) as ledger:
            begin(ledger)
        content = bytearray(path.read_bytes())
        content[4096:] = b"\xff" * (len(content) - 4096)
        path.write_bytes(content)
        with pytest.raises(ConfigError, match="damaged"), Ledger(path) as ledger:
            ledger.known("acme")

    def test_state_file_deleted(self, path: Path) -> None:
        """Without the state file the next run starts afresh, also beside side files that were left over."""
        with Ledger(path) as ledger:
            begin(ledger)
            path.unlink()
            with Ledger(path) as fresh:
                assert fresh.known("acme") == Known()

    def test_no_folder(self, tmp_path: Path) -> None:
        """A folder that does not exist is a mistake in the configuration."""
        with pytest.raises(ConfigError, match=r"the folder .*/nowhere does not exist; mount or make it"):
            Ledger(tmp_path / "nowhere" / "state.db")

    def test_folder_in_its_place(self, tmp_path: Path) -> None:
        """A folder is no file."""
        with pytest.raises(ConfigError, match="cannot be opened"):
            Ledger(tmp_path)

    def test_name_too_long(self, tmp_path: Path) -> None:
        """A name the disk does not take is a mistake in the configuration."""
        with pytest.raises(ConfigError, match="cannot be opened"):
            Ledger(tmp_path / ("x" * 300))

    def test_busy(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Another process that keeps the database to itself makes the ledger unavailable, for this run."""
        monkeypatch.setattr(database, "BUSY_SECONDS", 0.01)
        with Ledger(path) as one, Ledger(path) as two, one._db.transaction():
            with pytest.raises(Unavailable, match="locked"):
                begin(two)
            assert two.known("acme") == Known()

    def test_many_open_it_at_once(self, path: Path) -> None:
        """Processes that open a new ledger at the same moment all find it whole."""

        def work(number: int) -> None:
            with Ledger(path) as ledger:
                begin(ledger, f"v{number}")

        with ThreadPoolExecutor(16) as pool:
            list(pool.map(work, range(16)))
        with Ledger(path) as ledger:
            assert len(ledger.known("acme").unsettled) == 16
