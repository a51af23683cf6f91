"""Which settings there are, their defaults and their bounds: one model for each section of the file (design 6).

Owns what a single value may be. What values mean together, and where in the file they stand, is `load.py`'s. A field's
`description` is what a message says is expected; a validator that refuses says it in full.
Does not look whether the credentials file, the spreadsheet or TokPortal is there: `sheetsync doctor` does.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    ValidationInfo,
    create_model,
)
from pydantic_core import PydanticCustomError, PydanticKnownError

from sheetsync.authorizations import TIKTOK_URL
from sheetsync.columns import BY_KEY, GROUPS, Kind, Owner
from sheetsync.config.addresses import EXAMPLE, receiver_at, spreadsheet_id, state_at, wrong_address, wrong_mail
from sheetsync.config.positions import AS_WRITTEN
from sheetsync.config.variables import Variables
from sheetsync.receivers import Below, Mail, Receiver
from sheetsync.state import State

GOOGLE_URL = "https://sheets.googleapis.com"
TOKPORTAL_URL = "https://app.tokportal.com"


def nearest(word: str, known: Collection[str]) -> str:
    """What was probably meant, as the end of a message."""
    close = difflib.get_close_matches(word.strip().lower().replace(" ", "_"), known, n=1)
    return f"expected {close[0]}?" if close else f"expected one of {', '.join(known)}"


def _refused(*wrong: str) -> PydanticCustomError:
    return PydanticCustomError("refused", "refused", {"wrong": wrong})


def _checked(*checks: Callable[[str], str]) -> AfterValidator:
    """Refuse a text with all that is wrong with it: each check tells that, and what is expected; or nothing."""

    def check(text: str) -> str:
        if wrong := [sentence for sentence in (one(text) for one in checks) if sentence]:
            raise _refused(*wrong)
        return text

    return AfterValidator(check)


def _matches(pattern: str, wrong: str) -> Callable[[str], str]:
    return lambda text: "" if re.fullmatch(pattern, text) else wrong


def _one_of(known: Collection[str]) -> AfterValidator:
    return _checked(lambda key: "" if key in known else f"{AS_WRITTEN} cannot stand here; {nearest(key, known)}")


def _filled(value: object, info: ValidationInfo[Any]) -> str:
    if not isinstance(value, str):
        raise PydanticKnownError("string_type")
    text, wrong = cast(Variables, info.context["variables"]).fill(value)
    if wrong:
        raise _refused(*wrong)
    if not text.strip():
        raise PydanticKnownError("string_too_short", {"min_length": 1})
    return text


def _path(text: str, info: ValidationInfo[Any]) -> Path:
    """An absolute path; a relative one is relative to the configuration file, and `~` is the home folder."""
    try:
        return Path(info.context["folder"]) / Path(text).expanduser()
    except RuntimeError:
        wrong = f"{AS_WRITTEN} begins with a home folder that is not known; expected another path"
        raise _refused(wrong) from None


def _state(text: str, info: ValidationInfo[Any]) -> State:
    found = state_at(text)
    if isinstance(found, str):
        raise _refused(found)
    return _path(text, info) if isinstance(found, Path) else found


def _whole(text: str) -> int:
    # Not pydantic's own reading of texts, to which 72.0 and 7_2 are whole numbers too.
    if not re.fullmatch(r"[+-]?[0-9]{1,12}", text.strip()):
        raise PydanticKnownError("int_parsing")
    return int(text)


def _not_empty(items: object) -> object:
    # Not as `min_length`, to which an item that is wrong counts as none.
    if items in ([], ()):
        raise PydanticKnownError("too_short", {"field_type": "List", "min_length": 1, "actual_length": 0})
    return items


def _secret_address(text: str | None) -> str | None:
    """An address that is a secret as a whole: nothing of it is repeated. A query may go with it."""
    if text and (wrong := wrong_address(text.partition("?")[0])):
        raise _refused(wrong.removeprefix(AS_WRITTEN).strip())
    return text


def _or_off(read: Callable[[object, ValidationInfo[Any]], object]) -> BeforeValidator:
    """A key without a value is as good as none."""
    return BeforeValidator(lambda value, info: None if value is None else read(value, info))


_Text = Annotated[str, BeforeValidator(_filled)]
_TextOrNone = Annotated[
    str, AfterValidator(str.strip), BeforeValidator(lambda value, info: "" if value is None else _filled(value, info))
]
_Path = Annotated[Path, BeforeValidator(_path), BeforeValidator(_filled)]
_State = Annotated[State, BeforeValidator(_state), BeforeValidator(_filled)]
_PathOrNone = Annotated[Path | None, BeforeValidator(_path), BeforeValidator(_filled)]
_Whole = Annotated[int, BeforeValidator(_whole), BeforeValidator(_filled)]
_Address = Annotated[_Text, AfterValidator(lambda text: text.rstrip("/"))]
# Corrections are sent outside /api/ext, so the path belongs to the calls, not to the address.
_no_path = _matches(r"(?s).*(?<!/api/ext)", "ends with /api/ext; expected the address without it")
_key_characters = _matches("[!-~]*", "holds spaces or characters beyond ASCII; expected the key as TokPortal shows it")
_token_characters = _matches("[!-~]*", "holds spaces or characters beyond ASCII; expected the token as TikTok shows it")
_no_variable = _matches(r"(?s)([^$].*)?", "is the name of a variable, not a key; expected ${NAME}, with braces")
_advertiser = _matches("([0-9]{5,25})?", f"{AS_WRITTEN} is no ad account's id; expected its digits")
# It stands in file names and on the command line.
_tracker_name = _matches(
    "[A-Za-z0-9_][A-Za-z0-9_-]{0,63}", f"{AS_WRITTEN} cannot be a name; expected letters, digits, - and _, at most 64"
)
_sheet_id = _matches(
    "[A-Za-z0-9_-]+", f"{AS_WRITTEN} is no spreadsheet; expected its id, or the URL in the browser's address bar"
)
# Whoever comments out all keys of a section may leave its name.
_MAY_BE_EMPTY = BeforeValidator(lambda value: {} if value is None else value)


class Section(BaseModel):
    """A mapping of the file: none but the known keys, and no value in the text of an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


