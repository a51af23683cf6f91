"""`sheetsync history`: the story of one video as text and JSON: its events, and each ad code request it ever had.

Owns the words. Codes stand in clear: this goes to whoever may read the ledger, never into a log.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import click

from sheetsync.cli.options import Selection, selecting
from sheetsync.cli.render import attributes, count, shown
from sheetsync.errors import SheetsyncError
from sheetsync.ledger.store import Event, Generation, Ledger
from sheetsync.model import Origin

Detail = Mapping[str, Any]


@click.command()
@click.argument("key")
@click.option("--tracker", "name", metavar="NAME", help="Only this tracker's.")
@selecting("as_json")
def history(selection: Selection, key: str, name: str | None) -> None:
    """Tell the whole story of one video: every order, code, charge, status change and correction.

    \b
    KEY is the video id. Example:
      sheetsync history 47b8db25-ca2e-48b9-a751-1045b7e3b5bb
    """
    # a misspelt tracker is an error of its own, not a video that nobody knows
    config, _ = replace(selection, trackers=(name,) if name else ()).load()
    with Ledger(config.state, read_only=True) as ledger:
        events, generations = ledger.history(key, name), ledger.entries(key, name)
    if not events:
        raise SheetsyncError(f"The ledger knows no video '{key}'. Is it the id in the key column?")
    click.echo(shown(selection, _history_json(key, events, generations), _history_text(key, events, generations)))


def _history_text(video_id: str, events: Sequence[Event], generations: Sequence[Generation]) -> str:
    """What happened, oldest first, in UTC; then each ad code request with its codes and what it cost."""
    trackers = sorted({event.tracker for event in events})
    lines = [f"video {video_id}  (tracker {', '.join(trackers)}; times in UTC)", ""]
    lines += [f"  {event.at:%Y-%m-%d %H:%M:%S}  {sentence(event)}" for event in events]
    lines += ["", f"{count(len(generations), 'ad code request')}:", ""]
    lines += [_generation(number, found) for number, found in enumerate(generations, start=1)]
    return "\n".join(lines)


def sentence(event: Event) -> str:
    """One event in words; a kind unknown here is told by its name."""
    tell = _SENTENCES.get(event.kind)
    return tell(event.detail) if tell else event.kind


def _ordered(detail: Detail) -> str:
    left = detail.get("credits_left")
    balance = "" if left is None else f", {left} left"
    charged = detail.get("credits_charged")
    price = "price not told" if charged is None else f"{charged} credits"
    return f"ordered ({detail.get('mark', '')}): {price}{balance}; request {detail.get('request_id')}"


def _about_to_order(detail: Detail) -> str:
    """With what the gates rested on: orders from before that was kept tell none of it."""
    ticked = [f"ticked: {', '.join(detail['ticked'])}"] if "ticked" in detail else []
    filled = [f"{header}: {text}" for header, text in detail.get("filled", {}).items()]
    trail = "; ".join(["", *ticked, *filled])
    return f"about to order ({detail.get('mark')}), key {detail.get('idempotency_key')}{trail}"


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
    "released": lambda _: "its row is gone, and that was accepted",
}


def _generation(number: int, found: Generation) -> str:
    request, charged = found.entry.request, found.entry.credits_charged
    cost = "cost unknown" if charged is None else f"{charged} credits"
    if request.status == "cancelled":
        cost += ", refunded"
    codes = ", then ".join(code for _, code in found.codes) or "no code"
    return f"  {number}. {request.id}  {request.status}  {cost}  {codes}"


def _history_json(video_id: str, events: Sequence[Event], generations: Sequence[Generation]) -> dict[str, Any]:
    """The same as a document."""
    return {
        "video_id": video_id,
        "events": [attributes(event, "at", "tracker", "run_id", "kind", "detail") for event in events],
        "requests": [_generation_json(found) for found in generations],
    }


def _generation_json(found: Generation) -> dict[str, Any]:
    request = found.entry.request
    return {
        "tracker": found.tracker,
        "request_id": request.id,
        "status": request.status,
        **attributes(found.entry, "origin", "credits_charged"),
        "codes": [{"received_at": at, "code": code} for at, code in found.codes],
        **attributes(request, "created_at", "submitted_at", "delivered_at"),
    }
