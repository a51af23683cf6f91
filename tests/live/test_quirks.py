"""`doctor --live` on a sandbox that does one thing otherwise: it names the probe of just that."""

from __future__ import annotations

from itertools import pairwise

import pytest
from support.live_bench import LiveBench, different
from support.profile import cases

from sheetsync.live.probe import Finding, Probe, is_safe, settled
from sheetsync.sandbox.google.quirks import NAMES

TELLS = {
    "text_as_formula": "a text like a formula",
    "text_as_number": "a text of digits",
    "text_as_date": "a text like a date",
    "text_as_boolean": "a text like a boolean",
    "text_loses_apostrophe": "a text with an apostrophe",
    "text_loses_spaces": "a text with spaces first",
    "text_loses_line_breaks": "a text of two lines",
    "numbers_read_as_text": "a number",
    "booleans_read_as_text": "a ticked box",
    "dates_read_as_text": "an instant",
    "write_drops_formats": "an instant's format",
    "empty_text_keeps_the_old": "a cell that is emptied",
    "write_drops_notes": "a note on a written cell",
    "write_drops_validation": "a dropdown on a written cell",
    "strict_validation_blocks": "a word no dropdown offers",
    "warning_blocks": "a cell with a warning",
    "write_lands_in_the_merged_cell": "a merged cell",
    "covered_cells_take_values": "a cell under a merged one",
    "write_skips_hidden_rows": "a hidden row",
    "write_skips_filtered_rows": "a filtered row",
    "write_shifts_in_filtered_rows": "a filtered row",
    "response_is_missing": "where a write landed",
    "response_is_empty": "where a write landed",
    "response_has_the_first_range_alone": "where a write landed",
    "find_refuses_empty_replacement": "a mark is cleared",
    "find_ignores_case": "a mark in other letters",
    "find_matches_parts": "a mark with words after it",
    "find_ignores_spaces": "a mark with a space after it",
    "find_takes_patterns": "a mark like a pattern",
    "find_ignores_range": "a mark beside the same text",
    "find_hits_formulas": "a mark that a formula makes",
    "find_skips_numbers": "a number that is taken",
    "find_skips_hidden_rows": "a mark in a hidden row",
    "find_skips_filtered_rows": "a mark in a filtered row",
    "find_tells_no_counts": "how much a find tells",
    "write_past_the_grid_grows_it": "a write past the last row",
    "refused_batch_stays_half_done": "a batch with a bad request",
    "unknown_tab_is_not_shown": "a write that shows no such tab",
    "unknown_tab_leaves_writes": "what that write has done",
    "unknown_tab_reads_as_empty": "a read of no such tab",
    "table_refuses_values": "values in a table",
    "table_takes_formats": "a date format in a table",
    "metadata_is_not_shown": "the mark of scratch tabs",
    "colour_rules_refused": "all that init sends",
    "validation_is_ignored": "what init would add then",
    "quota_headers_are_told": "headers that tell of quotas",
}


def test_every_quirk_has_its_probe() -> None:
    """None is left out of the table, and none in it is unknown to the sandbox."""
    assert TELLS.keys() == NAMES


@pytest.mark.parametrize("quirk", cases(TELLS, list(TELLS)[::4]))
def test_a_quirk_is_told_by_its_own_probe(quirk: str) -> None:
    """Just that probe sees something else; whatever Google does, the book is as it was."""
    bench = LiveBench(quirk)
    before = bench.whole_book()
    assert different(bench.check()) == {TELLS[quirk]}
    assert bench.whole_book() == before
    assert bench.left_behind == ""


def test_all_is_as_expected_in_few_calls() -> None:
    """A plain sandbox: nothing differs, and nothing is left out but the clock, of which no answer here tells."""
    bench = LiveBench()
    before = bench.whole_book()
    findings = bench.check()
    assert [f.probe.name for f in findings if not f.is_expected] == ["Google's clock"]
    assert bench.whole_book() == before
    assert len(bench.world.calls) <= 14  # and one for a token


def test_each_probe_can_be_told() -> None:
    """There is a quirk for every line of the table; for the clock, see test_live.py."""
    assert {finding.probe.name for finding in LiveBench().check()} == {*TELLS.values(), "Google's clock"}


def test_each_probe_has_a_name_of_its_own_and_says_what_to_do() -> None:
    """What is told can be looked up, and ends with a sentence for the person who reads it."""
    probes = [finding.probe for finding in LiveBench().check()]
    assert len({probe.name for probe in probes}) == len(probes)
    assert all(probe.means.endswith((".", ")")) and probe.expected for probe in probes)
    assert all(probe.needs == "" or probe.needs in {other.name for other in probes} for probe in probes)


def test_what_only_follows_is_not_told_as_a_difference() -> None:
    """Of a chain of probes the first that differs counts; the rest could not be tried, and are no proof."""
    chain = [Probe(name, "yes", "Report this.", needs=needs) for name, needs in (("a", ""), ("b", "a"), ("c", "b"))]
    findings = settled([Finding(probe, "no") for probe in chain])
    assert [finding.is_different for finding in findings] == [True, False, False]
    assert not is_safe(findings)
    assert all(later.detail == f"see '{former.probe.name}'" for former, later in pairwise(findings))
