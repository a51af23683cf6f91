"""`sheetsync history`: the story of one video as text and JSON: its events, and each ad code request it ever had.

Owns the words of what a request was; those of an event are `reporting/sentences.py`'s. Codes stand in clear: this goes
to whoever may read the ledger, never into a log.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import click

from sheetsync.cli.options import Selection, selecting
from sheetsync.cli.render import attributes, count, shown
from sheetsync.errors import UnknownVideos
from sheetsync.ledger.store import Generation, Ledger
from sheetsync.model import Origin, Tracker
from sheetsync.reporting.sentences import sentence
from sheetsync.steps import Event, RowSeen, link_to


@dataclass(frozen=True, slots=True)
class Story:
    """One video: its events, its ad code requests, and its row in each tracker as the last run there saw it."""

    video_id: str
    events: Sequence[Event]
    generations: Sequence[Generation]
    rows: Sequence[tuple[Tracker, RowSeen]]

    @property
    def in_use(self) -> Sequence[tuple[Tracker, RowSeen]]:
        """The rows with a code in use."""
        return [(tracker, row) for tracker, row in self.rows if row.code]

    @property
    def waiting(self) -> Sequence[tuple[Tracker, RowSeen]]:
        """The rows that waited for somebody in the last run."""
        return [(tracker, row) for tracker, row in self.rows if row.hold]

    def renewed(self, generation: Generation) -> str:
        """The request that a later one renews: the newest before it that brought a code. Empty where there is none."""
        before = self.generations[: self.generations.index(generation)]
        codes = [one.entry.request.id for one in before if one.tracker == generation.tracker and one.brought_code]
        return codes[-1] if codes else ""


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
    config, trackers = replace(selection, trackers=(name,) if name else ()).load()
    with Ledger(config.state, read_only=True) as ledger:
        rows = [(each, row) for each in trackers for row in ledger.rows_seen(each.name) if row.video_id == key]
        told = Story(key, ledger.history(key, name), ledger.entries(key, name), rows)
    if not (told.events or told.rows):
        raise UnknownVideos("The ledger knows no video", [key])
    click.echo(shown(selection, _history_json(told), _history_text(told)))


def _history_text(told: Story) -> str:
    """What happened, oldest first, in UTC; each ad code request with its codes and what it cost; the code in use, and
    what its rows wait for."""
    trackers = sorted({event.tracker for event in told.events} | {tracker.name for tracker, _ in told.rows})
    requests = [_generation(number, found, told) for number, found in enumerate(told.generations, start=1)]
    parts = [
        [f"video {told.video_id}  (tracker {', '.join(trackers)}; times in UTC)"],
        [f"  {event.at:%Y-%m-%d %H:%M:%S}  {sentence(event)}" for event in told.events],
        [count(len(requests), "ad code request") + (":" if requests else "")],
        requests,
        [*(_in_use(row, told) for _, row in told.in_use), *(_waiting(tracker, row) for tracker, row in told.waiting)],
    ]
    return "\n\n".join("\n".join(lines) for lines in parts if lines)


def _waiting(tracker: Tracker, row: RowSeen) -> str:
    return f"waits: {row.hold}  {link_to(tracker.spreadsheet, row.place)}".rstrip()


def _in_use(row: RowSeen, told: Story) -> str:
    entries = (generation.entry for generation in told.generations)
    is_of_request = any(e.request.id == row.request_id and e.origin is not Origin.TYPED for e in entries)
    whose = f"of {row.request_id}" if is_of_request else "typed by people"
    return f"code in use: {row.code}, {whose}, " + (
        f"until {row.ends:%Y-%m-%d %H:%M:%S}" if row.ends else "no end known"
    )


_TOLD_BY = {Origin.IMPORTED: ["told by its row, not confirmed"], Origin.TYPED: ["typed by people"]}
"""What a person should know of how a request came into the ledger; of the others the events tell."""


def _generation(number: int, found: Generation, told: Story) -> str:
    request, charged = found.entry.request, found.entry.credits_charged
    cost = "cost unknown" if charged is None else f"{charged} credits"
    if request.status == "cancelled":
        cost += ", refunded"
    codes = ", then ".join(code for _, code in found.codes) or "no code"
    renewed = [f"renewal of {told.renewed(found)}"] if told.renewed(found) else []
    parts = filter(None, (f"{number}. {request.id}", request.status, cost, codes))
    return "  " + "  ".join([*parts, *renewed, *_TOLD_BY.get(found.entry.origin, ())])


def _history_json(told: Story) -> dict[str, Any]:
    """The same as a document."""
    return {
        "video_id": told.video_id,
        "events": [attributes(event, "at", "tracker", "run_id", "kind", "detail") for event in told.events],
        "requests": [_generation_json(found, told) for found in told.generations],
        "codes_in_use": [
            {"tracker": tracker.name, **attributes(row, "request_id", "code"), "expires_at": row.ends}
            for tracker, row in told.in_use
        ],
        "holds": [
            {"tracker": tracker.name, "reason": row.hold, "link": link_to(tracker.spreadsheet, row.place)}
            for tracker, row in told.waiting
        ],
    }


def _generation_json(found: Generation, told: Story) -> dict[str, Any]:
    request = found.entry.request
    return {
        "tracker": found.tracker,
        "request_id": request.id,
        "status": request.status,
        **attributes(found.entry, "origin", "credits_charged"),
        "renewal_of": told.renewed(found) or None,
        "codes": [{"received_at": at, "code": code} for at, code in found.codes],
        **attributes(request, "created_at", "submitted_at", "delivered_at"),
    }
