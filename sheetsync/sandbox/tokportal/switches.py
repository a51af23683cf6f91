"""What TokPortal's documents leave open, as switches: the documented or likelier behaviour first.

Owns the switches and the error names. Does not own the behaviour itself: whoever serves a call asks here.
Source: reference/tokportal.md section 12 (table) and section 13 (open questions).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, get_args, get_type_hints


@dataclass(slots=True)
class Switches:
    """One field for each undocumented behaviour; the default is what is documented or likelier."""

    # Refusals of an order
    error_names: Literal["a", "b", "missing"] = "a"
    open_request: Literal[409, 400] = 409
    not_finalized: Literal[409, 400] = 409
    no_live_link: Literal[409, 400] = 409
    no_manager: Literal[400, 409] = 400
    coverage_block: Literal[409, 402, 403] = 409
    foreign_video: Literal[403, 404] = 403
    post_after_finalized: Literal[201, 409] = 201
    instagram: Literal["refused", "served"] = "refused"
    empty_body: Literal["accepted", 400] = "accepted"
    note_counts: Literal["characters", "utf16"] = "characters"
    # Polling
    poll_unknown_video: Literal["error", "null"] = "error"
    write_key_polls: Literal[403, "allowed"] = 403
    extra_fields: Literal["no", "yes"] = "no"
    timestamps: Literal["z", "offset"] = "z"
    future_status: Literal["closed", "open"] = "closed"
    # Idempotency
    honour_idempotency: Literal["yes", "no"] = "yes"
    failed_keys: Literal["replayed", "executed"] = "replayed"
    key_reuse: Literal[409, 422, 400, "replayed"] = 409
    key_in_flight: Literal[409, "blocked"] = 409
    key_memory: Literal["24h", "forever", "1m"] = "24h"
    # Corrections
    patch_route: Literal["present", 404, 405, "html", "page", 302] = "present"
    patch_finalized: Literal[200, 409] = 200
    feedback_length: Literal["any", "3-500"] = "any"
    corrections_keep_code: Literal["yes", "no"] = "yes"
    reopen_clears_delivered_at: Literal["yes", "no"] = "yes"
    resubmit_renews_submitted_at: Literal["yes", "no"] = "yes"
    # Money
    hidden_debit: Literal["no", "yes"] = "no"
    balance_shape: Literal["new", "old", "neither", "text", "fraction"] = "new"
    balance_lags: Literal["no", "yes"] = "no"
    # Lists: the shapes of video rows, and what the plan lets see, are in no document
    list_shape: Literal["data", "bare", "other"] = "data"
    pagination: Literal["told", "missing"] = "told"
    video_key: Literal["id", "video_id"] = "id"
    post_link: Literal["tiktok_url", "post_url", "analytics", "none"] = "tiktok_url"
    analytics: Literal["served", 403, "bare"] = "served"
    # Transport
    dry_run: Literal["simulated", "executed"] = "simulated"
    rate_limit: Literal["on", "off"] = "on"
    retry_after: Literal["body_larger", "header_larger", "equal", "http_date"] = "body_larger"

    def set(self, values: Mapping[str, Any]) -> None:
        """Set switches by name; an unknown name or value changes nothing and raises ValueError."""
        for name, value in values.items():
            if name not in CHOICES:
                raise ValueError(f"there is no switch {name!r}; switches: {', '.join(CHOICES)}")
            if value not in CHOICES[name]:
                raise ValueError(f"{name} must be one of {list(CHOICES[name])}, not {value!r}")
        for name, value in values.items():
            setattr(self, name, value)

    def dump(self) -> dict[str, Any]:
        """All switches, as JSON."""
        return asdict(self)


def _choices() -> dict[str, tuple[Any, ...]]:
    hints = get_type_hints(Switches)
    return {field.name: get_args(hints[field.name]) for field in fields(Switches)}


CHOICES: dict[str, tuple[Any, ...]] = _choices()
"""The values each switch takes, the default first."""

# INVENTED. No source names the error codes of these cases; both columns are made up for the sandbox, the first in the
# style of today's codes, the second in the style of the early-2026 pages. Nothing may depend on either.
_INVENTED: dict[str, tuple[str, str]] = {
    "open_request": ("AD_CODE_REQUEST_IN_PROGRESS", "ad_code_request_exists"),
    "already_finalized": ("AD_CODE_ALREADY_DELIVERED", "ad_code_exists"),
    "not_finalized": ("VIDEO_NOT_FINALIZED", "invalid_status"),
    "no_live_link": ("VIDEO_NO_LIVE_LINK", "video_link_missing"),
    "no_manager": ("AD_CODE_NO_CM", "manager_not_found"),
    "coverage_block": ("MANAGED_ACCOUNT_TASK_BLOCKED", "coverage_inactive"),
    "foreign_video": ("VIDEO_NOT_OWNED", "forbidden"),
    "platform": ("AD_CODE_PLATFORM_NOT_SUPPORTED", "invalid_platform"),
    "invalid_request": ("VALIDATION_ERROR", "validation_error"),
    "analytics_plan": ("ANALYTICS_PLAN_REQUIRED", "plan_required"),
    "scope": ("AUTH_INSUFFICIENT_SCOPE", "forbidden"),
    "key_reuse": ("IDEMPOTENCY_KEY_REUSED", "idempotency_conflict"),
    "key_in_flight": ("IDEMPOTENCY_KEY_IN_USE", "idempotency_in_progress"),
    "unknown_request": ("AD_CODE_REQUEST_NOT_FOUND", "ad_code_request_not_found"),
    "correction_status": ("AD_CODE_INVALID_STATUS", "invalid_status"),
    "route": ("NOT_FOUND", "not_found"),
    "method": ("METHOD_NOT_ALLOWED", "method_not_allowed"),
    "internal": ("INTERNAL_ERROR", "internal_error"),
    "unavailable": ("SERVICE_UNAVAILABLE", "service_unavailable"),
}

# Named in reference/tokportal.md section 5.1; the same under every switch.
_DOCUMENTED: dict[str, str] = {
    "missing_key": "AUTH_MISSING_KEY",
    "invalid_key": "AUTH_INVALID_KEY",
    "revoked_key": "AUTH_REVOKED_KEY",
    "rate_limit": "RATE_LIMIT_EXCEEDED",
    "credits": "INSUFFICIENT_CREDITS",
    "unknown_video": "VIDEO_NOT_FOUND",
    "dry_run_id": "DRY_RUN_ID_IN_LIVE_REQUEST",
}


def error_code(case: str, names: Literal["a", "b", "missing"]) -> str | None:
    """The `error.code` of a case; None where the answer carries none."""
    if case in _DOCUMENTED:
        return _DOCUMENTED[case]
    return None if names == "missing" else _INVENTED[case][0 if names == "a" else 1]
