"""What TokPortal says when it does not do what was asked.

Owns the shape of an error body. Does not own when a call is refused, nor the error names (switches.py).
Source: reference/tokportal.md section 5.
"""

from __future__ import annotations

from typing import Any

from sheetsync.sandbox.tokportal.switches import Switches, error_code


class Refused(Exception):
    """TokPortal does not do what was asked; the answer it gives instead."""

    def __init__(
        self, status: int, case: str, message: str, details: dict[str, Any] | None = None, **headers: str
    ) -> None:
        super().__init__(message)
        self.status = status
        self.case = case
        self.message = message
        self.details = details
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}

    def payload(self, switches: Switches) -> dict[str, Any]:
        """The error body, under the error names that are switched on."""
        code = error_code(self.case, switches.error_names)
        error: dict[str, Any] = {} if code is None else {"code": code}
        error["message"] = self.message
        if self.details is not None:
            error["details"] = self.details
        return {"error": error}
