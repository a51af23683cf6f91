"""One code's life as a media buyer sees it: delivered, flagged, renewed, cancelled, renewed again, delivered."""

from __future__ import annotations

from support.doctored import VIDEO, Doctored

from sheetsync import notes
from sheetsync.columns import from_serial, shown_instant

SEEN = ("status", "spark_code", "expires_at", "expiry", "stage", "credits_charged", "sync_note")
UNTIL = "Another code of this video may still run, until 2026-07-16 10:22."


def picture(bench: Doctored) -> tuple[object, ...]:
    """What the row says, its codes named by their turn."""
    turns = {request.code: n for n, request in enumerate(bench.requests(VIDEO), start=1) if request.code}
    row = bench.row(VIDEO)
    said = {key: row.get(key, "") for key in SEEN}
    code = turns.get(str(said["spark_code"]))
    ends = "" if said["expires_at"] == "" else shown_instant(from_serial(row["expires_at"], "Etc/GMT"), "Etc/GMT")
    return (
        said["status"], f"code {code}" if code else "", ends, said["expiry"], said["stage"], said["credits_charged"],
        said["sync_note"],
    )  # fmt: skip


def test_a_code_and_its_renewals() -> None:
    """At every step the row says what may run until when, and what it has cost."""
    bench, portal = (made := Doctored()), made.world.portal
    seen = []

    def step(**time: float) -> None:
        bench.later(**time)
        bench.sync()
        seen.append(picture(bench))

    bench.mark("request", VIDEO)
    step()
    portal.submit(VIDEO)
    portal.deliver(VIDEO)
    step(hours=2)
    step(days=27, hours=-2)
    bench.mark("renew", VIDEO)
    step(hours=1)
    portal.cancel(VIDEO)
    step(hours=1)
    bench.mark("renew", VIDEO)
    step(hours=1)
    portal.submit(VIDEO)
    step(hours=1)
    portal.deliver(VIDEO)
    step(days=3)
    step(days=24)
    first, second = "2026-07-16 10:22", "2026-08-12 13:22"
    assert seen == [
        ("pending", "", "", "", "requested", 7, ""),
        ("finalized", "code 1", first, "ok", "received", 7, ""),
        ("finalized", "code 1", first, "renewal needed", "renewal needed", 7, ""),
        ("pending", "code 1", first, "renewal needed", "renewal needed", 14, notes.RENEWAL_UNDER_WAY),
        ("cancelled", "code 1", first, "renewal needed", "renewal needed", 7,
         f"{notes.CANCELLED} {notes.EARLIER_CODE_SHOWN}"),
        ("pending", "code 1", first, "renewal needed", "renewal needed", 14, notes.RENEWAL_UNDER_WAY),
        ("in_review", "code 3", second, "ok", "received", 14, UNTIL),
        ("finalized", "code 3", second, "ok", "received", 14, ""),
        ("finalized", "code 3", second, "renewal needed", "renewal needed", 14, ""),
    ]  # fmt: skip
    assert (bench.charged(VIDEO), len(bench.requests(VIDEO))) == (14, 3)
