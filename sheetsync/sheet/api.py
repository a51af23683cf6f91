"""The Google Sheets calls that sheetsync makes: gspread's HTTP client with our base URL, deadlines and retries.

Owns the calls, their retries, and what Google's failures mean; knows nothing of trackers. The only file that knows
gspread: its own client has no time-out, and its back-off never gives up (Sheets reference 1.5).
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import google.auth
import gspread
import requests
import tenacity
from google.auth.exceptions import DefaultCredentialsError, GoogleAuthError, RefreshError
from google.oauth2.service_account import Credentials
from gspread.urls import SPREADSHEET_BATCH_UPDATE_URL, SPREADSHEET_URL, SPREADSHEET_VALUES_BATCH_URL

from sheetsync import __version__
from sheetsync.budget import Budget, Shared, not_shared, waited
from sheetsync.clock import Clock
from sheetsync.errors import ConfigError, CredentialsError, NotFound, OutOfTime, SheetsyncError, Unavailable
from sheetsync.lines import Keep, Line, Lines
from sheetsync.network import Heard, hint, stays_here
from sheetsync.sheet.decoding import NotAnObject, ranges_of
from sheetsync.sheet.session import NoToken, session_for

log = logging.getLogger(__name__)

SCOPES = ("https://www.googleapis.com/auth/spreadsheets",)
CONNECT_SECONDS, ANSWER_SECONDS = 10.0, 80.0
"""How long a call may take. Google itself gives up after 180 s (Sheets reference 3.1): two of those are more than a run
has; a write that is given up is looked for."""

ATTEMPTS = 5
PATIENCE = 200.0
"""Seconds that a call waits for its turn among all workers: of many who wait, one is the last again and again."""

QUOTA_SECONDS = 65.0
"""So long a call waits in all where Google asks for fewer calls: its quotas are of a minute (Sheets reference 3.1)."""

_BACK_OFF = tenacity.wait_random_exponential(multiplier=1, max=32)
NOT_SHARED = "Share the sheet with {email} as Editor (button Share in the sheet), then run again."
ENABLE_AT = "https://console.cloud.google.com/apis/library/sheets.googleapis.com"
API_DISABLED = (
    "The Google Sheets API is not enabled in the project of {account}. Enable it at {url} , wait a few minutes, then "
    "run again."
)
SCOPES_TOO_FEW = (
    "Google's credentials here do not reach to spreadsheets. Name a service-account key file under `google: "
    "credentials:`, or sign in again with `gcloud auth application-default login "
    f"--scopes=https://www.googleapis.com/auth/cloud-platform,{SCOPES[0]}`."
)
OFFICE_FILE = (
    "`spreadsheet:` names an Excel file in Drive, which no program can edit there. Open it, choose File > Save as "
    "Google Sheets, and put the address of the new file into the configuration."
)
NO_SUCH_FILE = (
    "There is no such spreadsheet. Check `spreadsheet:` in the configuration (id or whole URL); if that is right, the "
    "file was deleted, and its owner can restore it from the trash of Google Drive."
)
GARBLED = "Google's answer to a read was cut off or garbled."
NO_TOKEN = "Google's token service answered without a token: a proxy may have put a page of its own in its place."
RULE_IN_THE_WAY = " Take the dropdown off that column (Data > Data validation)."


class WriteUnclear(Unavailable):
    """A write ended without a clear answer: it may have been done."""


class WriteRefused(Unavailable):
    """Google refused a write (400): all or nothing, so nothing was done."""


class _Transient(Unavailable):
    """What another attempt may mend: nothing was read or written."""


class _TooMany(_Transient):
    """429: the calls of this minute, which all trackers of an account share, are used up."""


class SheetsAPI(gspread.HTTPClient):
    """gspread's client, narrowed to the calls of a run. `reads` and `writes` count the calls asked for, `sent_at` is
    the monotonic second in which the last one left.

    `email` is the service account to share sheets with. A `session` of one's own (tests) replaces the one that
    gspread makes from the credentials. `reads_left` and `writes_left` are what all processes with this account share,
    where they do.
    """

    def __init__(
        self,
        auth: google.auth.credentials.Credentials | None,
        clock: Clock,
        api_url: str,
        email: str = "",
        session: requests.Session | None = None,
        reads_left: Budget | None = None,
        writes_left: Budget | None = None,
    ) -> None:
        session = session or session_for(auth, direct=stays_here(api_url))
        super().__init__(auth, session)  # type: ignore[arg-type]  # gspread takes a session in place of credentials
        self._clock, self._base, self.email = clock, api_url.rstrip("/"), email
        self.reads = self.writes = 0
        self.sent_at = 0.0
        self._reads_left, self._writes_left = reads_left, writes_left
        # the word gzip in the agent makes Google compress its answers (Sheets reference 3.1)
        self.session.headers["User-Agent"] = f"sheetsync/{__version__} (gzip)"

    def watch(self, heard: Heard) -> None:
        """Tell of every answer of Google's from now on; not of those of its token service."""

        def tell(got: requests.Response, **_: Any) -> None:
            asked, sent = got.request, got.request.body or b""
            body = sent.encode() if isinstance(sent, str) else bytes(sent)
            heard(str(asked.method), str(asked.url), body, got.status_code, got.headers, got.content)

        self.session.hooks["response"].append(tell)

    def metadata(self, spreadsheet: str, fields: str, ranges: Sequence[str] = ()) -> Mapping[str, Any]:
        """spreadsheets.get with a field mask; with ranges, of those alone. One read. Raises as `request` does."""
        return self._read(SPREADSHEET_URL % spreadsheet, {"fields": fields, "ranges": list(ranges)})

    def values(self, spreadsheet: str, *range_names: str, keep: Keep | None = None) -> tuple[Lines, ...]:
        """values:batchGet: each range as lines, unformatted, dates as serials. One read. Raises as `request` does.

        Of the first range there is what `keep` keeps of each line, by its cells and its JSON text.
        """
        params = {
            "ranges": range_names,
            "valueRenderOption": "UNFORMATTED_VALUE",
            "dateTimeRenderOption": "SERIAL_NUMBER",
            "majorDimension": "ROWS",
        }
        self.reads += 1
        response = self.request("get", SPREADSHEET_VALUES_BATCH_URL % spreadsheet, params=params)
        try:
            # no `values` means that nothing is there; an error never looks like that (Sheets reference 2.2)
            ranges = ranges_of(response.content, lambda at: keep if keep and at == 0 else _whole)
        except NotAnObject as error:
            raise Unavailable("Google's answer could not be read.") from error
        except ValueError as error:
            raise Unavailable(GARBLED) from error
        if len(ranges) != len(range_names):
            raise Unavailable("Google's answer to a read was not what was asked for.")
        return tuple(map(Lines, ranges))

    def update(self, spreadsheet: str, body: Mapping[str, Any], fields: str) -> Mapping[str, Any]:
        """spreadsheets.batchUpdate: all or nothing. One write.

        Raises WriteUnclear, WriteRefused, and what `request` raises for reads where nothing can have been written.
        """
        self.writes += 1
        response = self.request(
            "post", SPREADSHEET_BATCH_UPDATE_URL % spreadsheet, params={"fields": fields}, json=body
        )
        return _object(response, WriteUnclear("Google's answer to a write could not be read"))

    def _read(self, url: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        self.reads += 1
        return _object(self.request("get", url, params=params), Unavailable(GARBLED))

    def request(self, method: str, endpoint: str, *args: Any, **kwargs: Any) -> requests.Response:
        """Every call goes through here: base URL, bounded retry with jitter, errors by name.

        Reads are tried again after anything that may pass; writes only after a 429, which did nothing. Raises
        CredentialsError, NotFound, Unavailable, WriteUnclear, WriteRefused; OutOfTime before it is sent.
        """
        parts = urlsplit(endpoint)
        url = f"{self._base}{parts.path}" if self._base else endpoint
        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(_Transient),
            wait=_pause,
            stop=self._gives_up,
            sleep=self._clock.sleep,
            reraise=True,
        )
        return retrying(self._request_once, method, url, *args, **kwargs)

    def _gives_up(self, state: tenacity.RetryCallState) -> bool:
        is_over = state.idle_for >= QUOTA_SECONDS if _is_quota(state) else state.attempt_number >= ATTEMPTS
        return is_over or state.upcoming_sleep >= self._clock.left()

    def _request_once(self, method: str, url: str, *args: Any, **kwargs: Any) -> requests.Response:
        writes = method == "post"
        budget = self._writes_left if writes else self._reads_left
        if waited(budget, self._clock, min(PATIENCE, self._clock.left())):
            raise Unavailable("The calls of this minute, which all workers share, are used up; nothing was sent.")
        left = self._clock.left()
        if left <= 0:
            raise OutOfTime
        kwargs["params"] = {**kwargs.get("params", {}), "prettyPrint": "false"}
        kwargs |= {"timeout": (min(CONNECT_SECONDS, left), min(ANSWER_SECONDS, left)), "allow_redirects": False}
        self.sent_at = self._clock.monotonic()
        try:
            response = self.session.request(method, url, *args, **kwargs)
        except RefreshError as error:
            raise self._refresh_failure(error) from error
        except NoToken as error:
            raise _Transient(NO_TOKEN) from error
        except GoogleAuthError as error:
            cause = error.__cause__ or error
            raise _Transient(f"Google's token service{_asked(cause)} did not answer.{hint(cause)}") from error
        except requests.RequestException as error:
            host = urlsplit(url).netloc
            what = f"Google Sheets at {host} did not answer ({type(error).__name__}).{hint(error)}"
            raise (WriteUnclear if writes else _Transient)(what) from error
        log.debug("%s %s -> %s", method, urlsplit(url).path, response.status_code)
        if response.ok and not response.is_redirect:
            return response
        raise self._failure(response, writes)

    def _refresh_failure(self, error: RefreshError) -> SheetsyncError:
        if error.retryable:
            return _Transient("Google's token service did not answer.")
        return CredentialsError(
            f"Google does not accept the service-account key of {self.email or 'this account'}: it may be deleted, "
            "disabled, or the clock of this machine may be wrong. Make a new key, and name it under "
            "`google: credentials:`."
        )

    def _failure(self, response: requests.Response, writes: bool) -> SheetsyncError:
        status, message, account = response.status_code, _message(response), self.email or "the service account"
        if response.is_redirect:
            # the body, which holds codes, and the token go to nobody else
            what = f"Google Sheets answered {status}, a redirect: check google.api_url."
            return (WriteUnclear if writes else Unavailable)(what)
        if status == 429:
            return _TooMany("Google Sheets asks for fewer calls (quota of 60 a minute).")
        if status >= 500 or status == 408:
            return (WriteUnclear if writes else _Transient)(f"Google Sheets is not available just now ({status}).")
        if status == 404:
            return NotFound(NO_SUCH_FILE)
        if status == 401:
            return CredentialsError(f"Google does not accept the credentials ({message}).")
        if status == 403:
            return CredentialsError(_denied(response.text, message, account))
        if "Office file" in message:
            return NotFound(OFFICE_FILE)
        if "protected" in message:
            return CredentialsError(
                f"A protected range stops sheetsync: {message} Let {account} edit the "
                "machine columns (Data > Protect sheets and ranges)."
            )
        if "Unable to parse range" in message:
            # of a write it is not said whether the rest of it was done
            what = f"The tab is no longer there; it may have just been renamed ({message})."
            return (WriteUnclear if writes else NotFound)(what)
        what, advice = "write" if writes else "read", RULE_IN_THE_WAY if "data validation" in message else ""
        return (WriteRefused if writes else Unavailable)(
            f"Google Sheets refused a {what} ({status}: {message}).{advice}"
        )


