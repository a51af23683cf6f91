"""The care of a ledger: what is wrong with it, a copy of it while runs go on, and all it holds as plain lines.

Owns the comparisons inside it and the form of an export. Changes no ledger; what a lost one can be made of again
is `sync/rebuild.py`'s.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from sheetsync.errors import ConfigError
from sheetsync.ledger.copying import whole
from sheetsync.ledger.database import MIGRATIONS, UNSETTLED
from sheetsync.ledger.opening import exists, opened
from sheetsync.model import fingerprint
from sheetsync.state import Server, State

EXPORTED: Mapping[str, tuple[str, ...]] = {
    "ad_code_request": ("code",),
    "latest": (),
    "intent": (),
    "refusal": (),
    "correction": ("code",),
    "typed": ("code",),
    "opening": (),
    "event": (),
    "run": (),
    "balance": (),
    "price": (),
    "tiktok_code": (),
}
"""The tables that say what happened, each with its columns that hold a code. The others are what runs keep for
themselves (looks, journals, what rows showed last)."""

_WRONG = {
    "a latest request that is not known": """SELECT tracker, video_id FROM latest WHERE NOT EXISTS (
        SELECT 1 FROM ad_code_request AS r WHERE r.tracker = latest.tracker AND r.video_id = latest.video_id
        AND r.request_id = latest.request_id)""",
    "a request that was ordered without an order that was accepted": """SELECT tracker, video_id FROM ad_code_request
        AS r WHERE origin = 'ordered' AND NOT EXISTS (SELECT 1 FROM intent WHERE intent.tracker = r.tracker
        AND intent.video_id = r.video_id AND state = 'accepted')""",
    "a code that no event tells of": """SELECT tracker, video_id FROM ad_code_request AS r WHERE code <> ''
        AND origin <> 'typed' AND NOT EXISTS (SELECT 1 FROM event WHERE event.video_id = r.video_id
        AND event.tracker = r.tracker AND kind = 'code')""",
}
"""What cannot be, where every transaction was whole: somebody's tool, or a file put together from two."""


def findings(state: State) -> Iterator[tuple[bool | None, str]]:
    """What a look at every page and every promise of the ledger finds: whether it is fine (None: a remark), and a line.

    Raises what Database does, for one that cannot even be opened.
    """
    if not exists(state):
        yield None, f"{state} does not exist: the first sync makes it; after a loss, `sheetsync ledger rebuild`"
        return
    database = opened(state, read_only=True)
    damage = database.damage()
    yield not damage, f"{state}: " + (f"damaged ({damage})" if damage else f"sound, version {len(MIGRATIONS)}")
    for what, select in _WRONG.items():
        wrong = [f"{video} of tracker {tracker}" for tracker, video in database.select(select)]
        if wrong:
            yield False, f"{what}: {', '.join(wrong[:5])}" + (f", and {len(wrong) - 5} more" if len(wrong) > 5 else "")
    counts = {table: database.select(f"SELECT COUNT(*) FROM {table}")[0][0] for table in ("ad_code_request", "event")}
    yield True, f"{counts['ad_code_request']} ad code requests, {counts['event']} events"
    for tracker, video, since in database.select(f"SELECT tracker, video_id, created_at FROM intent WHERE {UNSETTLED}"):
        yield None, f"an order for {video} of tracker {tracker} has no clear end since {since}: the next sync looks"
    for tracker, since in database.select("SELECT tracker, begun_at FROM pending_write"):
        yield None, f"a write into the sheet of tracker {tracker} was cut off {since}: the next sync puts it right"


def backup(path: State, copy: Path) -> None:
    """Copy the ledger as it is at one moment, also while a run is at work; `copy` is there whole, or not at all.

    Raises ConfigError where there is no ledger, it is damaged, or `copy` exists; CopyFailed.
    """
    if isinstance(path, Server):
        raise ConfigError([f"{path}: a ledger on a server is copied into a file by `sheetsync ledger copy`"])
    if not exists(path):
        raise ConfigError([f"{path}: there is no ledger yet, nothing was copied"])
    database = opened(path, read_only=True)
    if damage := database.damage():
        raise ConfigError([f"{path}: damaged ({damage}), nothing was copied"])
    with whole(copy) as part:
        database.copy_to(part)


def lines(state: State) -> Iterator[str]:
    """All that happened, a JSON object a line; codes as fingerprints, for this may be sent to anybody.

    Raises what Database does.
    """
    database = opened(state, read_only=True)
    for table, secret in EXPORTED.items():
        names = database.columns(table)
        order = "id" if "id" in names else "1, 2, 3"
        for row in database.select(f"SELECT {', '.join(names)} FROM {table} ORDER BY {order}"):
            values = dict(zip(names, row, strict=True))
            values.update({name: _printed(values[name]) for name in secret})
            if table == "event":
                values["detail"] = _without_codes(json.loads(values["detail"]))
            yield json.dumps({"table": table, **values}, ensure_ascii=False)


def _printed(code: Any) -> Any:
    return fingerprint(code) if code else code


def _without_codes(detail: Mapping[str, Any]) -> Mapping[str, Any]:
    return {name: _printed(value) if name == "code" else value for name, value in detail.items()}