def _section(first_key: str) -> Any:
    """A section that may be left out; what it needs is then missing in it."""
    return Field(None, validate_default=True, description=f"a mapping, such as `{first_key}: ...`")


def _bounded(unit: str, default: int, low: int, high: int) -> Any:
    bounds = f"{low} to {high} {unit}"
    return Field(default, ge=low, le=high, strict=True, title=bounds, description=f"{unit}, for example {default}")


def _names(example: str, default: tuple[str, ...] | None = None) -> Any:
    return Field(default, description=f"a list such as [{example}], or [] for none")


class GoogleSettings(Section):
    """How to reach Google Sheets; without `credentials`, Application Default Credentials are used."""

    credentials: _PathOrNone = Field(None, description="a path, for example service-account.json")
    api_url: Annotated[_Address, _checked(wrong_address)] = Field(
        GOOGLE_URL, description=f"an address, for example {GOOGLE_URL}"
    )


class TokPortalSettings(Section):
    """How to reach TokPortal. The key is left out of the repr, so that no log or traceback shows it."""

    api_key: Annotated[_Text, AfterValidator(str.strip), _checked(_key_characters, _no_variable)] = Field(
        repr=False, description="the API key, best as ${TOKPORTAL_API_KEY} with its value in .env"
    )
    api_url: Annotated[_Address, _checked(wrong_address, _no_path)] = Field(
        TOKPORTAL_URL, description=f"an address, for example {TOKPORTAL_URL}"
    )


