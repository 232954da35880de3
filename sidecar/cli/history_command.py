"""`history`: past runs, newest first; or one run in full, by its id."""

import argparse
import asyncio
import re
import shutil
import sys
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeAlias

from protocol.executions import ExecutionDetail, ExecutionHistoryEntry
from protocol.problems import closest, some
from sidecar.cli import streams
from sidecar.cli.folders import history_file, project_folder
from sidecar.cli.run_report import local_time, report
from sidecar.cli.wording import duration, first_line
from sidecar.errors import UsageError
from sidecar.history.executions import ExecutionHistory
from sidecar.redaction import escape_control

_HEAD: Final = ("RUN", "STARTED", "STATUS", "DURATION", "STEPS", "WORKFLOW", "ERROR")
_STYLES: Final = {"success": "green", "failed": "red", "cancelled": "yellow"}
_WIDEST_WORKFLOW: Final = 32
_NARROWEST_WORKFLOW: Final = 8
#: Columns of an error where there is no terminal whose width could be asked for.
_WIDEST_ERROR: Final = 80
_NARROWEST_ERROR: Final = 16
#: Of a run's id, a UUID: enough to tell it from all others.
SHORT_ID: Final = 8
_RUN_ID: Final = re.compile(rf"[0-9a-fA-F-]{{{SHORT_ID},36}}")
_ALL: Final = 1_000_000


_Cells: TypeAlias = tuple[str, ...]


@dataclass(slots=True)
class _Found:
    """What there is. `others` are ids of workflows with runs, when those asked for are none."""

    entries: list[ExecutionHistoryEntry] = field(default_factory=list)
    run: ExecutionDetail | None = None
    others: list[str] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)


def run(options: argparse.Namespace) -> int:
    """Print the runs; the exit status. Raises HistoryError when the file cannot be read."""
    file = history_file(options, project_folder(options))
    found = asyncio.run(_read(file, options.workflow_id, options.limit))
    if options.json:
        shown = found.entries if found.run is None else [found.run]
        streams.say_json([entry.model_dump(exclude_none=True) for entry in shown])
    elif found.run is not None:
        streams.say("\n".join(report(found.run)))
    elif found.entries:
        _print_table(found.entries)
    elif options.limit > 0:
        streams.say(_nothing_found(options.workflow_id, found.others))
    for notice in found.notices:
        streams.complain(notice, "warning")
    return 0


async def _read(file: Path, asked: str | None, limit: int) -> _Found:
    """The runs of a workflow, of all, or the one run whose id is asked for."""
    found = _Found()
    if not _is_there(file):
        return found  # looking must not create a file
    history = ExecutionHistory(file)
    try:
        if asked is None:
            found.entries = await history.recent(limit)
        else:
            found.entries = await history.history(asked, limit)
            if not found.entries and _RUN_ID.fullmatch(asked):
                found.run = await _one_run(history, asked.lower())
            if not found.entries and found.run is None:
                recent = await history.recent(limit)
                found.others = list(dict.fromkeys(entry.workflow_id for entry in recent))
    finally:
        await history.close()
    found.notices = history.notices
    return found


def _is_there(file: Path) -> bool:
    """Whether there is a history. Raises UsageError where nobody may look."""
    try:
        file.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise UsageError(f"the history file cannot be used: {file}: {error.strerror}") from None
    return True


async def _one_run(history: ExecutionHistory, begins: str) -> ExecutionDetail | None:
    """The run whose id is or begins so. Raises UsageError when several do."""
    run_id = begins
    if len(begins) < len("00000000-0000-4000-8000-000000000000"):
        ids = [entry.id for entry in await history.recent(_ALL) if entry.id.startswith(begins)]
        if len(ids) > 1:
            raise UsageError(f"{len(ids)} runs have an id that begins with {begins}: {some(ids)}")
        run_id = ids[0] if ids else begins
    return await history.detail(run_id)


def _nothing_found(workflow_id: str | None, others: list[str]) -> str:
    if workflow_id is None or not others:
        return "no runs yet"
    near = closest(workflow_id, others)
    hint = f"did you mean {near}?" if near else f"there are runs of {some(others)}"
    return escape_control(f"no runs of {streams.quoted(workflow_id)} yet; {hint}")


def _print_table(entries: list[ExecutionHistoryEntry]) -> None:
    rows: list[_Cells] = [_HEAD]
    rows += [
        (
            entry.id[:SHORT_ID],
            local_time(entry.timestamp)[: len("2026-11-25 16:19")],
            entry.status,
            duration(entry.duration_ms),
            f"{entry.steps_executed}",
            _cut(escape_control(entry.workflow_id), _WIDEST_WORKFLOW),
            escape_control(first_line(entry.error or "")),
        )
        for entry in entries
    ]
    is_terminal = streams.is_terminal(sys.stdout)
    room = _WIDEST_ERROR
    if is_terminal:
        rows, room = _fitted(rows, shutil.get_terminal_size().columns)
    widths = _widths(rows)
    lines = []
    for row in rows:
        cells = [
            # Figures end where figures end.
            cell.rjust(width) if name in ("DURATION", "STEPS") else _padded(cell, width)
            for name, cell, width in zip(_HEAD[:-1], row, widths, strict=False)
        ]
        lines.append([*cells, _cut(row[-1], room) if room else ""])
    if is_terminal:
        _print_coloured(lines)
    else:
        streams.say("\n".join("  ".join(line).rstrip() for line in lines))


def _fitted(rows: list[_Cells], columns: int) -> tuple[list[_Cells], int]:
    """The rows for a terminal, and what is left for the error: the workflow gives way to it, and
    where there is no room for either, it is left out."""
    *fixed, workflow, error = _widths(rows)
    room = columns - sum(fixed) - workflow - 2 * len(_HEAD[1:])
    lacks = min(error, _NARROWEST_ERROR) - room
    if lacks > 0:
        narrowed = max(_NARROWEST_WORKFLOW, workflow - lacks)
        room += max(0, workflow - narrowed)
        rows = [(*row[:-2], _cut(row[-2], narrowed), row[-1]) for row in rows]
    return rows, room if room >= _NARROWEST_ERROR // 2 else 0


def _widths(rows: list[_Cells]) -> list[int]:
    return [max(map(_columns, column)) for column in zip(*rows, strict=True)]


def _print_coloured(lines: list[list[str]]) -> None:
    from rich.console import Console  # costs more than the history; it honours NO_COLOR
    from rich.text import Text

    console = Console(highlight=False, soft_wrap=True)
    for head, *cells in lines:
        status = cells[1].strip()
        style = _STYLES.get(status, "bold")
        line = Text(head, "bold" if status not in _STYLES else "")
        for name, cell in zip(_HEAD[1:], cells, strict=True):
            line.append("  ").append(cell, style if name in ("STATUS",) or style == "bold" else "")
        line.rstrip()
        console.print(line)


def _padded(cell: str, width: int) -> str:
    return cell + " " * (width - _columns(cell))


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
