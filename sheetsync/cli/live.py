"""`sheetsync doctor --live`: what the safety rests on, tried on the services themselves, and told as a table.

Owns the question before it, the table, and the file that `--save` writes. What is tried is `live/`'s.
"""

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import click

from sheetsync import __version__
from sheetsync.cli.options import Selection
from sheetsync.cli.plain import plain
from sheetsync.cli.render import table
from sheetsync.clock import Clock
from sheetsync.config.load import Config
from sheetsync.errors import ConfigError, SheetsyncError
from sheetsync.ledger.store import Ledger
from sheetsync.live import portal as tokportal
from sheetsync.live.google import GoogleCheck
from sheetsync.live.probe import NOT_TRIED, Finding, is_safe, settled
from sheetsync.live.recording import Exchanges, redacted, scrubbed
from sheetsync.model import Tracker
from sheetsync.sheet.api import connect
from sheetsync.tokportal.client import TokPortal

STRANGER = "sk_" + 64 * "0"
"""A key that is nobody's."""

QUESTION = (
    "This makes four hidden tabs, named 'sheetsync live check ... (safe to delete)', in {sheets}, tries there what "
    "sheetsync relies on, and removes them: some 15 calls to Google, and 3 to TokPortal. No other tab is touched, and "
    "nothing is ordered. Go on?"
)

LEFT_BEHIND = "The scratch tabs are still there; the next `sheetsync doctor --live` removes them: "


@dataclass(frozen=True, slots=True)
class Options:
    """What the command was called with."""

    yes: bool
    save: Path | None
    correct: bool


def live(selection: Selection, options: Options) -> bool:
    """Ask, try, tell, and save; whether all that safety rests on is as expected. Raises SheetsyncError."""
    config, trackers = selection.load()
    sheets = {tracker.spreadsheet: tracker for tracker in trackers}
    if not options.yes:
        _ask(len(sheets))
    heard, found = Exchanges(), list[Finding]()
    try:
        for title, findings in _checks(config, list(sheets.values()), options.correct, heard):
            click.echo(plain("\n".join(_told(title, findings))))
            found += findings
    finally:
        # what failed is evidence as well
        if options.save:
            _save(options.save, found, heard, list(sheets))
    return is_safe(found)


def _ask(sheets: int) -> None:
    if not sys.stdin.isatty():
        raise click.UsageError("--live asks before it starts, and here is nobody to answer: add --yes.")
    click.confirm(QUESTION.format(sheets="the spreadsheet" if sheets == 1 else f"{sheets} spreadsheets"), abort=True)


def _checks(
    config: Config, sheets: Sequence[Tracker], correct: bool, heard: Exchanges
) -> Iterator[tuple[str, list[Finding]]]:
    """Each spreadsheet, then TokPortal: a title, and what was found."""
    clock = Clock()
    for tracker in sheets:
        api = connect(config.google.credentials, config.google.api_url, clock)
        api.watch(heard.hear)
        check = GoogleCheck(api, tracker, clock, heard)
        try:
            found = settled(check.findings())
        finally:
            if check.left_behind:
                click.echo(plain(LEFT_BEHIND + check.left_behind), err=True)
        yield f"Google Sheets, spreadsheet of tracker '{tracker.name}'", found
    key, url = config.tokportal.api_key, config.tokportal.api_url
    with TokPortal(key, url, clock) as portal, TokPortal(STRANGER, url, clock) as stranger:
        portal.watch(heard.hear)
        stranger.watch(heard.hear)
        found = tokportal.findings(portal, clock, _known_video(config, sheets))
        yield "TokPortal", [*found, *([tokportal.correction(portal, stranger)] if correct else [])]


def _known_video(config: Config, trackers: Sequence[Tracker]) -> str:
    """A video that has an ad code request, as far as the ledger knows."""
    with suppress(SheetsyncError), Ledger(config.state, read_only=True) as ledger:
        for tracker in trackers:
            for video in ledger.known(tracker.name).latest:
                return video
    return ""


def _told(title: str, findings: Sequence[Finding]) -> Iterator[str]:
    """The table, and below it what each difference means."""
    yield title
    lines = [(_word(found), found.probe.name, found.probe.expected, found.seen) for found in findings]
    yield table([("", "tried", "expected", "seen"), *lines])
    missed = [finding for finding in findings if not finding.is_expected]
    for finding in missed:
        yield f"{finding.probe.name}: {finding.seen}" + (f" ({finding.detail})" if finding.detail else "")
        if finding.is_different:
            yield f"  {finding.probe.means}"
    yield f"{len(missed)} of {len(findings)} not as expected." if missed else f"All {len(findings)} as expected."


def _word(finding: Finding) -> str:
    if finding.is_expected:
        return "ok"
    if finding.seen == NOT_TRIED:
        return "-"
    return "DIFFERENT" if finding.probe.is_safety else "differs"


def _save(path: Path, findings: Sequence[Finding], heard: Exchanges, spreadsheets: Sequence[str]) -> None:
    """What was found and heard, as JSON that may be shown to others. Raises ConfigError."""
    held = {
        "sheetsync": __version__,
        "findings": [
            {
                "tried": finding.probe.name,
                "expected": finding.probe.expected,
                "seen": finding.seen,
                "detail": scrubbed(finding.detail, spreadsheets),
            }
            for finding in findings
        ],
        "exchanges": [redacted(each, spreadsheets) for each in heard.all],
    }
    try:
        path.write_text(json.dumps(held, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    except OSError as error:
        raise ConfigError([f"{path}: cannot be written: {error.strerror}"]) from None
    click.echo(plain(f"Saved in {path}: no key, token, spreadsheet id, mail address or code stands in it."))