class RunSettings(Section):
    """What bounds a run (the seconds it may spend polling, and those it may take), and who is told how it went."""

    poll_seconds: _Whole = _bounded("seconds", 120, 1, 3600)
    max_seconds: _Whole = _bounded("seconds", 270, 120, 3600)
    ping_url: Annotated[str | None, AfterValidator(_secret_address), _or_off(_filled)] = Field(
        None, repr=False, description="an address, for example ${SHEETSYNC_PING_URL}"
    )
    metrics_file: Annotated[Path | None, _or_off(lambda value, info: _path(_filled(value, info), info))] = Field(
        None, description="a path, for example sheetsync.prom"
    )


class WorkerSettings(Section):
    """What `sheetsync worker` does: how often each tracker is run, and how many of them at once."""

    every_minutes: _Whole = _bounded("minutes", 5, 1, 1440)
    concurrency: _Whole = _bounded("trackers", 4, 1, 64)


if TYPE_CHECKING:
    Columns = Section
else:  # mypy knows no fields that are made by name
    _headers = {key: (_Text, Field(None, description="the header as the sheet has it")) for key in BY_KEY}
    Columns = create_model("Columns", __base__=Section, **_headers)


FIELDS = ("account", "country", "platform", "bundle", "bundle_ref", "title", "video_ref", "video_url")
"""What TokPortal tells of a video, that `fill` can put into a column."""

_filled_columns = [
    key
    for key, column in BY_KEY.items()
    if column.owner is Owner.PERSON and column.kind is Kind.TEXT and key not in ("video_id", "action")
]
if TYPE_CHECKING:
    FillColumns = Section
    FillAccount = Section
else:
    _field = Annotated[_Text, _one_of(FIELDS)], Field(None, description=f"one of {', '.join(FIELDS)}")
    FillColumns = create_model("FillColumns", __base__=Section, **dict.fromkeys(_filled_columns, _field))
    _constant = _Text, Field(None, description="the text that each row of the account gets")
    FillAccount = create_model(
        "FillAccount",
        __base__=Section,
        account=(_Text, Field(description="the account's TikTok name")),
        **dict.fromkeys(_filled_columns, _constant),
    )


def _every(text: str | None) -> str | None:
    if text not in (None, "every"):
        raise _refused(f"{AS_WRITTEN} is not known here; expected every, or nothing")
    return text


class FillSettings(Section):
    """Which videos `fill` makes rows of, and what goes where."""

    run: Annotated[str | None, AfterValidator(_every), _or_off(_filled)] = Field(None, description="every, or nothing")
    # left out, the usual ones
    columns: FillColumns | None = Field(None, description="a mapping, such as `creator: account`")
    accounts: tuple[FillAccount, ...] = _names("{account: mia.bakes, client: Acme}", ())
    country: tuple[_Text, ...] = _names("US, BR", ())
    bundle: tuple[_Text, ...] = _names("Autumn", ())
    title: tuple[_Text, ...] = _names("Hook", ())


class TikTokSettings(Section):
    """How TikTok's Business API is asked; without a token it is not. The token is left out of the repr."""

    access_token: Annotated[_TextOrNone, _checked(_token_characters, _no_variable)] = Field(
        "", repr=False, description="the access token, best as ${TIKTOK_TOKEN} with its value in .env"
    )
    advertiser_id: Annotated[_TextOrNone, _checked(_advertiser)] = Field(
        "", description="the ad account's id, for example 7012345678901234567"
    )
    api_url: Annotated[_Address, _checked(wrong_address)] = Field(
        TIKTOK_URL, description=f"an address, for example {TIKTOK_URL}"
    )


class TemplateSettings(Section):
    """What `init` offers beside the columns that are always there."""

    # left out, the usual ones for a new tab; named, also for a tab whose people have chosen their columns
    groups: tuple[Annotated[_Text, _one_of(GROUPS)], ...] = _names("campaign, owners")


