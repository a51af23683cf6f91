"""A ledger opened to be read: nothing in its folder changes, and nothing there has to be writable."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from ledger_calls import begin, python, recorder, request

from sheetsync.errors import ConfigError
from sheetsync.ledger import database
from sheetsync.ledger.store import Ledger
from sheetsync.model import Known

WRITES: dict[str, Callable[[Ledger], object]] = {
    "observe": lambda ledger: recorder(ledger).observe([request()]),
    "begin": lambda ledger: begin(ledger, "v2"),
    "set_balance": lambda ledger: recorder(ledger).set_balance(7),
    "end_releases": lambda ledger: recorder(ledger).end_releases(["v1"]),
    "record_run": lambda ledger: recorder(ledger).record_run(recorder(ledger)._clock.now(), 0, ""),
}


def folder_of(path: Path) -> dict[str, tuple[bytes, int]]:
    """Every file beside `path`: its bytes, and when it was last written."""
    return {file.name: (file.read_bytes(), file.stat().st_mtime_ns) for file in path.parent.iterdir()}


@pytest.fixture
def written(path: Path) -> Path:
    """The path of a ledger that knows one released request; nobody has it open."""
    with Ledger(path) as ledger:
        recorder(ledger).observe([request(code="#abc")])
        recorder(ledger).release(["v1"])
    return path


class TestNothingChanges:
    def test_nobody_at_work(self, written: Path) -> None:
        """It tells what was recorded, and leaves no side file behind."""
        before = folder_of(written)
        with Ledger(written, read_only=True) as ledger:
            assert ledger.known("acme").latest["v1"].request.code == "#abc"
            assert ledger.gone_open("acme", ["v1"]) == (1, 0)
            assert folder_of(written) == before
        assert folder_of(written) == before
        assert list(before) == ["state.db"]

    def test_a_sync_at_work(self, written: Path) -> None:
        """What another process has committed counts, though it is not in the file itself yet; it is not disturbed."""
        with Ledger(written) as busy:
            begin(busy, "v2")
            before = {name: content for name, (content, _) in folder_of(written).items() if "shm" not in name}
            with busy._db.transaction(), Ledger(written, read_only=True) as ledger:
                assert set(ledger.known("acme").unsettled) == {"v2"}
            after = {name: content for name, (content, _) in folder_of(written).items() if "shm" not in name}
            assert after == before
            begin(busy, "v3")

    def test_one_moment(self, written: Path) -> None:
        """A plan of minutes sees the ledger as it was when it began, whatever a sync writes meanwhile."""
        with Ledger(written, read_only=True) as ledger:
            before = ledger.known("acme")
            with Ledger(written) as busy:
                for number in range(300):
                    begin(busy, f"v{number}")
            assert ledger.known("acme") == before

    def test_after_a_kill(self, path: Path) -> None:
        """What a killed process committed is read from its side files, which stay as they are."""
        child = python(
            """
            import os, signal, sys
            from pathlib import Path
            from sheetsync.clock import Clock
            from sheetsync.ledger.store import Ledger
            Ledger(Path(sys.argv[1])).recorder("acme", "run1", Clock()).set_balance(93)
            os.kill(os.getpid(), signal.SIGKILL)
            """,
            path,
        )
        child.communicate()
        before = folder_of(path)
        with Ledger(path, read_only=True) as ledger:
            balance = ledger.balance("acme")
        assert balance is not None
        assert balance[0] == 93
        names = {name for name in before if "shm" not in name}
        assert {name: folder_of(path)[name] for name in names} == {name: before[name] for name in names}
        assert set(folder_of(path)) == set(before)

    @pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
    def test_no_write(self, written: Path, write: Callable[[Ledger], object]) -> None:
        """Whatever would record something is refused by the database itself."""
        before = folder_of(written)
        with Ledger(written, read_only=True) as ledger, pytest.raises(ConfigError, match="may not be written"):
            write(ledger)
        assert folder_of(written) == before


class TestNotWritable:
    def test_folder_and_file(self, written: Path) -> None:
        """It works where neither may be written."""
        written.chmod(0o400)
        written.parent.chmod(0o500)
        try:
            with Ledger(written, read_only=True) as ledger:
                assert set(ledger.known("acme").latest) == {"v1"}
        finally:
            written.parent.chmod(0o700)

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root may become somebody else")
    @pytest.mark.parametrize("killed", [False, True])
    def test_as_somebody_else(self, killed: bool) -> None:
        """Another user, who may read all of it and write none of it, sees it all, also what a killed run left."""
        # not in pytest's folder, which is closed to others
        with TemporaryDirectory() as folder:
            path = Path(folder) / "state.db"
            with Ledger(path) as busy:
                begin(busy, "v2")
                files = {file: file.read_bytes() for file in path.parent.iterdir()}
            for file, content in files.items() if killed else ():
                file.write_bytes(content)
            for file in path.parent.iterdir():
                file.chmod(0o444)
            path.parent.chmod(0o555)
            before = folder_of(path)
            child = python(
                """
                import os, sys
                from pathlib import Path
                from sheetsync.ledger.store import Ledger
                os.setuid(65534)
                print(*Ledger(Path(sys.argv[1]), read_only=True).known("acme").unsettled)
                """,
                path,
            )
            assert child.communicate()[0] == "v2\n"
            assert folder_of(path) == before
            assert len(before) == (3 if killed else 1)


class TestNoFile:
    def test_not_made(self, path: Path) -> None:
        """Before the first sync nothing is known, and no file is made for that."""
        with Ledger(path, read_only=True) as ledger:
            assert ledger.known("acme") == Known()
            assert ledger.last_run("acme") is None
        assert list(path.parent.iterdir()) == []

    def test_empty_file(self, path: Path) -> None:
        """A file that was made and not filled yet is an empty ledger."""
        path.touch()
        with Ledger(path, read_only=True) as ledger:
            assert ledger.known("acme") == Known()
        assert path.read_bytes() == b""

    def test_no_folder(self, tmp_path: Path) -> None:
        """A folder that does not exist is a mistake in the configuration, for a plan too."""
        with pytest.raises(ConfigError, match=r"the folder .*/nowhere does not exist; mount or make it"):
            Ledger(tmp_path / "nowhere" / "state.db", read_only=True)

    @pytest.mark.parametrize("name", ["", "x" * 300])
    def test_no_file_can_be_there(self, tmp_path: Path, name: str) -> None:
        """A folder is no file, and some names no disk takes."""
        with pytest.raises(ConfigError, match="cannot be opened"):
            Ledger(tmp_path / name, read_only=True)

    def test_signs_in_its_name(self, tmp_path: Path) -> None:
        """A name may hold what means something in a URI."""
        path = tmp_path / "a?mode=rwc#b %41.db"
        with Ledger(path) as ledger:
            begin(ledger)
        with Ledger(path, read_only=True) as ledger:
            assert set(ledger.known("acme").unsettled) == {"v1"}
        assert list(tmp_path.iterdir()) == [path]


class TestVersions:
    def test_older(self, written: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A file that a newer version will bring up to date is read as it will be then, and stays as it is."""
        further = (*database.MIGRATIONS, ("colour", ("ALTER TABLE intent ADD COLUMN colour TEXT",)))
        monkeypatch.setattr(database, "MIGRATIONS", further)
        before = folder_of(written)
        with Ledger(written, read_only=True) as ledger:
            assert set(ledger.known("acme").latest) == {"v1"}
            assert ledger._db.select("SELECT colour FROM intent") == []
        assert folder_of(written) == before

    def test_newer(self, written: Path) -> None:
        """A file that a newer version wrote is refused, not guessed at."""
        with Ledger(written) as ledger, ledger._db.transaction():
            ledger._db.execute("INSERT INTO schema_version (version, name) VALUES (99, 'future')")
        with pytest.raises(ConfigError, match=r"state\.db: version 99, from a newer sheetsync"):
            Ledger(written, read_only=True)

    def test_another_program(self, path: Path) -> None:
        """Somebody else's database is not read as ours."""
        with sqlite3.connect(path) as raw:
            raw.execute("CREATE TABLE customer (id INTEGER)")
        raw.close()
        with pytest.raises(ConfigError, match="another program"):
            Ledger(path, read_only=True)

    def test_not_a_database(self, path: Path) -> None:
        """A file that is no database is refused with its name."""
        path.write_text("google:\n  credentials: service-account.json\n" * 50)
        with pytest.raises(ConfigError, match=r"state\.db: this is not a database"):
            Ledger(path, read_only=True)