def _asked(error: BaseException) -> str:
    """Which host was asked for a token, where the error tells it."""
    request = getattr(error, "request", None)
    return f" at {urlsplit(request.url).netloc}" if request is not None else ""


def connect(credentials: Path | None, api_url: str, clock: Clock, shared: Shared = not_shared) -> SheetsAPI:
    """A client for a service-account key file, or for Application Default Credentials.

    `shared` gives the budget of a kind of calls for an account, where several processes share it.

    Raises ConfigError if the key file cannot be used, CredentialsError if there are no default credentials.
    """
    if credentials is None:
        try:
            auth, _ = google.auth.default(scopes=SCOPES)
        except DefaultCredentialsError as error:
            raise CredentialsError(
                "No Google credentials: name a service-account key file under `google: credentials:`."
            ) from error
        return _client(auth, clock, api_url, getattr(auth, "service_account_email", ""), shared)
    info = key_file(credentials)
    try:
        auth = Credentials.from_service_account_info(info, scopes=SCOPES)  # type: ignore[no-untyped-call]  # untyped library
    except (ValueError, GoogleAuthError) as error:
        # the text of the error may quote the key: say what is wrong without it
        raise ConfigError([f"{credentials}: this is not a usable service-account key file"]) from error.__cause__
    if stays_here(api_url):
        # google-auth asks Google in the background where a service account may be used; a sandbox's account is
        # nobody's there, and nothing of a trial run may leave the machine. There is no public way: in another universe
        # domain it would not ask, but not ask for a token either. tests/sheet/test_api.py tells when the name changes.
        auth._is_regional_access_boundary_lookup_required = lambda: False
    return _client(auth, clock, api_url, str(info.get("client_email", "")), shared)


