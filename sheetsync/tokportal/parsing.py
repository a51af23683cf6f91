"""What a body of TokPortal's says: bytes in, values or Unreadable out.

Owns the shapes of the answers: tolerant of unknown fields and statuses, strict where money and cells depend on it.
PURE: sends nothing, knows no HTTP library, raises nothing but Unreadable whatever the bytes.
Sources: sources/ad-code-request.txt ("Response"), reference/tokportal.md sections 2, 5 and 8.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from math import floor

from sheetsync.model import AdCodeRequest

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_SECRET = re.compile(r"(?:sk_|tok_live_)\w{4,}|#?TTSpark_\S+|#[\w+/=-]{12,}")
_WORD = r"(?=\S{0,200}?"  # as far as a word is looked ahead: a text of a million letters is searched all the same
_LIKE_A_CODE = re.compile(
    r"#[^\s,;:'\"<>()]{6,}"
    # a word with small and capital letters and digits, and one that Base64 has beside them, or a long one; no address
    rf"|(?<![\w+/=.-])(?!//|\S{{0,9}}://){_WORD}[a-z]){_WORD}[A-Z]){_WORD}[0-9])"
    rf"(?:{_WORD}[+/=])[\w+/=.-]{{12,}}|[\w+/=.-]{{20,}})"
)
"""Words of an error in which a code may be quoted: of what spelling, nobody knows (Instagram's have another)."""
_MOST_LOOKED_THROUGH = 20_000  # characters of an error's message
_MOST_CREDITS = 2**53  # a cell holds a float: larger whole numbers would be written wrong
_DEEPEST = 5  # levels within one movement of credits that are looked through for ids


class Unreadable(Exception):
    """An answer that does not say what it has to. The text names fields, never their values."""


@dataclass(frozen=True, slots=True)
class Movement:
    """One movement of the account's credits: negative where they were spent. `kind` is TokPortal's description.

    `words` is all that it says anywhere: no source tells where it names an ad code request (reference Q16).
    """

    id: str
    at: datetime
    amount: int
    kind: str
    words: frozenset[str]


@dataclass(frozen=True, slots=True)
class History:
    """Movements of credits, how many could not be read, and whether these are all."""

    movements: tuple[Movement, ...]
    unreadable: int
    is_whole: bool


def latest(content: bytes, video_id: str) -> AdCodeRequest | None:
    """The request in the answer to a poll; None where `data` is null: the video has none."""
    data, _ = _answer(content)
    return None if data is None else _request(data, video_id)


def ordered(content: bytes, video_id: str) -> tuple[AdCodeRequest, int | None, int | None]:
    """The request in the answer to an order, with credits charged and remaining, which stand beside `data`."""
    data, envelope = _answer(content)
    if data is None:
        raise Unreadable("data is null")
    charged, remaining = envelope.get("credits_charged"), envelope.get("credits_remaining")
    return _request(data, video_id), _credits(charged), _balance(remaining)


def charge(content: bytes) -> int | None:
    """Credits charged, as they stand beside a `data` that cannot be read; None where they are not told."""
    return _credits(_member(_json(content), "credits_charged"))


def balance(content: bytes) -> int:
    """Credits left: `total_credits`, in older answers `credits` (reference/tokportal.md 8)."""
    data, _ = _answer(content)
    for name in ("total_credits", "credits"):
        found = _balance(_member(data, name))
        if found is not None:
            return found
    raise Unreadable("it names no number of credits")


def movements(content: bytes, page: int, per_page: int, key: str) -> History:
    """One page of the credit history; the last one is whole (reference/tokportal.md 8, "Pagination" in 9)."""
    body = _json(content)
    data = _member(body, "data")
    if not isinstance(data, list):
        raise Unreadable("data is missing or not a list")
    found = tuple(filter(None, (_movement(item, key) for item in data)))
    pages = _credits(_member(_member(body, "pagination"), "total_pages"))
    is_last = len(data) < per_page if pages is None else page >= pages
    return History(found, len(data) - len(found), is_last or not data)


def _movement(item: object, key: str) -> Movement | None:
    at, amount = _instant(_member(item, "created_at")), _credits(_member(item, "amount"), -_MOST_CREDITS)
    if at is None or amount is None:
        return None
    words = frozenset(word for text in _strings(item, _DEEPEST) for word in re.findall(r"[\w-]+", text))
    # the one sample has debits below zero; one that is told by its type alone is no other
    amount = -abs(amount) if _member(item, "type") == "debit" else amount
    kind = plain(_member(item, "description"), 80, key)
    return Movement(str(_member(item, "id") or json.dumps(item)), at, amount, kind, words)


def _strings(value: object, depth: int) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif depth and isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _strings(part, depth - 1)


def problem(content: bytes, key: str) -> tuple[str, str]:
    """Code and message of an error answer, whatever its shape (reference/tokportal.md 5), made plain."""
    body = _json(content)
    if body is None:
        text = content.decode(errors="replace")
        body = {"message": "a web page instead of an answer" if "<" in text else text}
    error = _member(body, "error")
    holder = error if isinstance(error, dict) else body
    message = error if isinstance(error, str) else _member(holder, "message")
    return plain(_member(holder, "code"), 80, key), plain(_without_codes(message, key), 300, key)


def _without_codes(message: object, key: str) -> str:
    if not isinstance(message, str):
        return ""
    # the key first: half of one, left over by what looks like a code, would not be known any more
    text = " ".join(message.replace(key, "***").split())
    # of a whole page only the beginning is looked through, and no word of it in part
    begun = text if len(text) <= _MOST_LOOKED_THROUGH else text[:_MOST_LOOKED_THROUGH].rpartition(" ")[0]
    return _LIKE_A_CODE.sub("***", begun)


def retry_after_seconds(content: bytes) -> object:
    """`error.details.retry_after_seconds`, unchecked."""
    return _member(_member(_member(_json(content), "error"), "details"), "retry_after_seconds")


def plain(value: object, most: int, key: str) -> str:
    """Foreign text made fit for a cell, a log and a terminal: one line, neither key nor code, at most `most` long."""
    if not isinstance(value, str):
        return ""
    text = " ".join(_CONTROL.sub(" ", value).split())
    # Masked before it is cut: half a key is still a secret.
    return _SECRET.sub("***", text.replace(key, "***"))[:most]


def _json(content: bytes) -> object:
    """The body as JSON; None (like a bare null) where it is none, or nested deeper than Python reads."""
    try:
        found: object = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return found


def _member(value: object, name: str) -> object:
    """A member of a JSON object; None where there is none, or no object."""
    return value.get(name) if isinstance(value, dict) else None


def _answer(content: bytes) -> tuple[dict[str, object] | None, dict[str, object]]:
    """`data`, and the whole it stands in.

    `data` must be there: an absent one is not the null that means "no request yet", and may be ordered upon.
    """
    body = _json(content)
    if not isinstance(body, dict):
        raise Unreadable("not a JSON object")
    if body.get("error"):
        raise Unreadable("it reports success and an error at once")
    data = body.get("data", ...)
    if data is not None and not isinstance(data, dict):
        raise Unreadable("data is missing or not an object")
    return data, body


def _request(data: Mapping[str, object], video_id: str) -> AdCodeRequest:
    """`data` as the ad code request of the video that was asked for."""
    echoed = data.get("video_id")
    # A UUID may come back in the other case than a person typed it.
    if echoed is not None and (not isinstance(echoed, str) or echoed.casefold() != video_id.casefold()):
        raise Unreadable("it is about another video")
    return AdCodeRequest(
        id=_required(data, "ad_code_request_id"),
        video_id=video_id,
        status=_required(data, "status"),
        platform=_optional(data.get("platform"), 50) or "",
        code=_code(data.get("code")),
        note=_optional(data.get("note"), 500),
        created_at=_instant(data.get("created_at")),
        submitted_at=_instant(data.get("submitted_at")),
        delivered_at=_instant(data.get("delivered_at")),
    )


def _required(data: Mapping[str, object], name: str) -> str:
    value = data.get(name)
    if not isinstance(value, str) or not value or value != value.strip():
        raise Unreadable(f"{name} is missing or not a word")
    if len(value) > 200 or _CONTROL.search(value):
        raise Unreadable(f"{name} is too long or holds control characters")
    return value


def _code(value: object) -> str | None:
    """The code as it came, without blanks around it; None where it is null or empty."""
    if value is None:
        return None
    if not isinstance(value, str) or len(value) > 5000 or _CONTROL.search(value.strip()):
        raise Unreadable("code is not a line of text")
    return value.strip() or None


def _optional(value: object, most: int) -> str | None:
    return _CONTROL.sub(" ", value)[:most] if isinstance(value, str) else None


def _credits(value: object, least: int = 0) -> int | None:
    """What was charged: a whole number; None for anything else (true is not 1, and 7.0 or "7" are no promise of 7)."""
    if isinstance(value, int) and not isinstance(value, bool) and least <= value <= _MOST_CREDITS:
        return value
    return None


def _balance(value: object) -> int | None:
    """What is left, also told as text; a part of a credit pays for nothing. None for anything else."""
    if isinstance(value, str) and re.fullmatch(r"\s*-?[0-9]{1,16}(\.[0-9]+)?\s*", value):
        value = float(value)
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= _MOST_CREDITS:
        return floor(value)
    return None


def _instant(value: object) -> datetime | None:
    """An ISO 8601 time with an offset, in UTC and whole seconds; None where it is unreadable.

    Years out of reason count as unreadable: windows are added to these times, and they become dates in a sheet.
    """
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) else None
        if found is None or found.tzinfo is None or not 2000 <= found.year < 2200:
            return None
        return found.astimezone(UTC).replace(microsecond=0)
    except (ValueError, OverflowError):
        return None
