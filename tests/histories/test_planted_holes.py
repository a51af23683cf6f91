"""Tests of the tests, by hole: money and refusals (`planting.py`)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from histories.planting import Bug, Patch
from sheetsync.ledger import rows
from sheetsync.ledger.recorder import Recorder
from sheetsync.model import HoldKind, Origin, Price
from sheetsync.plan import gates, limits, marks
from sheetsync.plan.claim import Claim
from sheetsync.plan.situation import Situation
from sheetsync.sheet import edits, reading, verification, writing
from sheetsync.sheet.journal import from_journal
from sheetsync.sync import execute, run, trackers
from sheetsync.sync.execute import Executor
from sheetsync.sync.observe import Poller

pytestmark = pytest.mark.long


def claim_only_where_it_differs(patch: Patch) -> None:
    """A row whose Status says `ordering` already counts as claimed."""
    project = Claim.project

    def trusting(self: Claim, snapshot: Any) -> Any:
        found = project(self, snapshot)
        return replace(found, targets=tuple(replace(target, is_claim=False) for target in found.targets))

    standing = Claim.standing

    def unseen(self: Claim, now: Any) -> Any:
        seen = tuple(now)
        return standing(self, seen) if seen else self.rows

    patch.setattr(Claim, "project", trusting)
    patch.setattr(Claim, "standing", unseen)


def old_claim(patch: Patch) -> None:
    """A claim holds for the whole batch, and an order is sent whenever its turn comes."""
    patch.setattr(execute, "CLAIM_SECONDS", 10**6)
    patch.setattr(execute, "LOOK_SECONDS", 10**6)


def number_left_in_its_cell(patch: Patch) -> None:
    """Orders begin while the number that allows them stays where it was typed."""
    patch.setattr(Executor, "_may_begin", lambda *_: True)


def number_for_other_orders(patch: Patch) -> None:
    """A number allows as many orders, whichever they are by then."""
    unless_allowed = limits._unless_allowed

    def any_so_many(plan: Any, world: Any, why: str) -> Any:
        at_sheet = world.at_sheet
        if at_sheet.is_allowed and at_sheet.asked.orders == plan.as_offer.orders:
            world = replace(world, at_sheet=replace(at_sheet, asked=plan.as_offer))
        return unless_allowed(plan, world, why)

    patch.setattr(limits, "_unless_allowed", any_so_many)


def credits_only_planned(patch: Patch) -> None:
    """What the answers tell of the balance is not looked at."""
    patch.setattr(Executor, "_spent", lambda self, credits, left=None: None)


def limit_after_credits(patch: Patch) -> None:
    """Marks that the credits do not cover do not count."""

    def poor_first(plan: Any, world: Situation) -> Any:
        found = limits.within_credits(plan, world)
        why = limits.too_many_orders(found, world.tracker, world.allowed)
        return replace(limits.without_orders(found, 0), refused=why) if why else found

    patch.setattr(marks, "within_limits", poor_first)


def price_forgotten(patch: Patch) -> None:
    """Another price stops its run, and the next one orders again."""
    patch.setattr(Recorder, "lock_price", lambda *_: None)


def price_not_kept_in_the_sheet(patch: Patch) -> None:
    """The lock is lost with the ledger, and no other machine knows of it."""
    patch.setattr(run.summary, "price_lock", lambda *_: "")


def lagging_replica_believed(patch: Patch) -> None:
    """Whatever TokPortal answers is the latest."""
    patch.setattr(run, "credible", lambda answers, *_: answers)
    patch.setattr(execute, "contradicts", lambda *_: False)


def approval_fails_open(patch: Patch) -> None:
    """A column that is not there asks nothing."""
    patch.setattr(gates, "absent_gates", lambda *_: [])
    patch.setattr(run, "absent_gates", lambda *_: [])


def protection_not_looked_at(patch: Patch) -> None:
    """Whether cells may be written is found out when they are."""
    patch.setattr(reading, "_locks", lambda *_: ())


def wall_clock_decides(patch: Patch) -> None:
    """Instants that lie in the future wait until they come."""
    patch.setattr(Recorder, "correct_future", lambda self: None)


def formula_taken_for_a_mark(patch: Patch) -> None:
    """What a cell shows is what somebody typed."""
    patch.setattr(Executor, "made_by_formula", property(lambda self: frozenset(), lambda self, value: None))


def adopted_in_silence(patch: Patch) -> None:
    """What this ledger ordered stays ordered, whatever mark met it since."""
    merged = rows.merged

    def once_ordered(old: Any, new: Any) -> Any:
        found = merged(old, new)
        return replace(found, origin=Origin.ORDERED) if old and old.origin is Origin.ORDERED else found

    patch.setattr(rows, "merged", once_ordered)


def values_not_verified(patch: Patch) -> None:
    """A write is right where key and header are."""
    patch.setattr(verification, "_says", lambda *_: True)


def protected_cells_written(patch: Patch) -> None:
    """What is protected goes with all else into one call, of which Google does nothing."""
    patch.setattr(edits, "_may_be_written", lambda column, row: column not in row.hidden)


def refusal_is_a_failure(patch: Patch) -> None:
    """Every run with a refused row asks for somebody to look at the machine."""
    patch.setattr(execute, "who_moves", lambda no: HoldKind.NEXT_RUN)


def reservations_end_with_the_next_answer(patch: Patch) -> None:
    """What an unclear order may yet cost is there again once a newer balance was told."""
    patch.setattr(Recorder, "unsettled_beside", lambda *_: 0)


def reservations_of_others_forgotten(patch: Patch) -> None:
    """A run for one video alone knows of no other's unclear order."""
    within = limits.within_credits
    patch.setattr(limits, "within_credits", lambda plan, world: within(plan, replace(world, unsettled_elsewhere=0)))
    reservations_end_with_the_next_answer(patch)


