"""`sheetsync sandbox --schema`: the command with Google's own schema, and without it where the extra is missing."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("googleapiclient", reason="needs the `contract` extra")

from google.auth.transport.requests import AuthorizedSession
from google.oauth2.service_account import Credentials

START = "import sys; {}; from sheetsync.cli.main import main; main()"
PATIENCE = 60


def command(folder: Path, before: str = "pass") -> list[str]:
    """The command on a free port; `before` happens in its process first."""
    return [sys.executable, "-c", START.format(before), "sandbox", "--schema", "--dir", str(folder), "--port", "0"]


def test_the_served_sandbox_is_strict(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A nested name that Google has not is refused in Google's words; without the schema it would be kept."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with subprocess.Popen(command(tmp_path), stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            book = next(
                found[0] for line in process.stdout if (found := re.search(r"http\S+/v4/spreadsheets/\S+", line))
            )
            key = str(tmp_path / "service-account.json")
            session = AuthorizedSession(Credentials.from_service_account_file(key, scopes=["scope"]))
            bold = {"userEnteredFormat": {"textFormat": {"bald": True}}}
            request = {"repeatCell": {"range": {"endRowIndex": 1}, "cell": bold, "fields": "userEnteredFormat"}}
            answer = session.post(f"{book}:batchUpdate", json={"requests": [request]})
            at = "requests[0].repeat_cell.cell.user_entered_format.text_format"
            assert answer.status_code == 400
            assert f"Unknown name \"bald\" at '{at}': Cannot find field." in answer.json()["error"]["message"]
        finally:
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=PATIENCE)
    assert process.returncode == 0


def test_without_the_extra_the_command_says_what_to_install(tmp_path: Path) -> None:
    """Usage, before anything is written."""
    folder = tmp_path / "sandbox"
    started = command(folder, "sys.modules['googleapiclient'] = None")
    done = subprocess.run(started, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 2
    assert "pip install 'sheetsync[contract]'" in done.stderr
    assert not folder.exists()
