"""A ledger copied from a file to a server and back: all of it, compared, and nothing that is there is touched."""

from __future__ import annotations

from pathlib import Path

import pytest
from ledger_calls import NOW, begin, recorder, request

from sheetsync.errors import ConfigError
from sheetsync.ledger import copying, database, upkeep
from sheetsync.ledger.store import Ledger
from sheetsync.state import Server, State


def lived(state: State) -> None:
    """A ledger that says something in several tables."""
    with Ledger(state) as ledger:
        recorder(ledger).accepted(begin(ledger), request(code="#abc", created_at=NOW, note="ü"), 7, None)
        begin(ledger, "v2")
        recorder(ledger).record_run(NOW, 0, "text")
        recorder(ledger).looked(["v1", "v2"])


def said(state: State) -> tuple[object, ...]:
    with Ledger(state, read_only=True) as ledger:
        return ledger.known("acme"), ledger.history("v1"), ledger.last_run("acme"), ledger.all_entries()


def test_there_and_back(path: Path, server: Server, tmp_path: Path) -> None:
    """What comes back is what went, and the first is left as it was."""
    lived(path)
    before, back = said(path), tmp_path / "back.db"

    copied = copying.copy(path, server)
    copying.copy(server, back)

    assert copied["intent"] == 2
    assert copied.keys() == database.own_tables()
    assert said(path) == said(server) == said(back) == before
    assert list(upkeep.lines(path)) == list(upkeep.lines(server)) == list(upkeep.lines(back))
    assert not list(tmp_path.glob("*.part*"))


def test_the_copy_goes_on(path: Path, server: Server) -> None:
    """Numbers go on where they were: nothing is written over."""
    lived(path)
    copying.copy(path, server)
    with Ledger(server) as ledger, ledger.lock("acme", "", NOW):
        assert begin(ledger, "v3").id == 3


def test_what_is_there_is_left(path: Path, server: Server, tmp_path: Path) -> None:
    """TO says something already, or FROM is not there: nothing changes."""
    lived(path)
    lived(server)
    before = said(server), said(path)
    for source, target, wrong in (
        (path, server, "says something already"),
        (server, path, "exists already"),
        (tmp_path / "none.db", server, "there is no ledger"),
    ):
        with pytest.raises(ConfigError, match=wrong):
            copying.copy(source, target)
    assert (said(server), said(path)) == before


def test_an_empty_database(server: Server, tmp_path: Path) -> None:
    """Another name than was meant: a backup of it would pass for a ledger, every night."""
    with pytest.raises(ConfigError, match="there is no ledger, nothing was copied"):
        copying.copy(server, tmp_path / "backup.db")
    assert not (tmp_path / "backup.db").exists()


def test_not_the_same(path: Path, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """A copy that says something else is told to be none."""
    lived(path)
    fill = copying._fill

    def wrongly(told: database.Database, made: database.Database) -> None:
        fill(told, made)
        with made.transaction():
            made.execute("UPDATE intent SET mark = 'renew' WHERE video_id = 'v2'")

    monkeypatch.setattr(copying, "_fill", wrongly)
    with pytest.raises(ConfigError, match="does not say the same"):
        copying.copy(path, server)


def test_care_of_one_on_a_server(server: Server, tmp_path: Path) -> None:
    """It is checked; a backup of it is a copy into a file, and that is said."""
    assert [ok for ok, _ in upkeep.findings(server)] == [None]
    lived(server)
    assert [ok for ok, _ in upkeep.findings(server)] == [True, True, None]
    with pytest.raises(ConfigError, match="ledger copy"):
        upkeep.backup(server, tmp_path / "copy.db")
