"""A tracker of a dozen believable rows, and the files that let sheetsync work on it.

Owns sample data only; its headers are the ones people see, typed out, since the sandbox knows nothing of the package.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from sheetsync.sandbox.google.grid import Spreadsheet
from sheetsync.sandbox.google.service_account import EMAIL
from sheetsync.sandbox.tiktok.records import ADVERTISER, TOKEN
from sheetsync.sandbox.world import World

TAB = "Tracker"
PERSON = ("Video ID", "Action", "Creator", "Client", "Campaign", "Market", "Note", "Caption final", "Sound cleared")
MACHINE = (
    "Status",
    "Spark code",
    "Sync note",
    "Stage",
    "Requested at",
    "Submitted at",
    "Delivered at",
    "Expires at",
    "Expiry",
    "Missing",
    "Credits charged",
    "Credits left",
    "Request ID",
    "Updated at",
)

Line = tuple[str, str, str, str, str, str, bool, bool]

# action, creator, client, campaign, market, note, caption final, sound cleared
LINES: Sequence[Line] = (
    ("request", "@mia.bakes", "Crumbly", "Autumn launch", "US", "Hook A, final cut", True, True),
    ("request", "@joaoruns", "Strido", "Marathon app", "BR", "For the install campaign", True, True),
    ("", "@lenafit", "Strido", "Marathon app", "DE", "", True, False),
    ("request", "@kitchen.kai", "Crumbly", "Autumn launch", "UK", "", False, True),
    ("request", "@paulaviaja", "Roamly", "City breaks", "ES", "Landing page is live", True, True),
    ("", "@sofia.skin", "Dermalia", "Night serum", "FR", "", True, True),
    ("request", "@tomtech", "Voltcase", "Back to school", "US", "", True, True),
    ("reqest", "@nina.draws", "Inkbox", "Holiday sets", "IT", "", True, True),
    ("", "@ravi.eats", "Crumbly", "Autumn launch", "UK", "", False, False),
    ("request", "@yuki.home", "Roamly", "City breaks", "JP", "", True, True),
    ("", "@carlos.dj", "Voltcase", "Back to school", "MX", "", True, True),
    ("", "@emma.reads", "Inkbox", "Holiday sets", "US", "", True, True),
)
ORDERED_IN_DASHBOARD = 6  # @tomtech: somebody has already ordered it there
AGING = 11  # @emma.reads: a code from four weeks ago, whose authorization runs out


def fill(world: World) -> Spreadsheet:
    """Make the book, its videos and their history. The videos' ids depend on the world's seed alone."""
    book = world.google.create_spreadsheet("Spark codes 2026", "Europe/Berlin", [TAB], [EMAIL])
    sheet = book.sheet(TAB)
    for column, header in enumerate((*PERSON, *MACHINE)):
        sheet.set_value(0, column, header)
    for number, line in enumerate(LINES):
        video = world.portal.new_id("video")
        world.portal.add_video(video)
        cells: tuple[str | bool, ...] = (video, *line)
        for column, value in enumerate(cells):
            if value != "":
                sheet.set_value(number + 1, column, value)
    _age(world, book)
    world.portal.order_elsewhere(video_of(book, ORDERED_IN_DASHBOARD))
    world.changed()
    return book


def _age(world: World, book: Spreadsheet) -> None:
    """A request of four weeks ago, which the row shows already."""
    now, video = world.clock.now(), video_of(book, AGING)
    world.clock.set(now - timedelta(days=28))
    request = world.portal.order_elsewhere(video)
    for _ in range(3):
        world.clock.advance(timedelta(hours=2))
        world.portal.manager_work()
    world.clock.set(now)
    column = len(PERSON) + MACHINE.index("Request ID")
    book.sheet(TAB).set_value(AGING + 1, column, request.id)


def video_of(book: Spreadsheet, line: int) -> str:
    """The video id of a sample line, as long as nobody has moved it."""
    return str(book.sheet(TAB).value(line + 1, 0))


CONFIG = """\
# Made by the sandbox: everything here is local.
google:
  credentials: service-account.json
  api_url: {url}
tokportal:
  api_key: ${{TOKPORTAL_API_KEY}}       # in .env, beside this file
  api_url: {url}
state: state.db
trackers:
  - name: sample
    spreadsheet: {book}
    worksheet: {tab}
    # The sandbox's TikTok says when codes end; take the # away (the token is in .env), and add a column Code state:
    # tiktok: {{access_token: "${{TIKTOK_TOKEN}}", advertiser_id: "{advertiser}", api_url: {url}}}
"""


def write_config(folder: Path, url: str, book: Spreadsheet, key: str) -> Path:
    """A ready `sheetsync.yaml`, and the `.env` with the API key (readable by its owner only)."""
    path = folder / "sheetsync.yaml"
    path.write_text(CONFIG.format(url=url, book=book.id, tab=TAB, advertiser=ADVERTISER), encoding="utf-8")
    secret = folder / ".env"
    secret.touch(mode=0o600)
    os.chmod(secret, 0o600)
    secret.write_text(f"TOKPORTAL_API_KEY={key}\nTIKTOK_TOKEN={TOKEN}\n", encoding="utf-8")
    return path
