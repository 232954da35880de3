"""Numbers and lists in words, for both kinds of report."""

from __future__ import annotations

from typing import Any

LONGEST_LIST = 200  # Rows of a list in the report; the rest stays in the file it comes from.
NAMES = 10  # Names in one sentence, files in one group.
COLUMNS = ("files", "code", "comment", "text", "blank")


def number_of(count: int, one: str, many: str = "") -> str:
    """ "1 file", "1,204 files"."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def human_size(size: float) -> str:
    if size < 1000:
        return number_of(int(size), "byte")
    units = ["KB", "MB", "GB", "TB"]
    size /= 1000
    while size >= 999.95 and len(units) > 1:
        size /= 1000
        units.pop(0)
    return f"{size:,.1f} {units[0]}"


def share(part: int, whole: int) -> str:
    if not part or not whole:
        return "0 %"
    return f"{100 * part / whole:.0f} %" if part * 100 >= whole else "under 1 %"


def named(names: list[str]) -> str:
    more = len(names) - NAMES
    return ", ".join(names[:NAMES]) + (f" and {more:,} more" if more > 0 else "")


def title_of(facts: dict[str, Any]) -> str:
    folder: str = facts["folder"] or facts["project"] or "this project"
    return folder


def cut(rows: list[Any], whole_list: str, limit: int = LONGEST_LIST) -> tuple[list[Any], list[str]]:
    """The rows to show, and a sentence on the rest if there is one."""
    more = len(rows) - limit
    return rows[:limit], ([f"and {more:,} more, see {whole_list}"] if more > 0 else [])
