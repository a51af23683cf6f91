"""PURE: the columns of a tracker, and cells <-> values.

Owns which columns exist, who owns each, how a header is found, and how a cell is read and written:
checkboxes, days, and dates as serials in the spreadsheet's own time zone (Sheets reference 3.3: days since
1899-12-30, wall-clock time). Knows no network, file, clock or log.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from enum import Enum
from functools import lru_cache, partial
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sheetsync import notes
from sheetsync.model import CellValue, Lock, Row, Scalar


class Owner(Enum):
    """Who writes a column."""

    PERSON = "person"
    MACHINE = "machine"


class Kind(Enum):
    """What a column holds."""

    TEXT = "text"
    NUMBER = "number"
    DATE = "date"  # a day, or a day and a time
    CHECKBOX = "checkbox"


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the tracker. `choices` are the words of its dropdown; `help` is the note on its header."""

    key: str
    header: str
    help: str
    kind: Kind = Kind.TEXT
    required: bool = False
    choices: tuple[str, ...] = ()
    owner: Owner = Owner.PERSON


_person = Column
# without its columns the program could not say what it did
_machine = partial(Column, required=True, owner=Owner.MACHINE)


MARKS = ("request", "renew", "correct")
PLATFORMS = ("tiktok", "instagram")
OBJECTIVES = ("app installs", "landing-page conversion", "catalog sales", "lead generation", "reach")
POST_STATUSES = ("live", "show only in ads", "removed")
PAID_STATUSES = ("activated", "spending", "paused", "retired")
RENEWAL_DECISIONS = ("renew", "let expire", "undecided")
AUTHORIZATION_DAYS = ("7", "30", "60", "180", "365")