def _client(
    auth: google.auth.credentials.Credentials, clock: Clock, api_url: str, email: str, shared: Shared
) -> SheetsAPI:
    reads, writes = shared("google reads", email), shared("google writes", email)
    return SheetsAPI(auth, clock, api_url, email, reads_left=reads, writes_left=writes)


def key_file(path: Path) -> Mapping[str, Any]:
    """A service-account key file as a mapping. Raises ConfigError that says what is wrong with it."""
    try:
        info = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(
            [f"{path}: there is no such key file; download it from Google Cloud > Service accounts"]
        ) from None
    except OSError as error:
        advice = "let the user who runs sheetsync read it (chown), or name another file"
        raise ConfigError([f"{path}: cannot be read: {error.strerror}; {advice}"]) from None
    except ValueError:
        raise ConfigError([f"{path}: is not JSON; expected the key file of a service account"]) from None
    if not isinstance(info, dict) or info.get("type") != "service_account":
        raise ConfigError([f"{path}: is not a service-account key (its `type` is not `service_account`)"])
    return info


def _is_quota(state: tenacity.RetryCallState) -> bool:
    return state.outcome is not None and isinstance(state.outcome.exception(), _TooMany)


def _pause(state: tenacity.RetryCallState) -> float:
    pause = _BACK_OFF(state)
    return min(pause, QUOTA_SECONDS - state.idle_for) if _is_quota(state) else pause


