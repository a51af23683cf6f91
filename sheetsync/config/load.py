"""From the file to a Config: one YAML file, checked as a whole, with every problem reported at once.

Owns the order of the checks, what settings mean together, and the words for what is wrong. What a single value may be
is `settings.py`'s, where it stands `positions.py`'s, and what `${NAME}` stands for `variables.py`'s.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from sheetsync.authorizations import Access
from sheetsync.columns import BY_KEY, OURS, header_of, key_of, normal
from sheetsync.config import addresses, settings
from sheetsync.config.positions import AS_WRITTEN, Document, Location, Problem, kind
from sheetsync.config.variables import Variables
from sheetsync.errors import ConfigError
from sheetsync.fills import Fill
from sheetsync.model import Tracker
from sheetsync.receivers import Alerting
from sheetsync.state import State

# What is wrong, by pydantic's type of error: its own words are for programmers, and may show a value.
_SENTENCES = {
    "missing": "is missing; expected {expected}",
    "extra_forbidden": "is not a known key; {nearest}",
    "model_type": "is {kind}; expected {expected}",
    "tuple_type": "is {kind}; expected {expected}",
    "dict_type": "is {kind}; expected {expected}",
    "string_type": "is {kind}; expected {expected}",
    "string_too_short": "is empty; expected {expected}",
    "too_short": "is missing or empty; expected {expected}",
    "int_parsing": AS_WRITTEN + " is not a whole number; expected {expected}",
    "greater_than_equal": AS_WRITTEN + " is out of bounds; expected {bounds}",
    "less_than_equal": AS_WRITTEN + " is out of bounds; expected {bounds}",
}
# And by what two places cannot both have.
_SAME_NAME = AS_WRITTEN + " is the name of trackers[{index}] too; expected a name of its own"
_SAME_TAB = AS_WRITTEN + " is the tab of trackers[{index}] too; expected one tracker for each tab"
_SAME_HEADER = AS_WRITTEN + " is the header of {key} too; expected a header of its own"
_SAME_KEY = AS_WRITTEN + " stands twice; expected once"
_OURS = AS_WRITTEN + " is written by sheetsync; expected a column that people fill in"


@dataclass(frozen=True, slots=True)
class Config:
    """A configuration that has passed every check. All paths are absolute, except `path`: the file as it was named."""

    google: settings.GoogleSettings
    tokportal: settings.TokPortalSettings
    state: State
    trackers: tuple[Tracker, ...]
    run: settings.RunSettings
    alerting: Alerting
    worker: settings.WorkerSettings
    path: Path


def default_path(environ: Mapping[str, str]) -> Path:
    """The configuration to use when the command line names none: $SHEETSYNC_CONFIG, else ./sheetsync.yaml."""
    return Path(environ.get("SHEETSYNC_CONFIG") or "sheetsync.yaml")


def variables_beside(path: Path, environ: Mapping[str, str]) -> Variables:
    """What `${NAME}` stands for, in the configuration file or on a command line beside it."""
    return Variables(environ, handed_over(path.parent / ".env", environ))


def load(path: Path, environ: Mapping[str, str]) -> Config:
    """Read and check the configuration file.

    Raises ConfigError with every problem found, as `file:line: key: what is wrong, what is expected`.
    """
    document = Document(path)
    variables = variables_beside(path, environ)
    context = {"variables": variables, "folder": path.absolute().parent}
    found = [*document.repeated, *_clashes(document, variables)]
    try:
        checked = settings.Settings.model_validate(document.values, context=context)
    except ValidationError as error:
        found += [problem for one in error.errors(include_input=False) for problem in _refusals(document, one)]
    if found or variables.problems:
        found.sort(key=lambda problem: problem[0])
        raise ConfigError([*variables.problems, *(f"{path}:{line}: {text}" for line, text in found)])
    google = checked.google
    if google.credentials:
        google = google.model_copy(update={"credentials": handed_over(google.credentials, environ)})
    sections = google, checked.tokportal, checked.state, _trackers(checked.trackers), checked.run
    return Config(*sections, _alerting(checked), checked.worker, path)


def handed_over(secret: Path, environ: Mapping[str, str]) -> Path:
    """A file with secrets, or the one of the same name that systemd hands over (LoadCredential): that one goes before.

    Thus the service need not be able to read the files themselves. What is wrong with one, its reader says.
    """
    given = Path(environ.get("CREDENTIALS_DIRECTORY") or secret.parent) / secret.name
    return given if os.path.exists(given) else secret


def _trackers(checked: Sequence[settings.TrackerSettings]) -> tuple[Tracker, ...]:
    sharing = Counter(each.spreadsheet for each in checked)
    trackers = map(_tracker, checked)
    return tuple(replace(tracker, summary_tab=_summary_tab(tracker, sharing)) for tracker in trackers)


def _tracker(checked: settings.TrackerSettings) -> Tracker:
    plain = dict(checked)
    renamed = plain["columns"] = checked.columns.model_dump(exclude_unset=True)
    plain["groups"] = plain.pop("template").groups
    plain["fill"] = _fill(plain["fill"])
    plain["tiktok"] = Access(**dict(plain["tiktok"]))
    del plain["alerts"]
    for setting in ("require", "approve"):
        plain[setting] = plain[setting] and tuple(key_of(name, renamed) for name in plain[setting])
    return Tracker(**plain)


def _fill(checked: settings.FillSettings) -> Fill:
    constants = (one.model_dump(exclude_unset=True) for one in checked.accounts)
    accounts = {one.pop("account").lstrip("@").casefold(): one for one in constants}
    fill = Fill(
        accounts=accounts,
        country=checked.country,
        bundle=checked.bundle,
        title=checked.title,
        every=checked.run == "every",
    )
    return replace(fill, columns=checked.columns.model_dump(exclude_unset=True)) if checked.columns else fill


def _summary_tab(tracker: Tracker, sharing: Mapping[str, int]) -> str:
    """The tab that a tracker's summary is kept in: one for each tracker where several share a spreadsheet."""
    is_alone = sharing[tracker.spreadsheet] == 1 and normal(tracker.worksheet) != "summary"
    return "Summary" if is_alone else f"Summary {tracker.worksheet}"[:100]


