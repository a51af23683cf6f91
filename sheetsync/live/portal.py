"""The live check of TokPortal: what may be asked for free.

It never orders, and never sends a dry run of an order either: if that header were ignored, it would cost.
"""

from collections.abc import Callable
from uuid import uuid4

from sheetsync.clock import Clock
from sheetsync.errors import CallRefused, Unavailable
from sheetsync.live.google import clock_finding
from sheetsync.live.probe import NOT_TRIED, Finding, Probe
from sheetsync.sync.execute import try_correction
from sheetsync.tokportal.client import TokPortal

BALANCE = Probe("the credit balance", "a number", "Nothing can be ordered without it. Report this.")
LATEST = Probe("the request of a known video", "read", "Codes cannot be fetched. Do not run sync; report this.")
NO_VIDEO = Probe(
    "a video id that is nobody's",
    "refused, with a code",
    "A mistyped Video ID shows only when its code is ordered: TokPortal refuses it then, and charges nothing.",
    is_safety=False,
)
CORRECTION = Probe(
    "corrections with an API key",
    "taken",
    "`correct` in Action does not reach TokPortal: report codes in its dashboard.",
    is_safety=False,
)


def findings(portal: TokPortal, clock: Clock, known_video: str) -> list[Finding]:
    """What reads tell. Raises CredentialsError where the key is not accepted."""
    found = [Finding(BALANCE, *_told(lambda: str(portal.balance()), "a number"))]
    if known_video:
        found.append(Finding(LATEST, *_told(lambda: str(portal.latest(known_video) and ""), "read")))
    else:
        found.append(Finding(LATEST, "read", "none is known yet"))
    found.append(_of_nobody(portal))
    return [*found, clock_finding("TokPortal's", portal.server_time, clock.now())]


def _told(ask: Callable[[], str], well: str) -> tuple[str, str]:
    try:
        ask()
    except (CallRefused, Unavailable) as error:
        return "not readable", str(error)
    return well, ""


def _of_nobody(portal: TokPortal) -> Finding:
    try:
        latest = portal.latest(str(uuid4()))
    except CallRefused as no:
        return Finding(NO_VIDEO, "refused, with a code" if no.code else "refused, without a code", str(no))
    except Unavailable as error:
        return Finding(NO_VIDEO, NOT_TRIED, str(error))
    return Finding(NO_VIDEO, "no request" if latest is None else "somebody's request")


def correction(portal: TokPortal, stranger: TokPortal) -> Finding:
    """Whether the correction's route takes keys: then it turns a stranger's away, and says something else to ours."""
    ours, theirs = try_correction(portal), try_correction(stranger)
    is_taken = ours and theirs and theirs.http_status in (401, 403) and ours.http_status not in (401, 403, 405)
    return Finding(CORRECTION, "taken" if is_taken else "not taken", str(ours or "no definite answer"))