def _object(response: requests.Response, garbled: Unavailable) -> Mapping[str, Any]:
    """The JSON object that an answer holds. Raises `garbled` where it is no JSON at all."""
    try:
        answer = response.json()
    except requests.exceptions.JSONDecodeError as error:
        raise garbled from error
    if not isinstance(answer, dict):
        raise Unavailable("Google's answer could not be read.")
    return answer


def _whole(line: Any, _: str) -> Line | bytes:
    return tuple(line)


def _denied(body: str, message: str, account: str) -> str:
    """What a 403 means, by its `details[].reason` (Sheets reference 8)."""
    if "SERVICE_DISABLED" in body:
        # the address that Google names leads to the very project
        url = re.search(r"https://console\.[^\s\"\\]+", body)
        return API_DISABLED.format(account=account, url=url[0] if url else ENABLE_AT)
    if "SCOPE_INSUFFICIENT" in body:
        return SCOPES_TOO_FEW
    return f"Google denies access ({message}). {NOT_SHARED.format(email=account)}"


def _message(response: requests.Response) -> str:
    """Google's own words, whatever shape they come in."""
    try:
        error = response.json()["error"]
    except (ValueError, KeyError, TypeError):
        return response.reason or "no message"
    return str(error.get("message", "no message") if isinstance(error, dict) else error)[:300]