def _alerting(checked: settings.Settings) -> Alerting:
    said = checked.alerts
    own = {tracker.name: tracker.alerts.to for tracker in checked.trackers if tracker.alerts.to}
    owners = {normal(name): receiver for name, receiver in said.owners.items()}
    return Alerting(owners, said.to, own, said.ladder_hours, said.credits_below, said.failing_runs)


def _refusals(document: Document, error: ErrorDetails) -> Iterator[Problem]:
    """What pydantic refuses at one place, in our words."""
    location = tuple(step for step in error["loc"] if step not in (settings.AS_TEXT, settings.AS_MAPPING))
    if error["type"] == "refused":
        sentences = error["ctx"]["wrong"]
    else:
        sentences = [_SENTENCES[error["type"]].format(kind=kind(document.find(location)[0]), **_expected(location))]
    of_key = error["type"] == "extra_forbidden"
    return (document.problem(location, sentence, of_key) for sentence in sentences)


def _expected(location: Location) -> dict[str, str]:
    """What the settings expect at a place, for the sentences above."""
    if location[:2] == ("alerts", "owners"):
        # of the names in a mapping any is known
        location = (*location[:2], *(0 for _ in location[2:3]), *location[3:])
    *sections, key = (step for step in location if isinstance(step, str))
    fields = settings.SECTIONS[".".join(sections)].model_fields
    if key not in fields:
        return {"nearest": settings.nearest(key, fields)}
    expected = settings.ITEMS[key] if isinstance(location[-1], int) else fields[key].description or ""
    return {"expected": expected, "bounds": fields[key].title or ""}


def _clashes(document: Document, variables: Variables) -> Iterator[Problem]:
    """What two places cannot both have: compared by the file's texts, so that a mistake elsewhere hides nothing."""
    trackers = document.values.get("trackers")
    firsts: dict[Hashable, Location] = {}
    for index, section in enumerate(trackers if isinstance(trackers, list) else ()):
        for identity, location, sentence in _claims(("trackers", index), section, variables):
            first = firsts.setdefault(identity, location)
            if first != location:
                yield document.problem(location, sentence.format(index=first[1], key=first[-1]))
        for location, key in _gates(("trackers", index), section, variables):
            if key in OURS:
                yield document.problem(location, _OURS)


def _texts(values: object, variables: Variables) -> dict[Any, str]:
    """The texts of a mapping by key, or of a list by index, with their variables filled in; without empty ones."""
    items = values.items() if isinstance(values, dict) else enumerate(values) if isinstance(values, list) else ()
    filled = ((key, *variables.fill(value)) for key, value in items if isinstance(value, str))
    return {key: text for key, text, wrong in filled if text.strip() and not wrong}


def _claims(here: Location, section: object, variables: Variables) -> Iterator[tuple[Hashable, Location, str]]:
    """What only one place may have, where a tracker asks for it, and what is said to the second that does.

    Its name (it names files) and its tab (two would write the same cells): Google compares tab names, and some file
    systems file names, without regard to case; blanks nobody sees. Its headers, and the keys of its lists.
    """
    own, inner = _texts(section, variables), section if isinstance(section, dict) else {}
    name, tab, sheet = own.get("name"), own.get("worksheet"), addresses.spreadsheet_id(own.get("spreadsheet", ""))
    if name:
        yield name.casefold(), (*here, "name"), _SAME_NAME
    if sheet and tab:
        yield (sheet, normal(tab)), (*here, "worksheet"), _SAME_TAB
    renamed = _texts(inner.get("columns"), variables)
    # Columns that keep their headers come first: a renamed one has to make way; of two, the later.
    for key in [*(key for key in BY_KEY if key not in renamed), *(key for key in renamed if key in BY_KEY)]:
        yield (here, normal(header_of(key, renamed))), (*here, "columns", key), _SAME_HEADER
    for location, key in _gates(here, section, variables):
        yield (location[:-1], key in BY_KEY, normal(key)), location, _SAME_KEY


def _gates(here: Location, section: object, variables: Variables) -> Iterator[tuple[Location, str]]:
    """The columns that a tracker's orders rest on, and where it names them."""
    inner = section if isinstance(section, dict) else {}
    renamed = _texts(inner.get("columns"), variables)
    for setting in ("require", "approve"):
        for at, name in _texts(inner.get(setting), variables).items():
            yield (*here, setting, at), key_of(name, renamed)