def nothing_kept(patch: Patch) -> None:
    """`keep_credits` is looked at when a run is planned, and not before each order."""
    begin = Executor.__init__

    def generous(self: Executor, tracker: Any, *more: Any) -> None:
        begin(self, replace(tracker, keep_credits=0), *more)

    patch.setattr(Executor, "__init__", generous)


def as_many_as_the_limit(patch: Patch) -> None:
    """Of too many marks the first ones are served."""

    def some(plan: Any, world: Situation) -> Any:
        return limits._held_back(plan, plan.orders[world.tracker.max_orders_per_run :], "too many")

    patch.setattr(marks, "within_limits", some)


def untold_price_expected(patch: Patch) -> None:
    """An answer without a price told the usual one."""
    covers = Price.covers
    patch.setattr(Price, "covers", lambda self, charged: charged is None or covers(self, charged))


def cheaper_is_fine(patch: Patch) -> None:
    """Whatever costs less than expected was meant."""
    patch.setattr(Price, "covers", lambda self, charged: charged is not None and charged <= self.credits)


def served_marks_forgotten(patch: Patch) -> None:
    """Neither the ledger nor the row's note remembers that a mark is done."""
    make = marks.make_plan

    def forgetful(world: Situation) -> Any:
        read = [replace(row, cells={**row.cells, "sync_note": ""}) for row in world.rows]
        return make(replace(world, rows=read, known=replace(world.known, served={})))

    patch.setattr(run, "make_plan", forgetful)


def part_of_the_protections(patch: Patch) -> None:
    """Of a protected range its first row counts."""
    locks = reading._locks
    patch.setattr(reading, "_locks", lambda meta, tab: tuple(replace(lock, bottom=1) for lock in locks(meta, tab)))


def failed_looks_do_not_count(patch: Patch) -> None:
    """Videos of which TokPortal told nothing come first, again and again."""
    observe, looked = Poller.observe, Recorder.looked
    silent: set[str] = set()

    def noting(self: Poller, videos: Any) -> Any:
        found = observe(self, videos)
        silent.clear()
        silent.update(video for video, answer in found.items() if answer.failure)
        return found

    patch.setattr(Poller, "observe", noting)
    patch.setattr(Recorder, "looked", lambda self, videos: looked(self, [v for v in videos if v not in silent]))


def merged_cells_not_looked_at(patch: Patch) -> None:
    """What lies under a merged cell is written like any other, and written again."""
    locks = reading._locks
    patch.setattr(reading, "_locks", lambda *of: tuple(lock for lock in locks(*of) if not lock.is_merge))