COLUMNS: tuple[Column, ...] = (
    _person("video_id", "Video ID", "TokPortal's video id: the key of the row.", required=True),
    _person(
        "action",
        "Action",
        "request: order a code (7 credits). renew: order another (7 credits). correct: report a code that does not "
        "work (write why in Feedback). sheetsync empties the cell once it is done.",
        required=True,
        choices=MARKS,
    ),
    _machine("status", "Status", "TokPortal's word for the latest ad code request."),
    _machine("spark_code", "Spark code", "The code to paste in TikTok Ads Manager."),
    _machine("sync_note", "Sync note", "Why something waits, and what to do."),
    _machine("stage", "Stage", "Where the code stands in its life."),
    _machine("requested_at", "Requested at", "When the code was ordered.", Kind.DATE),
    _machine("submitted_at", "Submitted at", "When the manager submitted the code.", Kind.DATE),
    _machine("delivered_at", "Delivered at", "When TokPortal confirmed the delivery.", Kind.DATE),
    _machine("expires_at", "Expires at", "The earliest moment at which the authorization can end.", Kind.DATE),
    _machine("expiry", "Expiry", "ok, renewal needed, expired, or no window."),
    _machine("missing", "Missing", "Ledger fields still empty for a code that is there."),
    _machine("credits_charged", "Credits charged", "What this code cost.", Kind.NUMBER),
    _machine("credits_left", "Credits left", "The balance after this order.", Kind.NUMBER),
    _machine("request_id", "Request ID", "TokPortal's id of the ad code request."),
    _machine("updated_at", "Updated at", "When sheetsync last changed this row.", Kind.DATE),
    Column(
        "expiry_source",
        "Expiry source",
        "Who says when the code ends: typed (Known expiry), TikTok, or estimate.",
        owner=Owner.MACHINE,
    ),
    Column("code_state", "Code state", "What TikTok says of the code.", owner=Owner.MACHINE),
    _person("feedback", "Feedback", "For correct: what is wrong with the code (3 to 500 characters)."),
    _person("note", "Note", "A message to the manager, sent with the order (at most 500 characters)."),
    _person("platform", "Platform", "tiktok when empty.", choices=PLATFORMS),
    _person(
        "authorization_days",
        "Authorization days",
        "For how many days the creator authorizes the post; the tracker's setting when empty.",
        Kind.NUMBER,
        choices=AUTHORIZATION_DAYS,
    ),
    _person(
        "known_expiry", "Known expiry", "The end date that Ads Manager shows; it wins over the estimate.", Kind.DATE
    ),
    _person(
        "received_at",
        "Received at",
        "For a code that was not ordered here, but came from the creator: the day it was received.",
        Kind.DATE,
    ),
    _person("video_url", "Video URL", "The live TikTok post."),
    _person("creator", "Creator", "The creator's handle."),
    _person("client", "Client", "Whose money it is."),
    _person("brand", "Brand", "The brand advertised."),
    _person("campaign", "Campaign", "The campaign this code is for."),
    _person("objective", "Objective", "The campaign objective.", choices=OBJECTIVES),
    _person("market", "Market", "Country of the campaign."),
    _person("language", "Language", "Language of the post."),
    _person("currency", "Currency", "Currency of spend and budget in this market, such as EUR."),
    _person("landing_page", "Landing page", "Where the ad leads: the page or app link of this market."),
    _person("creator_region", "Creator region", "Where the creator is local; it should fit the market."),
    _person("product_availability", "Product availability", "Whether the product or app can be had in this market."),
    _person("posting_time", "Posting time", "When the post went, or is to go, live, in the market's own time."),
    _person("ad_account", "Ad account", "The ad account that will use the code."),
    _person("creator_owner", "Creator owner", "Who talks to the creator."),
    _person("paid_owner", "Paid owner", "Who activates and watches the ad."),
    _person("renewal_owner", "Renewal owner", "Who renews or retires the code before it ends."),
    _person("approval_owner", "Approval owner", "Who has the last word on the post; kept with each order."),
    _person("usage_rights", "Usage rights", "What use is allowed, and for how long."),
    _person("contract", "Contract", "The agreement with the creator: its number, or a link."),
    _person("excluded_categories", "Excluded categories", "What the creator does not allow the post to advertise."),
    _person("post_live", "Post live", "Tick when the post is public, on the right account.", Kind.CHECKBOX),
    _person("caption_final", "Caption final", "Tick when the caption is final: the code locks it.", Kind.CHECKBOX),
    _person(
        "sound_cleared",
        "Sound cleared",
        "Tick when the sound is original or from the Commercial Music Library.",
        Kind.CHECKBOX,
    ),
    _person("comments_checked", "Comments checked", "Tick when the comments can stand under an ad.", Kind.CHECKBOX),
    _person(
        "landing_page_ready",
        "Landing page ready",
        "Tick when the landing page or app link works in this market.",
        Kind.CHECKBOX,
    ),
    _person("post_status", "Post status", "How the organic post stands.", choices=POST_STATUSES),
    _person("paid_status", "Paid status", "How the ad stands.", choices=PAID_STATUSES),
    _person("spend", "Spend", "Ad spend so far.", Kind.NUMBER),
    _person("conversions", "Conversions", "Conversions so far.", Kind.NUMBER),
    _person("comments", "Comments", "How the public comments stand, and whether somebody has to act."),
    _person("prompt", "Prompt", "What the video was generated from, where a model made it."),
    _person("spend_window", "Spend window", "From when to when the ad spent, for the books."),
    _person("performance_snapshot", "Performance snapshot", "The results as they were at the end, or a link to them."),
    _person("renewal_decision", "Renewal decision", "What happens at the end.", choices=RENEWAL_DECISIONS),
    _person("retirement_reason", "Retirement reason", "Why the code is not renewed."),
    _person("invoice_status", "Invoice status", "How the creator's invoice stands."),
    _person("invoice_owner", "Invoice owner", "Who settles the creator's invoice."),
    _person("proof", "Proof", "Link to a screenshot or approval."),
)
BY_KEY: Mapping[str, Column] = {column.key: column for column in COLUMNS}
OURS: tuple[str, ...] = tuple(column.key for column in COLUMNS if column.owner is Owner.MACHINE)
MACHINE_KEYS: tuple[str, ...] = tuple(key for key in OURS if BY_KEY[key].required)
BY_TIKTOK = ("expiry_source", "code_state")
"""Columns of ours that a sheet need not have; they are written where TikTok is asked."""

