"""The settings of a run: one YAML file (design 6), checked by hand, with every problem reported at once.

Owns which settings there are, their defaults and bounds, and how they hang together. Reading YAML with positions
is `yamlfile.py`'s. Does not look whether the credentials file, the spreadsheet or TokPortal is there:
`sheetsync doctor` does.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import yaml

from sheetsync.columns import BY_KEY, Kind, Owner, header_of, normal
from sheetsync.config.yamlfile import Place, Reader, Section, Whole, line_of, read, shown
from sheetsync.errors import ConfigError
from sheetsync.model import Tracker

GOOGLE_URL = "https://sheets.googleapis.com"
TOKPORTAL_URL = "https://app.tokportal.com"

AUTHORIZATION_DAYS = Whole("days", 30, 1, 3650)
WARN_HOURS = Whole("hours", 72, 0, 8760)
MAX_ORDERS_PER_RUN = Whole("orders", 25, 0, 10_000)
KEEP_CREDITS = Whole("credits", 0, 0, 1_000_000_000)
POLL_SECONDS = Whole("seconds", 120, 0, 3600)

TOP_KEYS = ("google", "tokportal", "state", "trackers", "run")
GOOGLE_KEYS = ("credentials", "api_url")
TOKPORTAL_KEYS = ("api_key", "api_url")
TRACKER_KEYS = (
    "name",
    "spreadsheet",
    "worksheet",
    "authorization_days",
    "warn_hours",
    "max_orders_per_run",
    "keep_credits",
    "require",
    "approve",
    "columns",
)
RUN_KEYS = ("poll_seconds",)

APPROVE = ("caption_final", "sound_cleared")

_PERSON_KEYS = tuple(column.key for column in BY_KEY.values() if column.owner is Owner.PERSON)
_CHECKBOX_KEYS = tuple(key for key in _PERSON_KEYS if BY_KEY[key].kind is Kind.CHECKBOX)
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,63}")
_SHEET_ID = re.compile(r"[A-Za-z0-9_-]+")
# "d/e/..." is a page published to the web: it has no id that the API would take.
_SHEET_URL = re.compile(r"https?://[^/]+/(?:.*/)?spreadsheets/(?:u/\d+/)?d/(?!e/)([A-Za-z0-9_-]+)(?:[/?#].*)?")


@dataclass(frozen=True, slots=True)
class GoogleSettings:
    """How to reach Google Sheets; without `credentials`, Application Default Credentials are used."""

    credentials: Path | None
    api_url: str


@dataclass(frozen=True, slots=True)
class TokPortalSettings:
    """How to reach TokPortal. The key is left out of the repr, so that no log or traceback shows it."""

    api_key: str = field(repr=False)
    api_url: str


@dataclass(frozen=True, slots=True)
class RunSettings:
    """What bounds a run: the seconds it may spend polling."""

    poll_seconds: int


@dataclass(frozen=True, slots=True)
class Config:
    """A configuration that has passed every check. All paths are absolute, except `path`: the file as it was named."""

    google: GoogleSettings
    tokportal: TokPortalSettings
    state: Path
    trackers: tuple[Tracker, ...]
    run: RunSettings
    path: Path


def default_path(environ: Mapping[str, str]) -> Path:
    """The configuration to use when the command line names none: $SHEETSYNC_CONFIG, else ./sheetsync.yaml."""
    return Path(environ.get("SHEETSYNC_CONFIG") or "sheetsync.yaml")


def load(path: Path, environ: Mapping[str, str]) -> Config:
    """Read and check the configuration file.

    Raises ConfigError with every problem found, as `file:line: key: what is wrong, what is expected`.
    """
    root = read(path)
    reader = Reader(path, environ)
    top = reader.section(Place("", line_of(root), root), TOP_KEYS)
    config = Config(
        google=_google(reader, top.at("google")),
        tokportal=_tokportal(reader, top.at("tokportal")),
        state=reader.file(top.at("state"), "state.db"),
        trackers=_trackers(reader, top.at("trackers")),
        run=_run(reader, top.at("run")),
        path=path,
    )
    if reader.problems:
        raise ConfigError(reader.problems)
    return config


def _google(reader: Reader, place: Place) -> GoogleSettings:
    section = reader.section(place, GOOGLE_KEYS)
    at = section.at("credentials")
    credentials = reader.file(at, "service-account.json") if at.node else None
    return GoogleSettings(credentials, reader.url(section.at("api_url"), GOOGLE_URL))


def _tokportal(reader: Reader, place: Place) -> TokPortalSettings:
    section = reader.section(place, TOKPORTAL_KEYS)
    api_url = reader.url(section.at("api_url"), TOKPORTAL_URL)
    if api_url.endswith("/api/ext"):
        # Corrections are sent outside /api/ext, so the path belongs to the calls, not to the address.
        reader.problem(section.at("api_url"), "ends with /api/ext; expected the address without it")
    return TokPortalSettings(_api_key(reader, section.at("api_key")), api_url)


def _api_key(reader: Reader, place: Place) -> str:
    key = (reader.text(place, "the API key, best as ${TOKPORTAL_API_KEY}") or "").strip()
    if not re.fullmatch(r"[!-~]*", key):
        reader.problem(place, "holds spaces or characters beyond ASCII; expected the key as TokPortal shows it")
    elif key.startswith("$"):
        reader.problem(place, "is the name of a variable, not a key; expected ${NAME}, with braces")
    return key


def _run(reader: Reader, place: Place) -> RunSettings:
    return RunSettings(reader.whole(reader.section(place, RUN_KEYS).at("poll_seconds"), POLL_SECONDS))


def _trackers(reader: Reader, place: Place) -> tuple[Tracker, ...]:
    expected = "a list of at least one tracker, each beginning with `- name:`"
    sections = [reader.section(item, TRACKER_KEYS) for item in reader.items(place, expected)]
    if not sections and (place.node is None or isinstance(place.node, yaml.SequenceNode)):
        reader.problem(place, f"is missing or empty; expected {expected}")
    trackers = tuple(_tracker(reader, section) for section in sections)
    _refuse_twins(reader, sections, trackers)
    sharing = Counter(tracker.spreadsheet for tracker in trackers)
    return tuple(replace(tracker, summary_tab=_summary_tab(tracker, sharing)) for tracker in trackers)


def _summary_tab(tracker: Tracker, sharing: Mapping[str, int]) -> str:
    """The tab that a tracker's summary is kept in: one for each tracker where several share a spreadsheet."""
    is_alone = sharing[tracker.spreadsheet] == 1 and normal(tracker.worksheet) != "summary"
    return "Summary" if is_alone else f"Summary {tracker.worksheet}"[:100]