def first_trouble_ends_all(patch: Patch) -> None:
    """What stops one tracker stops the command."""
    run_once = trackers.run_once

    def raising(*args: Any) -> Any:
        report = run_once(*args)
        if report.error:
            raise report.error
        return report

    patch.setattr(trackers, "run_once", raising)


def silence_is_no_mark(patch: Patch) -> None:
    """A mark whose video TokPortal says nothing of is not counted."""
    patch.setattr(limits, "_unseen", lambda *_: frozenset())


def unseen_clearing_is_done(patch: Patch) -> None:
    """What a write was to clear is cleared, also where nobody saw it land."""
    patch.setattr(writing, "left_standing", lambda *_: {})


def journal_taken_as_it_is(patch: Patch) -> None:
    """What the ledger keeps of a write was written by this version."""
    patch.setattr(writing, "_unfinished", lambda journal: from_journal(journal) if journal else ())


BUGS = {
    "claim only where it differs": Bug(claim_only_where_it_differs, (101,), "claims"),
    "a claim holds for the whole batch": Bug(old_claim, (101,), "claims"),
    "credits only planned": Bug(credits_only_planned, (102,), "balance"),
    "a number left in its cell": Bug(number_left_in_its_cell, (130,), "allowed"),
    "a number for other orders": Bug(number_for_other_orders, (130,), "allowed", 60),
    "the limit after the credits": Bug(limit_after_credits, (103,), "limit"),
    "a price forgotten": Bug(price_forgotten, (104,), "price"),
    "a price not kept in the sheet": Bug(price_not_kept_in_the_sheet, (104,), "price"),
    "a lagging replica believed": Bug(lagging_replica_believed, (1, 3, 7, 105), "stale"),
    "an approval fails open": Bug(approval_fails_open, (106,), "headers"),
    "protections not looked at": Bug(protection_not_looked_at, (107,), "protected"),
    "protected cells written": Bug(protected_cells_written, (107,), "protected"),
    "asleep before the order": Bug(old_claim, (108, 1), "suspend"),
    "the wall clock decides": Bug(wall_clock_decides, (109,), "clocks"),
    "a formula taken for a mark": Bug(formula_taken_for_a_mark, (110,), "formulas"),
    "adopted in silence": Bug(adopted_in_silence, (116,), "adopted"),
    "values not verified": Bug(values_not_verified, (1, 3, 7), "displaced"),
    "a refusal is a failure": Bug(refusal_is_a_failure, (123,), "refusals"),
    "reservations end with the next answer": Bug(reservations_end_with_the_next_answer, (102,), "balance", 35),
    "reservations of others forgotten": Bug(reservations_of_others_forgotten, (102,), "chosen"),
    "nothing is kept": Bug(nothing_kept, (102,), "balance"),
    "as many as the limit": Bug(as_many_as_the_limit, (103,), "limit"),
    "an untold price is expected": Bug(untold_price_expected, (104,), "price"),
    "cheaper is fine": Bug(cheaper_is_fine, (104,), "price"),
    "a part of the protections": Bug(part_of_the_protections, (107,), "protected"),
    "a mark is less where TokPortal is silent": Bug(silence_is_no_mark, (103,), "limit"),
    "a mark is cleared though nobody saw it": Bug(unseen_clearing_is_done, (1, 110), "refills"),
    "served marks forgotten": Bug(served_marks_forgotten, (1, 110), "refills"),
    "failed looks do not count": Bug(failed_looks_do_not_count, (118,), "ill"),
    "merged cells not looked at": Bug(merged_cells_not_looked_at, (107, 111), "merged"),
    "the first trouble ends all": Bug(first_trouble_ends_all, (120,), "trackers"),
    "a journal taken as it is": Bug(journal_taken_as_it_is, (120,), "trackers"),
}


@pytest.mark.parametrize("name", BUGS)
def test_planted_bug_is_found(name: str, monkeypatch: Patch) -> None:
    """By the machine itself, within CI's budget."""
    assert BUGS[name].is_found(monkeypatch)