AS_TEXT, AS_MAPPING = "<text>", "<mapping>"
"""How a receiver is written: pydantic puts these into the way to a value, where the file has nothing."""


def _receiver(text: str) -> Receiver:
    receiver = receiver_at(text)
    if isinstance(receiver, str):
        raise _refused(receiver)
    return receiver


def _mail(checked: Section) -> Receiver:
    said = dict(checked)
    mail = Mail(sender=said.pop("from"), **said)
    if wrong := wrong_mail(mail):
        raise _refused(wrong)
    return Receiver(mail=mail)


def _yes(text: str) -> bool:
    words = {"yes": True, "true": True, "no": False, "false": False}
    if text.casefold() not in words:
        raise _refused(f"{AS_WRITTEN} is neither yes nor no; expected yes or no")
    return words[text.casefold()]


def _below(text: str) -> Below:
    found = re.fullmatch(r"([0-9]{1,9})( codes)?", text.strip())
    if not found:
        raise _refused(f"{AS_WRITTEN} is no number of credits or codes; expected 70, or 10 codes")
    return Below(int(found[1]), bool(found[2]))


def _named(owners: object) -> object:
    if owners is None:
        return {}
    # told here, where the name is not: it may be a secret that stands on the wrong side
    if isinstance(owners, dict) and any("://" in name for name in owners):
        raise _refused("has an address where a name is expected; expected `name: address`")
    return owners


if TYPE_CHECKING:
    MailSettings = Section
    _Receiver = Receiver
else:  # `from` is no name for a field in Python
    MailSettings = create_model(
        "MailSettings",
        __base__=Section,
        host=(_Text, Field(description="the mail server, for example smtp.example.com")),
        port=(_Whole, Field(587, ge=1, le=65535, strict=True, title="1 to 65535", description="a port such as 587")),
        user=(_Text, Field("", description="the name to sign in with")),
        password=(_Text, Field("", repr=False, description="the password, best as ${SMTP_PASSWORD}")),
        **{"from": (_Text, Field(description="the sender's mail address"))},
        to=(
            Annotated[tuple[_Text, ...], BeforeValidator(lambda to: [to] if isinstance(to, str) else to)],
            Field(description="a mail address, or a list of them"),
        ),
        starttls=(Annotated[bool, BeforeValidator(_yes), BeforeValidator(_filled)], Field(True, description="yes")),
    )
    _Receiver = Annotated[
        Annotated[MailSettings, AfterValidator(_mail), Tag(AS_MAPPING)]
        | Annotated[_Text, AfterValidator(_receiver), Tag(AS_TEXT)],
        Discriminator(lambda value: AS_MAPPING if isinstance(value, dict) else AS_TEXT),
    ]

_Hours = Annotated[_Whole, Field(ge=0, le=8760, strict=True)]


class TrackerAlerts(Section):
    """Who is told of one tracker, in the place of `alerts: to:`."""

    to: tuple[_Receiver, ...] = _names("https://...", ())


class AlertSettings(Section):
    """Who is told, and when. Receivers are left out of the repr, as they hold tokens."""

    owners: Annotated[Mapping[str, _Receiver], BeforeValidator(_named)] = Field(
        {}, repr=False, description="a mapping of names, such as `Ana: https://...`"
    )
    to: tuple[_Receiver, ...] = Field((), repr=False, description="a list of receivers, or [] for none")
    ladder_hours: tuple[_Hours, ...] = Field(
        (168, 72, 24, 0), title="0 to 8760 hours", description="a list such as [168, 72, 24, 0], or [] for none"
    )
    credits_below: Annotated[Below, BeforeValidator(_below), BeforeValidator(_filled)] = Field(
        Below(70), description="credits such as 70, or 10 codes"
    )
    failing_runs: _Whole = _bounded("runs", 3, 1, 1000)


