"""The error answers of Google's APIs, as an exception that carries a body.

Source: reference/google-sheets.md section 2.2 (errors, 429 and 503 bodies).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from sheetsync.sandbox.wire import JSON_HEADERS, Response, json_response

Json = dict[str, Any]

PROTECTED = (
    "You are trying to edit a protected cell or object. "
    "Please contact the spreadsheet owner to remove protection if you need to edit."
)
TYPED_FORMAT = "You can't set the number format of cells in a typed column."
TYPED_VALIDATION = "This operation is not allowed on cells in typed columns."
_UNAUTHENTICATED = (
    "{} Expected OAuth 2 access token, login cookie or other valid authentication credential. "
    "See https://developers.google.com/identity/sign-in/web/devconsole-project."
)


class ApiError(Exception):
    """A request that is refused; nothing of it is kept."""

    def __init__(self, code: int, status: str, message: str, details: list[Json] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.status = status
        self.message = message
        self.details = details

    def body(self) -> Json:
        """The error body."""
        error: Json = {"code": self.code, "message": self.message, "status": self.status}
        if self.details:
            error["details"] = self.details
        return {"error": error}

    def response(self, *, pretty: bool = False) -> Response:
        """The answer that says so."""
        headers = JSON_HEADERS
        if self.code == 401:
            headers = {**JSON_HEADERS, "www-authenticate": 'Bearer realm="https://accounts.google.com/"'}
        return json_response(self.body(), self.code, pretty=pretty, headers=headers)


def invalid(message: str) -> ApiError:
    """400."""
    return ApiError(400, "INVALID_ARGUMENT", message)


def bad_request(message: str, field: str, description: str) -> ApiError:
    """400 with the field that is wrong."""
    violation = {"description": description, **({"field": field} if field else {})}
    details = [{"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": [violation]}]
    return ApiError(400, "INVALID_ARGUMENT", message, details)


def unknown_field(name: str, where: str) -> ApiError:
    """400 for a name the schema does not have."""
    at = f" at '{where}'" if where else ""
    description = f'Invalid JSON payload received. Unknown name "{name}"{at}: Cannot find field.'
    return bad_request(description, where, description)


def bad_value(where: str, kind: str, value: object) -> ApiError:
    """400 for a value of another type than its field's."""
    said = f"Invalid value at '{where}' ({kind}), {json.dumps(value)[:200]}"
    return bad_request(said, where, said)


def out_of_range(where: str) -> ApiError:
    """400 for an index that is no int32."""
    said = f"Invalid value at '{where}' (TYPE_INT32), a number is out of range"
    return bad_request(said, where, said)


def no_list_here(where: str) -> ApiError:
    """400 for a list where one object belongs."""
    above, _, name = where.rpartition(".")
    at = f" at '{above}'" if above else ""
    said = f'Invalid JSON payload received. Unknown name "{name}"{at}: Proto field is not repeating, cannot start list.'
    return bad_request(said, above, said)


def oneof_taken(where: str, scope: str, name: str) -> ApiError:
    """400 for two options that exclude each other."""
    said = f"Invalid value at '{where}' (oneof), oneof field '{scope}' is already set. Cannot set '{name}'"
    return bad_request(said, where, said)


def bad_mask(path: str) -> ApiError:
    """400 for a path of the query's field mask that leads nowhere."""
    said = f"Error expanding 'fields' parameter. Cannot find matching fields for path '{path}'."
    return bad_request("Request contains an invalid argument.", path, said)


def not_in_the_sandbox(what: str) -> ApiError:
    """501, which Google never answers: what Google has and the sandbox has not built."""
    return ApiError(501, "UNIMPLEMENTED", f"not in the sandbox: {what}")


def snake(name: str) -> str:
    """A field's name as Google's error messages spell it."""
    return re.sub("[A-Z]", lambda found: "_" + found[0].lower(), name)


def unauthenticated(token_given: bool) -> ApiError:
    """401 for no token, or for one that is not known or no longer valid."""
    reason = "ACCESS_TOKEN_EXPIRED" if token_given else "CREDENTIALS_MISSING"
    said = (
        "Request had invalid authentication credentials."
        if token_given
        else "Request is missing required authentication credential."
    )
    info = _info(reason, {"service": "sheets.googleapis.com"})
    return ApiError(401, "UNAUTHENTICATED", _UNAUTHENTICATED.format(said), [info])


