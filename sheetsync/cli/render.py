"""Text and JSON for people and programs: what a plan will do, what a run did (design 7).

Owns the words of the command line's output, as strings. Prints nothing and decides nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sheetsync.errors import SheetsyncError
from sheetsync.model import PRICE, Adopt, Correct, Hold, Lapse, Order, Plan, Renew, Step
from sheetsync.sync.run import Report

SEVERITY = (5, 2, 3, 4, 1, 0)
"""Of several trackers' exit codes the first of these is the command's: what a person must mend goes first."""


def exit_code(reports: Iterable[Report]) -> int:
    """One exit code for all trackers."""
    codes = {report.exit_code for report in reports}
    return next((code for code in SEVERITY if code in codes), 0)


# --- text -----------------------------------------------------------------------------------------------------


def table(lines: Sequence[Sequence[object]], indent: str = "") -> str:
    """Cells in columns, two spaces apart; the first line is the header."""
    texts = [[str(cell) for cell in line] for line in lines]
    widths = [max(len(line[n]) for line in texts) for n in range(len(texts[0]))]
    return "\n".join(
        indent + "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in texts
    )


def count(number: int, thing: str, things: str = "") -> str:
    """A number with its noun."""
    return f"{number} {thing if number == 1 else things or thing + 's'}"


def plan_text(report: Report, balance: int | None) -> str:
    """What a plan will do, with its price."""
    plan = report.plan
    lines = [f"tracker {report.name}: {count(report.rows, 'row')}"]
    entries = [_step_cells(step) for step in plan.steps] + [_hold_cells(hold) for hold in plan.holds]
    if entries:
        lines.append(table(entries, indent="  "))
    lines.append("  " + _price(plan, balance))
    return "\n".join(lines + _troubles(report))


def _price(plan: Plan, balance: int | None) -> str:
    if not plan.orders:
        return "Nothing to order."
    after = "" if balance is None else f"; balance {balance} -> {balance - plan.credits}"
    return f"{count(len(plan.orders), 'order')}, {plan.credits} credits{after}"


def _step_cells(step: Step) -> list[str]:
    if isinstance(step, Renew):
        return ["renew", _row(step.row), step.video_id, f"{PRICE} credits", _again(step)]
    if isinstance(step, Order):
        return ["order", _row(step.row), step.video_id, f"{PRICE} credits", _again(step)]
    if isinstance(step, Adopt):
        return ["adopt", _row(step.row or 0), step.video_id, "0 credits", f"already {step.request.status}"]
    if isinstance(step, Correct):
        return ["correct", _row(step.row), step.video_id, "0 credits", step.feedback[:60]]
    return _lapse_cells(step)


def _lapse_cells(step: Lapse) -> list[str]:
    return ["lapse", "", step.video_id, "0 credits", "an order that was never placed"]


def _again(step: Order | Renew) -> str:
    return "again, with the same key" if step.resend else ""


def _hold_cells(hold: Hold) -> list[str]:
    return ["hold", _row(hold.row), hold.video_id or "-", "", hold.reason]


def _row(number: int) -> str:
    return f"row {number}" if number else "no row"


def sync_text(report: Report) -> str:
    """What a run did."""
    done = [
        count(number, word, word)
        for number, word in (
            (report.ordered, "ordered"),
            (report.renewed, "renewed"),
            (report.adopted, "taken over"),
            (report.corrected, "corrected"),
        )
        if number
    ]
    if report.credits_charged:
        done.append(f"{report.credits_charged} credits charged")
    if report.credits_left is not None:
        done.append(f"{report.credits_left} left")
    if report.codes_received:
        done.append(f"{count(report.codes_received, 'code')} received")
    if report.cells_written:
        done.append(f"{count(report.cells_written, 'cell')} written")
    quiet = not (report.cells_written or report.error)
    head = f"tracker {report.name}: {count(report.rows, 'row')}, {count(report.polled, 'video')} looked at: "
    lines = [head + (", ".join(done) if not quiet else ", ".join(["nothing to do", *done])) + "."]
    if report.error and not done:
        lines = [f"tracker {report.name}: stopped before anything was done."]
    if report.deferred:
        lines.append(f"  {count(report.deferred, 'open row')} left for the next run.")
    if report.holds:
        waiting = [["hold", _row(hold.row), hold.video_id or "-", hold.reason] for hold in report.holds]
        lines.append(table(waiting, indent="  "))
    return "\n".join(lines + _troubles(report))


def _troubles(report: Report) -> list[str]:
    lines = [f"  warning: {warning}" for warning in report.warnings]
    if report.unplaced:
        lines.append(f"  not verified in the sheet, the next run writes again: {', '.join(report.unplaced)}")
    if report.error:
        lines.append(f"  {error_text(report.error)}")
    return lines


def error_text(error: SheetsyncError) -> str:
    """An error as advice, later lines indented."""
    return str(error).replace("\n", "\n  ")


# --- JSON -----------------------------------------------------------------------------------------------------


def sync_json(run_id: str, started: datetime, finished: datetime, reports: Sequence[Report]) -> dict[str, Any]:
    """The document of `sync --json` (design 7)."""
    return {
        "run_id": run_id,
        "started_at": stamp(started),
        "finished_at": stamp(finished),
        "trackers": [tracker_json(report) for report in reports],
        "exit_code": exit_code(reports),
    }


_FIGURES = (
    "name",
    "rows",
    "ordered",
    "renewed",
    "adopted",
    "corrected",
    "polled",
    "codes_received",
    "cells_written",
    "renewal_needed",
    "expired",
    "uncertain",
    "deferred",
    "credits_charged",
    "credits_left",
)


def tracker_json(report: Report) -> dict[str, Any]:
    """One tracker of the document."""
    figures: dict[str, Any] = {name: getattr(report, name) for name in _FIGURES}
    figures["holds"] = [{"video_id": h.video_id, "row": h.row, "reason": h.reason} for h in report.holds]
    figures["warnings"] = list(report.warnings)
    figures["calls"] = {
        "sheets_read": report.sheets_read,
        "sheets_write": report.sheets_write,
        "tokportal": report.tokportal,
    }
    figures["error"] = str(report.error) if report.error else None
    return figures


def plan_json(reports: Sequence[Report]) -> dict[str, Any]:
    """The document of `plan --json`."""
    return {"trackers": [_plan_of(report) for report in reports], "exit_code": exit_code(reports)}


def _plan_of(report: Report) -> dict[str, Any]:
    return {
        "name": report.name,
        "rows": report.rows,
        "steps": [_step_json(step) for step in report.plan.steps],
        "holds": [{"video_id": h.video_id, "row": h.row, "reason": h.reason} for h in report.holds],
        "credits": report.plan.credits,
        "credits_left": report.credits_left,
        "error": str(report.error) if report.error else None,
    }


def _step_json(step: Step) -> dict[str, Any]:
    row = None if isinstance(step, Lapse) else step.row
    cost = PRICE if isinstance(step, Order | Renew) else 0
    return {"step": type(step).__name__.lower(), "video_id": step.video_id, "row": row, "credits": cost}


def stamp(moment: datetime) -> str:
    """An instant as ISO text in UTC, to the second."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
