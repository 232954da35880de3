"""`history`: past runs, newest first."""

import argparse
import asyncio
import shutil
import sys
import time
import unicodedata
from pathlib import Path
from typing import Final

from protocol.executions import ExecutionHistoryEntry
from protocol.problems import closest, some
from sidecar.cli import streams
from sidecar.cli.folders import history_file, project_folder
from sidecar.cli.progress import duration, first_line
from sidecar.history.executions import ExecutionHistory
from sidecar.redaction import escape_control

_HEAD: Final = ("STARTED", "STATUS", "DURATION", "STEPS", "WORKFLOW", "ERROR")
_WIDEST_WORKFLOW: Final = 32
#: Columns of an error where there is no terminal whose width could be asked for.
_WIDEST_ERROR: Final = 80
_NARROWEST_ERROR: Final = 20


def run(options: argparse.Namespace) -> int:
    """Print the runs; the exit status. Raises HistoryError when the file cannot be read."""
    file = history_file(options, project_folder(options))
    entries, others, notices = asyncio.run(_read(file, options.workflow_id, options.limit))
    if options.json:
        streams.say_json([entry.model_dump(exclude_none=True) for entry in entries])
    elif entries:
        _print_table(entries)
    elif options.limit > 0:
        streams.say(_nothing_found(options.workflow_id, others))
    for notice in notices:
        streams.complain(notice, "warning")
    return 0


async def _read(
    file: Path, workflow_id: str | None, limit: int
) -> tuple[list[ExecutionHistoryEntry], list[str], list[str]]:
    """The runs asked for; if there are none, the ids of workflows that have some; what the
    history has to tell about itself."""
    if not file.exists():  # noqa: ASYNC240 - one stat, before anything runs
        return [], [], []  # looking must not create a file
    history = ExecutionHistory(file)
    others: list[str] = []
    try:
        if workflow_id is None:
            entries = await history.recent(limit)
        else:
            entries = await history.history(workflow_id, limit)
            if not entries:
                found = await history.recent(limit)
                others = list(dict.fromkeys(entry.workflow_id for entry in found))
    finally:
        await history.close()
    return entries, others, history.notices


def _nothing_found(workflow_id: str | None, others: list[str]) -> str:
    if workflow_id is None or not others:
        return "no runs yet"
    near = closest(workflow_id, others)
    hint = f"did you mean {near}?" if near else f"there are runs of {some(others)}"
    return escape_control(f"no runs of {streams.quoted(workflow_id)} yet; {hint}")


def _print_table(entries: list[ExecutionHistoryEntry]) -> None:
    rows = [_HEAD]
    rows += [
        (
            time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(entry.timestamp / 1000)),
            entry.status,
            duration(entry.duration_ms),
            f"{entry.steps_executed}",
            _cut(escape_control(entry.workflow_id), _WIDEST_WORKFLOW),
            escape_control(first_line(entry.error or "")),
        )
        for entry in entries
    ]
    widths = [max(_columns(row[column]) for row in rows) for column in range(5)]
    room = _WIDEST_ERROR
    if streams.is_terminal(sys.stdout):
        room = max(_NARROWEST_ERROR, shutil.get_terminal_size().columns - sum(widths) - 10)
    for row in rows:
        cells = [
            cell + " " * (width - _columns(cell)) for cell, width in zip(row, widths, strict=False)
        ]
        streams.say("  ".join([*cells, _cut(row[5], room)]).rstrip())


def _cut(text: str, most: int) -> str:
    """`text` in at most `most` columns."""
    used = 0
    for index, char in enumerate(text):
        used += _columns(char)
        if used > most:
            # One column less for the mark, and a wide character may have to go for it.
            end = index - 1 if _columns(text[:index]) > most - 1 else index
            return text[:end] + "…"
    return text


def _columns(text: str) -> int:
    """How many columns of a terminal a text takes (UAX #11: East Asian width)."""
    return sum(
        0 if unicodedata.combining(char) else 1 + (unicodedata.east_asian_width(char) in "WF")
        for char in text
    )
