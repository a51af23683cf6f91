"""PURE: how a tracker made by `init` looks: the order of its columns, colours, widths, formats, notes, rules.

Owns these tables and the pieces of requests they become. What of them is missing in a sheet is `tracker_tab.py`'s
and `summary_tab.py`'s.
"""

from dataclasses import dataclass
from typing import Any

from sheetsync.columns import DATE_FORMAT, Column, Kind, Owner
from sheetsync.template.spreadsheet import Condition

Json = dict[str, Any]

ORDER = (
    *("video_id", "action", "status", "spark_code", "expires_at", "expiry", "stage", "sync_note", "missing"),
    *("expiry_source", "code_state"),
    *("creator", "client", "brand", "campaign", "objective", "market", "language", "ad_account"),
    *("currency", "landing_page", "creator_region", "product_availability", "posting_time"),
    *("post_live", "caption_final", "sound_cleared", "comments_checked", "landing_page_ready", "approval_owner"),
    *("note", "platform", "authorization_days", "known_expiry", "received_at", "video_url"),
    *("creator_owner", "paid_owner", "renewal_owner", "feedback", "post_status", "paid_status", "renewal_decision"),
    *("retirement_reason", "spend", "conversions", "comments", "usage_rights", "contract", "excluded_categories"),
    *("prompt", "performance_snapshot", "spend_window", "invoice_status", "invoice_owner", "proof"),
    *("requested_at", "submitted_at", "delivered_at", "credits_charged", "credits_left", "request_id", "updated_at"),
)
"""The columns in the order of a new tab: what to do and how it stands first, bookkeeping last."""


def colour(rgb: str) -> Json:
    """A colour such as `f6c7c2` as Sheets wants it."""
    red, green, blue = (round(int(rgb[at : at + 2], 16) / 255, 3) for at in (0, 2, 4))
    return {"rgbColor": {"red": red, "green": green, "blue": blue}}


BLUE, GREY, PALE = colour("bcd6fb"), colour("d3d6da"), colour("f3f4f6")
RED, AMBER, GREEN = colour("f6c7c2"), colour("fde293"), colour("c9ead0")
NOTED, INCOMPLETE = colour("fff0c2"), colour("fde5d0")

PERSON_HEADER, MACHINE_HEADER = (
    {"userEnteredFormat": {"backgroundColorStyle": colour, "textFormat": {"bold": True}}} for colour in (BLUE, GREY)
)
HEADER_FIELDS = "userEnteredFormat(backgroundColorStyle,textFormat.bold)"

WIDTHS = {
    "video_id": 290, "action": 100, "status": 140, "spark_code": 180, "expiry": 130, "stage": 130, "sync_note": 340,
    "missing": 300, "caption_final": 118, "sound_cleared": 128, "note": 210, "authorization_days": 152,
    "known_expiry": 118, "video_url": 210, "feedback": 210, "objective": 150, "retirement_reason": 160,
    "renewal_decision": 146, "usage_rights": 160, "creator_owner": 122, "invoice_status": 126,
    "credits_charged": 134, "request_id": 290, "campaign": 140, "landing_page": 210, "creator_region": 126,
    "product_availability": 172, "posting_time": 118, "renewal_owner": 126, "approval_owner": 130,
    "comments_checked": 150, "landing_page_ready": 160, "received_at": 118, "excluded_categories": 166,
    "prompt": 210, "performance_snapshot": 178, "spend_window": 124, "invoice_owner": 122,
}  # fmt: skip
_WIDTH_OF = {Kind.TEXT: 112, Kind.NUMBER: 104, Kind.DATE: 148, Kind.CHECKBOX: 110}

