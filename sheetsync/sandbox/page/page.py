"""The sandbox's page: every tab of every spreadsheet, TokPortal's requests, TikTok's codes; time and troubles.

Owns the layout. Does not own tables of cells (table.py), charts (chart.py), style and scripts (*.css, *.js) or
what the buttons do (control.py). The page needs nothing from elsewhere: no fonts, no scripts, no pictures.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence, Sized
from datetime import datetime
from functools import cache
from html import escape
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

from sheetsync.sandbox.clock import Clock
from sheetsync.sandbox.google.grid import Sheet, Spreadsheet
from sheetsync.sandbox.google.service import Google
from sheetsync.sandbox.page.chart import charts
from sheetsync.sandbox.page.codes import codes
from sheetsync.sandbox.page.table import table
from sheetsync.sandbox.tiktok.records import TikTok
from sheetsync.sandbox.tokportal.portal import Portal
from sheetsync.sandbox.tokportal.records import AdCodeRequest, Movement, Video

NEWEST = 200
KEY_HEADER = "Video ID"
SCRIPTS = ("grid.js", "editor.js", "menu.js", "page.js")
HINT = (
    '<p class="hint">F2 or a double click edits, Alt+↓ opens a list, Space ticks, Shift+F10 or a right click opens the '
    "menu (sort, filter, insert, delete), Ctrl+Z undoes, Esc leaves the sheet.</p>"
)
TROUBLES: Mapping[str, Mapping[str, Any]] = {
    "Lose the next answer to an order": {"kind": "portal.order", "fault": "lost_after"},
    "Lose the next answer to a write": {"kind": "sheets.batchUpdate", "fault": "lost_after"},
    "Be slow: 2 s for each of 10 calls": {"kind": "*", "fault": "slow", "times": 10, "seconds": 2},
    "Refuse the next 5 calls": {"kind": "*", "fault": "503", "times": 5},
}


class Waiting(Protocol):
    """What will go wrong, in words."""

    def waiting(self) -> list[str]: ...


class Shown(Protocol):
    """What the page shows; of the log of calls, only how many there are."""

    @property
    def clock(self) -> Clock: ...
    @property
    def google(self) -> Google: ...
    @property
    def portal(self) -> Portal: ...
    @property
    def tiktok(self) -> TikTok: ...
    def creators_authorize(self) -> None: ...
    @property
    def faults(self) -> Waiting: ...
    @property
    def calls(self) -> Sized: ...


def render(shown: Shown) -> str:
    """The whole page."""
    shown.creators_authorize()
    scripts = "".join(f"<script>{_asset(name)}</script>" for name in SCRIPTS)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>sheetsync sandbox</title>'
        '<meta name="viewport" content="width=device-width"><link rel="icon" href="data:,">'
        f"<style>{_asset('page.css')}</style></head>"
        f'<body data-revision="{revision(shown)}">{_bar(shown)}<main>{_books(shown)}{_tokportal(shown)}'
        f"{_tiktok(shown)}</main>"
        f'<div id="problem" role="alert"></div>'
        f"{scripts}</body></html>"
    )


@cache
def _asset(name: str) -> str:
    return Path(__file__).with_name(name).read_text(encoding="utf-8")


def revision(shown: Shown) -> int:
    """A number that changes with whatever the page shows, the clock aside."""
    return (
        len(shown.calls)
        + 1000 * len(shown.faults.waiting())
        + shown.portal.version
        + shown.tiktok.version
        + sum(book.version for book in shown.google.books.values())
    )


def _bar(shown: Shown) -> str:
    moving = "running" if shown.clock.real_time else "stands still until moved"
    return (
        '<header><h1>sheetsync <em>sandbox</em></h1><p class="about">A Google Sheet, a TokPortal and a TikTok of '
        "your own: nothing here leaves this computer, and no credit is real.</p>"
        f'<dl><div title="The sandbox clock, {moving}; sheetsync goes by it, too"><dt>Clock (UTC)</dt>'
        f'<dd id="clock">{_time(shown.clock.now())}</dd></div>'
        f'<div><dt>Credits</dt><dd id="credits">{shown.portal.credits:,}</dd></div></dl>'
        f"<nav>{_button('clock', {'advance_seconds': 3600}, '+1 hour')}"
        f"{_button('clock', {'advance_seconds': 86400}, '+1 day')}{_button('clock', {'now': True}, 'Now')}"
        f"{_button('managers', {'do': 'work'}, 'Managers work', 'main')}{_troubles(shown)}</nav></header>"
    )


def _button(post: str, body: Mapping[str, Any], text: str, kind: str = "", method: str = "POST") -> str:
    marks = (f' class="{kind}"' if kind else "") + ("" if method == "POST" else f' data-method="{method}"')
    return f'<button data-post="{post}" data-body="{escape(json.dumps(body))}"{marks}>{escape(text)}</button>'


def _troubles(shown: Shown) -> str:
    """What may go wrong while sheetsync runs, and what of it is still to come."""
    buttons = "".join(_button("faults", body, text) for text, body in TROUBLES.items())
    for sheet in (sheet for book in shown.google.books.values() for sheet in book.sheets):
        if KEY_HEADER in [sheet.value(0, column) for column in range(sheet.columns_used)]:
            stir = {"do": "stir", "book": sheet.book.id, "tab": sheet.title, "by": KEY_HEADER}
            body = {"kind": "sheets.batchUpdate", "times": 3, "edit": stir}
            buttons += _button("faults", body, f"People sort {sheet.title} as it writes, 3 times")
    waiting = shown.faults.waiting()
    listed = "".join(f"<li>{escape(words)}</li>" for words in waiting)
    stop = _button("faults", {}, "Stop all of it", method="DELETE") if waiting else ""
    count = f" ({len(waiting)})" if waiting else ""
    return (
        f'<details id="trouble"><summary>Trouble{count}</summary><div>{buttons}<ul>{listed}</ul>{stop}</div></details>'
    )


def _books(shown: Shown) -> str:
    books = list(shown.google.books.values())
    if not books:
        return '<section class="empty">There is no spreadsheet yet.</section>'
    return "".join(_book(book) for book in books)


def _book(book: Spreadsheet) -> str:
    sheets = [sheet for sheet in book.sheets if not sheet.properties.get("hidden")]
    about = f"{escape(book.time_zone)} · id <code>{escape(book.id)}</code>"
    tabs, tables = "".join(map(_tab_button, sheets)), "".join(map(_tab, sheets))
    title = f"<h2>{escape(book.title)} <small>{about}</small></h2>"
    add = f'<button data-add="{escape(book.id)}" aria-label="Add a tab">+</button>'
    return f'<section class="book">{title}<div class="tabs">{tabs}{add}</div>{tables}{HINT}</section>'


def _name(sheet: Sheet) -> str:
    return f"{escape(sheet.book.id)}-{sheet.sheet_id}"


def _tab_button(sheet: Sheet) -> str:
    return f'<button data-tab-of="{escape(sheet.book.id)}" data-show="{_name(sheet)}">{escape(sheet.title)}</button>'


def _tab(sheet: Sheet) -> str:
    return (
        f'<div class="sheet" id="{_name(sheet)}" data-of="{escape(sheet.book.id)}">{charts(sheet)}'
        f'<div class="scroll">{table(sheet)}</div></div>'
    )


def _tokportal(shown: Shown) -> str:
    portal = shown.portal
    newest = list(reversed(portal.requests))[:NEWEST]
    rows = "".join(_request(portal, request) for request in newest)
    head = "<tr><th>Ordered<th>Video<th>Status<th>Code<th>Note<th>Submitted<th>Delivered<th>Credits<th></tr>"
    requests = f'<table class="list">{head}{rows}</table>' if rows else "<p>No ad code has been ordered yet.</p>"
    return (
        f'<section class="portal"><h2>TokPortal <small>ad code requests</small></h2>{requests}{_more(portal)}</section>'
    )


def _tiktok(shown: Shown) -> str:
    rows = "".join(_code(*told) for told in codes(shown.tiktok)[:NEWEST])
    head = "<tr><th>Code<th>Authorized<th>Until<th>Authorization<th>Post<th>Applied by<th></tr>"
    posts = f'<table class="list">{head}{rows}</table>' if rows else "<p>No creator has made a code yet.</p>"
    return f'<section class="portal"><h2>TikTok <small>what creators authorized</small></h2>{posts}</section>'


def _code(cells: Sequence[str], acts: Mapping[str, Mapping[str, Any]]) -> str:
    code, *others = map(escape, cells)
    buttons = "".join(_button("tiktok", body, words, "small") for words, body in acts.items())
    return (
        f'<tr><td class="wide"><code>{code}</code>' + "".join(f"<td>{cell}" for cell in others) + f"<td>{buttons}</tr>"
    )


def _request(portal: Portal, request: AdCodeRequest) -> str:
    video = escape(request.video_id)
    steps = {"pending": "accept", "accepted": "submit", "pending_corrections": "submit", "in_review": "deliver"}
    step = steps.get(request.status)
    buttons = "".join(_manager_button(do, request.video_id) for do in (step, "cancel") if step and do)
    paid = f"-{request.charged}" + (f" +{request.refunded}" if request.refunded else "")
    feedback = f' title="{escape(request.feedback[-1])}"' if request.feedback else ""
    return (
        f"<tr><td>{_time(request.created_at)}<td><code>{video}</code>"
        f'<td{feedback}><span class="status {escape(request.status)}">{escape(request.status)}</span>'
        f'<td class="wide"><code>{escape(request.code or "")}</code><td class="wide">{escape(request.note or "")}'
        f"<td>{_time(request.submitted_at)}<td>{_time(request.delivered_at)}<td>{paid}<td>{buttons}</tr>"
    )


def _manager_button(do: str, video_id: str) -> str:
    return _button("managers", {"do": do, "video_id": video_id}, do, "small")


def _more(portal: Portal) -> str:
    movements = "".join(_movement(movement) for movement in list(reversed(portal.ledger))[:NEWEST])
    videos = "".join(islice(_accounts(portal), NEWEST))
    head = "<tr><th>Account<th>Bundle<th>Video ID<th>Title<th>Platform<th>Can be ordered<th></tr>"
    return (
        f"<details><summary>Videos ({len(portal.videos)}): ids to put into the column Video ID; "
        f'<code>sheetsync fill</code> adds rows for them</summary><table class="list">{head}{videos}</table></details>'
        f"<details><summary>Credit movements ({len(portal.ledger)})</summary>"
        f'<table class="list"><tr><th>At<th>Amount<th>Why<th>Balance</tr>{movements}</table></details>'
    )


def _movement(movement: Movement) -> str:
    why = escape(movement.reason)
    return f"<tr><td>{_time(movement.at)}<td>{movement.amount:+}<td>{why}<td>{movement.balance_after}</tr>"


def _accounts(portal: Portal) -> Iterator[str]:
    """The videos as TokPortal lists them: by account and bundle; a bundle without one has a line, too."""
    by_bundle: dict[str, list[Video]] = {}
    for video in portal.videos.values():
        by_bundle.setdefault(video.bundle_id, []).append(video)
    for account in portal.accounts.values():
        for bundle in (bundle for bundle in portal.bundles.values() if bundle.account_id == account.id):
            of_bundle = by_bundle.get(bundle.id, [])
            where = f"<td>@{escape(account.username)}, {escape(account.country)}"
            where += f"<td>{escape(bundle.title)}, {escape(bundle.status)}"
            yield from (f"<tr>{where}{_video(video)}<td></tr>" for video in of_bundle)
            more = _button("videos", {"bundle_id": bundle.id}, "one more is finalized", "small")
            yield f"<tr>{where}<td colspan=4>{'' if of_bundle else 'no video yet'}<td>{more}</tr>"


def _video(video: Video) -> str:
    lacking = [
        words
        for words, there in (
            ("not finalized", video.finalized),
            ("no live link", video.live_link),
            ("no manager", video.manager),
            ("no Coverage", video.coverage),
            ("belongs to someone else", video.owner == "me"),
        )
        if not there
    ]
    cells = f"<code>{escape(video.id)}</code>", escape(video.title), escape(video.platform), ", ".join(lacking) or "yes"
    return "".join(f"<td>{cell}" for cell in cells)


def _time(moment: datetime | None) -> str:
    return "" if moment is None else moment.strftime("%Y-%m-%d %H:%M")
