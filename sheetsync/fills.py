"""How a tracker's rows may fill themselves: the settings of `fill` as a frozen value. Owns no more than that."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Fill:
    """How `fill` makes rows of TokPortal's videos (design 6): text columns of people, by key, and what goes there.

    `columns` maps a column to a field of the video; `accounts` holds constants by column for each account, by its name
    in lower case; `country`, `bundle` and `title` narrow it, where they are not empty. `every` makes it part of `sync`.
    """

    columns: Mapping[str, str] = field(
        default_factory=lambda: {"video_url": "video_url", "creator": "account", "market": "country"}
    )
    accounts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    country: tuple[str, ...] = ()
    bundle: tuple[str, ...] = ()
    title: tuple[str, ...] = ()
    every: bool = False
