"""Colours: each is said twice, as `backgroundColor` and as `backgroundColorStyle`, and read back both ways.

The style is the newer name, which wins where both are sent; a theme's colour becomes the theme's red, green and blue.
Source: Color and ColorStyle of the discovery document; the theme as in recorded answers of new files.
"""

from __future__ import annotations

from typing import Any

from sheetsync.sandbox.google.fields import Mask

Json = dict[str, Any]

_WHITE = {"red": 1, "green": 1, "blue": 1}
THEME: Json = {
    "TEXT": {},
    "BACKGROUND": _WHITE,
    "ACCENT1": {"red": 0.25882354, "green": 0.52156866, "blue": 0.95686275},
    "ACCENT2": {"red": 0.91764706, "green": 0.2627451, "blue": 0.20784314},
    "ACCENT3": {"red": 0.9843137, "green": 0.7372549, "blue": 0.015686275},
    "ACCENT4": {"red": 0.20392157, "green": 0.65882355, "blue": 0.3254902},
    "ACCENT5": {"red": 1, "green": 0.42745098, "blue": 0.003921569},
    "ACCENT6": {"red": 0.27450982, "green": 0.7411765, "blue": 0.7764706},
    "LINK": {"red": 0.06666667, "green": 0.33333334, "blue": 0.8},
}
"""The nine colours of the theme that every new spreadsheet has."""


def _is_colour(name: str) -> bool:
    return name == "color" or (name.endswith("Color") and name not in ("rgbColor", "themeColor"))


def with_twins(value: Any) -> Any:
    """A JSON value in which every colour stands under both its names."""
    if isinstance(value, list):
        return [with_twins(item) for item in value]
    if not isinstance(value, dict):
        return value
    result = {name: with_twins(held) for name, held in value.items()}
    for name, held in value.items():
        if name.endswith("Style") and _is_colour(plain := name.removesuffix("Style")):
            result[plain] = THEME.get(held["themeColor"], {}) if "themeColor" in held else held.get("rgbColor", {})
        elif _is_colour(name) and name + "Style" not in value:
            result[name + "Style"] = {"rgbColor": held}
    return result


def mask_with_twins(mask: Mask) -> Mask:
    """A mask which means both names of each colour that it names."""
    if mask is None:
        return None
    result = {name: mask_with_twins(under) for name, under in mask.items()}
    for name in mask:
        plain = name.removesuffix("Style")
        if _is_colour(plain):
            result[plain] = result[plain + "Style"] = None
    return result