class TrackerSettings(Section):
    """One worksheet, as model.Tracker has it."""

    name: Annotated[_Text, _checked(_tracker_name)] = Field(description="a short name, for example acme")
    spreadsheet: Annotated[_Text, AfterValidator(spreadsheet_id), _checked(_sheet_id)] = Field(
        description="the id of the spreadsheet, or its whole URL"
    )
    worksheet: _Text = Field(description="the name of the tab, for example Tracker")
    authorization_days: _Whole = _bounded("days", 30, 1, 3650)
    warn_hours: _Whole = _bounded("hours", 72, 0, 8760)
    max_orders_per_run: _Whole = _bounded("orders", 25, 0, 10_000)
    max_orders_at_sheet: _Whole = _bounded("orders", 0, 0, 10_000)
    keep_credits: _Whole = _bounded("credits", 0, 0, 1_000_000_000)
    require: tuple[_Text, ...] = _names("client, Landing page", ())
    # left out, the default approvals are asked for where the sheet has or had them; named, wherever they are
    approve: tuple[_Text, ...] = _names("caption_final, Legal OK")
    columns: Annotated[Columns, _MAY_BE_EMPTY] = _section(next(iter(BY_KEY)))
    template: Annotated[TemplateSettings, _MAY_BE_EMPTY] = _section("groups")
    alerts: Annotated[TrackerAlerts, _MAY_BE_EMPTY] = _section("to")
    fill: Annotated[FillSettings, _MAY_BE_EMPTY] = _section("columns")
    tiktok: Annotated[TikTokSettings, _MAY_BE_EMPTY] = _section("access_token")


class Settings(Section):
    """The whole file."""

    google: Annotated[GoogleSettings, _MAY_BE_EMPTY] = _section("credentials")
    tokportal: Annotated[TokPortalSettings, _MAY_BE_EMPTY] = _section("api_key")
    state: _State = Field(
        "state.db",
        validate_default=True,
        description="a path, for example state.db, or postgresql://user@host/database",
    )
    trackers: Annotated[tuple[Annotated[TrackerSettings, _MAY_BE_EMPTY], ...], BeforeValidator(_not_empty)] = Field(
        (), validate_default=True, description="a list of at least one tracker, each beginning with `- name:`"
    )
    run: Annotated[RunSettings, _MAY_BE_EMPTY] = _section("poll_seconds")
    alerts: Annotated[AlertSettings, _MAY_BE_EMPTY] = _section("to")
    worker: Annotated[WorkerSettings, _MAY_BE_EMPTY] = _section("every_minutes")


SECTIONS: Mapping[str, type[Section]] = {
    "": Settings,
    "google": GoogleSettings,
    "tokportal": TokPortalSettings,
    "trackers": TrackerSettings,
    "trackers.columns": Columns,
    "trackers.template": TemplateSettings,
    "trackers.fill": FillSettings,
    "trackers.tiktok": TikTokSettings,
    "trackers.fill.columns": FillColumns,
    "trackers.fill.accounts": FillAccount,
    "run": RunSettings,
    "alerts": AlertSettings,
    "trackers.alerts": TrackerAlerts,
    "worker": WorkerSettings,
    **dict.fromkeys(("alerts.to", "alerts.owners", "trackers.alerts.to"), MailSettings),
}
"""The models by the keys that lead to them, indexes of lists left out."""

ITEMS = {
    "trackers": "a mapping, such as `name: ...`",
    "require": "a column, by its key or its header",
    "approve": "a column, by its key or its header",
    "accounts": "a mapping, such as `account: ...`",
    "country": "a country as TokPortal writes it",
    "bundle": "words of a bundle's title",
    "title": "words of a video's title",
    "groups": "the name of a group",
    "to": f"a receiver: {EXAMPLE}",
    "owners": f"a receiver: {EXAMPLE}",
    "ladder_hours": "hours, for example 72",
}
"""What is expected as an item of a list, by its key."""
