"""PURE: the scratch tabs of a live check: their names, how they are made, told from everybody's tabs, and removed.

A tab is ours if it bears one of these titles and, as developer metadata, our mark: title or mark alone may be anybody's
(a person may rename a tab of ours and keep it, or call one so).
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sheetsync.errors import NotFound

Json = dict[str, Any]

BENCH, INIT, SUMMARY, TABLE = TITLES = tuple(
    f"sheetsync live check{part} (safe to delete)" for part in ("", ": init", ": summary", ": table")
)
NO_SUCH_TAB = "sheetsync live check: no such tab"
MARK = "sheetsync-live-check"
TABS_OF_ALL = "sheets(properties(sheetId,title),developerMetadata(metadataKey))"


def recognised(tabs: Iterable[Mapping[str, Any]]) -> list[int]:
    """The ids of the tabs that an earlier check left behind. Raises NotFound for one that only looks so."""
    found = []
    for tab in tabs:
        properties = tab.get("properties", {})
        if (title := properties.get("title", "")) not in TITLES:
            continue
        if not is_marked(tab):
            raise NotFound(
                f"Tab '{title}' does not bear sheetsync's mark, so it is left alone, and stands in the way of the live "
                "check. Rename it, or delete it if nobody needs it, and run again."
            )
        found.append(properties.get("sheetId", 0))
    return found


def is_marked(tab: Mapping[str, Any]) -> bool:
    """Whether a tab bears our mark."""
    return any(held.get("metadataKey") == MARK for held in tab.get("developerMetadata", ()))


def making(sheet_id: int, title: str, rows: int, columns: int) -> list[Json]:
    """The requests for a hidden tab of ours; in one batch, so that there is none without its mark."""
    size = {"rowCount": rows, "columnCount": columns}
    properties = {"sheetId": sheet_id, "title": title, "hidden": True, "gridProperties": size}
    mark = {"metadataKey": MARK, "visibility": "DOCUMENT", "location": {"sheetId": sheet_id}}
    return [{"addSheet": {"properties": properties}}, {"createDeveloperMetadata": {"developerMetadata": mark}}]


def removing(sheet_ids: Sequence[int]) -> list[Json]:
    """The requests that remove tabs."""
    return [{"deleteSheet": {"sheetId": sheet_id}} for sheet_id in sheet_ids]