def _tracker(reader: Reader, section: Section) -> Tracker:
    return Tracker(
        name=_name(reader, section.at("name")),
        spreadsheet=_spreadsheet(reader, section.at("spreadsheet")),
        worksheet=reader.text(section.at("worksheet"), "the name of the tab, for example Tracker") or "",
        authorization_days=reader.whole(section.at("authorization_days"), AUTHORIZATION_DAYS),
        warn_hours=reader.whole(section.at("warn_hours"), WARN_HOURS),
        max_orders_per_run=reader.whole(section.at("max_orders_per_run"), MAX_ORDERS_PER_RUN),
        keep_credits=reader.whole(section.at("keep_credits"), KEEP_CREDITS),
        require=reader.keys(section.at("require"), _PERSON_KEYS, ()),
        approve=reader.keys(section.at("approve"), _CHECKBOX_KEYS, APPROVE),
        columns=_columns(reader, section.at("columns")),
    )


def _name(reader: Reader, place: Place) -> str:
    name = reader.text(place, "a short name, for example acme") or ""
    if name and not _NAME.fullmatch(name):
        # It stands in file names and on the command line.
        reader.problem(place, f"{shown(place)} cannot be a name; expected letters, digits, - and _, at most 64")
    return name


def _spreadsheet(reader: Reader, place: Place) -> str:
    text = (reader.text(place, "the id of the spreadsheet, or its whole URL") or "").strip()
    url = _SHEET_URL.fullmatch(text)
    if text and not url and not _SHEET_ID.fullmatch(text):
        reader.problem(
            place, f"{shown(place)} is no spreadsheet; expected its id, or the URL in the browser's address bar"
        )
    return url[1] if url else text


def _columns(reader: Reader, place: Place) -> Mapping[str, str]:
    section = reader.section(place, tuple(BY_KEY))
    renamed: dict[str, str] = {}
    for key in section.nodes:
        header = reader.text(section.at(key), "the header as the sheet has it")
        if header is not None:
            renamed[key] = header
    for key, other in _clashes(renamed):
        at = section.at(key)
        reader.problem(at, f"{shown(at)} is the header of {other} too; expected a header of its own")
    return renamed


def _clashes(renamed: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Each renamed column whose header another column has, with that other; of two renamed ones, the later."""
    owners = {normal(header_of(key, renamed)): key for key in BY_KEY if key not in renamed}
    for key, header in renamed.items():
        other = owners.setdefault(normal(header), key)
        if other != key:
            yield key, other


def _refuse_twins(reader: Reader, sections: list[Section], trackers: tuple[Tracker, ...]) -> None:
    """No two trackers with one name (it names files) or on one tab (they would write the same cells).

    Google compares tab names, and some file systems file names, without regard to case.
    """
    names: dict[str, int] = {}
    tabs: dict[tuple[str, str], int] = {}
    for index, (section, tracker) in enumerate(zip(sections, trackers, strict=True)):
        first = names.setdefault(tracker.name.casefold(), index)
        if tracker.name and first != index:
            at = section.at("name")
            reader.problem(at, f"{shown(at)} is the name of trackers[{first}] too; expected a name of its own")
        first = tabs.setdefault((tracker.spreadsheet, tracker.worksheet.casefold()), index)
        if tracker.spreadsheet and tracker.worksheet and first != index:
            at = section.at("worksheet")
            reader.problem(at, f"{shown(at)} is the tab of trackers[{first}] too; expected one tracker for each tab")
