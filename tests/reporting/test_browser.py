"""The page in a real browser, where there is one: nothing runs over its edge, and nothing is said in its console."""

from __future__ import annotations

import json
import re
import subprocess
from html import escape
from pathlib import Path

import pytest
from support.browser import CHROMIUM, QUIET, needs_chromium
from support.months import Months

from sheetsync.reporting.page import page_of

MEASURE = """<script>onload = () => {
  const root = document.querySelector("iframe").contentDocument.documentElement;
  const texts = [...root.querySelectorAll("svg text")].map(text => text.getBoundingClientRect());
  const boxes = [...root.querySelectorAll("svg")].map(svg => svg.getBoundingClientRect());
  const inside = text => boxes.some(b => text.left >= b.left - 2 && text.right <= b.right + 2);
  document.title = JSON.stringify({width: root.scrollWidth, clipped: texts.filter(t => !inside(t)).length});
}</script>"""


@needs_chromium
@pytest.mark.parametrize("width", [390, 1400])
def test_it_fits(played: Months, tmp_path: Path, width: int) -> None:
    """On a phone and on a desktop: no wider than the screen, and no label of a drawing is cut."""
    frame = f'<iframe width="{width}" height="900" style="border:0" srcdoc="{escape(page_of(played.statement()))}">'
    (tmp_path / "frame.html").write_text(f"<!doctype html><title></title>{MEASURE}{frame}</iframe>", encoding="utf-8")
    command = (
        str(CHROMIUM),
        *QUIET,
        "--enable-logging=stderr",
        f"--user-data-dir={tmp_path / 'profile'}",
        "--virtual-time-budget=5000",
    )
    ran = subprocess.run(
        (*command, "--dump-dom", (tmp_path / "frame.html").as_uri()), capture_output=True, text=True, timeout=60
    )
    title = re.search(r"<title>(.*?)</title>", ran.stdout)
    assert title, ran.stderr
    assert json.loads(title[1]) == {"width": width, "clipped": 0}
    assert "CONSOLE" not in ran.stderr