def _info(reason: str, metadata: Json) -> Json:
    kind = "type.googleapis.com/google.rpc.ErrorInfo"
    return {"@type": kind, "reason": reason, "domain": "googleapis.com", "metadata": metadata}


def forbidden() -> ApiError:
    """403 for a book that is not shared with the caller."""
    return ApiError(403, "PERMISSION_DENIED", "The caller does not have permission")


def api_disabled() -> ApiError:
    """403 for a project in which nobody has enabled the Sheets API: Sheets reference 8."""
    url = "https://console.developers.google.com/apis/api/sheets.googleapis.com/overview?project=123456789012"
    message = (
        "Google Sheets API has not been used in project 123456789012 before or it is disabled. Enable it by visiting "
        f"{url} then retry. If you enabled this API recently, wait a few minutes for the action to propagate to our "
        "systems and retry."
    )
    metadata = {"service": "sheets.googleapis.com", "consumer": "projects/123456789012", "activationUrl": url}
    return ApiError(403, "PERMISSION_DENIED", message, [_info("SERVICE_DISABLED", metadata)])


def insufficient_scopes() -> ApiError:
    """403 for a token that was not asked for with the spreadsheets scope."""
    metadata = {"service": "sheets.googleapis.com"}
    details = [_info("ACCESS_TOKEN_SCOPE_INSUFFICIENT", metadata)]
    return ApiError(403, "PERMISSION_DENIED", "Request had insufficient authentication scopes.", details)


def office_file() -> ApiError:
    """400 for an Excel file that lies in Drive: Sheets reference 8."""
    message = "This operation is not supported for this document. The document must not be an Office file."
    return ApiError(400, "FAILED_PRECONDITION", message)


REFUSALS: Mapping[str, Callable[[], ApiError]] = {
    "api_disabled": api_disabled,
    "scopes": insufficient_scopes,
    "office_file": office_file,
    "trashed": lambda: not_found(),
}
"""What a first run may meet on every call, by the name under which the sandbox is told to refuse so.

What Google says of a file that lies in the trash is written nowhere: here it is what it says of one that is gone.
"""

_IN_A_TABLE = f"Invalid requests[0].updateCells: {TYPED_FORMAT}"
WRITE_REFUSALS = {**REFUSALS, "typed_column": lambda: invalid(_IN_A_TABLE)}
"""The same for writes, with what only those may meet: Sheets reference 8."""


def not_found() -> ApiError:
    """404 for a book that does not exist."""
    return ApiError(404, "NOT_FOUND", "Requested entity was not found.")


def quota_exceeded(kind: str = "Read") -> ApiError:
    """429 for `Read` or `Write` requests."""
    message = (
        f"Quota exceeded for quota metric '{kind} requests' and limit '{kind} requests per minute per user' "
        "of service 'sheets.googleapis.com' for consumer 'project_number:123456789012'."
    )
    metadata = {
        "service": "sheets.googleapis.com",
        "consumer": "projects/123456789012",
        "quota_metric": f"sheets.googleapis.com/{kind.lower()}_requests",
        "quota_limit": f"{kind}RequestsPerMinutePerUser",
        "quota_limit_value": "60",
        "quota_location": "global",
    }
    help_link = {
        "@type": "type.googleapis.com/google.rpc.Help",
        "links": [
            {
                "description": "Request a higher quota limit.",
                "url": "https://cloud.google.com/docs/quotas/help/request_increase",
            }
        ],
    }
    return ApiError(429, "RESOURCE_EXHAUSTED", message, [_info("RATE_LIMIT_EXCEEDED", metadata), help_link])


def unavailable() -> ApiError:
    """503."""
    return ApiError(503, "UNAVAILABLE", "The service is currently unavailable.")


def internal() -> ApiError:
    """500."""
    return ApiError(500, "INTERNAL", "Internal error encountered.")


def drive_not_found(file_id: str) -> Json:
    """Drive's older kind of error body."""
    message = f"File not found: {file_id}."
    # Drive's errors are of the old style: Sheets reference 2.2.
    reason = {
        "message": message,
        "domain": "global",
        "reason": "notFound",
        "location": "fileId",
        "locationType": "parameter",
    }
    return {"error": {"code": 404, "message": message, "errors": [reason]}}
