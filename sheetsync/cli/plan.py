"""`sheetsync plan`: what `sync` would do, and what it would cost. Orders and writes nothing."""

import sys
from collections.abc import Callable, Mapping
from typing import Any

import click

from sheetsync.cli.options import OPTIONS, Selection, selecting
from sheetsync.cli.render import attributes, count, shown
from sheetsync.cli.rows import row_text, rows_text
from sheetsync.cli.runs import Runs, holds_json, run_trackers, troubles
from sheetsync.steps import Plan, Step
from sheetsync.sync.report import Report


@click.command()
@selecting(*(name for name in OPTIONS if name != "accept_price"))
def plan(selection: Selection) -> None:
    """Show what `sync` would do and what it would cost. Orders and writes nothing.

    \b
    Example:
      sheetsync plan --tracker acme
    """
    runs = run_trackers(selection, plan_only=True)
    # what failed to be planned is not carried out either: no word of what sync would do
    later = "; `sheetsync sync` carries this out" if any(map(_is_carried_out, runs.reports)) else ""
    end = f"Nothing was ordered or written{later}."
    click.echo(shown(selection, _plan_json(runs)) or "\n".join([*map(plan_text, runs.reports), end]))
    sys.exit(runs.exit_code)


def plan_text(report: Report) -> str:
    """What a plan will do, with its price."""
    if report.error and not report.rows:
        return "\n".join([f"tracker {report.name}: there is no plan.", *troubles(report)])
    steps = [_step_cells(step, report.plan) for step in report.plan.steps]
    holds = [["hold", row_text(hold.row), hold.video_id or "-", "", hold.printed] for hold in report.plan.holds]
    lines = [f"tracker {report.name}: {count(report.rows, 'row')}"]
    if steps or holds:
        lines.append(rows_text(report, [*steps, *holds]))
    lines.append("  " + (_price(report.plan, report.credits_left) if _has_plan(report) else "No plan was made."))
    return "\n".join(lines + troubles(report))


def _has_plan(report: Report) -> bool:
    """Whether the run came as far as a plan, be it one that is refused."""
    return report.plan != Plan() or not report.error


def _is_carried_out(report: Report) -> bool:
    """Whether a run would do what is printed: what is refused needs an option, which its reason names."""
    return _has_plan(report) and not report.plan.refused


def _price(plan: Plan, balance: int | None) -> str:
    if not plan.orders:
        return "No order is sent." if plan.refused else "Nothing to order."
    after = "" if balance is None else f"; balance {balance} -> {balance - plan.credits}"
    return f"{count(len(plan.orders), 'order')}, {plan.credits} credits{after}"


_REMARKS: Mapping[str, Callable[[Any], str]] = {
    **dict.fromkeys(("order", "renew"), lambda step: "again, with the same key" if step.resend else ""),
    "adopt": lambda step: f"already {step.request.status}",
    "correct": lambda step: step.feedback[:60],
    "lapse": lambda step: "an order that was never placed",
}
"""What is said of a step beside its row, video and price, by its kind."""


def _step_cells(step: Step, plan: Plan) -> list[str]:
    found = _step_json(step, plan)
    # giving up an order that never happened concerns no row; what is adopted may have lost its own
    row = "" if step.kind == "lapse" else row_text(step.row)
    return [found["step"], row, step.video_id, f"{found['credits']} credits", _REMARKS[found["step"]](step)]


def _step_json(step: Step, plan: Plan) -> dict[str, Any]:
    return {
        "step": step.kind,
        "video_id": step.video_id,
        "row": step.row,
        "credits": plan.price if step in plan.orders else 0,
    }


def _plan_json(runs: Runs) -> dict[str, Any]:
    """The document of `plan --json`."""
    return {"trackers": [_tracker_json(report) for report in runs.reports], "exit_code": runs.exit_code}


def _tracker_json(report: Report) -> dict[str, Any]:
    return {
        **attributes(report, "name", "rows"),
        "steps": [_step_json(step, report.plan) for step in report.plan.steps],
        "holds": holds_json(report.holds),
        "credits": report.plan.credits,
        "credits_left": report.credits_left,
        "error": str(report.error) if report.error else None,
    }
