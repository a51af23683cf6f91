"""One run per tracker: across ledgers and processes, however the holder ends."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from ledger_calls import LATER, NOW, begin, python

from sheetsync.errors import ConfigError, Locked
from sheetsync.ledger.store import Ledger


class TestLock:
    def test_two_ledgers_in_one_process(self, path: Path) -> None:
        """Two runs exclude each other for a tracker, and for that tracker only; afterwards it is free."""
        with Ledger(path) as one, Ledger(path) as two:
            with one.lock("acme", "run1", NOW), two.lock("a/b ü", "", NOW):
                with pytest.raises(Locked) as caught, two.lock("acme", "run2", LATER):
                    pass
                assert caught.value.age_seconds == 300
                assert caught.value.holder.startswith(f"pid {os.getpid()} on ")
                assert caught.value.holder.endswith(", run1")
            with two.lock("acme", "", NOW):
                pass

    def test_in_memory(self, ledger: Ledger) -> None:
        """One without a file is held, too; who tried in vain ends nobody's hold. Each ledger is its own."""
        with ledger.lock("acme", "", NOW), ledger.lock("other", "", NOW):
            with pytest.raises(Locked) as caught, ledger.lock("acme", "", LATER):
                pass
            assert begin(ledger).id == 1
            with Ledger(None) as another, another.lock("acme", "", NOW):
                pass
        assert caught.value.holder.startswith(f"pid {os.getpid()} on ")
        with ledger.lock("acme", "", NOW):
            pass

    def test_freed_by_an_error(self, path: Path) -> None:
        """A run that fails frees its tracker."""
        with Ledger(path) as ledger:
            with pytest.raises(KeyError), ledger.lock("acme", "", NOW):
                raise KeyError
            with ledger.lock("acme", "", NOW):
                pass

    def test_holder_is_killed(self, path: Path) -> None:
        """Another process holds the tracker until it dies; even SIGKILL frees it at once."""
        child = python(
            """
            import sys
            from datetime import UTC, datetime
            from pathlib import Path
            from sheetsync.ledger.store import Ledger
            ledger = Ledger(Path(sys.argv[1]))
            with ledger.lock("acme", "run1", datetime(2026, 11, 21, 10, 0, tzinfo=UTC)):
                print("held", flush=True)
                sys.stdin.read()
            """,
            path,
        )
        assert child.stdout is not None
        assert child.stdout.readline() == "held\n"
        with Ledger(path) as ledger:
            with pytest.raises(Locked, match=rf"pid {child.pid} on .*, run1, started 300 s ago"):
                ledger.lock("acme", "", LATER).__enter__()
            child.kill()
            child.communicate()
            with ledger.lock("acme", "", LATER):
                content = json.loads(Path(f"{path}.acme.lock").read_text())
        assert content["pid"] == os.getpid()

    @pytest.mark.parametrize("content", ["", "{}", "[]", "half a na"])
    def test_holder_has_not_said_who_it_is(self, path: Path, content: str) -> None:
        """Between taking the lock and signing it a holder is nameless, but holds it."""
        with Ledger(path) as ledger, ledger.lock("acme", "", NOW):
            Path(f"{path}.acme.lock").write_text(content)
            with pytest.raises(Locked) as caught, ledger.lock("acme", "", NOW):
                pass
        assert caught.value.age_seconds is None

    def test_through_a_link(self, path: Path, tmp_path: Path) -> None:
        """Two names of one state file are one ledger."""
        link = tmp_path / "link.db"
        with Ledger(path) as one:
            link.symlink_to(path)
            with Ledger(link) as two, one.lock("acme", "", NOW), pytest.raises(Locked), two.lock("acme", "", NOW):
                pass

    def test_lock_file_unusable(self, path: Path) -> None:
        """A lock that cannot be taken for another reason is not mistaken for a run."""
        Path(f"{path}.acme.lock").mkdir()
        with Ledger(path) as ledger, pytest.raises(ConfigError, match="cannot be opened"):
            ledger.lock("acme", "", NOW).__enter__()
