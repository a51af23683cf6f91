"""How the sandbox shows numbers and dates, and how field masks are read."""

from __future__ import annotations

from typing import Any

import pytest

from sheetsync.sandbox.google.fields import BadMask, compile_mask, overlay, pick
from sheetsync.sandbox.google.number_format import formatted


@pytest.mark.parametrize(
    ("value", "kind", "pattern", "shown"),
    [
        (46174.5, "DATE_TIME", "yyyy-mm-dd hh:mm", "2026-06-01 12:00"),
        (46174.52152777778, "DATE_TIME", "yyyy-mm-dd hh:mm:ss", "2026-06-01 12:31:00"),
        (46174.5, "DATE_TIME", "d mmm yyyy, h:mm am/pm", "1 Jun 2026, 12:00 PM"),
        (46174.999999999, "DATE_TIME", "yyyy-mm-dd hh:mm", "2026-06-02 00:00"),
        (46174.5000029, "TIME", "hh:mm:ss.000", "12:00:00.251"),
        (46174, "DATE", "", "6/1/2026"),
        (46174, "DATE", 'dddd "the" d', "Monday the 1"),
        (1234.5, "NUMBER", "#,##0.00", "1,234.50"),
        (1234.5, "NUMBER", "0.##", "1234.5"),
        (7, "NUMBER", "0", "7"),
        (7, "NUMBER", '0 "credits"', "7 credits"),
        (0.125, "PERCENT", "0.0%", "12.5%"),
        (0.1, "", "", "0.1"),
        (1 / 3, "", "", "0.3333333333"),
        (1e20, "", "", "1.00000E+20"),
        (7.0, "TEXT", "@", "7"),
    ],
)
def test_a_number_under_a_format(value: float, kind: str, pattern: str, shown: str) -> None:
    """Patterns as in Google's guide, for what trackers use."""
    assert formatted(value, {"type": kind, "pattern": pattern} if kind else None) == shown


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("a", {"a": None}),
        ("a,b", {"a": None, "b": None}),
        ("a(b,c.d)", {"a": {"b": None, "c": {"d": None}}}),
        ("a/b.c", {"a": {"b": {"c": None}}}),
        ("a.b,a.c", {"a": {"b": None, "c": None}}),
        ("a.b,a", {"a": None}),
        ("a(b(c),d),e", {"a": {"b": {"c": None}, "d": None}, "e": None}),
        ("a.*", {"a": None}),
        ("*", None),
    ],
)
def test_a_mask(text: str, tree: Any) -> None:
    """Dots, slashes and parentheses mean the same."""
    assert compile_mask(text) == tree


@pytest.mark.parametrize("text", ["a(", "a)", "a,,b", "", "a(b))", ".a"])
def test_a_mask_that_cannot_be_read(text: str) -> None:
    """Nonsense is refused."""
    with pytest.raises(BadMask):
        compile_mask(text)


def test_picking_and_overlaying() -> None:
    """A mask picks through lists; overlaying clears what the new object lacks and leaves the rest."""
    assert pick({"a": [{"b": 1, "c": 2}, {}], "d": 3}, compile_mask("a.b")) == {"a": [{"b": 1}, {}]}
    old = {"x": {"y": 1, "z": 2}, "w": 3}
    assert overlay(old, {"x": {"y": 5}}, compile_mask("x.y,w")) == {"x": {"y": 5, "z": 2}}
    assert overlay(old, {}, compile_mask("x.y")) == {"x": {"z": 2}, "w": 3}