GROUPS: Mapping[str, tuple[str, ...]] = {
    "campaign": (
        *("video_url", "creator", "client", "brand", "campaign"),
        *("objective", "market", "language", "ad_account"),
    ),
    "owners": ("creator_owner", "paid_owner", "renewal_owner"),
    "progress": ("post_status", "paid_status", "spend", "conversions", "renewal_decision", "retirement_reason"),
    "paperwork": ("usage_rights", "invoice_status", "proof"),
    "approval": ("post_live", "comments_checked", "landing_page_ready", "approval_owner"),
    "markets": ("currency", "landing_page", "creator_region", "product_availability", "posting_time"),
    "rights": ("contract", "excluded_categories", "received_at"),
    "tiktok": BY_TIKTOK,
    "reporting": ("comments", "prompt", "performance_snapshot", "spend_window", "invoice_owner"),
}
"""Columns that a team takes or leaves together. What is in none, a new tab always has: what goes with an order or a
correction, and the default approvals, which would not be asked for in a sheet without them."""

USUAL_GROUPS = ("campaign", "owners", "progress", "paperwork")
"""The groups of a new tab where the config names none: what Missing asks for, and what every team keeps."""


def header_of(key: str, renamed: Mapping[str, str]) -> str:
    """The header that this tracker uses for a column key; a column of the team's own is known by its header alone."""
    return renamed.get(key) or (BY_KEY[key].header if key in BY_KEY else key)


def key_of(name: str, renamed: Mapping[str, str]) -> str:
    """The key of a column that is named by its key or by its header; of one of the team's own, its header."""
    by_header = (key for key in BY_KEY if normal(header_of(key, renamed)) == normal(name))
    return name if name in BY_KEY else next(by_header, name)


def kind_of(key: str) -> Kind | None:
    """What a column holds; None for one of the team's own, which holds what they like."""
    return BY_KEY[key].kind if key in BY_KEY else None


# headers are compared for every cell that is written; `typed`, since 1 and TRUE would share an entry
@lru_cache(maxsize=4096, typed=True)
def normal(header: Scalar) -> str:
    """A header for comparison: case, outer and repeated spaces do not matter."""
    return " ".join(str(header).split()).casefold()


@dataclass(frozen=True, slots=True)
class Binding:
    """Where each column stands (0-based), which required headers are missing, and which stand twice."""

    columns: Mapping[str, int]
    missing: tuple[str, ...]
    doubled: tuple[tuple[str, tuple[str, ...]], ...]


def bind(headers: Sequence[Scalar], renamed: Mapping[str, str], gates: Iterable[str] = ()) -> Binding:
    """Find the columns by their headers, wherever they stand (design 5); of the team's own, those that are gates."""
    places: dict[str, list[int]] = {}
    for index, header in enumerate(headers):
        places.setdefault(normal(header), []).append(index)
    at = {key: places.get(normal(header_of(key, renamed)), []) for key in (*BY_KEY, *gates)}
    required = (key for key, column in BY_KEY.items() if column.required)
    return Binding(
        {key: indexes[0] for key, indexes in at.items() if len(indexes) == 1},
        tuple(header_of(key, renamed) for key in required if not at[key]),
        tuple((header_of(key, renamed), tuple(f"{letter(i)}1" for i in at[key])) for key in at if len(at[key]) > 1),
    )


def letter(index: int) -> str:
    """The letter of a 0-based column index: 0 is A, 26 is AA."""
    name = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        name = chr(65 + rest) + name
    return name


def key_text(cell: Scalar) -> str:
    """A key cell as the text it is compared by: trimmed; a whole number without its '.0'."""
    if isinstance(cell, bool):
        # as the sheet shows it, not as Python does
        return str(cell).upper()
    # Sheets tells 7 and 7.0 as the same number, and a person typed neither with a point
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).strip()


def rows_of(
    grid: Sequence[Sequence[Scalar]], columns: Mapping[str, int], locks: Sequence[Lock] = ()
) -> tuple[Row, ...]:
    """The rows below the header that say something. Those without a key stay in: they may carry a mark."""
    present = frozenset(columns)
    rows = (row_of(number, cells, columns, present, locks) for number, cells in enumerate(grid[1:], start=2))
    # a row that says nothing in our columns is nobody's row: tabs have a thousand of them
    return tuple(row for row in rows if row.cells)


