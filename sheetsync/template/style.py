"""PURE: how a tracker made by `init` looks: the order of its columns, colours, widths, formats, notes, rules.

Owns these tables and the pieces of requests they become. What of them is missing in a sheet is `template.py`'s.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sheetsync.columns import DATE_FORMAT, Column, Kind, Owner

Json = dict[str, Any]

ORDER = (
    *("video_id", "action", "status", "spark_code", "expires_at", "expiry", "stage", "sync_note", "missing"),
    *("creator", "client", "brand", "campaign", "objective", "market", "language", "ad_account"),
    *("caption_final", "sound_cleared", "note", "platform", "authorization_days", "known_expiry", "video_url"),
    *("creator_owner", "paid_owner", "feedback", "post_status", "paid_status", "renewal_decision"),
    *("retirement_reason", "spend", "conversions", "usage_rights", "invoice_status", "proof"),
    *("requested_at", "submitted_at", "delivered_at", "credits_charged", "credits_left", "request_id", "updated_at"),
)
"""The columns of a new tab: what to do and how it stands first, bookkeeping last."""


def colour(rgb: str) -> Json:
    """A colour such as `f6c7c2` as Sheets wants it."""
    red, green, blue = (round(int(rgb[at : at + 2], 16) / 255, 3) for at in (0, 2, 4))
    return {"rgbColor": {"red": red, "green": green, "blue": blue}}


BLUE, GREY, PALE = colour("bcd6fb"), colour("d3d6da"), colour("f3f4f6")
RED, AMBER, GREEN = colour("f6c7c2"), colour("fde293"), colour("c9ead0")
NOTE, LACKING = colour("fff0c2"), colour("fde5d0")

WIDTHS = {
    "video_id": 290, "action": 100, "status": 140, "spark_code": 180, "expiry": 130, "stage": 130, "sync_note": 340,
    "missing": 300, "caption_final": 118, "sound_cleared": 128, "note": 210, "authorization_days": 152,
    "known_expiry": 118, "video_url": 210, "feedback": 210, "objective": 150, "retirement_reason": 160,
    "renewal_decision": 146, "usage_rights": 160, "creator_owner": 122, "invoice_status": 126,
    "credits_charged": 134, "request_id": 290, "campaign": 140,
}  # fmt: skip
_WIDTH_OF = {Kind.TEXT: 112, Kind.NUMBER: 104, Kind.DATE: 148, Kind.CHECKBOX: 110}

_DAY, _MOMENT = {"type": "DATE", "pattern": "yyyy-mm-dd"}, {"type": "DATE_TIME", "pattern": DATE_FORMAT}
_PLAIN, _WHOLE = {"type": "TEXT", "pattern": "@"}, {"type": "NUMBER", "pattern": "0"}
_NUMBER_FORMATS = {
    # a pasted id or code must stay text: as a number it would lose digits
    "video_id": _PLAIN, "spark_code": _PLAIN, "request_id": _PLAIN,
    "known_expiry": _DAY,
    "spend": {"type": "NUMBER", "pattern": "#,##0.00"},
    "conversions": {"type": "NUMBER", "pattern": "#,##0"},
}  # fmt: skip
_BY_KIND = {Kind.DATE: _MOMENT, Kind.NUMBER: _WHOLE}
_WRAP = {
    # sentences are read whole; an id or a code does not run on over the empty cell beside it
    **dict.fromkeys(("sync_note", "missing"), "WRAP"),
    **dict.fromkeys(("video_id", "spark_code", "request_id"), "CLIP"),
}


def width(column: Column) -> int:
    """How wide a column is made."""
    return WIDTHS.get(column.key, _WIDTH_OF[column.kind])


def styles(column: Column) -> Json:
    """The formats of a column's cells, by field of `userEnteredFormat`."""
    found: Json = {}
    number = _NUMBER_FORMATS.get(column.key) or _BY_KIND.get(column.kind)
    if number:
        found["numberFormat"] = number
    if column.key in _WRAP:
        found["wrapStrategy"] = _WRAP[column.key]
    if column.owner is Owner.MACHINE:
        found["backgroundColorStyle"] = PALE
    return found


def header_style(column: Column) -> Json:
    """The colour of a header: it tells whose column it is."""
    return {"backgroundColorStyle": BLUE if column.owner is Owner.PERSON else GREY, "textFormat": {"bold": True}}


def note(column: Column) -> str:
    """The note on a header: what the column holds, and who writes it."""
    if column.owner is Owner.MACHINE:
        return f"{column.help}\n\nsheetsync writes this column: what is typed here is overwritten."
    if column.key == "action":
        return f"{column.help}\n\nPeople write this column."
    return f"{column.help}\n\nPeople write this column; sheetsync only reads it."


def validation(column: Column) -> Json | None:
    """The dropdown or checkbox of a column's cells, if it has one; only Action refuses other words."""
    if column.kind is Kind.CHECKBOX:
        return {"condition": {"type": "BOOLEAN"}}
    if not column.choices:
        return None
    words = [{"userEnteredValue": word} for word in column.choices]
    strict = column.key == "action"
    return {"condition": {"type": "ONE_OF_LIST", "values": words}, "strict": strict, "showCustomUi": True}


@dataclass(frozen=True, slots=True)
class Tint:
    """A conditional format: the cells of a column that say `word` (or anything at all) get a colour."""

    key: str
    word: str
    colour: Mapping[str, Any]

    @property
    def kind(self) -> str:
        """The type of its condition."""
        return "TEXT_EQ" if self.word else "NOT_BLANK"

    def rule(self, ranges: list[Json]) -> Json:
        """The ConditionalFormatRule."""
        condition: Json = {"type": self.kind}
        if self.word:
            condition["values"] = [{"userEnteredValue": self.word}]
        style = {"backgroundColorStyle": dict(self.colour)}
        return {"ranges": ranges, "booleanRule": {"condition": condition, "format": style}}


TINTS = (
    Tint("expiry", "expired", RED),
    Tint("expiry", "renewal needed", AMBER),
    Tint("stage", "expired", RED),
    Tint("stage", "renewal needed", AMBER),
    Tint("stage", "received", GREEN),
    Tint("sync_note", "", NOTE),
    Tint("missing", "", LACKING),
)
