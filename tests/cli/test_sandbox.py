"""`sheetsync sandbox` as a newcomer meets it: what it prints can be pasted; a second one says where the first is."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SHEETSYNC = [sys.executable, "-m", "sheetsync"]
ROOT = Path(__file__).parent.parent.parent
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT), "NO_PROXY": "127.0.0.1"}


@contextmanager
def sandbox(folder: Path, *options: str) -> Iterator[str]:
    """The command in a process of its own, until its text is printed; the text."""
    command = [*SHEETSYNC, "sandbox", "--dir", str(folder), *options]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=ENVIRONMENT
    ) as process:
        try:
            assert process.stdout
            lines = []
            for line in process.stdout:
                lines.append(line)
                if line.rstrip().endswith(" sync"):
                    break
            yield "".join(lines)
        finally:
            process.terminate()


def test_the_printed_steps_work_as_they_stand(tmp_path: Path) -> None:
    """Pasted into another shell, in another folder, whose name needs quoting; `init` among them; exit code 0 each."""
    with sandbox(tmp_path / "my first sandbox", "--port", "0") as text:
        steps = [line.strip() for line in text.splitlines() if line.startswith("  ") and "http" not in line]
        assert [step.split()[-1] for step in steps[1:]] == ["init", "plan", "sync"]
        environment = {name: value for name, value in ENVIRONMENT.items() if name != "TOKPORTAL_API_KEY"}
        ran = subprocess.run(
            ["sh", "-ec", "\n".join(steps)],
            cwd="/",
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert (ran.returncode, ran.stderr) == (0, "")
        assert "tracker sample: 12 rows, " in ran.stdout


def test_started_twice(tmp_path: Path) -> None:
    """The second one says where the first is, and does not touch its files."""
    with sandbox(tmp_path, "--port", "0") as text:
        (url,) = set(re.findall(r"http://127\.0\.0\.1:\d+", text))
        again = subprocess.run(
            [*SHEETSYNC, "sandbox", "--dir", str(tmp_path), "--port", "0"],
            env=ENVIRONMENT,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert again.returncode == 1
        assert f"is served already, at {url}. Another: --dir FOLDER" in again.stderr
        assert url in (tmp_path / "sheetsync.yaml").read_text()


def test_a_port_in_use(tmp_path: Path) -> None:
    """Which one, and how to choose another."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ran = subprocess.run(
            [*SHEETSYNC, "sandbox", "--dir", str(tmp_path), "--port", str(port)],
            env=ENVIRONMENT,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert ran.returncode == 1
    assert f"Port {port} is in use by another program. Choose one: --port N, or --port 0" in ran.stderr