def row_of(
    number: int,
    cells: Sequence[Scalar],
    columns: Mapping[str, int],
    present: frozenset[str],
    locks: Sequence[Lock] = (),
) -> Row:
    """The cells of one row as a row; `columns` says where each column stands, `present` which there are."""
    filled = {key: cells[index] for key, index in columns.items() if index < len(cells) and cells[index] != ""}
    near = [lock for lock in locks if lock.top < number <= lock.bottom]
    shut = [(key, lock.is_merge) for key, at in columns.items() for lock in near if lock.covers(number, at)]
    locked, hidden = (frozenset(key for key, is_merge in shut if is_merge is which) for which in (False, True))
    return Row(number, key_text(filled.get("video_id", "")), filled, present, locked, hidden)


def hidden_headers(row: Row, renamed: Mapping[str, str]) -> list[str]:
    """Headers of the machine cells of a row that lie under merged cells."""
    return [header_of(key, renamed) for key in OURS if key in row.hidden]


def locked_headers(row: Row, renamed: Mapping[str, str], of: Sequence[str] = OURS) -> list[str]:
    """Headers of some columns, of the machine cells if none is named, that a protected range keeps from us in a row."""
    return [header_of(key, renamed) for key in of if key in row.locked]


ERRORS = {
    **{"ERROR": "#ERROR!", "NULL_VALUE": "#NULL!", "DIVIDE_BY_ZERO": "#DIV/0!", "VALUE": "#VALUE!", "REF": "#REF!"},
    **{"NAME": "#NAME?", "NUM": "#NUM!", "N_A": "#N/A", "LOADING": "Loading..."},
}
"""What a cell shows whose formula comes to nothing, by Google's name for it (Sheets reference, ErrorType)."""

_ERROR_TEXTS = frozenset(ERRORS.values())


def is_error(cell: Scalar) -> bool:
    """Whether a cell shows an error, or that it is still being loaded: what it says is not known (reference 3.2)."""
    return isinstance(cell, str) and cell.strip() in _ERROR_TEXTS


EPOCH = datetime(1899, 12, 30)
DATE_FORMAT = "yyyy-mm-dd hh:mm"
_TICKED_WORDS = frozenset({"true", "yes", "x", "1", "☑", "✓", "✔"})
_ISO = re.compile(r"(\d{4}-\d{2}-\d{2})(?:[ T](\d{2}:\d{2}(?::\d{2})?)(?:\.\d+)?(Z|[+-]\d{2}:\d{2})?)?")
# what comes before the host, and the query string after the path, differ with the app that a link was copied from
_URL = re.compile(r"(?:https?://)?(?:www\.)?([^\s/?#]+\.[^\s/?#]+)(/[^\s?#]+)(?:[?#].*)?", re.IGNORECASE)
_DAYS = re.compile(r"(\d{1,4})(?: ?d(?:ays?)?)?", re.IGNORECASE)
_CUSTOM_ZONE = re.compile(r"(?:GMT|UTC)([+-])(\d{1,2}):(\d{2})")
_PLAUSIBLE_YEARS = range(2000, 2200)


class BadCell(ValueError):
    """A person's cell that cannot be understood; the text says what is expected."""


@lru_cache(maxsize=64)
def zone(name: str) -> tzinfo:
    """The spreadsheet's time zone: an IANA name, or a custom one such as GMT-07:00 (Sheets reference 3.3).

    Raises BadCell for a name nobody knows.
    """
    custom = _CUSTOM_ZONE.fullmatch(name)
    try:
        if custom:
            offset = timedelta(hours=int(custom[2]), minutes=int(custom[3]))
            return timezone(-offset if custom[1] == "-" else offset)
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise BadCell(f"the spreadsheet's time zone '{name}' is not known here") from error


def to_serial(instant: datetime, time_zone: str) -> float:
    """An aware instant as the serial that shows its wall-clock time in the spreadsheet, to the second."""
    # a fraction would be shown as nothing, and compared for ever
    local = instant.astimezone(zone(time_zone)).replace(tzinfo=None, microsecond=0)
    return (local - EPOCH).total_seconds() / 86400


