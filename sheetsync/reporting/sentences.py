"""PURE: what happened to a video, in words: for `history` and for the report.

Owns a sentence for each kind of event, and who let an order pass. A code stands in it in clear.
"""

from collections.abc import Callable, Mapping
from typing import Any

from sheetsync.model import Origin
from sheetsync.steps import Event

Detail = Mapping[str, Any]


def sentence(event: Event) -> str:
    """One event in words; a kind unknown here is told by its name."""
    tell = _SENTENCES.get(event.kind)
    return tell(event.detail) if tell else event.kind


def approvals(detail: Detail) -> str:
    """What the gates of an order rested on; those from before that was kept tell none of it."""
    ticked = [f"ticked: {', '.join(detail['ticked'])}"] if "ticked" in detail else []
    filled = [f"{header}: {text}" for header, text in detail.get("filled", {}).items()]
    return "; ".join([*ticked, *filled])


def _ordered(detail: Detail) -> str:
    left = detail.get("credits_left")
    balance = "" if left is None else f", {left} left"
    charged = detail.get("credits_charged")
    price = "price not told" if charged is None else f"{charged} credits"
    return f"ordered ({detail.get('mark', '')}): {price}{balance}; request {detail.get('request_id')}"


def _about_to_order(detail: Detail) -> str:
    about = f"about to order ({detail.get('mark')}), key {detail.get('idempotency_key')}"
    return "; ".join(filter(None, (about, approvals(detail))))


def _adopted(detail: Detail) -> str:
    request, origin = detail.get("request_id"), detail.get("origin")
    if origin == Origin.ORDERED:
        assumed = " (assumed: the answer was lost)" if detail.get("credits_assumed") else ""
        return f"the order had happened: request {request}, {detail.get('credits_charged')} credits{assumed}"
    was = {
        Origin.ADOPTED_OPEN.value: "was open already",
        Origin.ADOPTED_EXISTING.value: "had a code already",
        Origin.ADOPTED_RENEWED.value: "was renewed already",
    }
    return f"request {request} {was.get(str(origin), 'is known')}: taken over, nothing charged"


def _told_by_tiktok(detail: Detail) -> str:
    ends = f", until {str(detail['ends'])[:16].replace('T', ' ')} UTC" if detail.get("ends") else ""
    said = f"{detail.get('state')} ({detail['refusal']})" if detail.get("refusal") else detail.get("state") or "nothing"
    return f"TikTok says of code {detail.get('name')}: {said}{ends}"


_SENTENCES: Mapping[str, Callable[[Detail], str]] = {
    "found": lambda d: f"seen at TokPortal: request {d.get('request_id')}, {d.get('status')}",
    "imported": lambda d: f"the sheet told of {d.get('request_id')}, {d.get('status') or 'typed by people'}",
    "intent": _about_to_order,
    "resend": lambda d: f"about to order again, with the same key {d.get('idempotency_key')}",
    "ordered": _ordered,
    "adopted": _adopted,
    "refused": lambda d: f"not ordered: {d.get('text')}",
    "uncertain": lambda d: f"no clear answer to the order: {d.get('detail')}",
    "lapsed": lambda _: "the order never happened, and is given up",
    "status": lambda d: f"status {d.get('from')} -> {d.get('to')}",
    "code": lambda d: f"code received: {d.get('code')}",
    "correction intent": lambda d: f"about to report code {d.get('code')}: {d.get('feedback')}",
    "correction sent": lambda d: f"code {d.get('code')} reported as not working",
    "correction failed": lambda d: f"the report was refused: {d.get('text')}",
    "tiktok": _told_by_tiktok,
    "released": lambda _: "its row is gone, and that was accepted",
}