DAY, MOMENT = {"type": "DATE", "pattern": "yyyy-mm-dd"}, {"type": "DATE_TIME", "pattern": DATE_FORMAT}
_PLAIN, _WHOLE = {"type": "TEXT", "pattern": "@"}, {"type": "NUMBER", "pattern": "0"}
_NUMBER_FORMATS = {
    # a pasted id or code must stay text: as a number it would lose digits
    "video_id": _PLAIN, "spark_code": _PLAIN, "request_id": _PLAIN,
    "known_expiry": DAY, "received_at": DAY,
    "spend": {"type": "NUMBER", "pattern": "#,##0.00"},
    "conversions": {"type": "NUMBER", "pattern": "#,##0"},
}  # fmt: skip
_BY_KIND = {Kind.DATE: MOMENT, Kind.NUMBER: _WHOLE}
_WRAP = {
    # sentences are read whole; an id or a code does not run on over the empty cell beside it
    **dict.fromkeys(("sync_note", "missing"), "WRAP"),
    **dict.fromkeys(("video_id", "spark_code", "request_id"), "CLIP"),
}


def width(column: Column) -> int:
    """How wide a column is made."""
    return WIDTHS.get(column.key, _WIDTH_OF[column.kind])


def cell_format(column: Column) -> Json:
    """The formats of a column's cells, by field of `userEnteredFormat`."""
    formats = {
        "numberFormat": _NUMBER_FORMATS.get(column.key) or _BY_KIND.get(column.kind),
        "wrapStrategy": _WRAP.get(column.key),
        "backgroundColorStyle": PALE if column.owner is Owner.MACHINE else None,
    }
    return {field: value for field, value in formats.items() if value}


def header_cell(column: Column) -> Json:
    """A header's cell: its colour tells whose column it is."""
    return PERSON_HEADER if column.owner is Owner.PERSON else MACHINE_HEADER


def note(column: Column) -> str:
    """The note on a header: what the column holds, and who writes it."""
    if column.owner is Owner.MACHINE:
        return f"{column.help}\n\nsheetsync writes this column: what is typed here is overwritten."
    # the one cell of theirs that sheetsync empties: its mark, once it is served
    only_read = "" if column.key == "action" else "; sheetsync only reads it"
    return f"{column.help}\n\nPeople write this column{only_read}."


def validation(column: Column) -> Condition:
    """What the dropdown or the checkboxes of a column allow; no condition where it has neither."""
    if column.kind is Kind.CHECKBOX:
        return Condition("BOOLEAN")
    return Condition("ONE_OF_LIST", column.choices) if column.choices else Condition()


def data_validation(column: Column) -> Json:
    """A column's DataValidationRule; empty where it has none."""
    condition = validation(column)
    rule: Json = {"condition": condition.json()} if condition.kind else {}
    if condition.values:
        # an unknown word in Action would be a wish that nobody serves; elsewhere the team may have words of its own
        rule |= {"strict": column.key == "action", "showCustomUi": True}
    return rule


@dataclass(frozen=True, slots=True)
class ColourRule:
    """A conditional format: the cells of a column that say `word` (or anything at all) get a colour."""

    key: str
    word: str
    colour: Json

    @property
    def condition(self) -> Condition:
        """What a cell has to say, or what a formula has to find."""
        if self.word.startswith("="):
            return Condition("CUSTOM_FORMULA", (self.word,))
        return Condition("TEXT_EQ", (self.word,)) if self.word else Condition("NOT_BLANK")


COLOUR_RULES = (
    ColourRule("expiry", "expired", RED),
    ColourRule("expiry", "renewal needed", AMBER),
    ColourRule("stage", "expired", RED),
    ColourRule("stage", "renewal needed", AMBER),
    ColourRule("stage", "received", GREEN),
    ColourRule("sync_note", "", NOTED),
    ColourRule("missing", "", INCOMPLETE),
)


def without_key(video_id: str, action: str) -> ColourRule:
    """For a mark in a row without a video id, which has no key that a note could be written by; columns by letter."""
    # no function of two arguments: what parts them differs with the language of the spreadsheet
    return ColourRule("action", f"=(LEN(TRIM(${video_id}2))=0)>(LEN(TRIM(${action}2))=0)", RED)