def shown_instant(moment: datetime, time_zone: str) -> str:
    """An aware instant as people read it in the spreadsheet: 2026-04-03 17:45."""
    return f"{moment.astimezone(zone(time_zone)):%Y-%m-%d %H:%M}"


def from_serial(serial: float, time_zone: str) -> datetime:
    """A serial as an aware UTC instant, to the second. Raises BadCell for what is no plausible date.

    Where clocks go back and a wall-clock time comes twice, the earlier instant is meant: an expiry is
    never assumed later than it may be.
    """
    if not _serial_of(_PLAUSIBLE_YEARS.start) <= serial < _serial_of(_PLAUSIBLE_YEARS.stop):
        raise BadCell(notes.no_date(f"{serial:g}"))
    # a serial is a float: a third of a day comes back a millisecond short
    local = EPOCH + timedelta(seconds=round(serial * 86400))
    return local.replace(tzinfo=zone(time_zone)).astimezone(UTC)


def _serial_of(year: int) -> float:
    return (datetime(year, 1, 1) - EPOCH).days


def instant(cell: Scalar, time_zone: str) -> datetime | None:
    """A person's date cell as an aware UTC instant; None when empty. A day without a time is its first moment.

    Raises BadCell for text that is not ISO: 03/04/2026 is March in one country and April in another.
    """
    if isinstance(cell, bool):
        raise BadCell(notes.no_date(str(cell).upper()))
    if isinstance(cell, int | float):
        return from_serial(cell, time_zone)
    text = cell.strip()
    return _instant_of_text(text, time_zone) if text else None


def _instant_of_text(text: str, time_zone: str) -> datetime:
    match = _ISO.fullmatch(text)
    if not match:
        raise BadCell(notes.ambiguous_date(text))
    day, time, offset = match.groups()
    try:
        moment = datetime.fromisoformat(f"{day}T{time or '00:00'}{offset or ''}")
    except ValueError as error:
        raise BadCell(notes.no_calendar_date(text)) from error
    if moment.year not in _PLAUSIBLE_YEARS:
        raise BadCell(notes.implausible_date(text))
    return (moment if offset else moment.replace(tzinfo=zone(time_zone))).astimezone(UTC)


def post_of(cell: Scalar) -> str:
    """The post that a Video URL leads to, however it was copied; empty for what is no address."""
    match = _URL.fullmatch(str(cell).strip())
    return f"{match[1].casefold()}{match[2].rstrip('/')}" if match else ""


def days(cell: Scalar) -> int | None:
    """A whole number of days, 1 to 3650; None when empty. Raises BadCell for anything else."""
    if isinstance(cell, str):
        if not cell.strip():
            return None
        match = _DAYS.fullmatch(cell.strip())
        value = float(match[1]) if match else 0.0
    else:
        value = 0.0 if isinstance(cell, bool) else float(cell)
    if not (value.is_integer() and 1 <= value <= 3650):
        raise BadCell(notes.no_days(cell))
    return int(value)


def length(text: str) -> int:
    """Characters as JavaScript counts them, in which most web forms and APIs are checked: an emoji is two."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def ticked(cell: Scalar) -> bool:
    """Whether a checkbox is ticked; words that people type for it count."""
    return cell is True or str(cell).strip().casefold() in _TICKED_WORDS


def same(one: object, other: object) -> bool:
    """Equality that tells a ticked checkbox from the number 1, though Python does not."""
    return one == other and isinstance(one, bool) == isinstance(other, bool)


def says(cell: Scalar, value: CellValue, time_zone: str) -> bool:
    """Whether a cell says a value: the one rule for it. Instants are compared to the second: serials are floats."""
    if not isinstance(value, datetime):
        return same(cell, value)
    return not isinstance(cell, bool | str) and abs(cell - to_serial(value, time_zone)) * 86400 < 0.5


def index_key(value: CellValue, time_zone: str) -> object:
    """A hashable under which equal cells and values are found together; `says` decides among them."""
    if isinstance(value, datetime):
        value = to_serial(value, time_zone)
    return value if isinstance(value, str) else (isinstance(value, bool), round(value * 86400))
