"""Builders with defaults: a test names only the fields that matter to it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from sheetsync.authorizations import Access, Authorization, code_name
from sheetsync.columns import BY_KEY, COLUMNS, key_text, rows_of
from sheetsync.model import (
    AdCodeRequest,
    Entry,
    Failure,
    HoldKind,
    Intent,
    IntentState,
    Known,
    Mark,
    Observation,
    Origin,
    Refusal,
    Row,
    Scalar,
    Snapshot,
    Tracker,
)
from sheetsync.plan.situation import Situation
from sheetsync.projection.cells import Outlook

NOW = datetime(2026, 6, 20, 9, 0, tzinfo=UTC)
CREATED = datetime(2026, 6, 16, 10, 22, tzinfo=UTC)
VIDEO = "vid-a"
BODY = '{"note": "first"}'
ALL_COLUMNS = frozenset(BY_KEY)
TRACKER = Tracker("acme", "sheet-id", "Tracker")
DOWN = Failure(HoldKind.NEXT_RUN, "down")
NO = Failure(HoldKind.PERSON, "no such video")

_OWNED = ("creator_owner", "paid_owner", "renewal_owner", "market", "ad_account", "campaign", "objective")
OWNED = dict.fromkeys(_OWNED, "x") | {
    "video_url": "https://tiktok.com/@x/video/1",
    "creator": "@x",
}
"""The person's cells that make a code operationally ready."""


def row(number: int = 2, video_id: Scalar = VIDEO, columns: Iterable[str] = ALL_COLUMNS, **cells: Scalar) -> Row:
    """A row with its approvals ticked; `caption_final=""` unticks one."""
    filled: dict[str, Scalar] = {"video_id": video_id, "caption_final": True, "sound_cleared": True, **cells}
    return Row(
        number, key_text(video_id), {key: cell for key, cell in filled.items() if cell != ""}, frozenset(columns)
    )


def request(id: str = "R1", status: str = "finalized", **fields: Any) -> AdCodeRequest:
    """An ad code request; one that is in review or finalized has a code, unless told otherwise."""
    code = f"#{id}" if status in ("in_review", "finalized") else None
    known = {"video_id": VIDEO, "platform": "tiktok", "code": code, "created_at": CREATED}
    return AdCodeRequest(id=id, status=status, **{**known, **fields})


def entry(
    of: AdCodeRequest | None = None,
    origin: Origin = Origin.ORDERED,
    charged: int | None = 7,
    left: int | None = 1240,
    seen_at: datetime = NOW,
    authorization_days: int | None = None,
    **fields: Any,
) -> Entry:
    """What the ledger holds about `of`, or about `request(**fields)`."""
    return Entry(of or request(**fields), origin, charged, left, seen_at, authorization_days)


def shows(of: AdCodeRequest, **cells: Scalar) -> dict[str, Scalar]:
    """The cells of a row that shows a request."""
    return {"request_id": of.id, "status": of.status, "spark_code": of.code or "", **cells}


def intent(
    mark: Mark = Mark.REQUEST, previous_id: str | None = None, run_id: str = "run-1", created_at: datetime = CREATED
) -> Intent:
    """An order whose answer was lost, in an earlier run."""
    return Intent(1, VIDEO, mark, previous_id, "key-1", BODY, run_id, created_at, IntentState.UNCERTAIN)


def refusal(
    mark: Mark = Mark.REQUEST, retry_at: datetime = NOW, text: str = "TokPortal said no", video_id: str = VIDEO
) -> Refusal:
    """TokPortal's last no to a mark."""
    return Refusal(video_id, mark, 409, text, 1, retry_at)


def known(*entries: Entry, **more: Any) -> Known:
    """A ledger with these entries."""
    return Known(latest={found.request.video_id: found for found in entries}, **more)


def seen(*requests: AdCodeRequest, none: Sequence[str] = (), **failed: Failure) -> Mapping[str, Observation]:
    """What TokPortal answered: these requests, none for `none`, and failures as `vid_a=DOWN`."""
    found = {r.video_id: Observation(r.video_id, r) for r in requests}
    found |= {video: Observation(video) for video in none}
    return found | {(v := name.replace("_", "-")): Observation(v, failure=failure) for name, failure in failed.items()}


def situation(*rows: Row, balance: int | None = 1240, tracker: Tracker = TRACKER, **more: Any) -> Situation:
    """What a plan is made from: TokPortal was asked about every row and knows of no request, unless told otherwise."""
    observations = more.pop("observations", None)
    if observations is None:
        observations = seen(none=[found.key for found in rows])
    wanted = {"known": Known(), "now": NOW, "run_id": "run-2", **more}
    return Situation(rows=rows, observations=observations, tracker=tracker, balance=balance, **wanted)


def outlook(*entries: Entry, **more: Any) -> Outlook:
    """What a run knows when it writes; every video of the entries was observed."""
    observed = frozenset(found.request.video_id for found in entries)
    return Outlook(**{"known": known(*entries), "now": NOW, "observed": observed, **more})


ASKED = Access("token", "7000000000000000001")
"""The settings of a tracker that has TikTok asked."""


def told(code: str = "#R1", ends: datetime | None = None, state: str = "in use", **fields: Any) -> Mapping[str, Any]:
    """What TikTok said of a code, as `known` takes it."""
    name = code_name(code)
    said = {"video_id": VIDEO, "advertiser_id": ASKED.advertiser_id, "refusal": "", "starts": None, "asked_at": NOW}
    return {"authorizations": {name: Authorization(code=name, state=state, ends=ends, **{**said, **fields})}}


def tracker(**settings: Any) -> Tracker:
    """A tracker with other settings than the usual."""
    return replace(TRACKER, **settings)


SHEET = ("video_id", "action", "client", "caption_final", "spend", "status", "spark_code", "request_id", "updated_at")


def snapshot(
    *lines: Sequence[Scalar], keys: Sequence[str] = SHEET, headers: Sequence[Scalar] = (), time_zone: str = "Etc/GMT"
) -> Snapshot:
    """A read of a sheet with the columns `keys`; `headers` says otherwise what stands in the header line."""
    line = tuple(headers) or tuple(BY_KEY[key].header for key in keys)
    columns = {column.key: line.index(column.header) for column in COLUMNS if column.header in line}
    grid = (line, *(tuple(cells) for cells in lines))
    return Snapshot(0, "Tracker", time_zone, columns, rows_of(grid, columns), grid, NOW)
